package kms

import (
	"context"
	"errors"
	"strconv"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
)

const (
	jobDelete = "kms.delete"

	minWindow, maxWindow, usualWindow = 7, 30, 30 // days
)

func (s *Service) keyJobs() []service.Job { return []service.Job{{Kind: jobDelete, Run: s.deleteDue}} }

func deletionWindow(in *kmsapi.ScheduleKeyDeletionRequest) map[string][]string {
	return map[string][]string{"kms:ScheduleKeyDeletionPendingWindowInDays": {strconv.Itoa(windowOf(in))}}
}

func windowOf(in *kmsapi.ScheduleKeyDeletionRequest) int {
	if in.PendingWindowInDays == nil {
		return usualWindow
	}
	return int(*in.PendingWindowInDays)
}

// scheduleKeyDeletion begins the waiting period. That of a primary key with replicas
// begins when the last of them is gone. KMS Developer Guide, "Deleting multi-Region keys".
func (s *Service) scheduleKeyDeletion(ctx context.Context, in *kmsapi.ScheduleKeyDeletionRequest) (*kmsapi.ScheduleKeyDeletionResponse, error) {
	k, arn, err := s.manage(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	window := windowOf(in)
	if window < minWindow || window > maxWindow {
		return nil, aws.ValidationException.New("PendingWindowInDays must be between %d and %d, inclusive.", minWindow, maxWindow)
	}
	k.Deletion = &deletion{Window: window}
	if k.Regions == nil || k.replicaIn(arn.Region) || len(k.Regions.Replicas) == 0 {
		s.beginDeletion(ctx, arn, k)
	}
	out := &kmsapi.ScheduleKeyDeletionResponse{KeyId: new(arn.String()), KeyState: new(k.state(time.Now())), PendingWindowInDays: new(int32(window))}
	if !k.Deletion.At.IsZero() {
		out.DeletionDate = new(k.Deletion.At)
	}
	return out, s.keep(ctx, arn, k)
}

// beginDeletion begins the waiting period of a key.
func (s *Service) beginDeletion(ctx context.Context, arn aws.ARN, k *key) {
	k.Deletion.At = time.Now().UTC().AddDate(0, 0, k.Deletion.Window)
	store.Schedule(ctx, store.Due{Kind: jobDelete, ID: k.ID, At: k.Deletion.At, Place: store.Place{Account: arn.Account, Region: arn.Region}})
}

func (s *Service) cancelKeyDeletion(ctx context.Context, in *kmsapi.CancelKeyDeletionRequest) (*kmsapi.CancelKeyDeletionResponse, error) {
	k, arn, err := s.manage(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.Deletion == nil {
		return nil, kmsapi.KMSInvalidStateException.New("%s is not pending deletion.", arn)
	}
	k.Deletion, k.Disabled = nil, true
	store.Unschedule(ctx, jobDelete, k.ID)
	return &kmsapi.CancelKeyDeletionResponse{KeyId: new(arn.String())}, s.keep(ctx, arn, k)
}

// deleteDue deletes a key whose waiting period is over, with its aliases and grants.
func (s *Service) deleteDue(ctx context.Context, due store.Due) error {
	arn := aws.CallOf(ctx).ARN("kms", "key/"+due.ID)
	k, err := s.key(ctx, arn)
	if kmsapi.NotFoundException.Is(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if k.Deletion == nil || k.Deletion.At.IsZero() || k.Deletion.At.After(time.Now()) {
		return nil // taken back, and perhaps begun anew
	}
	// A unit of work is too small for all the grants that a key can have: some go at a
	// time, and the key with the last of them.
	more, err := s.endGrants(ctx, arn)
	if err != nil {
		return err
	}
	if more {
		store.Schedule(ctx, store.Due{Kind: jobDelete, ID: k.ID, At: time.Now(), Place: due.Place})
		return nil
	}
	if err := s.dropBelongings(ctx, k); err != nil {
		return err
	}
	if err := s.keys.Delete(ctx, k.ID); err != nil {
		return err
	}
	if err := s.leave(ctx, arn, k); err != nil {
		return err
	}
	return s.tell(ctx, k, "KMS CMK Deletion", "DeleteKey", map[string]any{"keyId": k.ID})
}

// dropBelongings deletes what belongs to a key besides its grants: aliases, and
// what last used it.
func (s *Service) dropBelongings(ctx context.Context, k *key) error {
	for after := ""; ; {
		page, err := s.aliases.PageBy(ctx, byTarget, k.ID, store.Range{After: after})
		if err != nil {
			return err
		}
		for _, e := range page {
			if err := s.aliases.Delete(ctx, e.ID); err != nil {
				return err
			}
			after = e.ID
		}
		if len(page) == 0 {
			break
		}
	}
	if err := s.usages.Delete(ctx, k.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil // import tokens fall due by themselves
}
