package kms

import (
	"bytes"
	"fmt"
	"testing"

	"sumun.dev/api/kmsapi"
	"sumun.dev/engine/seal/sealtest"
	"sumun.dev/store/killtest"
)

const killedKeys = 12

func durableYard(t testing.TB, dir string) *yard {
	t.Helper()
	return yardOn(t, killtest.Open(t, dir), sealtest.RootIn(t, dir))
}

func (y *yard) close() {
	y.t.Helper()
	if err := y.store.Close(); err != nil {
		y.t.Error(err)
	}
}

// TestKilledRotationsProcess is the process that TestKilledRotations kills: it rotates, imports
// and deletes material until it is done.
func TestKilledRotationsProcess(t *testing.T) {
	y := durableYard(t, killtest.Folder(t))
	defer y.close()
	killtest.Begin()
	y.settle()
	for i := range killedKeys {
		own, external := keyNamed(fmt.Sprint("own", i)), keyNamed(fmt.Sprint("external", i))
		for y.kept(yardHome, own).Rotation.OnDemand < 3 {
			served(y, yardHome, &kmsapi.RotateKeyOnDemand, &kmsapi.RotateKeyOnDemandRequest{KeyId: own})
			y.settle()
		}
		if k := y.kept(yardHome, external); len(k.Materials) > 0 && k.Materials[0].Bytes == nil {
			continue // imported and deleted
		} else if len(k.Materials) == 0 {
			served(y, yardHome, &kmsapi.ImportKeyMaterial, y.envelope(yardHome, external, "RSAES_OAEP_SHA_256").forever(external, bytes.Repeat([]byte{byte(i + 1)}, 32)))
		}
		if i%2 == 0 {
			served(y, yardHome, &kmsapi.DeleteImportedKeyMaterial, &kmsapi.DeleteImportedKeyMaterialRequest{KeyId: external})
		}
	}
	y.settle()
}

// TestKilledRotations: a process that is killed at random instants while it rotates
// keys, imports material and deletes it loses no version of a key.
func TestKilledRotations(t *testing.T) {
	dir := t.TempDir()
	y := durableYard(t, dir)
	var blobs [killedKeys][]byte
	for i := range blobs {
		k := symmetricKey(fmt.Sprint("own", i))
		y.keep(yardHome, k)
		y.keep(yardHome, externalKey(fmt.Sprint("external", i), "SYMMETRIC_DEFAULT"))
		blobs[i] = k.Materials[0].Bytes
	}
	y.close()
	killtest.Run(t, "TestKilledRotationsProcess", dir, nil)

	y = durableYard(t, dir)
	defer y.close()
	for i := range blobs {
		k := y.kept(yardHome, fmt.Sprint("own", i))
		if len(k.Materials) != 4 || k.Current != k.Materials[3].ID || !k.Rotation.Started.IsZero() || !bytes.Equal(k.Materials[0].Bytes, blobs[i]) {
			t.Errorf("own%d has %d versions after %d rotations", i, len(k.Materials), k.Rotation.OnDemand)
		}
		for j := range k.Materials {
			if len(k.Materials[j].Bytes) != 32 {
				t.Errorf("own%d has lost version %d", i, j)
			}
		}
		e := y.kept(yardHome, fmt.Sprint("external", i))
		want := bytes.Repeat([]byte{byte(i + 1)}, 32)
		if i%2 == 0 {
			want = nil
		}
		if len(e.Materials) != 1 || !bytes.Equal(e.Materials[0].Bytes, want) {
			t.Errorf("external%d is not what was imported", i)
		}
	}
	if told := y.told(); len(told) != 2*3*killedKeys {
		t.Errorf("%d events of %d rotations", len(told), 3*killedKeys)
	}
}
