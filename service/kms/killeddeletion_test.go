package kms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/store/killtest"
)

// TestKilledDeletionsProcess is the process that TestKilledDeletions kills.
func TestKilledDeletionsProcess(t *testing.T) {
	y := durableYard(t, killtest.Folder(t))
	defer y.close()
	killtest.Begin()
	y.settle()
}

// TestKilledDeletions: keys whose waiting period is over are deleted whole, with
// aliases and grants, and told of once, however often the process is killed; a key
// whose period is not over stays.
func TestKilledDeletions(t *testing.T) {
	const doomed, grants = 25, 3
	dir := t.TempDir()
	y := durableYard(t, dir)
	var ids []string
	for i := range doomed {
		id := keyNamed(fmt.Sprint("doomed", i))
		ids = append(ids, id)
		y.keep(yardHome, symmetricKey(id))
		served(y, yardHome, &kmsapi.CreateAlias, &kmsapi.CreateAliasRequest{AliasName: "alias/" + id, TargetKeyId: id})
		for range grants {
			served(y, yardHome, &kmsapi.CreateGrant, &kmsapi.CreateGrantRequest{KeyId: id, GranteePrincipal: "arn:aws:iam::111122223333:root", Operations: []kmsapi.GrantOperation{kmsapi.GrantOperationDecrypt}})
		}
		y.endWait(yardHome, id)
	}
	y.keep(yardHome, symmetricKey("waits"))
	served(y, yardHome, &kmsapi.ScheduleKeyDeletion, &kmsapi.ScheduleKeyDeletionRequest{KeyId: keyNamed("waits"), PendingWindowInDays: new(int32(7))})
	y.close()

	var gone []string
	check := func() {
		y := durableYard(t, dir)
		defer y.close()
		gone = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return y.wholeOrGone(id, grants) })
	}
	killtest.Run(t, "TestKilledDeletionsProcess", dir, check)
	if check(); len(gone) != doomed {
		t.Errorf("%d of %d keys are gone", len(gone), doomed)
	}
	y = durableYard(t, dir)
	defer y.close()
	if k := y.kept(yardHome, "waits"); k.state(time.Now()) != kmsapi.KeyStatePendingDeletion || len(k.Materials[0].Bytes) != 32 {
		t.Errorf("the key that waits is %s", k.state(time.Now()))
	}
	if told := y.told(); len(told) != 2*doomed {
		t.Errorf("%d events of %d deletions", len(told), doomed)
	}
}

// endWait schedules the deletion of a key, as if that had been long ago.
func (y *yard) endWait(r aws.Region, id string) {
	y.t.Helper()
	served(y, r, &kmsapi.ScheduleKeyDeletion, &kmsapi.ScheduleKeyDeletionRequest{KeyId: id})
	err := y.store.Update(y.in(r), func(ctx context.Context) error {
		k, err := y.service.keys.Get(ctx, id)
		if err != nil {
			return err
		}
		k.Deletion.At = time.Now().Add(-time.Second)
		store.Schedule(ctx, store.Due{Kind: jobDelete, ID: id, At: k.Deletion.At})
		return y.service.keys.Put(ctx, id, k)
	})
	if err != nil {
		y.t.Fatal(err)
	}
}

// wholeOrGone reports whether a key is there, and fails the test when only a part of
// what belongs to it is.
func (y *yard) wholeOrGone(id string, grants int) bool {
	y.t.Helper()
	ctx := y.in(yardHome)
	k, err := y.service.keys.Get(ctx, id)
	there := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		y.t.Fatal(err)
	}
	_, err = y.service.aliases.Get(ctx, "alias/"+id)
	if there != (err == nil) {
		y.t.Errorf("the key is there: %v, its alias: %v", there, err)
	}
	left, err := y.service.grants.Page(ctx, store.Range{Prefix: grantID(id, "")})
	if err != nil {
		y.t.Fatal(err)
	}
	if want := map[bool]int{true: grants, false: 0}[there]; len(left) != want {
		y.t.Errorf("the key is there: %v, with %d grants", there, len(left))
	}
	if there && len(k.Materials[0].Bytes) != 32 {
		y.t.Error("the key is there without its material")
	}
	return there
}

// TestKilledRegionsProcess is the process that TestKilledRegions kills: it replicates
// keys, makes the replica the primary key, rotates it and deletes what was the primary.
func TestKilledRegionsProcess(t *testing.T) {
	y := durableYard(t, killtest.Folder(t))
	defer y.close()
	killtest.Begin()
	y.settle()
	for i := range travellers {
		id := traveller(i)
		home, err := y.service.keys.Get(y.in(yardHome), id)
		if errors.Is(err, store.ErrNotFound) {
			continue // has gone all the way
		}
		if err != nil {
			t.Fatal(err)
		}
		if home.Regions.Primary == string(yardHome) {
			if len(home.Regions.Replicas) == 0 {
				served(y, yardHome, &kmsapi.ReplicateKey, &kmsapi.ReplicateKeyRequest{KeyId: id, ReplicaRegion: string(yardAbroad)})
			}
			served(y, yardHome, &kmsapi.UpdatePrimaryRegion, &kmsapi.UpdatePrimaryRegionRequest{KeyId: id, PrimaryRegion: string(yardAbroad)})
		}
		if y.kept(yardAbroad, id).Rotation.OnDemand == 0 {
			served(y, yardAbroad, &kmsapi.RotateKeyOnDemand, &kmsapi.RotateKeyOnDemandRequest{KeyId: id})
		}
		y.settle()
		if y.kept(yardHome, id).Deletion == nil {
			served(y, yardHome, &kmsapi.ScheduleKeyDeletion, &kmsapi.ScheduleKeyDeletionRequest{KeyId: id})
		}
		y.endWaitAgain(yardHome, id)
		y.settle()
	}
}

const travellers = 12

func traveller(i int) string { return fmt.Sprintf("%s%032x", multiRegionPrefix, i) }

// endWaitAgain ends the waiting period of a key that is pending deletion.
func (y *yard) endWaitAgain(r aws.Region, id string) {
	y.t.Helper()
	served(y, r, &kmsapi.CancelKeyDeletion, &kmsapi.CancelKeyDeletionRequest{KeyId: id})
	y.endWait(r, id)
}

// TestKilledRegions: a multi-Region key moves from one region to another under a
// process that is killed again and again. At each instant both records agree on
// who belongs to the key and on its material, and in the end nothing is lost.
func TestKilledRegions(t *testing.T) {
	dir := t.TempDir()
	y := durableYard(t, dir)
	first := map[string][]byte{}
	for i := range travellers {
		k := symmetricKey(traveller(i))
		k.Regions = &multiRegion{Primary: string(yardHome)}
		y.keep(yardHome, k)
		first[k.ID] = k.Materials[0].Bytes
	}
	y.close()
	killtest.Run(t, "TestKilledRegionsProcess", dir, func() {
		y := durableYard(t, dir)
		defer y.close()
		for id, material := range first {
			y.whole(id, material)
		}
	})
	y = durableYard(t, dir)
	defer y.close()
	for id, material := range first {
		k := y.kept(yardAbroad, id)
		if k.Regions.Primary != string(yardAbroad) || len(k.Regions.Replicas) != 0 || k.state(time.Now()) != kmsapi.KeyStateEnabled {
			t.Errorf("%s: %+v, %s", id, k.Regions, k.state(time.Now()))
		}
		if len(k.Materials) != 2 || !bytes.Equal(k.Materials[0].Bytes, material) || k.Current != k.Materials[1].ID {
			t.Errorf("%s has %d versions", id, len(k.Materials))
		}
	}
	if told := y.told(); len(told) != 2*2*travellers {
		t.Errorf("%d events of %d rotations and deletions", len(told), 2*travellers)
	}
}

// whole fails the test unless all records of a multi-Region key say the same of it.
func (y *yard) whole(id string, material []byte) {
	y.t.Helper()
	var all []*key
	var where []string
	for _, r := range []aws.Region{yardHome, yardAbroad} {
		k, err := y.service.keys.Get(y.in(r), id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			y.t.Fatal(err)
		}
		all, where = append(all, k), append(where, string(r))
	}
	if len(all) == 0 {
		y.t.Fatalf("%s is in no region", id)
	}
	for i, k := range all {
		members := append([]string{k.Regions.Primary}, k.Regions.Replicas...)
		slices.Sort(members)
		if slices.Sort(where); !slices.Equal(members, where) {
			y.t.Errorf("%s is in %v and says that it is in %v", id, where, members)
		}
		if !bytes.Equal(k.Materials[0].Bytes, material) || k.Current != all[0].Current || len(k.Materials) != len(all[0].Materials) {
			y.t.Errorf("%s has other material in one region than in another", id)
		}
		if k.Regions.Primary != all[0].Regions.Primary || i > 0 && k.Rotation != all[0].Rotation {
			y.t.Errorf("%s: its records differ", id)
		}
	}
}
