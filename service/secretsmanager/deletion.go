package secretsmanager

import (
	"context"
	"errors"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// deletion is the kind of the due records that end secrets.
const deletion = "secretsmanager.delete"

// The recovery window in days. API Reference, "DeleteSecret".
const (
	leastWindow   = 7
	mostWindow    = 30
	defaultWindow = 30
)

func (s *Service) deleteSecret(ctx context.Context, in *api.DeleteSecretRequest) (*api.DeleteSecretResponse, error) {
	force := isTrue(in.ForceDeleteWithoutRecovery)
	if force && in.RecoveryWindowInDays != nil {
		return nil, api.InvalidParameterException.New("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	}
	window := int64(defaultWindow)
	if in.RecoveryWindowInDays != nil {
		window = *in.RecoveryWindowInDays
	}
	if window < leastWindow || window > mostWindow {
		return nil, api.InvalidParameterException.New("The RecoveryWindowInDays value must be between %d and %d days (inclusive).", leastWindow, mostWindow)
	}
	arn, sec, err := s.find(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	if sec == nil {
		if !force {
			return nil, notFound()
		}
		name := in.SecretId
		return &api.DeleteSecretResponse{ARN: new(arn.String()), Name: &name, DeletionDate: &now}, nil // what is gone is gone
	}
	switch {
	case sec.isReplica():
		return nil, readOnly()
	case len(sec.Replicas) > 0:
		return nil, api.InvalidRequestException.New("You can't delete secret %s that still has replica regions [%s]", sec.Name, sec.regions())
	}
	out := &api.DeleteSecretResponse{ARN: new(sec.arn.String()), Name: &sec.Name}
	if force {
		out.DeletionDate = &now
		return out, s.remove(ctx, sec)
	}
	if sec.Deletion != nil {
		return nil, api.InvalidRequestException.New("You can't perform this operation on the secret because it was already scheduled for deletion.")
	}
	sec.Deleted, sec.Deletion = now, new(now.AddDate(0, 0, int(window)))
	out.DeletionDate = sec.Deletion
	if err := s.tellVersions(ctx, sec, "StartSecretVersionDelete"); err != nil {
		return nil, err
	}
	store.Schedule(ctx, store.Due{Kind: deletion, ID: sec.ID, At: *sec.Deletion, Place: placeOf(sec)})
	return out, s.save(ctx, sec)
}

func placeOf(sec *secret) store.Place {
	return store.Place{Account: sec.arn.Account, Region: sec.arn.Region}
}

func (s *Service) restoreSecret(ctx context.Context, in *api.RestoreSecretRequest) (*api.RestoreSecretResponse, error) {
	sec, err := s.secret(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	if sec.Deletion != nil {
		store.UnscheduleIn(ctx, placeOf(sec), deletion, sec.ID)
		sec.Deletion, sec.Deleted = nil, time.Time{}
		s.await(ctx, sec) // its window may have come and gone
		if sec.Rotation != nil && sec.Rotation.Enabled && sec.unfinished() != "" {
			if err := s.retryLater(ctx, sec); err != nil { // so may the next attempt
				return nil, err
			}
		}
		if err := s.tellVersions(ctx, sec, "CancelSecretVersionDelete"); err != nil {
			return nil, err
		}
		if err := s.save(ctx, sec); err != nil {
			return nil, err
		}
	}
	return &api.RestoreSecretResponse{ARN: new(sec.arn.String()), Name: &sec.Name}, nil
}

// deleteDue takes away a secret whose recovery window is over.
func (s *Service) deleteDue(ctx context.Context, due store.Due) error {
	sec, err := s.secrets.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	sec.at(aws.CallOf(ctx).ARN("secretsmanager", "secret:"+sec.ID))
	if sec.Deletion == nil || sec.Deletion.After(time.Now()) {
		return nil
	}
	return s.remove(ctx, sec)
}
