package material

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
)

var rsaBits = map[Spec]int{RSA2048: 2048, RSA3072: 3072, RSA4096: 4096}

// oaepHash is the hash of each encryption algorithm, and of its mask generation.
var oaepHash = map[string]crypto.Hash{"RSAES_OAEP_SHA_1": crypto.SHA1, "RSAES_OAEP_SHA_256": crypto.SHA256}

// rsaSignature is what a signing algorithm of RSA keys is made of.
type rsaSignature struct {
	hash crypto.Hash
	pss  bool
}

var rsaSignatures = map[string]rsaSignature{
	"RSASSA_PKCS1_V1_5_SHA_256": {crypto.SHA256, false},
	"RSASSA_PKCS1_V1_5_SHA_384": {crypto.SHA384, false},
	"RSASSA_PKCS1_V1_5_SHA_512": {crypto.SHA512, false},
	"RSASSA_PSS_SHA_256":        {crypto.SHA256, true},
	"RSASSA_PSS_SHA_384":        {crypto.SHA384, true},
	"RSASSA_PSS_SHA_512":        {crypto.SHA512, true},
}

type rsaKey struct {
	private *rsa.PrivateKey
}

func generateRSA(spec Spec) ([]byte, error) {
	k, err := rsa.GenerateKey(rand.Reader, rsaBits[spec])
	if err != nil {
		return nil, err
	}
	defer (&rsaKey{k}).zero()
	return x509.MarshalPKCS8PrivateKey(k)
}

func parseRSA(spec Spec, b []byte) (form, error) {
	if err := whole(b); err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS8PrivateKey(b) // checks and precomputes
	if err != nil {
		return nil, fmt.Errorf("%w: not an RSA key in PKCS #8", ErrInput)
	}
	private, ok := k.(*rsa.PrivateKey)
	if !ok || private.N.BitLen() != rsaBits[spec] || len(private.Primes) != 2 {
		return nil, fmt.Errorf("%w: not an RSA key of two primes and %d bits", ErrInput, rsaBits[spec])
	}
	return &rsaKey{private}, nil
}

func (k *rsaKey) public() ([]byte, error) { return x509.MarshalPKIXPublicKey(&k.private.PublicKey) }

func (k *rsaKey) encrypt(alg string, plain []byte) ([]byte, error) {
	h, ok := oaepHash[alg]
	if !ok {
		return nil, ErrAlgorithm
	}
	ciphertext, err := rsa.EncryptOAEP(h.New(), rand.Reader, &k.private.PublicKey, plain, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: too long for the key", ErrInput)
	}
	return ciphertext, nil
}

func (k *rsaKey) decrypt(alg string, ciphertext []byte) ([]byte, error) {
	h, ok := oaepHash[alg]
	if !ok {
		return nil, ErrAlgorithm
	}
	plain, err := rsa.DecryptOAEP(h.New(), nil, k.private, ciphertext, nil)
	if err != nil {
		return nil, ErrCiphertext
	}
	return plain, nil
}

// pssOptions has salts as long as the hash, as KMS has them; others do not verify.
func (s rsaSignature) pssOptions() *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.hash}
}

func (k *rsaKey) sign(alg string, msg []byte, kind string) ([]byte, error) {
	s, ok := rsaSignatures[alg]
	if !ok {
		return nil, ErrAlgorithm
	}
	sum, err := hashed(s.hash, msg, kind)
	if err != nil {
		return nil, err
	}
	if s.pss {
		return rsa.SignPSS(rand.Reader, k.private, s.hash, sum, s.pssOptions())
	}
	return rsa.SignPKCS1v15(nil, k.private, s.hash, sum)
}

func (k *rsaKey) verify(alg string, msg []byte, kind string, sig []byte) error {
	return verifyRSA(&k.private.PublicKey, alg, msg, kind, sig)
}

func verifyRSA(public *rsa.PublicKey, alg string, msg []byte, kind string, sig []byte) error {
	s, ok := rsaSignatures[alg]
	if !ok {
		return ErrAlgorithm
	}
	sum, err := hashed(s.hash, msg, kind)
	if err != nil {
		return err
	}
	if s.pss {
		err = rsa.VerifyPSS(public, s.hash, sum, sig, s.pssOptions())
	} else {
		err = rsa.VerifyPKCS1v15(public, s.hash, sum, sig)
	}
	if err != nil {
		return ErrSignature
	}
	return nil
}

func (k *rsaKey) zero() {
	wipe(k.private.D)
	for _, p := range k.private.Primes {
		wipe(p)
	}
	wipe(k.private.Precomputed.Dp)
	wipe(k.private.Precomputed.Dq)
	wipe(k.private.Precomputed.Qinv)
}

// wipe overwrites a number.
func wipe(n *big.Int) {
	if n != nil {
		clear(n.Bits())
	}
}
