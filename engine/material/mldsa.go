package material

import (
	"crypto/subtle"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"sync"

	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"

	"sumun.dev/engine/mldsa"
)

// mldsaAlgorithm is the one algorithm of ML-DSA keys: FIPS 204's, with an empty
// context.
const mldsaAlgorithm = "ML_DSA_SHAKE_256"

// An mldsaSet is a parameter set, and its name in PKCS #8 and SPKI (RFC 9881).
type mldsaSet struct {
	sign.Scheme
	mu  mldsa.Set // the same, for what signs message representatives
	oid asn1.ObjectIdentifier
}

var mldsaSets = map[Spec]mldsaSet{
	MLDSA44: {mldsa44.Scheme(), mldsa.MLDSA44(), asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 17}},
	MLDSA65: {mldsa65.Scheme(), mldsa.MLDSA65(), asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 18}},
	MLDSA87: {mldsa87.Scheme(), mldsa.MLDSA87(), asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 19}},
}

type mldsaKey struct {
	set     mldsaSet
	private sign.PrivateKey
	key     sign.PublicKey
	mu      func() (*mldsa.Signer, error) // made when it is first needed
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
	k := &mldsaKey{set: set, private: private, key: key}
	k.mu = sync.OnceValues(k.signer)
	return k, nil
}

func (k *mldsaKey) signer() (*mldsa.Signer, error) {
	b, err := k.private.MarshalBinary()
	if err != nil {
		return nil, err
	}
	defer clear(b)
	return mldsa.NewSigner(k.set.mu, b)
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
	switch kind {
	case "", raw:
		return k.set.Sign(k.private, msg, nil), nil
	case externalMu:
		mu, err := representative(msg)
		if err != nil {
			return nil, err
		}
		signer, err := k.mu()
		if err != nil {
			return nil, err
		}
		return signer.Sign(mu), nil
	}
	return nil, unfit(kind)
}

func (k *mldsaKey) verify(alg string, msg []byte, kind string, sig []byte) error {
	return k.set.verify(k.key, alg, msg, kind, sig)
}

func (s mldsaSet) verify(public sign.PublicKey, alg string, msg []byte, kind string, sig []byte) error {
	if alg != mldsaAlgorithm {
		return ErrAlgorithm
	}
	ok := false
	switch kind {
	case "", raw:
		ok = len(sig) == s.SignatureSize() && s.Verify(public, msg, sig, nil)
	case externalMu:
		mu, err := representative(msg)
		if err != nil {
			return err
		}
		key, err := public.MarshalBinary()
		if err != nil {
			return err
		}
		ok = mldsa.Verify(s.mu, key, mu, sig)
	default:
		return unfit(kind)
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// representative is a message of type EXTERNAL_MU.
func representative(msg []byte) (*[mldsa.MuSize]byte, error) {
	if len(msg) != mldsa.MuSize {
		return nil, fmt.Errorf("%w: a message representative has %d bytes", ErrInput, mldsa.MuSize)
	}
	return (*[mldsa.MuSize]byte)(msg), nil
}

// zero forgets the key: the library keeps its numbers to itself.
func (k *mldsaKey) zero() { k.private, k.key, k.mu = nil, nil, nil }
