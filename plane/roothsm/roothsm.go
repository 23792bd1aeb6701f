// Package roothsm wraps a plane's root keys under a key of an HSM, by PKCS #11.
//
// PKCS #11 modules are C libraries, so this is part of the program only when it is
// built for it: CGO_ENABLED=1 go build -tags pkcs11. Elsewhere Open says so.
package roothsm

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"

	"sumun.dev/engine/seal"
)

// Settings name a secret key of an HSM.
type Settings struct {
	Module string // path of the PKCS #11 library
	Token  string // label of the token
	Key    string // label of an AES key that can encrypt and decrypt
	PIN    string // of the token's user
}

// An HSM is a key of an HSM that is open. It is a rootwrap.Wrapper.
type HSM struct {
	settings Settings
	gcm      cipher.AEAD // in the HSM: the key never leaves it
	close    func() error
}

// ErrAbsent says that the program was built without PKCS #11.
var ErrAbsent = errors.New("this program was built without PKCS #11, whose modules are C libraries: build it with CGO_ENABLED=1 go build -tags pkcs11 ./cmd/sumun, or use root-key.kms with a KMS whose key is in the HSM")

// bound ties ciphertexts to what they are: nothing else that the HSM's key has
// encrypted opens as a root key.
var bound = []byte("sumun root key 1")

func (h *HSM) String() string {
	return fmt.Sprintf("the key %s of the token %s", h.settings.Key, h.settings.Token)
}

// Make makes a root key, which the HSM encrypts: AES-GCM with a random nonce of 96
// bits, which few keys do not exhaust (NIST SP 800-38D, 8.3).
func (h *HSM) Make(context.Context) (seal.Key, []byte, error) {
	plain := make([]byte, seal.KeySize)
	defer clear(plain)
	nonce := make([]byte, h.gcm.NonceSize())
	rand.Read(plain)
	rand.Read(nonce)
	key, err := seal.NewKey(plain)
	if err != nil {
		return seal.Key{}, nil, err
	}
	var blob []byte
	if err := guarded(func() { blob = h.gcm.Seal(nonce, nonce, plain, bound) }); err != nil {
		return seal.Key{}, nil, fmt.Errorf("%s cannot encrypt: %w", h, err)
	}
	return key, blob, nil
}

// Open has the HSM decrypt a ciphertext.
func (h *HSM) Open(_ context.Context, blob []byte) (seal.Key, error) {
	n := h.gcm.NonceSize()
	if len(blob) < n {
		return seal.Key{}, errors.New("the ciphertext is cut off")
	}
	var plain []byte
	var err error
	if broken := guarded(func() { plain, err = h.gcm.Open(nil, blob[:n], blob[n:], bound) }); broken != nil {
		err = broken
	}
	if err != nil {
		return seal.Key{}, fmt.Errorf("%s does not open the ciphertext: it is damaged, or under another key: %w", h, err)
	}
	defer clear(plain)
	return seal.NewKey(plain)
}

// Close ends the session with the HSM.
func (h *HSM) Close() error { return h.close() }

// guarded turns the panic of a module into an error: cipher.AEAD.Seal has no other
// way to say that the HSM is gone.
func guarded(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the PKCS #11 module failed: %v", r)
		}
	}()
	f()
	return nil
}
