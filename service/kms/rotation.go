package kms

import (
	"context"
	"errors"
	"strconv"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// rotationRoutes are those of new key material for old keys. What older material has
// encrypted it decrypts for ever. KMS Developer Guide, "Rotate AWS KMS keys".
func (s *Service) rotationRoutes() []wire.Route {
	return []wire.Route{
		kmsapi.EnableKeyRotation.To(s.enableKeyRotation, func(ctx context.Context, in *kmsapi.EnableKeyRotationRequest) ([]wire.Touch, error) {
			return s.touchNamed(ctx, in.KeyId, "kms:EnableKeyRotation", map[string][]string{"kms:RotationPeriodInDays": {strconv.Itoa(period(in))}})
		}),
		kmsapi.DisableKeyRotation.To(s.disableKeyRotation, func(ctx context.Context, in *kmsapi.DisableKeyRotationRequest) ([]wire.Touch, error) {
			return s.touchNamed(ctx, in.KeyId, "kms:DisableKeyRotation", nil)
		}),
		kmsapi.GetKeyRotationStatus.To(s.getKeyRotationStatus, func(ctx context.Context, in *kmsapi.GetKeyRotationStatusRequest) ([]wire.Touch, error) {
			return s.touchNamed(ctx, in.KeyId, "kms:GetKeyRotationStatus", nil)
		}),
		kmsapi.RotateKeyOnDemand.To(s.rotateKeyOnDemand, func(ctx context.Context, in *kmsapi.RotateKeyOnDemandRequest) ([]wire.Touch, error) {
			return s.touchNamed(ctx, in.KeyId, "kms:RotateKeyOnDemand", nil)
		}),
		kmsapi.ListKeyRotations.To(s.listKeyRotations, func(ctx context.Context, in *kmsapi.ListKeyRotationsRequest) ([]wire.Touch, error) {
			return s.touchNamed(ctx, in.KeyId, "kms:ListKeyRotations", nil)
		}),
	}
}

func (s *Service) rotationJobs() []service.Job {
	return []service.Job{{Kind: jobRotate, Run: s.rotateInTime}, {Kind: jobOnDemand, Run: s.finishOnDemand}}
}

const (
	jobRotate   = "kms.rotate"
	jobOnDemand = "kms.rotateOnDemand"

	// KMS API Reference, EnableKeyRotation; KMS Developer Guide, "Resource quotas".
	defaultPeriod = 365 // days
	maxOnDemand   = 25

	automatic = string(kmsapi.RotationTypeAutomatic)
	onDemand  = string(kmsapi.RotationTypeOnDemand)
)

func period(in *kmsapi.EnableKeyRotationRequest) int {
	if in.RotationPeriodInDays != nil {
		return int(*in.RotationPeriodInDays)
	}
	return defaultPeriod
}

// rotates refuses keys that cannot have new material. Only symmetric keys outside
// custom key stores rotate; by themselves only those of AWS KMS's own material.
func (k *key) rotates(arn aws.ARN, byItself bool) error {
	switch {
	case k.Spec != string(kmsapi.KeySpecSymmetricDefault):
		return kmsapi.UnsupportedOperationException.New("%s key spec is %s which is not valid for this operation.", arn, k.Spec)
	case k.Origin == string(kmsapi.OriginTypeAwsKms), k.Origin == string(kmsapi.OriginTypeExternal) && !byItself:
		return nil
	}
	return kmsapi.UnsupportedOperationException.New("%s origin is %s which is not valid for this operation.", arn, k.Origin)
}

// changing returns the key that an operation gives other material: it must be one
// that rotates, enabled, a customer's own, and the primary of its regions.
func (s *Service) changing(ctx context.Context, keyID string, byItself bool) (*key, aws.ARN, error) {
	k, arn, err := s.look(ctx, keyID)
	if err == nil {
		err = k.rotates(arn, byItself)
	}
	switch {
	case err != nil:
		return nil, arn, err
	case k.Service != "":
		return nil, arn, kmsapi.UnsupportedOperationException.New("%s is an AWS managed key, which AWS KMS rotates every year.", arn)
	case k.replicaIn(arn.Region):
		return nil, arn, kmsapi.UnsupportedOperationException.New("%s is a replica key. Rotate the primary key in %s.", arn, k.Regions.Primary)
	}
	return k, arn, k.mustAllow(arn, aws.CallOf(ctx).Operation, time.Now())
}

func (s *Service) enableKeyRotation(ctx context.Context, in *kmsapi.EnableKeyRotationRequest) (*kmsapi.EnableKeyRotationResponse, error) {
	k, _, err := s.changing(ctx, in.KeyId, true)
	if err != nil {
		return nil, err
	}
	s.startRotation(ctx, k, period(in))
	return &kmsapi.EnableKeyRotationResponse{}, s.putShared(ctx, k)
}

// startRotation has k rotated after so many days, and ever again. The caller puts k.
func (s *Service) startRotation(ctx context.Context, k *key, days int) {
	k.Rotation.Days, k.Rotation.Next = days, time.Now().UTC().AddDate(0, 0, days)
	store.Schedule(ctx, store.Due{Kind: jobRotate, ID: k.ID, At: k.Rotation.Next})
}

// resumeRotation makes up for a rotation that fell due while k was disabled. It is
// called when k is enabled again.
func (s *Service) resumeRotation(ctx context.Context, k *key) {
	if k.Rotation.Days == 0 || k.replicaIn(aws.CallOf(ctx).Region) {
		return
	}
	at := time.Now()
	if k.Rotation.Next.After(at) {
		at = k.Rotation.Next
	}
	store.Schedule(ctx, store.Due{Kind: jobRotate, ID: k.ID, At: at})
}

func (s *Service) disableKeyRotation(ctx context.Context, in *kmsapi.DisableKeyRotationRequest) (*kmsapi.DisableKeyRotationResponse, error) {
	k, _, err := s.changing(ctx, in.KeyId, true)
	if err != nil {
		return nil, err
	}
	k.Rotation.Days, k.Rotation.Next = 0, time.Time{}
	store.Unschedule(ctx, jobRotate, k.ID)
	return &kmsapi.DisableKeyRotationResponse{}, s.putShared(ctx, k)
}

// putShared puts k and what its replicas share with it.
func (s *Service) putShared(ctx context.Context, k *key) error {
	return errors.Join(s.keys.Put(ctx, k.ID, k), s.shareMaterials(ctx, k))
}

// getKeyRotationStatus is open to other accounts, as the key policy wills. KMS API
// Reference, GetKeyRotationStatus, "Cross-account use".
func (s *Service) getKeyRotationStatus(ctx context.Context, in *kmsapi.GetKeyRotationStatusRequest) (*kmsapi.GetKeyRotationStatusResponse, error) {
	t, err := s.identify(ctx, in.KeyId, false)
	if err != nil {
		return nil, err
	}
	arn := t.ARN
	k, err := s.key(ctx, arn)
	if err == nil {
		err = k.rotates(arn, false)
	}
	if err != nil {
		return nil, err
	}
	out := &kmsapi.GetKeyRotationStatusResponse{KeyId: new(arn.String()), KeyRotationEnabled: new(k.Rotation.Days > 0 && k.Deletion == nil)}
	if *out.KeyRotationEnabled {
		out.RotationPeriodInDays, out.NextRotationDate = new(int32(k.Rotation.Days)), &k.Rotation.Next
	}
	if !k.Rotation.Started.IsZero() {
		out.OnDemandRotationStartDate = &k.Rotation.Started
	}
	return out, nil
}

func (s *Service) rotateKeyOnDemand(ctx context.Context, in *kmsapi.RotateKeyOnDemandRequest) (*kmsapi.RotateKeyOnDemandResponse, error) {
	k, arn, err := s.changing(ctx, in.KeyId, false)
	switch {
	case err != nil:
		return nil, err
	case !k.Rotation.Started.IsZero():
		return nil, kmsapi.ConflictException.New("An on-demand rotation of %s is in progress.", arn)
	case k.Rotation.OnDemand >= maxOnDemand:
		return nil, kmsapi.LimitExceededException.New("You have reached the limit of %d on-demand rotations of %s.", maxOnDemand, arn)
	}
	if k.Origin == string(kmsapi.OriginTypeExternal) {
		if err := s.importedToRotate(ctx, k, arn); err != nil {
			return nil, err
		}
	}
	k.Rotation.OnDemand++
	k.Rotation.Started = time.Now().UTC()
	store.Schedule(ctx, store.Due{Kind: jobOnDemand, ID: k.ID, At: time.Now()})
	return &kmsapi.RotateKeyOnDemandResponse{KeyId: new(arn.String())}, s.putShared(ctx, k)
}

// importedToRotate refuses a rotation that has no imported material to rotate to,
// in each region of the key.
func (s *Service) importedToRotate(ctx context.Context, k *key, arn aws.ARN) error {
	if err := k.allows(arn, rule{imports: true}, time.Now()); err != nil {
		return err
	}
	waiting := k.waiting()
	if waiting == nil {
		return kmsapi.KMSInvalidStateException.New("%s has no key material that is pending rotation. Import new key material and try the request again.", arn)
	}
	all, err := s.everywhere(ctx, k, waiting.ID)
	if err == nil && !all {
		err = kmsapi.KMSInvalidStateException.New("%s is pending import of its new key material, here or in a Region of one of its replica keys.", arn)
	}
	return err
}

// finishOnDemand does what RotateKeyOnDemand has begun, in the region that is the
// primary's by now.
func (s *Service) finishOnDemand(ctx context.Context, due store.Due) error {
	k, err := s.keys.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	call := aws.CallOf(ctx)
	if err != nil || k.Rotation.Started.IsZero() || k.replicaIn(call.Region) {
		return err
	}
	k.Rotation.Started = time.Time{}
	return s.rotate(ctx, k, onDemand)
}

// rotateInTime rotates a key whose period has passed. A key that is disabled or
// waits for its deletion is left alone, and rotated when it is enabled again
// (resumeRotation). A multi-Region key that has another primary by now is rotated
// there (handOver).
func (s *Service) rotateInTime(ctx context.Context, due store.Due) error {
	k, err := s.keys.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	call := aws.CallOf(ctx)
	switch {
	case err != nil:
		return err
	case k.Rotation.Days == 0 || k.Disabled || k.Deletion != nil:
		return nil
	case k.replicaIn(call.Region):
		return nil
	case k.Rotation.Next.After(time.Now()):
		store.Schedule(ctx, store.Due{Kind: jobRotate, ID: k.ID, At: k.Rotation.Next})
		return nil
	}
	s.startRotation(ctx, k, k.Rotation.Days)
	return s.rotate(ctx, k, automatic)
}

// rotate makes another material the one that k encrypts with, in all its regions.
func (s *Service) rotate(ctx context.Context, k *key, by string) error {
	next := k.waiting()
	switch {
	case k.Origin == string(kmsapi.OriginTypeExternal) && (next == nil || next.Bytes == nil):
		return s.putShared(ctx, k) // deleted or expired since: nothing to rotate to
	case next == nil:
		b, err := mat.Generate(mat.Spec(k.Spec))
		if err != nil {
			return err
		}
		k.Materials = append(k.Materials, material{ID: newMaterialID(), Bytes: b})
		next = &k.Materials[len(k.Materials)-1]
	}
	previous := k.Current
	next.Pending, next.RotatedAt, next.RotatedBy = false, time.Now().UTC(), by
	k.Current = next.ID
	if err := s.putShared(ctx, k); err != nil {
		return err
	}
	detail := map[string]any{"keyId": k.ID, "rotationType": by, "keyOrigin": k.Origin, "previousKeyMaterialId": previous, "currentKeyMaterialId": k.Current}
	return s.tell(ctx, k, "KMS CMK Rotation", "RotateKey", detail)
}
