package kms

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/engine/seal/sealtest"
	"sumun.dev/store/sqlite"
)

// importFolder names the variable that makes the test binary a process to be killed.
const importFolder = "SUMUN_TEST_KMS_IMPORT_FOLDER"

const (
	killedKeys = 12
	kills      = 12
)

func durableYard(t testing.TB, dir string) *yard {
	t.Helper()
	backend, err := sqlite.Open(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	return yardOn(t, backend, sealtest.RootIn(t, dir))
}

// TestImportChild is the process that TestKilledRotations kills: it rotates, imports
// and deletes material until it is done.
func TestImportChild(t *testing.T) {
	dir := os.Getenv(importFolder)
	if dir == "" {
		t.Skip("is a part of TestKilledRotations")
	}
	y := durableYard(t, dir)
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
	if err := y.store.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestKilledRotations: a process that is killed at random instants while it rotates
// keys, imports material and deletes it loses no version of a key.
func TestKilledRotations(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	y := durableYard(t, dir)
	var blobs [killedKeys][]byte
	for i := range blobs {
		k := symmetricKey(fmt.Sprint("own", i))
		y.keep(yardHome, k)
		y.keep(yardHome, externalKey(fmt.Sprint("external", i), "SYMMETRIC_DEFAULT"))
		blobs[i] = k.Materials[0].Bytes
	}
	if err := y.store.Close(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for n < kills && !runChild(t, dir, time.Duration(20+rand.IntN(100)+20*n)*time.Millisecond) {
		n++
	}
	t.Logf("killed %d times", n)
	if n == kills && !runChild(t, dir, 2*time.Minute) {
		t.Fatal("a process that nobody kills comes to no end")
	}

	y = durableYard(t, dir)
	defer func() {
		if err := y.store.Close(); err != nil {
			t.Error(err)
		}
	}()
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

// runChild runs the process for at most d, and reports whether it came to its end.
func runChild(t *testing.T, dir string, d time.Duration) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestImportChild$")
	cmd.Env = append(os.Environ(), importFolder+"="+dir, "GORACE=atexit_sleep_ms=0")
	var said bytes.Buffer
	cmd.Stdout = &said
	done := make(chan error, 1)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { done <- cmd.Wait() }()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("the child failed by itself: %v\n%s", err, said.Bytes())
		}
		return true
	case <-timer.C:
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Logf("kill: %v", err)
	}
	<-done
	return false
}
