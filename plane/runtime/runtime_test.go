package runtime_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"sumun.dev/plane/runtime"
)

// Planes in memory share a folder for their notes: the one that ends takes only
// its own away.
func TestANoteIsTakenAwayByItsPlaneOnly(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	first := &runtime.Note{PID: os.Getppid(), Data: ":memory:", API: "http://127.0.0.1:1"}
	second := &runtime.Note{PID: os.Getpid(), Data: ":memory:", API: "http://127.0.0.1:2"}
	for _, n := range []*runtime.Note{first, second} {
		if err := n.Write(); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Remove(); err != nil {
		t.Fatal(err)
	}
	if n, err := runtime.Read(":memory:"); err != nil || n.API != second.API {
		t.Errorf("%+v, %v: want the second's note", n, err)
	}
	for range 2 {
		if err := second.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := runtime.Read(":memory:"); !errors.Is(err, runtime.ErrNotRunning) {
		t.Errorf("%v, want ErrNotRunning", err)
	}
}

func TestNotesAreForTheirOwner(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	n := &runtime.Note{PID: os.Getpid(), Data: dir}
	if err := n.Write(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, "runtime.json"): 0o600} {
		s, err := os.Stat(name)
		if err != nil || s.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %o", name, s.Mode(), err, want)
		}
	}
}

// A folder under the common temporary one may be somebody's trap.
func TestAForeignFolderIsRefused(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Setenv("XDG_RUNTIME_DIR", "")
	d, err := runtime.Folder(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(d, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := runtime.Folder(":memory:"); err == nil {
		t.Error("a folder that others can read is used")
	}
	if err := errors.Join(os.Remove(d), os.Symlink(t.TempDir(), d)); err != nil {
		t.Fatal(err)
	}
	if _, err := runtime.Folder(":memory:"); err == nil {
		t.Error("a link is followed")
	}
}
