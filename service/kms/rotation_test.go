package kms

import (
	"bytes"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
)

func rotations(y *yard, id string, all bool) []kmsapi.RotationsListEntry {
	y.t.Helper()
	in := &kmsapi.ListKeyRotationsRequest{KeyId: keyNamed(id), Limit: new(int32(2))}
	if all {
		in.IncludeKeyMaterial = new(kmsapi.IncludeKeyMaterialAllKeyMaterial)
	}
	var found []kmsapi.RotationsListEntry
	for {
		out := served(y, yardHome, &kmsapi.ListKeyRotations, in)
		found = append(found, out.Rotations...)
		if !*out.Truncated {
			return found
		}
		in.Marker = out.NextMarker
	}
}

func TestKeysRotateInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		y.keep(yardHome, symmetricKey("a"))
		served(y, yardHome, &kmsapi.EnableKeyRotation, &kmsapi.EnableKeyRotationRequest{KeyId: keyNamed("a"), RotationPeriodInDays: new(int32(90))})
		for range 3 {
			time.Sleep(90 * 24 * time.Hour)
			y.settle()
		}
		k := y.kept(yardHome, "a")
		if got := rotations(y, "a", false); len(got) != 3 || *got[2].KeyMaterialId != k.Current || *got[0].RotationType != "AUTOMATIC" {
			t.Errorf("rotations are %+v", got)
		}
		if got := rotations(y, "a", true); len(got) != 4 || *got[0].KeyMaterialState != "NON_CURRENT" || *got[3].KeyMaterialState != "CURRENT" {
			t.Errorf("material is %+v", got)
		}
		for i := range k.Materials {
			if k.Materials[i].Bytes == nil {
				t.Error("older material is gone")
			}
		}
		if told := y.told(); len(told) != 6 || told[0] != "KMS CMK Rotation" || told[1] != "AwsServiceEvent" {
			t.Errorf("told %q", told)
		}
		served(y, yardHome, &kmsapi.DisableKeyRotation, &kmsapi.DisableKeyRotationRequest{KeyId: keyNamed("a")})
		time.Sleep(365 * 24 * time.Hour)
		y.settle()
		if got := rotations(y, "a", false); len(got) != 3 {
			t.Errorf("%d rotations after they were disabled", len(got))
		}
	})
}

func TestDisabledKeysRotateWhenTheyAreEnabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		y.keep(yardHome, symmetricKey("a"))
		served(y, yardHome, &kmsapi.EnableKeyRotation, &kmsapi.EnableKeyRotationRequest{KeyId: keyNamed("a")})
		k := y.kept(yardHome, "a")
		k.Disabled = true
		y.keep(yardHome, k)
		time.Sleep(366 * 24 * time.Hour)
		y.settle()
		if len(rotations(y, "a", false)) != 0 {
			t.Fatal("a disabled key was rotated")
		}
		y.enable("a")
		y.settle()
		if len(rotations(y, "a", false)) != 1 {
			t.Error("the rotation was not made up for")
		}
	})
}

func TestRotationOnDemandHasALimit(t *testing.T) {
	y := newYard(t)
	y.keep(yardHome, symmetricKey("a"))
	in := &kmsapi.RotateKeyOnDemandRequest{KeyId: keyNamed("a")}
	for i := range maxOnDemand {
		served(y, yardHome, &kmsapi.RotateKeyOnDemand, in)
		if i == 0 {
			if _, err := serve(y, yardHome, &kmsapi.RotateKeyOnDemand, in); !kmsapi.ConflictException.Is(err) {
				t.Errorf("while it rotates: %v", err)
			}
			if out := served(y, yardHome, &kmsapi.GetKeyRotationStatus, &kmsapi.GetKeyRotationStatusRequest{KeyId: keyNamed("a")}); out.OnDemandRotationStartDate == nil {
				t.Error("no rotation is under way")
			}
		}
		y.settle()
	}
	if _, err := serve(y, yardHome, &kmsapi.RotateKeyOnDemand, in); !kmsapi.LimitExceededException.Is(err) {
		t.Errorf("once more: %v", err)
	}
	if got := rotations(y, "a", false); len(got) != maxOnDemand || *got[0].RotationType != "ON_DEMAND" {
		t.Errorf("%d rotations", len(got))
	}
}

func TestKeysThatDoNotRotate(t *testing.T) {
	y := newYard(t)
	for id, c := range map[string]struct {
		change func(*key)
		want   aws.ErrorKind
	}{
		"rsa":      {func(k *key) { k.Spec = "RSA_2048" }, kmsapi.UnsupportedOperationException},
		"external": {func(k *key) { k.Origin = "EXTERNAL" }, kmsapi.UnsupportedOperationException},
		"outside":  {func(k *key) { k.Origin = "EXTERNAL_KEY_STORE" }, kmsapi.UnsupportedOperationException},
		"managed":  {func(k *key) { k.Service = "ssm" }, kmsapi.UnsupportedOperationException},
		"disabled": {func(k *key) { k.Disabled = true }, kmsapi.DisabledException},
		"deleted":  {func(k *key) { k.Deletion = &deletion{At: time.Now()} }, kmsapi.KMSInvalidStateException},
		"replica":  {func(k *key) { k.Regions = &multiRegion{Primary: string(yardAbroad)} }, kmsapi.UnsupportedOperationException},
	} {
		k := symmetricKey(id)
		c.change(k)
		y.keep(yardHome, k)
		if _, err := serve(y, yardHome, &kmsapi.EnableKeyRotation, &kmsapi.EnableKeyRotationRequest{KeyId: keyNamed(id)}); !c.want.Is(err) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// Imported material is rotated to when each region of the key has it.
func TestImportedMaterialIsRotatedOnDemand(t *testing.T) {
	y := newYard(t)
	const id = "mrk-0123456789abcdef0123456789abcdef"
	primary, replica := externalKey(id, "SYMMETRIC_DEFAULT"), externalKey(id, "SYMMETRIC_DEFAULT")
	primary.Regions = &multiRegion{Primary: string(yardHome), Replicas: []string{string(yardAbroad)}}
	replica.Regions = primary.Regions
	y.keep(yardHome, primary)
	y.keep(yardAbroad, replica)
	home, abroad := y.envelope(yardHome, id, "RSAES_OAEP_SHA_256"), y.envelope(yardAbroad, id, "RSAES_OAEP_SHA_256")
	one, two := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	state := func() []string {
		var all []string
		for _, e := range rotations(y, id, true) {
			all = append(all, string(*e.KeyMaterialState))
		}
		return all
	}
	if _, err := serve(y, yardAbroad, &kmsapi.ImportKeyMaterial, abroad.forever(id, one)); !kmsapi.IncorrectKeyMaterialException.Is(err) {
		t.Errorf("into the replica first: %v", err)
	}
	served(y, yardHome, &kmsapi.ImportKeyMaterial, home.forever(id, one))
	if !y.kept(yardAbroad, id).lacksMaterial(time.Now()) {
		t.Error("the replica has what was not imported into it")
	}
	served(y, yardAbroad, &kmsapi.ImportKeyMaterial, abroad.forever(id, one))

	fresh := home.forever(id, two)
	fresh.ImportType = new(kmsapi.ImportTypeNewKeyMaterial)
	served(y, yardHome, &kmsapi.ImportKeyMaterial, fresh)
	if got := state(); !slices.Equal(got, []string{"CURRENT", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"}) {
		t.Errorf("material is %q", got)
	}
	if _, err := serve(y, yardHome, &kmsapi.RotateKeyOnDemand, &kmsapi.RotateKeyOnDemandRequest{KeyId: keyNamed(id)}); !kmsapi.KMSInvalidStateException.Is(err) {
		t.Errorf("rotated before the replica is ready: %v", err)
	}
	served(y, yardAbroad, &kmsapi.ImportKeyMaterial, abroad.forever(id, two))
	if got := state(); !slices.Equal(got, []string{"CURRENT", "PENDING_ROTATION"}) {
		t.Errorf("material is %q", got)
	}
	served(y, yardHome, &kmsapi.RotateKeyOnDemand, &kmsapi.RotateKeyOnDemandRequest{KeyId: keyNamed(id)})
	y.settle()
	if got := state(); !slices.Equal(got, []string{"NON_CURRENT", "CURRENT"}) {
		t.Errorf("material is %q", got)
	}
	h, a := y.kept(yardHome, id), y.kept(yardAbroad, id)
	if h.Current != a.Current || !bytes.Equal(h.material(h.Current).Bytes, two) || !bytes.Equal(a.material(a.Current).Bytes, two) {
		t.Error("the regions differ")
	}
	served(y, yardHome, &kmsapi.DeleteImportedKeyMaterial, &kmsapi.DeleteImportedKeyMaterialRequest{KeyId: keyNamed(id), KeyMaterialId: &h.Materials[0].ID})
	if !y.kept(yardHome, id).lacksMaterial(time.Now()) || y.kept(yardAbroad, id).lacksMaterial(time.Now()) {
		t.Error("one material deleted at home: home waits for it, abroad does not")
	}
}
