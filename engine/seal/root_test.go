package seal

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestANewKeyOpensBeforeItSeals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root.key")
	root, err := Find(file, true)
	if err != nil {
		t.Fatal(err)
	}
	old := root.Current()
	before := root.Seal([]byte("x"), nil)
	made, err := root.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if root.Current() != old || !slices.Equal(root.Keys(), []string{made, old}) {
		t.Errorf("current %s of %v, want %s still, and %s the newest", root.Current(), root.Keys(), old, made)
	}
	if got := KeyOf(root.Seal(nil, nil)); got != old {
		t.Errorf("sealed under %s, want %s", got, old)
	}
	if err := root.Use(made); err != nil {
		t.Fatal(err)
	}
	after := root.Seal([]byte("y"), nil)
	if KeyOf(before) != old || KeyOf(after) != made {
		t.Errorf("sealed under %s and %s, want %s and %s", KeyOf(before), KeyOf(after), old, made)
	}
	for _, r := range []*Root{root, reopened(t, file)} {
		for _, sealed := range [][]byte{before, after} {
			if _, err := r.Open(sealed, nil); err != nil {
				t.Errorf("what %s sealed: %v", KeyOf(sealed), err)
			}
		}
	}
}

func TestDrop(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root.key")
	root, err := Find(file, true)
	if err != nil {
		t.Fatal(err)
	}
	old := root.Current()
	sealed := root.Seal(nil, nil)
	if err := root.Drop(t.Context(), old); !errors.Is(err, ErrCurrent) {
		t.Errorf("drop of the current key: %v", err)
	}
	made, err := root.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Use(made); err != nil {
		t.Fatal(err)
	}
	if err := root.Drop(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Root{root, reopened(t, file)} {
		if r.Knows(old) || !r.Knows(made) || r.Current() != made {
			t.Errorf("keys %v, current %s; want %s only", r.Keys(), r.Current(), made)
		}
		if _, err := r.Open(sealed, nil); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("what the dropped key sealed: %v", err)
		}
	}
	if err := root.Drop(t.Context(), old); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("drop again: %v", err)
	}
	if err := root.Use(old); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("use of a dropped key: %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func reopened(t *testing.T, file string) *Root {
	t.Helper()
	root, err := Find(file, false)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestRefreshTakesWhatTheOperatorHasAdded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root.key")
	root, err := Find(file, true)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	newer := GenerateKey()
	if err := os.WriteFile(file, []byte(newer.encode()+"\n"+string(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	old := root.Current()
	if err := root.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{newer.ID(), old}; !slices.Equal(root.Keys(), want) || root.Current() != old {
		t.Errorf("keys %v, current %s; want %v, current %s", root.Keys(), root.Current(), want, old)
	}
	if err := os.WriteFile(file, []byte(newer.encode()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := root.Refresh(t.Context()); err != nil || !root.Knows(old) {
		t.Errorf("a key that is in use was forgotten: %v, %v", root.Keys(), err)
	}
	if err := os.WriteFile(file, []byte("half\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := root.Refresh(t.Context()); !errors.Is(err, ErrKey) || len(root.Keys()) != 2 {
		t.Errorf("a damaged file: %v, keys %v", err, root.Keys())
	}
}

// Whoever puts a key into the file, by hand or from another process, finds it there
// after this one has changed the file too.
func TestChangesKeepWhatHasComeMeanwhile(t *testing.T) {
	for what, change := range map[string]func(r *Root, old string) error{
		"make": func(r *Root, _ string) error { _, err := r.Make(t.Context()); return err },
		"drop": func(r *Root, old string) error { return r.Drop(t.Context(), old) },
	} {
		file := filepath.Join(t.TempDir(), "root.key")
		root, err := Find(file, true)
		if err != nil {
			t.Fatal(err)
		}
		old := root.Current()
		made, err := root.Make(t.Context())
		if err == nil {
			err = root.Use(made)
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		come := GenerateKey()
		if err := os.WriteFile(file, []byte(come.encode()+"\n"+string(text)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := change(root, old); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if again := reopened(t, file); !again.Knows(come.ID()) || !again.Knows(made) || again.Knows(old) != (what == "make") {
			t.Errorf("%s: the file has %v, want %s too", what, again.Keys(), come.ID())
		}
	}
}

// What is left when the process dies before the new file has its name.
func TestKeepReplacesWhatACrashLeft(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root.key")
	root, err := Find(file, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".next", []byte("half of a k"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := reopened(t, file); again.Current() != root.Current() {
		t.Errorf("key %s, want %s", again.Current(), root.Current())
	}
	made, err := root.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !reopened(t, file).Knows(made) {
		t.Error("the new key is not in the file")
	}
	if _, err := os.Stat(file + ".next"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of the crash: %v", err)
	}
}

func TestTheEnvironmentIsNotChangedFromHere(t *testing.T) {
	t.Setenv(Variable, GenerateKey().encode())
	root, err := Find("unused", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.Make(t.Context()); !errors.Is(err, ErrFixed) || !strings.Contains(err.Error(), Variable) {
		t.Errorf("make: %v", err)
	}
	if len(root.Keys()) != 1 {
		t.Errorf("keys %v: one that is kept nowhere is in use", root.Keys())
	}
	if err := root.Refresh(t.Context()); err != nil {
		t.Errorf("refresh: %v", err)
	}
}

func TestTwoKeysOfOneID(t *testing.T) {
	k := GenerateKey()
	twin := GenerateKey()
	twin.id = k.id
	if _, err := distinct([]Key{k, twin}); !errors.Is(err, ErrKey) {
		t.Errorf("two keys of one id: %v", err)
	}
	if keys, err := distinct([]Key{k, k}); err != nil || len(keys) != 1 {
		t.Errorf("a key twice: %d keys, %v", len(keys), err)
	}
}

// Run with -race: readers hold no lock while the keys change.
func TestSealsWhileKeysChange(t *testing.T) {
	root := NewRoot(GenerateKey())
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := root.Open(root.Seal([]byte("x"), nil), nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 50 {
		id, err := root.Make(t.Context())
		if err == nil {
			err = root.Use(id)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	readers.Wait()
}
