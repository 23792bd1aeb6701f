package material

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
)

// A curve is what goes with the keys of a NIST spec.
type curve struct {
	elliptic.Curve
	algorithm string
	hash      crypto.Hash
}

var curves = map[Spec]curve{
	P256: {elliptic.P256(), "ECDSA_SHA_256", crypto.SHA256},
	P384: {elliptic.P384(), "ECDSA_SHA_384", crypto.SHA384},
	P521: {elliptic.P521(), "ECDSA_SHA_512", crypto.SHA512},
}

// nistKey is a key on a NIST curve; it both signs (ECDSA) and agrees (ECDH), and its
// KeyUsage says which of the two it may.
type nistKey struct {
	curve   curve
	private *ecdsa.PrivateKey
	ecdh    *ecdh.PrivateKey
}

func generateNIST(spec Spec) ([]byte, error) {
	k, err := ecdsa.GenerateKey(curves[spec].Curve, rand.Reader)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(k)
}

func parseNIST(spec Spec, b []byte) (form, error) {
	if err := whole(b); err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS8PrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("%w: not an elliptic curve key in PKCS #8", ErrInput)
	}
	c := curves[spec]
	private, ok := k.(*ecdsa.PrivateKey)
	if !ok || private.Curve != c.Curve {
		return nil, fmt.Errorf("%w: not a key on %s", ErrInput, c.Params().Name)
	}
	agreeing, err := private.ECDH()
	if err != nil {
		return nil, fmt.Errorf("%w: not a key on %s", ErrInput, c.Params().Name)
	}
	return &nistKey{c, private, agreeing}, nil
}

func (k *nistKey) public() ([]byte, error) { return x509.MarshalPKIXPublicKey(&k.private.PublicKey) }

func (k *nistKey) sign(alg string, msg []byte, kind string) ([]byte, error) {
	if alg != k.curve.algorithm {
		return nil, ErrAlgorithm
	}
	sum, err := hashed(k.curve.hash, msg, kind)
	if err != nil {
		return nil, err
	}
	return ecdsa.SignASN1(rand.Reader, k.private, sum)
}

func (k *nistKey) verify(alg string, msg []byte, kind string, sig []byte) error {
	return k.curve.verify(&k.private.PublicKey, alg, msg, kind, sig)
}

func (c curve) verify(public *ecdsa.PublicKey, alg string, msg []byte, kind string, sig []byte) error {
	if alg != c.algorithm {
		return ErrAlgorithm
	}
	sum, err := hashed(c.hash, msg, kind)
	if err != nil {
		return err
	}
	if !ecdsa.VerifyASN1(public, sum, sig) {
		return ErrSignature
	}
	return nil
}

// maxSPKI bounds the public keys of strangers: one on P-521 has 158 bytes.
const maxSPKI = 1 << 10

func (k *nistKey) agree(peer []byte) ([]byte, error) {
	if len(peer) > maxSPKI {
		return nil, fmt.Errorf("%w: %d bytes are too many for a public key", ErrInput, len(peer))
	}
	parsed, err := x509.ParsePKIXPublicKey(peer) // checks that the point is on the curve
	if err != nil {
		return nil, fmt.Errorf("%w: not a public key in DER", ErrInput)
	}
	public, ok := parsed.(*ecdsa.PublicKey)
	if !ok || public.Curve != k.private.Curve {
		return nil, fmt.Errorf("%w: not a public key on %s", ErrInput, k.curve.Params().Name)
	}
	point, err := public.ECDH()
	if err != nil {
		return nil, fmt.Errorf("%w: not a point of %s", ErrInput, k.curve.Params().Name)
	}
	secret, err := k.ecdh.ECDH(point)
	if err != nil {
		return nil, fmt.Errorf("%w: no secret comes of it", ErrInput)
	}
	return secret, nil
}

// zero overwrites the number where it can be reached; crypto/ecdh has a copy.
func (k *nistKey) zero() {
	wipe(k.private.D) //lint:ignore SA1019 the number is overwritten, not used
}
