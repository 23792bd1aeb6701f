// Package rootkms wraps a plane's root keys under a key of another KMS.
//
// The KMS makes each root key (GenerateDataKey) and opens its ciphertext again
// (Decrypt). The encryption context names the plane, so that a key policy can tell
// planes apart, and whose ciphertexts were taken from one opens none of another's.
package rootkms

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/plane/client"
	"sumun.dev/wire"
)

// ContextKey is the key of the encryption context whose value names the plane.
const ContextKey = "sumun:plane"

// A KMS is a key of another KMS. It is a rootwrap.Wrapper.
type KMS struct {
	Client  *client.Client // of the KMS; its Key is taken anew for each call
	Key     string         // KMS key: ARN, id or alias
	Earlier []string       // KMS keys that ciphertexts of before may be under
	Plane   string         // in the encryption context
	Profile string         // of the AWS credentials; empty: the usual one
}

func (k *KMS) String() string { return k.Key }

// Open has the KMS open a ciphertext.
func (k *KMS) Open(ctx context.Context, blob []byte) (seal.Key, error) {
	var err error
	for _, under := range append([]string{k.Key}, k.Earlier...) {
		var out *kmsapi.DecryptResponse
		out, err = call(ctx, k, &kmsapi.Decrypt, &kmsapi.DecryptRequest{KeyId: &under, CiphertextBlob: blob, EncryptionContext: k.context()})
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
		return key, nil
	}
	return seal.Key{}, k.explain(err, k.Key)
}

// Make has the KMS make a key.
func (k *KMS) Make(ctx context.Context) (seal.Key, []byte, error) {
	out, err := call(ctx, k, &kmsapi.GenerateDataKey, &kmsapi.GenerateDataKeyRequest{KeyId: k.Key, KeySpec: new(kmsapi.DataKeySpecAes256), EncryptionContext: k.context()})
	if err != nil {
		return seal.Key{}, nil, k.explain(err, k.Key)
	}
	key, err := seal.NewKey(out.Plaintext)
	clear(out.Plaintext)
	if err != nil {
		return seal.Key{}, nil, fmt.Errorf("what %s answers: %w", k.Client.Endpoint, err)
	}
	return key, out.CiphertextBlob, nil
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
