package kms

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// keyUsage is what last used a key, under the key's id. It is written from the
// trail, so that it names the record, and so that a call that encrypts writes
// nothing itself: a key that is used all the time is written once in usageGrain for
// each change of the operation.
type keyUsage struct {
	Operation string
	At        time.Time
	EventID   string
	RequestID string
}

// usageGrain is how far the time that is kept may be behind.
const usageGrain = time.Minute

// Consumers keeps what last used each key, from the trail.
func (s *Service) Consumers() []service.Consumer {
	return []service.Consumer{{Name: "kms-last-usage", Stream: aws.TrailStream, Handle: s.noteUsage, MaxBatch: 2048, Linger: 200 * time.Millisecond}}
}

// A usageNote remembers what was written lately of each key.
type usageNote struct {
	mu sync.Mutex
	of map[aws.ARN]keyUsage
}

// fresh reports whether what is kept already tells as much as u.
func (n *usageNote) fresh(key aws.ARN, operation string, at time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	had, known := n.of[key]
	return known && (at.Before(had.At) || had.Operation == operation && at.Sub(had.At) < usageGrain)
}

func (n *usageNote) note(key aws.ARN, u keyUsage) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.of == nil || len(n.of) >= knownMost {
		n.of = map[aws.ARN]keyUsage{}
	}
	n.of[key] = u
}

// noteUsage keeps the newest use of each key that the events tell: successful
// cryptography, by whatever account.
func (s *Service) noteUsage(ctx context.Context, events []aws.Event) error {
	newest := map[string]*aws.Event{} // by the key's ARN
	for i := range events {
		e := &events[i]
		if e.Attrs["eventSource"] != kmsapi.Service.EventSource || e.Attrs["errorCode"] != "" || !tracked[e.Attrs["eventName"]] {
			continue
		}
		for arn := range strings.SplitSeq(e.Attrs["resources"], "\n") {
			if had := newest[arn]; had == nil || e.Time.After(had.Time) {
				newest[arn] = e
			}
		}
	}
	for text, e := range newest {
		arn, err := aws.ParseARN(text)
		if err != nil || keyIDOf(arn) == "" || s.used.fresh(arn, e.Attrs["eventName"], e.Time) {
			continue
		}
		if err := s.keepUsage(ctx, arn, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) keepUsage(ctx context.Context, arn aws.ARN, e *aws.Event) error {
	usages := s.usages.At(arn)
	had, err := usages.Get(ctx, keyIDOf(arn))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && !e.Time.After(had.At) {
		return nil
	}
	if _, err := s.key(ctx, arn); kmsapi.NotFoundException.Is(err) {
		return nil // deleted since
	} else if err != nil {
		return err
	}
	var record struct{ RequestID string }
	_ = json.Unmarshal(e.Data, &record) // the gate wrote it; without, the request is not named
	u := keyUsage{Operation: e.Attrs["eventName"], At: e.Time.UTC(), EventID: e.ID, RequestID: record.RequestID}
	store.AfterCommit(ctx, func() { s.used.note(arn, u) })
	return usages.Put(ctx, keyIDOf(arn), &u)
}

// tracked are the operations that count as a use. KMS API Reference, KeyLastUsageData.
var tracked = map[string]bool{
	"Decrypt": true, "DeriveSharedSecret": true, "Encrypt": true, "GenerateDataKey": true, "GenerateDataKeyPair": true,
	"GenerateDataKeyPairWithoutPlaintext": true, "GenerateDataKeyWithoutPlaintext": true, "GenerateMac": true, "ReEncrypt": true,
	"Sign": true, "Verify": true, "VerifyMac": true,
}

func (s *Service) keyLastUsed(ctx context.Context, in *kmsapi.GetKeyLastUsageRequest) ([]wire.Touch, error) {
	t, err := s.identify(ctx, in.KeyId, false)
	if err != nil {
		return nil, err
	}
	touch, err := s.touchKey(ctx, t, "kms:GetKeyLastUsage", nil)
	if err != nil {
		return nil, err
	}
	return []wire.Touch{touch}, nil
}

func (s *Service) getKeyLastUsage(ctx context.Context, in *kmsapi.GetKeyLastUsageRequest) (*kmsapi.GetKeyLastUsageResponse, error) {
	k, arn, err := s.look(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	// Every key is watched from its creation on.
	out := &kmsapi.GetKeyLastUsageResponse{KeyId: new(arn.String()), KeyCreationDate: new(k.Created), TrackingStartDate: new(k.Created)}
	u, err := s.usages.Get(ctx, k.ID)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.KeyLastUsage = &kmsapi.KeyLastUsageData{
		Operation: new(kmsapi.KeyLastUsageTrackingOperation(u.Operation)), Timestamp: new(u.At), CloudTrailEventId: new(u.EventID), KmsRequestId: orNil(u.RequestID),
	}
	return out, nil
}
