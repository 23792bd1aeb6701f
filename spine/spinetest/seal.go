package spinetest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"

	"sumun.dev/spine"
)

// Sealer returns AES-256-GCM under the key, which has 32 bytes. It is for tests:
// engine/seal derives a key for each message.
func Sealer(key []byte) spine.Sealer {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return sealer{gcm}
}

type sealer struct{ gcm cipher.AEAD }

func (s sealer) Seal(plain, ad []byte) []byte {
	nonce := make([]byte, s.gcm.NonceSize(), s.gcm.NonceSize()+len(plain)+s.gcm.Overhead())
	rand.Read(nonce)
	return s.gcm.Seal(nonce, nonce, plain, ad)
}

// Lacks is false: there is one key.
func (sealer) Lacks([]byte) bool { return false }

func (s sealer) Open(sealed, ad []byte) ([]byte, error) {
	n := s.gcm.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("too short")
	}
	return s.gcm.Open(nil, sealed[:n], sealed[n:], ad)
}
