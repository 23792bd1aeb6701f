//go:build unix

package triage

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe, as <(…) of a shell is one, can be read once only, and is learnt from all
// the same.
func TestAPipeIsLaidDown(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	go func() { wrote <- os.WriteFile(pipe, []byte(call(1, "ModifyImageAttribute", share)+"\n"), 0o600) }()
	r := run(t, Options{Paths: []string{pipe}})
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	if r.Judged != 1 || len(r.Findings) != 1 || r.Learnt != 1 {
		t.Errorf("%+v", r)
	}
}
