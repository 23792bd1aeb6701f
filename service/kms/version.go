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
	"sumun.dev/store"
)

// newMaterialID returns a KeyMaterialId. It says nothing of the material.
func newMaterialID() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// material returns the version with this id, nil when there is none.
func (k *key) material(id string) *material {
	for i := range k.Materials {
		if k.Materials[i].ID == id {
			return &k.Materials[i]
		}
	}
	return nil
}

// waiting returns the material that the key is to be rotated to, if there is one.
func (k *key) waiting() *material {
	for i := range k.Materials {
		if k.Materials[i].Pending {
			return &k.Materials[i]
		}
	}
	return nil
}

func (k *key) forget(id string) {
	k.Materials = slices.DeleteFunc(k.Materials, func(m material) bool { return m.ID == id })
}

// lacksMaterial reports whether the key is pending import: nothing was ever
// imported, or one of its materials is deleted or has expired, be the record of
// that done or not. What waits for rotation does not count.
func (k *key) lacksMaterial(now time.Time) bool {
	if k.Origin != string(kmsapi.OriginTypeExternal) {
		return false
	}
	return k.Current == "" || slices.ContainsFunc(k.Materials, func(m material) bool {
		return !m.Pending && (m.Bytes == nil || m.over(now))
	})
}

// over reports whether the material's time is over.
func (m *material) over(now time.Time) bool { return m.ValidTo != nil && !m.ValidTo.After(now) }

// replicaIn reports whether the record of this region is a replica of a multi-Region key.
func (k *key) replicaIn(region aws.Region) bool {
	return k.Regions != nil && k.Regions.Primary != string(region)
}

// shareMaterials tells the replicas of a primary key which materials there are, and
// which is current. Material of AWS KMS's own goes with it; what people import they
// import into each region, the same bytes.
func (s *Service) shareMaterials(ctx context.Context, k *key) error {
	if k.replicaIn(aws.CallOf(ctx).Region) {
		return nil
	}
	return s.siblings(ctx, k, func(other *key) (bool, error) {
		mine := make([]material, len(k.Materials))
		for i, m := range k.Materials {
			if k.Origin == string(kmsapi.OriginTypeExternal) {
				m.Bytes, m.ValidTo = nil, nil
				if theirs := other.material(m.ID); theirs != nil {
					m.Bytes, m.ValidTo = theirs.Bytes, theirs.ValidTo
				}
			}
			mine[i] = m
		}
		other.Materials, other.Current, other.Rotation = mine, k.Current, k.Rotation
		return true, nil
	})
}

// everywhere reports whether each region of the key has the bytes of a material.
func (s *Service) everywhere(ctx context.Context, k *key, id string) (bool, error) {
	m, now := k.material(id), time.Now()
	all := m != nil && m.Bytes != nil && !m.over(now)
	err := s.siblings(ctx, k, func(other *key) (bool, error) {
		m := other.material(id)
		all = all && m != nil && m.Bytes != nil && !m.over(now)
		return false, nil
	})
	return all, err
}

// siblings calls f with each other record of a multi-Region key and puts what f has
// changed: f reports whether it has.
func (s *Service) siblings(ctx context.Context, k *key, f func(*key) (changed bool, err error)) error {
	if k.Regions == nil {
		return nil
	}
	call := aws.CallOf(ctx)
	for _, region := range append([]string{k.Regions.Primary}, k.Regions.Replicas...) {
		if region == string(call.Region) {
			continue
		}
		table := s.keys.In(store.Place{Account: call.Account, Region: aws.Region(region)})
		other, err := table.Get(ctx, k.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue // being deleted
		}
		if err != nil {
			return err
		}
		changed, err := f(other)
		if err != nil {
			return err
		}
		if changed {
			if err := table.Put(ctx, k.ID, other); err != nil {
				return err
			}
		}
	}
	return nil
}
