package material

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
)

// A wrapping is how a WrappingAlgorithm of GetParametersForImport protects material:
// by RSA-OAEP, or by AES-KWP under a key that RSA-OAEP protects.
type wrapping struct {
	oaep string
	aes  bool
}

var wrappings = map[string]wrapping{
	"RSAES_OAEP_SHA_1":         {"RSAES_OAEP_SHA_1", false},
	"RSAES_OAEP_SHA_256":       {"RSAES_OAEP_SHA_256", false},
	"RSA_AES_KEY_WRAP_SHA_1":   {"RSAES_OAEP_SHA_1", true},
	"RSA_AES_KEY_WRAP_SHA_256": {"RSAES_OAEP_SHA_256", true},
}

// NewWrapping returns a new key pair to import material with, of WrappingKeySpec
// RSA_2048, RSA_3072 or RSA_4096: ErrSpec for others.
func NewWrapping(spec string) (pkcs8, spki []byte, err error) {
	if rsaBits[Spec(spec)] == 0 {
		return nil, nil, fmt.Errorf("%w: %s", ErrSpec, spec)
	}
	return pair(Spec(spec))
}

// Wraps reports whether material of a spec can be imported by that WrappingAlgorithm
// under a wrapping key of that WrappingKeySpec: ErrAlgorithm when not. RSA-OAEP has no
// room for RSA keys, nor in 2048 bits for keys on P-521 or ML-DSA's expanded ones.
// KMS API Reference, GetParametersForImport.
func Wraps(algorithm, wrappingSpec string, material Spec) error {
	w, ok := wrappings[algorithm]
	if !ok || rsaBits[Spec(wrappingSpec)] == 0 {
		return ErrAlgorithm
	}
	if w.aes {
		return nil
	}
	if rsaBits[material] > 0 || material == P521 && wrappingSpec == "RSA_2048" {
		return ErrAlgorithm
	}
	return nil
}

// Unwrap returns the material that was wrapped under the public key of a wrapping pair
// for a key of spec want: ErrCiphertext when it does not open, ErrInput when what it
// holds is no material of that spec, ErrAlgorithm when no WrappingAlgorithm has that name.
//
// For RSA_AES_KEY_WRAP the ciphertext of the AES key comes first and the wrapped
// material after it, as in PKCS #11's CKM_RSA_AES_KEY_WRAP.
func Unwrap(wrappingPKCS8 []byte, algorithm string, wrapped []byte, want Spec) ([]byte, error) {
	w, ok := wrappings[algorithm]
	if !ok {
		return nil, ErrAlgorithm
	}
	parsed, err := x509.ParsePKCS8PrivateKey(wrappingPKCS8)
	private, isRSA := parsed.(*rsa.PrivateKey)
	if err != nil || !isRSA {
		return nil, fmt.Errorf("%w: not a wrapping key", ErrInput)
	}
	key := &rsaKey{private}
	defer key.zero()
	size := private.Size()
	if len(wrapped) < size || !w.aes && len(wrapped) > size {
		return nil, ErrCiphertext
	}
	plain, err := key.decrypt(w.oaep, wrapped[:size])
	if err != nil {
		return nil, err
	}
	if w.aes {
		kek := plain
		plain, err = UnwrapKWP(kek, wrapped[size:])
		clear(kek)
		if err != nil {
			return nil, ErrCiphertext // also for what is no AES key
		}
	}
	k, err := Parse(want, plain)
	if err != nil {
		clear(plain)
		return nil, err
	}
	k.Zero()
	return plain, nil
}
