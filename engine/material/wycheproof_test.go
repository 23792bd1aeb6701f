package material

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha3"
	"crypto/x509"
	"encoding/json"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"sumun.dev/engine/material/wycheproof"
)

// judge compares an outcome with what a vector says of it. What is "acceptable" may
// go either way, and is counted with the vectors that ran.
func judge(t *testing.T, id int, comment, result string, err error) {
	t.Helper()
	if result == "valid" && err != nil || result == "invalid" && err == nil {
		t.Errorf("%d (%s) is %s, and the answer is %v", id, comment, result, err)
	}
}

func TestWycheproofMAC(t *testing.T) {
	for name, spec := range map[string]Spec{"hmac_sha224": HMAC224, "hmac_sha256": HMAC256, "hmac_sha384": HMAC384, "hmac_sha512": HMAC512} {
		t.Run(name, func(t *testing.T) {
			ran := 0
			for _, g := range wycheproof.Read(t, name) {
				for _, c := range g.Tests {
					k, err := Parse(spec, c.Key)
					if g.KeySize/8 != macHash[spec].Size() {
						if err == nil {
							t.Errorf("%d: a key of %d bits is none of KMS's", c.ID, g.KeySize)
						}
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					ran++
					err = k.VerifyMAC(Algorithms(spec, generateVerifyMAC)[0], c.Msg, c.Tag)
					if g.TagSize == g.KeySize {
						judge(t, c.ID, c.Comment, c.Result, err)
					} else if err == nil {
						t.Errorf("%d: a code cut to %d bits is taken", c.ID, g.TagSize)
					}
				}
			}
			t.Logf("%d vectors", ran)
		})
	}
}

func TestWycheproofECDH(t *testing.T) {
	for name, spec := range map[string]Spec{"ecdh_secp256r1": P256, "ecdh_secp384r1": P384, "ecdh_secp521r1": P521} {
		t.Run(name, func(t *testing.T) {
			for _, g := range wycheproof.Read(t, name) {
				for _, c := range g.Tests {
					k, err := Parse(spec, scalar(t, spec, c.Private))
					if err != nil {
						t.Fatalf("%d: %v", c.ID, err)
					}
					shared, err := k.Agree(c.Public)
					judge(t, c.ID, c.Comment, c.Result, err)
					if err == nil && !bytes.Equal(shared, c.Shared) {
						t.Errorf("%d (%s): another secret", c.ID, c.Comment)
					}
				}
			}
		})
	}
}

// scalar returns a private key given as a number in PKCS #8.
func scalar(t *testing.T, spec Spec, b []byte) []byte {
	t.Helper()
	curve := curves[spec].Curve
	size := (curve.Params().BitSize + 7) / 8
	b = bytes.TrimLeft(b, "\x00")
	k, err := ecdsa.ParseRawPrivateKey(curve, append(make([]byte, size-len(b)), b...))
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestWycheproofSignatures(t *testing.T) {
	for name, alg := range map[string]string{
		"ecdsa_secp256r1_sha256": "ECDSA_SHA_256", "ecdsa_secp384r1_sha384": "ECDSA_SHA_384", "ecdsa_secp521r1_sha512": "ECDSA_SHA_512",
		"rsa_pss_2048_sha256_mgf1_32": "RSASSA_PSS_SHA_256", "rsa_pss_3072_sha256_mgf1_32": "RSASSA_PSS_SHA_256", "rsa_pss_4096_sha512_mgf1_64": "RSASSA_PSS_SHA_512",
		"rsa_signature_2048_sha256": "RSASSA_PKCS1_V1_5_SHA_256", "rsa_signature_4096_sha512": "RSASSA_PKCS1_V1_5_SHA_512",
		"ed25519": "ED25519_SHA_512",
	} {
		t.Run(name, func(t *testing.T) {
			for _, g := range wycheproof.Read(t, name) {
				public, err := x509.ParsePKIXPublicKey(g.PublicKeyDer)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range g.Tests {
					switch public := public.(type) {
					case *rsa.PublicKey:
						err = verifyRSA(public, alg, c.Msg, raw, c.Sig)
					case ed25519.PublicKey:
						err = verifyEd25519(public, alg, c.Msg, raw, c.Sig)
					case *ecdsa.PublicKey:
						for _, curve := range curves {
							if curve.Curve == public.Curve {
								err = curve.verify(public, alg, c.Msg, raw, c.Sig)
							}
						}
					}
					judge(t, c.ID, c.Comment, c.Result, err)
				}
			}
		})
	}
}

func TestWycheproofSecp256k1(t *testing.T) {
	for _, g := range wycheproof.Read(t, "ecdsa_secp256k1_sha256") {
		var info publicKeyInfo
		if err := unmarshal(g.PublicKeyDer, &info); err != nil || !isSecp256k1(info.Algorithm) {
			t.Fatal(err)
		}
		public, err := secp256k1.ParsePubKey(info.PublicKey.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range g.Tests {
			judge(t, c.ID, c.Comment, c.Result, verifySecp256k1(public, "ECDSA_SHA_256", c.Msg, raw, c.Sig))
		}
	}
}

func TestWycheproofOAEP(t *testing.T) {
	for name, of := range map[string]struct {
		spec Spec
		alg  string
	}{
		"rsa_oaep_2048_sha1_mgf1sha1":     {RSA2048, "RSAES_OAEP_SHA_1"},
		"rsa_oaep_2048_sha256_mgf1sha256": {RSA2048, "RSAES_OAEP_SHA_256"},
		"rsa_oaep_3072_sha256_mgf1sha256": {RSA3072, "RSAES_OAEP_SHA_256"},
		"rsa_oaep_4096_sha256_mgf1sha256": {RSA4096, "RSAES_OAEP_SHA_256"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, g := range wycheproof.Read(t, name) {
				k, err := Parse(of.spec, g.Private)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range g.Tests {
					plain, err := k.Decrypt(of.alg, c.Ct)
					if len(c.Label) > 0 { // KMS has none
						if err == nil {
							t.Errorf("%d: opened without its label", c.ID)
						}
						continue
					}
					judge(t, c.ID, c.Comment, c.Result, err)
					if err == nil && !bytes.Equal(plain, c.Msg) {
						t.Errorf("%d (%s): another plaintext", c.ID, c.Comment)
					}
				}
			}
		})
	}
}

func TestWycheproofKeyWrap(t *testing.T) {
	for _, g := range wycheproof.Read(t, "aes_kwp") {
		for _, c := range g.Tests {
			plain, err := UnwrapKWP(c.Key, c.Ct)
			judge(t, c.ID, c.Comment, c.Result, err)
			if err == nil && !bytes.Equal(plain, c.Msg) {
				t.Errorf("%d (%s): another plaintext", c.ID, c.Comment)
			}
			if c.Result == "valid" {
				if wrapped, err := WrapKWP(c.Key, c.Msg); err != nil || !bytes.Equal(wrapped, c.Ct) {
					t.Errorf("%d (%s): wraps to something else, %v", c.ID, c.Comment, err)
				}
			}
		}
	}
}

func TestWycheproofMLDSA(t *testing.T) {
	for name, spec := range map[string]Spec{"mldsa_44_verify": MLDSA44, "mldsa_65_verify": MLDSA65, "mldsa_87_verify": MLDSA87} {
		t.Run(name, func(t *testing.T) {
			set, ran := mldsaSets[spec], 0
			for _, g := range wycheproof.Read(t, name) {
				var key wycheproof.Octets
				if err := json.Unmarshal(g.PublicKey, &key); err != nil {
					t.Fatal(err)
				}
				public, err := set.UnmarshalBinaryPublicKey(key)
				for _, c := range g.Tests {
					if err != nil {
						judge(t, c.ID, c.Comment, c.Result, err)
						continue
					}
					if len(c.Ctx) > 0 {
						continue // KMS's context is empty
					}
					ran++
					judge(t, c.ID, c.Comment, c.Result, set.verify(public, mldsaAlgorithm, c.Msg, raw, c.Sig))
					judge(t, c.ID, c.Comment+", by µ", c.Result, set.verify(public, mldsaAlgorithm, muOf(key, c.Msg), externalMu, c.Sig))
				}
			}
			t.Logf("%d vectors", ran)
		})
	}
}

// muOf hashes a message to its representative, as whoever holds it does: FIPS 204,
// algorithm 7, line 6, with an empty context.
func muOf(public, msg []byte) []byte {
	h, tr := sha3.NewSHAKE256(), make([]byte, 64)
	h.Write(public)
	h.Read(tr)
	h.Reset()
	h.Write(append(append(tr, 0, 0), msg...))
	mu := make([]byte, 64)
	h.Read(mu)
	return mu
}
