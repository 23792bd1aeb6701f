package guardduty

import (
	"context"
	"errors"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/finding"
	"sumun.dev/store"
)

const (
	jobPublish = "guardduty.publish" // what has happened to a finding since others heard of it
	jobExpire  = "guardduty.expire"  // a finding that nothing happens to any more
	jobPurge   = "guardduty.purge"   // the findings of a detector that is gone
)

// every returns how often others hear of a finding that goes on.
func every(f guarddutyapi.FindingPublishingFrequency) time.Duration {
	switch f {
	case guarddutyapi.FindingPublishingFrequencyFifteenMinutes:
		return 15 * time.Minute
	case guarddutyapi.FindingPublishingFrequencyOneHour:
		return time.Hour
	}
	return 6 * time.Hour
}

// tell keeps a finding that has changed and lets others hear of it: of a new one
// at once, of what follows at the detector's frequency.
// User Guide, "Processing GuardDuty findings with Amazon EventBridge".
func (s *Service) tell(ctx context.Context, d *detector, k *kept, now time.Time) error {
	store.Schedule(ctx, store.Due{Kind: jobExpire, ID: k.ID, At: now.Add(retention)})
	switch {
	case k.Suppressed:
	case k.Told.IsZero():
		return s.publish(ctx, k, finding.Created, now)
	case !k.Scheduled:
		often, err := s.frequency(ctx, d)
		if err != nil {
			return err
		}
		k.Scheduled = true
		store.Schedule(ctx, store.Due{Kind: jobPublish, ID: k.ID, At: later(k.Told.Add(every(often)), now)})
	}
	return s.findings.Put(ctx, k.ID, k)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// publish keeps a finding and tells Security Hub, by the stream of findings, and
// EventBridge, in the same unit of work: in the account and in that of its administrator.
func (s *Service) publish(ctx context.Context, k *kept, action string, now time.Time) error {
	k.Told, k.Scheduled = now, false
	told, err := k.Finding.Told(action)
	if err != nil {
		return err
	}
	store.Emit(ctx, told)
	h, err := s.head(ctx)
	if err != nil {
		return err
	}
	readers := []aws.Account{k.Account}
	if h != nil {
		readers = append(readers, h.Administrator)
	}
	for _, reader := range readers {
		event, err := k.Published(reader, now)
		if err != nil {
			return err
		}
		store.Emit(ctx, event)
	}
	return s.findings.Put(ctx, k.ID, k)
}

// publishDue tells what has happened to a finding since others heard of it.
func (s *Service) publishDue(ctx context.Context, due store.Due) error {
	k, err := s.findings.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if k.Suppressed || !k.Scheduled {
		return nil
	}
	if _, err := s.detectors.Get(ctx, k.Detector); errors.Is(err, store.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	return s.publish(ctx, k, finding.Updated, time.Now())
}

// expireDue forgets a finding to which nothing has happened for 90 days. User
// Guide, "Quotas for Amazon GuardDuty".
func (s *Service) expireDue(ctx context.Context, due store.Due) error {
	k, err := s.findings.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if end := k.Updated.Add(retention); time.Now().Before(end) {
		store.Schedule(ctx, store.Due{Kind: jobExpire, ID: due.ID, At: end})
		return nil
	}
	return s.forget(ctx, due.ID)
}
