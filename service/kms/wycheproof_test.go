package kms

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"strconv"
	"testing"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
	"sumun.dev/engine/material/wycheproof"
)

// Wycheproof's vectors where KMS can import the key: it is wrapped under a key that
// GetParametersForImport gives out, imported, and used, all by calls of the API. The
// other vectors run against the functions that the calls use (engine/material).

// An importer makes keys of a spec with imported material, each material once.
type importer struct {
	*crypt
	spec, usage string
	imported    map[string]string // material to key id
}

func newImporter(t *testing.T, spec, usage string) *importer {
	if testing.Short() {
		t.Skip("every key is imported under an RSA key of its own, which takes its time")
	}
	return &importer{newCrypt(t), spec, usage, map[string]string{}}
}

// key returns the id of a key that has the material, wrapped by RSA_AES_KEY_WRAP_SHA_256
// as its owner does it.
func (i *importer) key(material []byte) string {
	i.t.Helper()
	if id, ok := i.imported[string(material)]; ok {
		return id
	}
	id := aws.UUID()
	i.put(&key{
		ID: id, Spec: i.spec, Usage: i.usage, Origin: "EXTERNAL", Created: time.Now(),
		Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}`,
	})
	out := must(i.crypt, &kmsapi.GetParametersForImport, &kmsapi.GetParametersForImportRequest{
		KeyId: id, WrappingAlgorithm: kmsapi.AlgorithmSpecRsaAesKeyWrapSha256, WrappingKeySpec: kmsapi.WrappingKeySpecRsa2048,
	})
	public, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		i.t.Fatal(err)
	}
	between := make([]byte, 32)
	rand.Read(between)
	first, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public.(*rsa.PublicKey), between, nil)
	if err != nil {
		i.t.Fatal(err)
	}
	second, err := mat.WrapKWP(between, material)
	if err != nil {
		i.t.Fatal(err)
	}
	must(i.crypt, &kmsapi.ImportKeyMaterial, &kmsapi.ImportKeyMaterialRequest{
		KeyId: id, ImportToken: out.ImportToken, EncryptedKeyMaterial: append(first, second...),
		ExpirationModel: new(kmsapi.ExpirationModelTypeKeyMaterialDoesNotExpire),
	})
	i.imported[string(material)] = id
	return id
}

// judge compares an answer with what a vector says of it; what is "acceptable" may go
// either way. A refusal must be AWS's.
func judge(t *testing.T, v *wycheproof.Vector, err error, refusal aws.ErrorKind) {
	t.Helper()
	if v.Result == "valid" && err != nil || v.Result == "invalid" && err == nil {
		t.Errorf("%d (%s) is %s, and the answer is %v", v.ID, v.Comment, v.Result, err)
	}
	if err != nil && !refusal.Is(err) {
		t.Errorf("%d (%s): %v, want %v", v.ID, v.Comment, err, refusal)
	}
}

func TestWycheproofMacs(t *testing.T) {
	for spec, name := range map[string]string{"HMAC_224": "hmac_sha224", "HMAC_256": "hmac_sha256", "HMAC_384": "hmac_sha384", "HMAC_512": "hmac_sha512"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			groups, i := wycheproof.Read(t, name), newImporter(t, spec, macing)
			alg := kmsapi.MacAlgorithmSpec(mat.Algorithms(mat.Spec(spec), macing)[0])
			ran := 0
			for _, g := range groups {
				for _, v := range g.Tests {
					if g.KeySize != 8*len(v.Key) || "HMAC_"+strconv.Itoa(g.KeySize) != spec || g.TagSize != g.KeySize || len(v.Msg) == 0 {
						continue // a key, a code or a message that KMS does not have
					}
					ran++
					id := i.key(v.Key)
					made := must(i.crypt, &kmsapi.GenerateMac, &kmsapi.GenerateMacRequest{KeyId: id, Message: v.Msg, MacAlgorithm: alg})
					if bytes.Equal(made.Mac, v.Tag) != (v.Result == "valid") {
						t.Errorf("%d (%s) is %s, and the code is %x", v.ID, v.Comment, v.Result, made.Mac)
					}
					_, err := call(i.crypt, &kmsapi.VerifyMac, &kmsapi.VerifyMacRequest{KeyId: id, Message: v.Msg, MacAlgorithm: alg, Mac: v.Tag})
					judge(t, &v, err, kmsapi.KMSInvalidMacException)
				}
			}
			if ran < 50 {
				t.Errorf("%d vectors ran, fewer than there should be", ran)
			}
		})
	}
}

func TestWycheproofSharedSecrets(t *testing.T) {
	for name, c := range map[string]struct {
		spec  string
		curve elliptic.Curve
	}{
		"ecdh_secp256r1": {"ECC_NIST_P256", elliptic.P256()},
		"ecdh_secp384r1": {"ECC_NIST_P384", elliptic.P384()},
		"ecdh_secp521r1": {"ECC_NIST_P521", elliptic.P521()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			groups, i := wycheproof.Read(t, name), newImporter(t, c.spec, agreeing)
			for _, g := range groups {
				for _, v := range g.Tests {
					id := i.key(scalar(t, c.curve, v.Private))
					out, err := call(i.crypt, &kmsapi.DeriveSharedSecret, &kmsapi.DeriveSharedSecretRequest{
						KeyId: id, KeyAgreementAlgorithm: kmsapi.KeyAgreementAlgorithmSpecEcdh, PublicKey: v.Public,
					})
					judge(t, &v, err, aws.ValidationException)
					if err == nil && !bytes.Equal(out.SharedSecret, v.Shared) {
						t.Errorf("%d (%s): another secret", v.ID, v.Comment)
					}
				}
			}
		})
	}
}

// scalar returns a private key given as a number in PKCS #8.
func scalar(t *testing.T, curve elliptic.Curve, b []byte) []byte {
	t.Helper()
	b = bytes.TrimLeft(b, "\x00")
	k, err := ecdsa.ParseRawPrivateKey(curve, append(make([]byte, (curve.Params().BitSize+7)/8-len(b)), b...))
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestWycheproofCiphertexts(t *testing.T) {
	for name, c := range map[string]struct {
		spec string
		alg  kmsapi.EncryptionAlgorithmSpec
	}{
		"rsa_oaep_2048_sha1_mgf1sha1":     {"RSA_2048", kmsapi.EncryptionAlgorithmSpecRsaesOaepSha1},
		"rsa_oaep_2048_sha256_mgf1sha256": {"RSA_2048", kmsapi.EncryptionAlgorithmSpecRsaesOaepSha256},
		"rsa_oaep_3072_sha256_mgf1sha256": {"RSA_3072", kmsapi.EncryptionAlgorithmSpecRsaesOaepSha256},
		"rsa_oaep_4096_sha256_mgf1sha256": {"RSA_4096", kmsapi.EncryptionAlgorithmSpecRsaesOaepSha256},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			groups, i := wycheproof.Read(t, name), newImporter(t, c.spec, encrypting)
			for _, g := range groups {
				for _, v := range g.Tests {
					if len(v.Label) > 0 || len(v.Ct) == 0 {
						continue // KMS has no labels, and the model wants a byte at least
					}
					id := i.key(g.Private)
					out, err := call(i.crypt, &kmsapi.Decrypt, &kmsapi.DecryptRequest{KeyId: &id, CiphertextBlob: v.Ct, EncryptionAlgorithm: &c.alg})
					judge(t, &v, err, kmsapi.InvalidCiphertextException)
					if err == nil && !bytes.Equal(out.Plaintext, v.Msg) {
						t.Errorf("%d (%s): another plaintext", v.ID, v.Comment)
					}
				}
			}
		})
	}
}
