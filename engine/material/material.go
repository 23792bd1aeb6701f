// Package material makes, reads and uses the key material of every kind of KMS key.
//
// Material is bytes: raw for SYMMETRIC_DEFAULT and HMAC keys, PKCS #8 in DER for all
// others. Generate makes them and Parse makes a Key of them, which holds every form
// that its operations need, so that a key that is kept computes nothing twice.
//
// The algorithms are named as KMS names them ("RSASSA_PSS_SHA_256"); what spec has
// which is in spec.go. Keys of spec SM2 are refused: no maintained implementation
// can be had.
package material

import (
	"crypto/rand"
	"errors"
	"fmt"
)

// What the operations answer. Errors may add what is wrong with an input, and
// never quote it.
var (
	// ErrSpec says that there are no keys of a spec here, such as SM2.
	ErrSpec = errors.New("material: keys of this spec cannot be made here")
	// ErrInput says that an input has the wrong size or form: a digest, a public
	// key, a plaintext, key material.
	ErrInput = errors.New("material: the input does not fit")
	// ErrAlgorithm says that keys of this spec have no such algorithm.
	ErrAlgorithm = errors.New("material: the algorithm does not fit the key")
	// ErrCiphertext says that a ciphertext does not open under the key.
	ErrCiphertext = errors.New("material: the ciphertext does not open")
	// ErrSignature says that a signature or an authentication code is wrong.
	ErrSignature = errors.New("material: the signature does not match")
)

// A Key is key material ready for use. It is safe for concurrent use, and prints
// without its secrets.
type Key struct {
	spec Spec
	form form
}

// A form is a parsed key. What it can do besides is told by the interfaces below.
type form interface {
	zero()
}

type (
	sealer interface {
		seal(dst, plain, aad []byte) []byte
		open(sealed, aad []byte) ([]byte, error)
	}
	public interface {
		public() ([]byte, error) // SPKI, in DER
	}
	encrypter interface {
		encrypt(alg string, plain []byte) ([]byte, error)
		decrypt(alg string, ciphertext []byte) ([]byte, error)
	}
	signer interface {
		sign(alg string, msg []byte, kind string) ([]byte, error)
		verify(alg string, msg []byte, kind string, sig []byte) error
	}
	maker interface {
		mac(msg []byte) []byte
	}
	agreer interface {
		agree(peer []byte) ([]byte, error)
	}
)

// Generate returns new key material of a spec from crypto/rand: ErrSpec when there
// is none of it.
func Generate(spec Spec) ([]byte, error) {
	f, ok := families[spec]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrSpec, spec)
	}
	return f.generate(spec)
}

// Pair returns the private key (PKCS #8) and the public key (SPKI) of a new pair, as
// GenerateDataKeyPair does: ErrSpec for specs that data key pairs cannot have.
func Pair(spec Spec) (pkcs8, spki []byte, err error) {
	if !families[spec].pairs {
		return nil, nil, fmt.Errorf("%w: %s", ErrSpec, spec)
	}
	return pair(spec)
}

func pair(spec Spec) (pkcs8, spki []byte, err error) {
	if pkcs8, err = Generate(spec); err != nil {
		return nil, nil, err
	}
	k, err := Parse(spec, pkcs8)
	if err != nil {
		return nil, nil, err
	}
	defer k.Zero()
	spki, err = k.Public()
	return pkcs8, spki, err
}

// Parse reads key material: ErrInput when b is none of that spec. It keeps nothing
// of b, which the caller may clear.
func Parse(spec Spec, b []byte) (*Key, error) {
	f, ok := families[spec]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrSpec, spec)
	}
	if len(b) > maxMaterial {
		return nil, fmt.Errorf("%w: %d bytes are too many for a key", ErrInput, len(b))
	}
	form, err := f.parse(spec, b)
	if err != nil {
		return nil, err
	}
	return &Key{spec, form}, nil
}

// maxMaterial bounds what is parsed. The longest is ML-DSA-87's seed with its
// expanded key, 5 KB.
const maxMaterial = 8 << 10

// Spec returns the kind of key it is.
func (k *Key) Spec() Spec { return k.spec }

// Format keeps the material out of every print, %#v included.
func (k *Key) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s key", k.spec) }

// Public returns the public key, as SubjectPublicKeyInfo in DER: ErrAlgorithm for
// keys that have none.
func (k *Key) Public() (spki []byte, err error) {
	p, ok := k.form.(public)
	if !ok {
		return nil, ErrAlgorithm
	}
	return p.public()
}

// Seal encrypts under a SYMMETRIC_DEFAULT key, binds the ciphertext to aad, which Open
// must be given again, and appends it to dst. The ciphertext is SealOverhead bytes
// longer than plain. It panics for keys of other specs.
func (k *Key) Seal(dst, plain, aad []byte) []byte { return k.form.(sealer).seal(dst, plain, aad) }

// Open decrypts what Seal returned for the same aad: ErrCiphertext when it is not
// exactly that, ErrAlgorithm for keys of other specs than SYMMETRIC_DEFAULT.
func (k *Key) Open(sealed, aad []byte) ([]byte, error) {
	s, ok := k.form.(sealer)
	if !ok {
		return nil, ErrAlgorithm
	}
	return s.open(sealed, aad)
}

// Encrypt encrypts under the public key of an RSA key by RSAES_OAEP_SHA_1 or _256:
// ErrInput when plain is longer than MaxPlaintext.
func (k *Key) Encrypt(alg string, plain []byte) ([]byte, error) {
	e, ok := k.form.(encrypter)
	if !ok {
		return nil, ErrAlgorithm
	}
	return e.encrypt(alg, plain)
}

// Decrypt is the inverse of Encrypt: ErrCiphertext when it does not decrypt, and
// nothing says why.
func (k *Key) Decrypt(alg string, ciphertext []byte) ([]byte, error) {
	e, ok := k.form.(encrypter)
	if !ok {
		return nil, ErrAlgorithm
	}
	return e.decrypt(alg, ciphertext)
}

// Sign signs msg. The kind is KMS's MessageType: RAW (also when empty) for a message,
// DIGEST for its hash, EXTERNAL_MU for ML-DSA's 64-byte message representative.
// ErrAlgorithm when keys of the spec have no such algorithm, ErrInput when msg has not
// the length that its kind demands or the algorithm does not take the kind.
func (k *Key) Sign(alg string, msg []byte, kind string) ([]byte, error) {
	s, ok := k.form.(signer)
	if !ok {
		return nil, ErrAlgorithm
	}
	return s.sign(alg, msg, kind)
}

// Verify checks what Sign returned: ErrSignature when sig is not a signature of msg.
// Its other errors are Sign's.
func (k *Key) Verify(alg string, msg []byte, kind string, sig []byte) error {
	s, ok := k.form.(signer)
	if !ok {
		return ErrAlgorithm
	}
	return s.verify(alg, msg, kind, sig)
}

// Agree returns the secret shared with the holder of a public key (SPKI, in DER) on
// the same curve: the x-coordinate, as ECDH has it. ErrInput for any other public key.
func (k *Key) Agree(peerSPKI []byte) ([]byte, error) {
	a, ok := k.form.(agreer)
	if !ok {
		return nil, ErrAlgorithm
	}
	return a.agree(peerSPKI)
}

// Zero overwrites what of the secrets can be reached; the standard library keeps
// copies of private keys that cannot. The key must not be in use, nor be used again.
func (k *Key) Zero() { k.form.zero() }

// random returns n random bytes.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}
