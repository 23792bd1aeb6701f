// Package rootwrap keeps a plane's root keys in a file, each wrapped by something that never gives its own key away.
//
// What wraps is a key of another KMS (plane/rootkms) or of an HSM (plane/roothsm).
// It makes each root key or takes it in once, and its ciphertext is all that is kept
// here. At a start it opens them again, or the plane does not start.
package rootwrap

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"sumun.dev/engine/seal"
	"sumun.dev/plane/runtime"
)

// A Wrapper wraps root keys.
type Wrapper interface {
	// Make makes a root key and its ciphertext.
	Make(ctx context.Context) (seal.Key, []byte, error)
	// Open returns the root key of a ciphertext.
	Open(ctx context.Context, blob []byte) (seal.Key, error)
	// String names what wraps, for messages.
	String() string
}

// Keys are root keys in a file of ciphertexts. It is a seal.Source.
type Keys struct {
	File string // of ciphertexts, in JSON
	By   Wrapper

	known map[string]known // by the id of the root key
}

// A known root key was made or opened here, and its ciphertext need not be opened again.
type known struct {
	key  seal.Key
	blob []byte
}

// wrapped is a root key as it is kept.
type wrapped struct {
	ID   string `json:"id,omitempty"` // where somebody wrapped a key by hand it may be missing
	Blob []byte `json:"ciphertextBlob"`
}

// file is what the file holds: the newest key first.
type file struct {
	Keys []wrapped `json:"rootKeys"`
}

// Bounds of the file.
const (
	maxFile = 1 << 20
	maxKeys = 100
)

func (k *Keys) String() string { return k.File + " under " + k.By.String() }

// Read returns the keys of the file, each opened once: seal.ErrNone when there is no
// file.
func (k *Keys) Read(ctx context.Context) ([]seal.Key, error) {
	kept, err := k.read()
	if err != nil {
		return nil, err
	}
	var keys []seal.Key
	for i, w := range kept.Keys {
		key, err := k.open(ctx, w)
		if err != nil {
			return nil, fmt.Errorf("%s: root key %s: %w", k.File, cmp.Or(w.ID, fmt.Sprint("number ", i+1)), err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (k *Keys) read() (*file, error) {
	f, err := os.Open(k.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", seal.ErrNone, err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, err
	}
	kept := &file{}
	if err := json.Unmarshal(text, kept); err != nil {
		return nil, fmt.Errorf("%s: is damaged: %w", k.File, err)
	}
	if len(kept.Keys) == 0 || len(kept.Keys) > maxKeys {
		return nil, fmt.Errorf("%s: is damaged: it has %d root keys", k.File, len(kept.Keys))
	}
	return kept, nil
}

// open opens a ciphertext, unless it was before.
func (k *Keys) open(ctx context.Context, w wrapped) (seal.Key, error) {
	for id, known := range k.known {
		if (w.ID == "" || w.ID == id) && slices.Equal(known.blob, w.Blob) {
			return known.key, nil
		}
	}
	key, err := k.By.Open(ctx, w.Blob)
	if err != nil {
		return seal.Key{}, err
	}
	if w.ID != "" && w.ID != key.ID() {
		return seal.Key{}, fmt.Errorf("the ciphertext is that of the root key %s: the file was changed", key.ID())
	}
	k.know(key, w.Blob)
	return key, nil
}

// Make makes a key.
func (k *Keys) Make(ctx context.Context) (seal.Key, error) {
	key, blob, err := k.By.Make(ctx)
	if err != nil {
		return seal.Key{}, fmt.Errorf("make a root key: %w", err)
	}
	k.know(key, blob)
	return key, nil
}

// Keep replaces the file at once by one with the ciphertexts of these keys, which
// were made or read here, and forgets all others.
func (k *Keys) Keep(_ context.Context, keys []seal.Key) error {
	var next file
	for _, key := range keys {
		known, ok := k.known[key.ID()]
		if !ok {
			return fmt.Errorf("keep the root keys: there is no ciphertext of %s", key)
		}
		next.Keys = append(next.Keys, wrapped{key.ID(), known.blob})
	}
	if err := runtime.WriteFile(k.File, next); err != nil {
		return fmt.Errorf("keep the root keys: %w", err)
	}
	maps.DeleteFunc(k.known, func(id string, _ known) bool {
		return !slices.ContainsFunc(next.Keys, func(w wrapped) bool { return w.ID == id })
	})
	return nil
}

func (k *Keys) know(key seal.Key, blob []byte) {
	if k.known == nil {
		k.known = map[string]known{}
	}
	k.known[key.ID()] = known{key, blob}
}
