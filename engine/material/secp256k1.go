package material

import (
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// RFC 5480 and SEC 2 name the algorithm and the curve.
var (
	oidECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidSecp256k1   = asn1.ObjectIdentifier{1, 3, 132, 0, 10}
)

// secpKey is a key on secp256k1, which crypto/x509 can neither read nor write.
type secpKey struct {
	private *secp256k1.PrivateKey
	key     *secp256k1.PublicKey
}

// An ecPrivateKey is RFC 5915's structure.
type ecPrivateKey struct {
	Version    int
	PrivateKey []byte
	Curve      asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
	PublicKey  asn1.BitString        `asn1:"optional,explicit,tag:1"`
}

func secpAlgorithm() (pkix.AlgorithmIdentifier, error) {
	curve, err := asn1.Marshal(oidSecp256k1)
	return pkix.AlgorithmIdentifier{Algorithm: oidECPublicKey, Parameters: asn1.RawValue{FullBytes: curve}}, err
}

// isSecp256k1 reports whether an algorithm is a key on that curve.
func isSecp256k1(a pkix.AlgorithmIdentifier) bool {
	var curve asn1.ObjectIdentifier
	return a.Algorithm.Equal(oidECPublicKey) &&
		unmarshal(a.Parameters.FullBytes, &curve) == nil && curve.Equal(oidSecp256k1)
}

func generateSecp256k1(Spec) ([]byte, error) {
	k, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		return nil, err
	}
	defer k.Zero()
	return marshalSecp256k1(k)
}

func marshalSecp256k1(k *secp256k1.PrivateKey) ([]byte, error) {
	algorithm, err := secpAlgorithm()
	if err != nil {
		return nil, err
	}
	secret := k.Serialize()
	defer clear(secret)
	inner, err := asn1.Marshal(ecPrivateKey{Version: 1, PrivateKey: secret, PublicKey: bits(k.PubKey().SerializeUncompressed())})
	if err != nil {
		return nil, err
	}
	defer clear(inner)
	return asn1.Marshal(struct {
		Version    int
		Algorithm  pkix.AlgorithmIdentifier
		PrivateKey []byte
	}{0, algorithm, inner})
}

func bits(b []byte) asn1.BitString { return asn1.BitString{Bytes: b, BitLength: 8 * len(b)} }

func parseSecp256k1(_ Spec, b []byte) (form, error) {
	var info privateKeyInfo
	if err := unmarshal(b, &info); err != nil {
		return nil, err
	}
	var inner ecPrivateKey
	if !isSecp256k1(info.Algorithm) || unmarshal(info.PrivateKey, &inner) != nil || inner.Version != 1 {
		return nil, fmt.Errorf("%w: not a key on secp256k1 in PKCS #8", ErrInput)
	}
	defer clear(info.PrivateKey)
	defer clear(inner.PrivateKey)
	if len(inner.Curve) > 0 && !inner.Curve.Equal(oidSecp256k1) {
		return nil, fmt.Errorf("%w: two curves are named", ErrInput)
	}
	var secret secp256k1.ModNScalar
	if len(inner.PrivateKey) != 32 || secret.SetByteSlice(inner.PrivateKey) || secret.IsZero() {
		return nil, fmt.Errorf("%w: not a scalar of secp256k1", ErrInput)
	}
	private := secp256k1.NewPrivateKey(&secret)
	secret.Zero()
	key := private.PubKey()
	if len(inner.PublicKey.Bytes) > 0 {
		if told, err := secp256k1.ParsePubKey(inner.PublicKey.Bytes); err != nil || !told.IsEqual(key) {
			return nil, fmt.Errorf("%w: the public key belongs to another private key", ErrInput)
		}
	}
	return &secpKey{private, key}, nil
}

func (k *secpKey) public() ([]byte, error) {
	algorithm, err := secpAlgorithm()
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(publicKeyInfo{algorithm, bits(k.key.SerializeUncompressed())})
}

func (k *secpKey) sign(alg string, msg []byte, kind string) ([]byte, error) {
	if alg != "ECDSA_SHA_256" {
		return nil, ErrAlgorithm
	}
	sum, err := hashed(crypto.SHA256, msg, kind)
	if err != nil {
		return nil, err
	}
	return ecdsa.Sign(k.private, sum).Serialize(), nil // deterministic, RFC 6979
}

func (k *secpKey) verify(alg string, msg []byte, kind string, sig []byte) error {
	return verifySecp256k1(k.key, alg, msg, kind, sig)
}

// verifySecp256k1 takes either of the two values s that ECDSA allows: only Bitcoin's
// rules want the lower.
func verifySecp256k1(public *secp256k1.PublicKey, alg string, msg []byte, kind string, sig []byte) error {
	if alg != "ECDSA_SHA_256" {
		return ErrAlgorithm
	}
	sum, err := hashed(crypto.SHA256, msg, kind)
	if err != nil {
		return err
	}
	parsed, err := ecdsa.ParseDERSignature(sig)
	if err != nil || !parsed.Verify(sum, public) {
		return ErrSignature
	}
	return nil
}

func (k *secpKey) zero() { k.private.Zero() }
