package rootwrap

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"sumun.dev/engine/seal"
)

// sealing wraps root keys under a seal, and counts how many it has opened.
type sealing struct {
	root   *seal.Root
	opened int
}

func (s *sealing) String() string { return "a seal" }

func (s *sealing) Make(context.Context) (seal.Key, []byte, error) {
	plain := make([]byte, seal.KeySize)
	copy(plain, s.root.Seal(nil, nil)) // random
	key, err := seal.NewKey(plain)
	return key, s.root.Seal(plain, nil), err
}

func (s *sealing) Open(_ context.Context, blob []byte) (seal.Key, error) {
	s.opened++
	plain, err := s.root.Open(blob, nil)
	if err != nil {
		return seal.Key{}, err
	}
	return seal.NewKey(plain)
}

// A ciphertext is opened once, and again when its key was dropped meanwhile: nothing
// keeps a dropped key in memory.
func TestDroppedKeysAreForgotten(t *testing.T) {
	by := &sealing{root: seal.NewRoot(seal.GenerateKey())}
	keys := &Keys{File: filepath.Join(t.TempDir(), "root.wrapped"), By: by}
	root, err := seal.Open(t.Context(), keys, true)
	if err != nil {
		t.Fatal(err)
	}
	first := root.Current()
	second, err := root.Make(t.Context())
	if err == nil {
		err = root.Use(second)
	}
	if err != nil {
		t.Fatal(err)
	}
	both, err := os.ReadFile(keys.File)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(keys.File); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := errors.Join(root.Refresh(t.Context()), root.Drop(t.Context(), first)); err != nil || by.opened != 0 {
		t.Errorf("%d ciphertexts opened of keys that were made here, %v", by.opened, err)
	}
	if err := os.WriteFile(keys.File, both, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := root.Refresh(t.Context()); err != nil || by.opened != 1 || !root.Knows(first) {
			t.Errorf("%d ciphertexts opened after the drop, %v", by.opened, err)
		}
	}
}
