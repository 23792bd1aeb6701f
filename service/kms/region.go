package kms

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// newMultiRegionID returns the id that a multi-Region key has in all its regions.
func newMultiRegionID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return multiRegionPrefix + hex.EncodeToString(b[:])
}

func inRegion(arn aws.ARN, region string) aws.ARN {
	arn.Region = aws.Region(region)
	return arn
}

// regions is what DescribeKey says of a multi-Region key; nil of others.
func (k *key) regions(arn aws.ARN) *kmsapi.MultiRegionConfiguration {
	if k.Regions == nil {
		return nil
	}
	member := func(region string) kmsapi.MultiRegionKey {
		return kmsapi.MultiRegionKey{Arn: new(inRegion(arn, region).String()), Region: new(region)}
	}
	kind := kmsapi.MultiRegionKeyTypePrimary
	if k.replicaIn(arn.Region) {
		kind = kmsapi.MultiRegionKeyTypeReplica
	}
	c := &kmsapi.MultiRegionConfiguration{MultiRegionKeyType: new(kind), PrimaryKey: new(member(k.Regions.Primary)), ReplicaKeys: []kmsapi.MultiRegionKey{}}
	for _, region := range k.Regions.Replicas {
		c.ReplicaKeys = append(c.ReplicaKeys, member(region))
	}
	return c
}

// touchReplica asks for the right to replicate the key, and to make (and tag) one
// in the other region. KMS Developer Guide, "Controlling access to multi-Region keys".
func (s *Service) touchReplica(ctx context.Context, in *kmsapi.ReplicateKeyRequest) ([]wire.Touch, error) {
	t, err := s.identify(ctx, in.KeyId, false)
	if err != nil {
		return nil, err
	}
	touch, err := s.touchKey(ctx, t, "kms:ReplicateKey", map[string][]string{"kms:ReplicaRegion": {in.ReplicaRegion}})
	if err != nil {
		return nil, err
	}
	values := withCaller(ctx, map[string][]string{
		"kms:MultiRegion": {"true"}, "kms:MultiRegionKeyType": {"REPLICA"},
		"kms:BypassPolicyLockoutSafetyCheck": {boolText(value(in.BypassPolicyLockoutSafetyCheck))},
		"aws:RequestedRegion":                {in.ReplicaRegion}, // the key is made there
	})
	for _, name := range []string{"kms:KeySpec", "kms:KeyUsage", "kms:KeyOrigin", "kms:CustomerMasterKeySpec", "kms:CustomerMasterKeyUsage"} {
		if v := touch.Conditions[name]; v != nil {
			values[name] = v
		}
	}
	return append([]wire.Touch{touch}, touchNew(inRegion(t.ARN, in.ReplicaRegion), service.RequestTags(values, pairs(in.Tags)))...), nil
}

// replicateKey makes a record of its own in the other region, with the material.
func (s *Service) replicateKey(ctx context.Context, in *kmsapi.ReplicateKeyRequest) (*kmsapi.ReplicateKeyResponse, error) {
	k, arn, err := s.manage(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	switch {
	case k.Regions == nil:
		return nil, kmsapi.UnsupportedOperationException.New("%s is not a multi-Region key.", arn)
	case k.replicaIn(arn.Region):
		return nil, kmsapi.UnsupportedOperationException.New("%s is not a multi-Region primary key.", arn)
	case !aws.KnownRegion(aws.Region(in.ReplicaRegion)):
		return nil, aws.ValidationException.New("%s is not a Region of this partition.", in.ReplicaRegion)
	case in.ReplicaRegion == string(arn.Region) || slices.Contains(k.Regions.Replicas, in.ReplicaRegion):
		return nil, kmsapi.AlreadyExistsException.New("Unable to replicate key %s. A related multi-Region key already exists in %s.", arn, in.ReplicaRegion)
	}
	there := inRegion(arn, in.ReplicaRegion)
	made := &key{ID: k.ID, Spec: k.Spec, Usage: k.Usage, Origin: k.Origin, Description: value(in.Description), Created: time.Now().UTC(),
		Current: k.Current, Rotation: k.Rotation}
	for _, m := range k.Materials {
		if k.Origin == string(kmsapi.OriginTypeExternal) {
			m.Bytes, m.ValidTo = nil, nil // imported into each region
		}
		made.Materials = append(made.Materials, m)
	}
	if made.Tags, err = checkTags(nil, in.Tags); err != nil {
		return nil, err
	}
	if made.Policy, err = s.newPolicy(ctx, there, in.Policy, value(in.BypassPolicyLockoutSafetyCheck)); err != nil {
		return nil, err
	}
	k.Regions.Replicas = append(k.Regions.Replicas, in.ReplicaRegion)
	made.Regions = &multiRegion{Primary: k.Regions.Primary, Replicas: slices.Clone(k.Regions.Replicas)}
	if err := s.keys.At(there).Insert(ctx, made.ID, made); err != nil {
		return nil, err
	}
	if err := s.keep(ctx, arn, k); err != nil {
		return nil, err
	}
	if err := s.shareMembers(ctx, k); err != nil {
		return nil, err
	}
	shown, err := service.WithARNs(ctx, s.env.Principals, made.Policy)
	if err != nil {
		return nil, err
	}
	return &kmsapi.ReplicateKeyResponse{ReplicaKeyMetadata: made.metadata(there, time.Now()), ReplicaPolicy: new(shown), ReplicaTags: made.tagList()}, nil
}

// shareMembers tells the records of k in other regions than the call's who belongs to it.
func (s *Service) shareMembers(ctx context.Context, k *key) error {
	return s.siblings(ctx, k, func(other *key) (bool, error) {
		other.Regions = &multiRegion{Primary: k.Regions.Primary, Replicas: slices.Clone(k.Regions.Replicas)}
		return true, nil
	})
}

func (s *Service) touchPrimary(ctx context.Context, in *kmsapi.UpdatePrimaryRegionRequest) ([]wire.Touch, error) {
	t, err := s.identify(ctx, in.KeyId, false)
	if err != nil {
		return nil, err
	}
	here, err := s.touchKey(ctx, t, "kms:UpdatePrimaryRegion", map[string][]string{"kms:PrimaryRegion": {in.PrimaryRegion}})
	if err != nil {
		return nil, err
	}
	to := target{ARN: inRegion(t.ARN, in.PrimaryRegion), ID: t.ID}
	there, err := s.touchKey(ctx, to, "kms:UpdatePrimaryRegion", map[string][]string{"kms:PrimaryRegion": {in.PrimaryRegion}})
	return []wire.Touch{here, there}, err
}

// updatePrimaryRegion makes a replica the primary key, and the primary a replica.
// The change is one commit, so that no key is ever seen Updating.
func (s *Service) updatePrimaryRegion(ctx context.Context, in *kmsapi.UpdatePrimaryRegionRequest) (*kmsapi.UpdatePrimaryRegionResponse, error) {
	k, arn, err := s.manage(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	switch {
	case k.Regions == nil:
		return nil, kmsapi.UnsupportedOperationException.New("%s is not a multi-Region key.", arn)
	case k.replicaIn(arn.Region):
		return nil, kmsapi.UnsupportedOperationException.New("%s is not a multi-Region primary key.", arn)
	case in.PrimaryRegion == k.Regions.Primary:
		return nil, aws.ValidationException.New("%s is the primary Region already.", in.PrimaryRegion)
	}
	i := slices.Index(k.Regions.Replicas, in.PrimaryRegion)
	there := inRegion(arn, in.PrimaryRegion)
	if i < 0 {
		return nil, kmsapi.NotFoundException.New("Key '%s' does not exist", there)
	}
	next, err := s.key(ctx, there)
	if err != nil {
		return nil, err
	}
	if err := next.mustAllow(there, "UpdatePrimaryRegion", time.Now()); err != nil {
		return nil, err
	}
	k.Regions.Replicas[i], k.Regions.Primary = k.Regions.Primary, in.PrimaryRegion
	handOver(ctx, k, store.Place{Account: arn.Account, Region: there.Region})
	if err := s.keep(ctx, arn, k); err != nil {
		return nil, err
	}
	return &kmsapi.UpdatePrimaryRegionResponse{}, s.shareMembers(ctx, k)
}

// handOver moves the rotations that k waits for to its new primary: this region's
// record may be deleted before they fall due.
func handOver(ctx context.Context, k *key, to store.Place) {
	store.Unschedule(ctx, jobRotate, k.ID)
	store.Unschedule(ctx, jobOnDemand, k.ID)
	if k.Rotation.Days > 0 {
		store.Schedule(ctx, store.Due{Kind: jobRotate, ID: k.ID, At: k.Rotation.Next, Place: to})
	}
	if !k.Rotation.Started.IsZero() {
		store.Schedule(ctx, store.Due{Kind: jobOnDemand, ID: k.ID, At: time.Now(), Place: to})
	}
}

// leave takes a deleted key out of its multi-Region key. A primary that waits for
// its last replica begins its own waiting period then.
func (s *Service) leave(ctx context.Context, arn aws.ARN, k *key) error {
	if k.Regions == nil || !k.replicaIn(arn.Region) {
		return nil
	}
	there := inRegion(arn, k.Regions.Primary)
	primary, err := s.keys.At(there).Get(ctx, k.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	primary.Regions.Replicas = slices.DeleteFunc(primary.Regions.Replicas, func(r string) bool { return r == string(arn.Region) })
	if primary.Deletion != nil && len(primary.Regions.Replicas) == 0 {
		s.beginDeletion(ctx, there, primary)
	}
	if err := s.keep(ctx, there, primary); err != nil {
		return err
	}
	return s.shareMembers(ctx, primary)
}
