package material

import (
	"crypto/subtle"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
)

// mldsaAlgorithm is the one algorithm of ML-DSA keys: FIPS 204's, with an empty
// context.
const mldsaAlgorithm = "ML_DSA_SHAKE_256"

// An mldsaSet is a parameter set, and its name in PKCS #8 and SPKI (RFC 9881).
type mldsaSet struct {
	sign.Scheme
	oid asn1.ObjectIdentifier
}

var mldsaSets = map[Spec]mldsaSet{
	MLDSA44: {mldsa44.Scheme(), asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 17}},
	MLDSA65: {mldsa65.Scheme(), asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 18}},
	MLDSA87: {mldsa87.Scheme(), asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 19}},
}

type mldsaKey struct {
	set     mldsaSet
	private sign.PrivateKey
	key     sign.PublicKey
}

// generateMLDSA makes material in RFC 9881's form of a seed alone: 32 bytes under the
// tag [0], in PKCS #8's octet string.
func generateMLDSA(spec Spec) ([]byte, error) {
	set := mldsaSets[spec]
	seed := random(set.SeedSize())
	defer clear(seed)
	inner, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: seed})
	if err != nil {
		return nil, err
	}
	defer clear(inner)
	return asn1.Marshal(struct {
		Version    int
		Algorithm  pkix.AlgorithmIdentifier
		PrivateKey []byte
	}{0, pkix.AlgorithmIdentifier{Algorithm: set.oid}, inner})
}

// parseMLDSA takes two of RFC 9881's forms: the seed alone, and the seed with the
// expanded key. An expanded key alone is refused, since nothing proves it whole.
func parseMLDSA(spec Spec, b []byte) (form, error) {
	set := mldsaSets[spec]
	var info privateKeyInfo
	if err := unmarshal(b, &info); err != nil {
		return nil, err
	}
	defer clear(info.PrivateKey)
	if !info.Algorithm.Algorithm.Equal(set.oid) || len(info.Algorithm.Parameters.FullBytes) > 0 {
		return nil, fmt.Errorf("%w: not an %s key in PKCS #8", ErrInput, set.Name())
	}
	var inner asn1.RawValue
	if err := unmarshal(info.PrivateKey, &inner); err != nil {
		return nil, err
	}
	seed, expanded := inner.Bytes, []byte(nil)
	switch {
	case inner.Class == asn1.ClassContextSpecific && inner.Tag == 0 && !inner.IsCompound:
	case inner.Class == asn1.ClassUniversal && inner.Tag == asn1.TagSequence:
		var both struct{ Seed, Expanded []byte }
		if err := unmarshal(info.PrivateKey, &both); err != nil {
			return nil, err
		}
		seed, expanded = both.Seed, both.Expanded
	default:
		return nil, fmt.Errorf("%w: an %s key without its seed", ErrInput, set.Name())
	}
	if len(seed) != set.SeedSize() {
		return nil, fmt.Errorf("%w: the seed of an %s key has %d bytes", ErrInput, set.Name(), set.SeedSize())
	}
	key, private := set.DeriveKey(seed)
	if expanded != nil {
		derived, err := private.MarshalBinary()
		same := err == nil && subtle.ConstantTimeCompare(derived, expanded) == 1
		clear(derived)
		clear(expanded)
		if !same {
			return nil, fmt.Errorf("%w: the seed belongs to another key", ErrInput)
		}
	}
	return &mldsaKey{set, private, key}, nil
}

func (k *mldsaKey) public() ([]byte, error) {
	key, err := k.key.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(publicKeyInfo{pkix.AlgorithmIdentifier{Algorithm: k.set.oid}, bits(key)})
}

func (k *mldsaKey) sign(alg string, msg []byte, kind string) ([]byte, error) {
	if alg != mldsaAlgorithm {
		return nil, ErrAlgorithm
	}
	if kind != "" && kind != raw {
		return nil, unfit(kind)
	}
	return k.set.Sign(k.private, msg, nil), nil
}

func (k *mldsaKey) verify(alg string, msg []byte, kind string, sig []byte) error {
	return k.set.verify(k.key, alg, msg, kind, sig)
}

func (s mldsaSet) verify(public sign.PublicKey, alg string, msg []byte, kind string, sig []byte) error {
	if alg != mldsaAlgorithm {
		return ErrAlgorithm
	}
	if kind != "" && kind != raw {
		return unfit(kind)
	}
	if len(sig) != s.SignatureSize() || !s.Verify(public, msg, sig, nil) {
		return ErrSignature
	}
	return nil
}

// The scheme keeps its numbers to itself.
func (k *mldsaKey) zero() { k.private, k.key = nil, nil }
