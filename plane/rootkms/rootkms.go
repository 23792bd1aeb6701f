// Package rootkms keeps a plane's root keys wrapped under a key of another KMS.
//
// The KMS makes each root key (GenerateDataKey), and its ciphertext is all that is
// kept here. At a start the KMS opens it again (Decrypt), or the plane does not
// start. The encryption context names the plane, so that a key policy can tell
// planes apart, and whose ciphertexts were taken from one opens none of another's.
package rootkms

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/plane/client"
	"sumun.dev/plane/runtime"
	"sumun.dev/wire"
)

// ContextKey is the key of the encryption context whose value names the plane.
const ContextKey = "sumun:plane"

// A KMS keeps root keys in a file of ciphertexts. It is a seal.Source.
type KMS struct {
	File    string         // of ciphertexts, in JSON
	Client  *client.Client // of the KMS; its Key is taken anew for each call
	Key     string         // KMS key: ARN, id or alias
	Earlier []string       // KMS keys that ciphertexts of before may be under
	Plane   string         // in the encryption context
	Profile string         // of the AWS credentials; empty: the usual one

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

func (k *KMS) String() string { return k.File + " under " + k.Key }

// Read returns the keys of the file, each opened by the KMS once: seal.ErrNone when
// there is no file.
func (k *KMS) Read(ctx context.Context) ([]seal.Key, error) {
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

func (k *KMS) read() (*file, error) {
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

// open has the KMS open a ciphertext, unless it was before.
func (k *KMS) open(ctx context.Context, w wrapped) (seal.Key, error) {
	for id, known := range k.known {
		if (w.ID == "" || w.ID == id) && slices.Equal(known.blob, w.Blob) {
			return known.key, nil
		}
	}
	var err error
	for _, under := range append([]string{k.Key}, k.Earlier...) {
		var out *kmsapi.DecryptResponse
		out, err = call(ctx, k, &kmsapi.Decrypt, &kmsapi.DecryptRequest{KeyId: &under, CiphertextBlob: w.Blob, EncryptionContext: k.context()})
		if kmsapi.IncorrectKeyException.Is(err) {
			continue // under another key, perhaps the next
		}
		if err != nil {
			return seal.Key{}, k.explain(err, under)
		}
		key, err := seal.NewKey(out.Plaintext)
		clear(out.Plaintext)
		if err != nil {
			return seal.Key{}, fmt.Errorf("what %s opens is no root key", under)
		}
		if w.ID != "" && w.ID != key.ID() {
			return seal.Key{}, fmt.Errorf("the ciphertext is that of the root key %s: the file was changed", key.ID())
		}
		k.know(key, w.Blob)
		return key, nil
	}
	return seal.Key{}, k.explain(err, k.Key)
}

// Make has the KMS make a key.
func (k *KMS) Make(ctx context.Context) (seal.Key, error) {
	out, err := call(ctx, k, &kmsapi.GenerateDataKey, &kmsapi.GenerateDataKeyRequest{KeyId: k.Key, KeySpec: new(kmsapi.DataKeySpecAes256), EncryptionContext: k.context()})
	if err != nil {
		return seal.Key{}, fmt.Errorf("make a root key: %w", k.explain(err, k.Key))
	}
	key, err := seal.NewKey(out.Plaintext)
	clear(out.Plaintext)
	if err != nil {
		return seal.Key{}, fmt.Errorf("make a root key: what %s answers: %w", k.Client.Endpoint, err)
	}
	k.know(key, out.CiphertextBlob)
	return key, nil
}

// Keep replaces the file at once by one with the ciphertexts of these keys, which
// were made or read here.
func (k *KMS) Keep(_ context.Context, keys []seal.Key) error {
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
	return nil
}

func (k *KMS) know(key seal.Key, blob []byte) {
	if k.known == nil {
		k.known = map[string]known{}
	}
	k.known[key.ID()] = known{key, blob}
}

func (k *KMS) context() map[string]string { return map[string]string{ContextKey: k.Plane} }

// pauses are those before a call is tried again.
var pauses = [...]time.Duration{200 * time.Millisecond, time.Second}

// call makes a call, again when the KMS may do better a moment later.
func call[In, Out any](ctx context.Context, k *KMS, op *wire.Operation[In, Out], in In) (out Out, err error) {
	signing := *k.Client
	if signing.Key, _, err = client.Credentials(k.Profile); err != nil {
		return out, err
	}
	for i := 0; ; i++ {
		out, err = op.Call(ctx, &signing, in)
		if err == nil || i == len(pauses) || !passing(err) {
			return out, err
		}
		select {
		case <-ctx.Done():
			return out, ctx.Err()
		case <-time.After(pauses[i]):
		}
	}
}

// passing reports whether an error may be gone a moment later.
func passing(err error) bool {
	var refused *aws.Error
	if errors.As(err, &refused) {
		return refused.Status >= 500 || refused.Code == "ThrottlingException"
	}
	return true // no answer
}

// explain says what the operator can do about an error of the KMS.
func (k *KMS) explain(err error, key string) error {
	var refused *aws.Error
	switch {
	case errors.Is(err, client.ErrNoCredentials):
		return err
	case !errors.As(err, &refused):
		return fmt.Errorf("the KMS at %s cannot be reached: %w", k.Client.Endpoint, err)
	case kmsapi.IncorrectKeyException.Is(err):
		return fmt.Errorf("was wrapped under another KMS key than %s; put that key into root-key.kms.key, or into root-key.kms.earlier-keys: %w", k.Key, err)
	case kmsapi.InvalidCiphertextException.Is(err):
		return fmt.Errorf("the KMS at %s does not open the ciphertext: it is damaged, comes from another KMS, or is of another plane than %q (root-key.kms.plane): %w", k.Client.Endpoint, k.Plane, err)
	case kmsapi.DisabledException.Is(err):
		return fmt.Errorf("the KMS key %s is disabled; nothing is lost, enable it again: %w", key, err)
	case kmsapi.KMSInvalidStateException.Is(err):
		return fmt.Errorf("the KMS key %s cannot be used as it is; if it waits for its deletion, cancel that and enable it, or all data are lost with it: %w", key, err)
	case kmsapi.NotFoundException.Is(err):
		return fmt.Errorf("the KMS at %s has no key %s: %w", k.Client.Endpoint, key, err)
	}
	_, from, _ := client.Credentials(k.Profile)
	return fmt.Errorf("the KMS at %s refuses to use the key %s (credentials: %s; it needs kms:Decrypt, and to make a root key kms:GenerateDataKey, with the encryption context %s=%s): %w",
		k.Client.Endpoint, key, from, ContextKey, k.Plane, err)
}
