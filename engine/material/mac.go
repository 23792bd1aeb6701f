package material

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"fmt"
	"hash"
)

// macHash is the hash of each HMAC spec; its size is the key's.
var macHash = map[Spec]crypto.Hash{
	HMAC224: crypto.SHA224, HMAC256: crypto.SHA256, HMAC384: crypto.SHA384, HMAC512: crypto.SHA512,
}

type hmacKey struct {
	key []byte
	new func() hash.Hash
}

func generateHMAC(spec Spec) ([]byte, error) { return random(macHash[spec].Size()), nil }

func parseHMAC(spec Spec, b []byte) (form, error) {
	h := macHash[spec]
	if len(b) != h.Size() {
		return nil, fmt.Errorf("%w: a key of spec %s has %d bytes", ErrInput, spec, h.Size())
	}
	return &hmacKey{bytes.Clone(b), h.New}, nil
}

func (k *hmacKey) mac(msg []byte) []byte {
	m := hmac.New(k.new, k.key)
	m.Write(msg)
	return m.Sum(nil)
}

func (k *hmacKey) zero() { clear(k.key) }

// MAC returns the authentication code of msg: ErrAlgorithm when keys of the spec do
// not have the algorithm.
func (k *Key) MAC(alg string, msg []byte) ([]byte, error) {
	m, ok := k.form.(maker)
	if !ok || families[k.spec].usages[0].algorithms[0] != alg {
		return nil, ErrAlgorithm
	}
	return m.mac(msg), nil
}

// VerifyMAC checks, in constant time, what MAC returned: ErrSignature when mac is not
// that of msg; a mac that is cut short is not.
func (k *Key) VerifyMAC(alg string, msg, mac []byte) error {
	want, err := k.MAC(alg, msg)
	if err != nil {
		return err
	}
	if !hmac.Equal(want, mac) {
		return ErrSignature
	}
	return nil
}
