package kms

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/kmsapi"
)

const roaming = "mrk-0123456789abcdef0123456789abcdef"

// twoRegions puts a multi-Region key with its primary at home and a replica abroad.
func (y *yard) twoRegions() {
	y.t.Helper()
	primary := symmetricKey(roaming)
	primary.Regions = &multiRegion{Primary: string(yardHome), Replicas: []string{string(yardAbroad)}}
	y.keep(yardHome, primary)
	y.keep(yardAbroad, primary)
}

// agree checks that both regions have the same materials, so many of them.
func (y *yard) agree(materials int) {
	y.t.Helper()
	home, abroad := y.kept(yardHome, roaming), y.kept(yardAbroad, roaming)
	if home.Current != abroad.Current || len(home.Materials) != materials || len(abroad.Materials) != materials {
		y.t.Fatalf("home has %d materials, abroad %d; current %.8s and %.8s", len(home.Materials), len(abroad.Materials), home.Current, abroad.Current)
	}
	if !bytes.Equal(home.material(home.Current).Bytes, abroad.material(home.Current).Bytes) {
		y.t.Error("the regions encrypt with different bytes")
	}
}

// A rotation that was asked of one primary is done by the next, for both.
func TestARotationUnderWayMovesWithThePrimary(t *testing.T) {
	y := newYard(t)
	y.twoRegions()
	served(y, yardHome, &kmsapi.RotateKeyOnDemand, &kmsapi.RotateKeyOnDemandRequest{KeyId: roaming})
	served(y, yardHome, &kmsapi.UpdatePrimaryRegion, &kmsapi.UpdatePrimaryRegionRequest{KeyId: roaming, PrimaryRegion: string(yardAbroad)})
	y.settle()
	y.agree(2)
	served(y, yardAbroad, &kmsapi.RotateKeyOnDemand, &kmsapi.RotateKeyOnDemandRequest{KeyId: roaming})
	y.settle()
	y.agree(3)
}

// The schedule of rotations does not go with the record of an earlier primary.
func TestRotationsOutliveAnEarlierPrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		y.twoRegions()
		served(y, yardHome, &kmsapi.EnableKeyRotation, &kmsapi.EnableKeyRotationRequest{KeyId: roaming, RotationPeriodInDays: new(int32(90))})
		served(y, yardHome, &kmsapi.UpdatePrimaryRegion, &kmsapi.UpdatePrimaryRegionRequest{KeyId: roaming, PrimaryRegion: string(yardAbroad)})
		served(y, yardHome, &kmsapi.ScheduleKeyDeletion, &kmsapi.ScheduleKeyDeletionRequest{KeyId: roaming, PendingWindowInDays: new(int32(7))})
		for range 2 {
			time.Sleep(90 * 24 * time.Hour)
			y.settle()
		}
		if _, err := y.service.keys.Get(y.in(yardHome), roaming); err == nil {
			t.Error("the earlier primary is still there")
		}
		if k := y.kept(yardAbroad, roaming); len(k.Materials) != 3 || len(k.Regions.Replicas) != 0 {
			t.Errorf("%d materials, replicas %q", len(k.Materials), k.Regions.Replicas)
		}
	})
}
