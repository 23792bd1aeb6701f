//go:build linux

package sqlite_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"sumun.dev/engine/seal"
	"sumun.dev/store"
)

// TestFullDisk fills a small file system: writes are refused with ErrFull, reads
// go on, what was acknowledged is there, and when there is space again so are
// writes.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("a small file system cannot be mounted here (needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	b := open(t, dir)
	defer b.Close()
	s := store.Open(b, seal.NewRoot(seal.GenerateKey()))
	text := func() string { return strings.Repeat(rand.Text(), 2000) } // 52 kB
	acknowledged := 0
	var err error
	for ; acknowledged < 200; acknowledged++ {
		if err = put(t, s, fmt.Sprintf("doc-%03d", acknowledged), text()); err != nil {
			break
		}
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("after %d units: %v, want ErrFull", acknowledged, err)
	}
	for range 3 {
		if err := put(t, s, "more", text()); !errors.Is(err, store.ErrFull) {
			t.Errorf("another unit: %v, want ErrFull", err)
		}
	}
	page, err := docs(s).Page(t.Context(), store.Range{})
	if err != nil || len(page) != acknowledged {
		t.Errorf("reads on a full disk: %d rows of %d, %v", len(page), acknowledged, err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=16m"); err != nil {
		t.Fatal(err)
	}
	if err := put(t, s, "more", text()); err != nil {
		t.Errorf("when there is space again: %v", err)
	}
}
