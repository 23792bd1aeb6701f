package material

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"fmt"
)

// The algorithms of RFC 8032: Ed25519 of a message, and Ed25519ph, which KMS has for
// digests only.
const (
	ed25519Pure      = "ED25519_SHA_512"
	ed25519Prehashed = "ED25519_PH_SHA_512"
)

type edwardsKey struct {
	private ed25519.PrivateKey
	key     ed25519.PublicKey
}

func generateEd25519(Spec) ([]byte, error) {
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	defer clear(k)
	return x509.MarshalPKCS8PrivateKey(k)
}

func parseEd25519(_ Spec, b []byte) (form, error) {
	if err := whole(b); err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS8PrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("%w: not an Ed25519 key in PKCS #8", ErrInput)
	}
	private, ok := k.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%w: not an Ed25519 key", ErrInput)
	}
	return &edwardsKey{private, private.Public().(ed25519.PublicKey)}, nil
}

func (k *edwardsKey) public() ([]byte, error) { return x509.MarshalPKIXPublicKey(k.key) }

func (k *edwardsKey) sign(alg string, msg []byte, kind string) ([]byte, error) {
	msg, options, err := edwards(alg, msg, kind)
	if err != nil {
		return nil, err
	}
	return k.private.Sign(nil, msg, options)
}

func (k *edwardsKey) verify(alg string, msg []byte, kind string, sig []byte) error {
	return verifyEd25519(k.key, alg, msg, kind, sig)
}

func verifyEd25519(public ed25519.PublicKey, alg string, msg []byte, kind string, sig []byte) error {
	msg, options, err := edwards(alg, msg, kind)
	if err != nil {
		return err
	}
	if ed25519.VerifyWithOptions(public, msg, sig, options) != nil {
		return ErrSignature
	}
	return nil
}

// edwards returns what is signed and how. ED25519_PH_SHA_512 takes a digest of 64
// bytes, and KMS hashes it again: its signature is Ed25519ph's of the digest as a
// message. Others found so by verifying KMS's signatures elsewhere
// (github.com/Infisical/infisical, pull request 7918).
func edwards(alg string, msg []byte, kind string) ([]byte, *ed25519.Options, error) {
	switch alg {
	case ed25519Pure:
		if kind != "" && kind != raw {
			return nil, nil, unfit(kind)
		}
		return msg, &ed25519.Options{}, nil
	case ed25519Prehashed:
		if kind != digest {
			return nil, nil, unfit(kind)
		}
		if len(msg) != sha512.Size {
			return nil, nil, fmt.Errorf("%w: a SHA-512 digest has %d bytes", ErrInput, sha512.Size)
		}
		sum := sha512.Sum512(msg)
		return sum[:], &ed25519.Options{Hash: crypto.SHA512}, nil
	}
	return nil, nil, ErrAlgorithm
}

func (k *edwardsKey) zero() { clear(k.private) }
