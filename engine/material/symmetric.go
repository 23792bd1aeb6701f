package material

import (
	"fmt"
	"slices"

	"sumun.dev/engine/once"
)

// SealOverhead is how many bytes longer than its plaintext a sealed message is.
const SealOverhead = once.SaltSize + once.TagSize

const symmetricSize = 32

// symmetric is a SYMMETRIC_DEFAULT key. A message it seals is
//
//	salt (16) · ciphertext and tag (16)
type symmetric struct {
	secret once.Secret
}

func generateSymmetric(Spec) ([]byte, error) { return random(symmetricSize), nil }

func parseSymmetric(_ Spec, b []byte) (form, error) {
	if len(b) != symmetricSize {
		return nil, fmt.Errorf("%w: a symmetric key has %d bytes", ErrInput, symmetricSize)
	}
	return &symmetric{once.Extract(b, "sumun kms symmetric v1")}, nil
}

const symmetricLabel = "sumun kms message v1"

func (s *symmetric) seal(dst, plain, aad []byte) []byte {
	dst = slices.Grow(dst, SealOverhead+len(plain))
	salt := dst[len(dst) : len(dst)+once.SaltSize]
	once.NewSalt(salt)
	return s.secret.Seal(dst[:len(dst)+once.SaltSize], symmetricLabel, salt, plain, aad)
}

func (s *symmetric) open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) < SealOverhead {
		return nil, ErrCiphertext
	}
	plain, err := s.secret.Open(symmetricLabel, sealed[:once.SaltSize], sealed[once.SaltSize:], aad)
	if err != nil {
		return nil, ErrCiphertext
	}
	return plain, nil
}

func (s *symmetric) zero() { s.secret.Zero() }
