package guardduty

import (
	"context"
	"errors"
	"time"

	"sumun.dev/detect"
	"sumun.dev/finding"
	"sumun.dev/store"
)

// The trail, the query log and what is sent in are judged by different watchers, at
// different nodes perhaps. What any of them finds of one instance meets here, where
// findings are kept. User Guide, "GuardDuty Extended Threat Detection".

const (
	jobGroup  = "guardduty.group" // what an instance did, once it is over
	groupLife = 25 * time.Hour    // more than signals belong together
)

// A group is what an instance did of late, kept under its id.
type group struct {
	Detector string // another one begins anew
	Did      detect.Group
	Last     time.Time // that something was added
}

// joined adds a suspicion to what its instance did of late, and returns the attack
// that this makes with it, nil for none. What filters archive is no part of any.
func (s *Service) joined(ctx context.Context, d *detector, one finding.Suspicion, now time.Time) (*finding.Suspicion, error) {
	instance := detect.InstanceOf(&one)
	if instance == "" {
		return nil, nil
	}
	g, err := s.groups.Get(ctx, instance)
	if errors.Is(err, store.ErrNotFound) || err == nil && g.Detector != d.ID {
		g = &group{Detector: d.ID}
	} else if err != nil {
		return nil, err
	}
	attack := g.Did.Add(instance, one)
	g.Last = now
	store.Schedule(ctx, store.Due{Kind: jobGroup, ID: instance, At: now.Add(groupLife)})
	return attack, s.groups.Put(ctx, instance, g)
}

// groupDue forgets an instance that did nothing more.
func (s *Service) groupDue(ctx context.Context, due store.Due) error {
	g, err := s.groups.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if end := g.Last.Add(groupLife); time.Now().Before(end) {
		store.Schedule(ctx, store.Due{Kind: jobGroup, ID: due.ID, At: end})
		return nil
	}
	return s.groups.Delete(ctx, due.ID)
}
