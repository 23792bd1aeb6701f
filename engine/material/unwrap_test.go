package material

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"testing"
)

// wrap does what a customer does with what GetParametersForImport gives out.
func wrap(t testing.TB, spki []byte, algorithm string, material []byte) []byte {
	t.Helper()
	parsed, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		t.Fatal(err)
	}
	w, plain := wrappings[algorithm], material
	var rest []byte
	if w.aes {
		plain = random(32)
		if rest, err = WrapKWP(plain, material); err != nil {
			t.Fatal(err)
		}
	}
	out, err := rsa.EncryptOAEP(oaepHash[w.oaep].New(), rand.Reader, parsed.(*rsa.PublicKey), plain, nil)
	if err != nil {
		t.Fatal(err)
	}
	return append(out, rest...)
}

func TestImportsByEveryAlgorithm(t *testing.T) {
	private, public, err := NewWrapping("RSA_2048")
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range specs {
		if rsaBits[spec] > 2048 {
			continue
		}
		_, material := fresh(t, spec)
		for algorithm := range wrappings {
			if Wraps(algorithm, "RSA_2048", spec) != nil {
				continue
			}
			wrapped := wrap(t, public, algorithm, material)
			got, err := Unwrap(private, algorithm, wrapped, spec)
			if err != nil || !bytes.Equal(got, material) {
				t.Errorf("%s by %s: %v", spec, algorithm, err)
			}
			wrapped[len(wrapped)-1] ^= 1
			if _, err := Unwrap(private, algorithm, wrapped, spec); !errors.Is(err, ErrCiphertext) {
				t.Errorf("%s by %s, changed: %v, want ErrCiphertext", spec, algorithm, err)
			}
		}
	}
	other := wrap(t, public, "RSAES_OAEP_SHA_256", random(32))
	for name, c := range map[string]struct {
		algorithm string
		wrapped   []byte
		want      Spec
		err       error
	}{
		"another spec":      {"RSAES_OAEP_SHA_256", other, HMAC512, ErrInput},
		"another hash":      {"RSAES_OAEP_SHA_1", other, Symmetric, ErrCiphertext},
		"no wrapped key":    {"RSA_AES_KEY_WRAP_SHA_256", other, Symmetric, ErrCiphertext},
		"a byte after it":   {"RSAES_OAEP_SHA_256", append(bytes.Clone(other), 0), Symmetric, ErrCiphertext},
		"a byte less":       {"RSAES_OAEP_SHA_256", other[:255], Symmetric, ErrCiphertext},
		"nothing":           {"RSAES_OAEP_SHA_256", nil, Symmetric, ErrCiphertext},
		"an old algorithm":  {"RSAES_PKCS1_V1_5", other, Symmetric, ErrAlgorithm},
		"a spec that is no": {"RSAES_OAEP_SHA_256", other, "SM2", ErrSpec},
	} {
		if _, err := Unwrap(private, c.algorithm, c.wrapped, c.want); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
	}
}

func TestWhatWrapsWhat(t *testing.T) {
	for _, c := range []struct {
		algorithm, wrapping string
		material            Spec
		want                error
	}{
		{"RSAES_OAEP_SHA_256", "RSA_2048", Symmetric, nil},
		{"RSAES_OAEP_SHA_1", "RSA_4096", HMAC512, nil},
		{"RSAES_OAEP_SHA_256", "RSA_4096", RSA2048, ErrAlgorithm},
		{"RSA_AES_KEY_WRAP_SHA_256", "RSA_2048", RSA4096, nil},
		{"RSAES_OAEP_SHA_256", "RSA_2048", P521, ErrAlgorithm},
		{"RSAES_OAEP_SHA_256", "RSA_3072", P521, nil},
		{"RSAES_PKCS1_V1_5", "RSA_2048", Symmetric, ErrAlgorithm},
		{"SM2PKE", "SM2", Symmetric, ErrAlgorithm},
		{"RSAES_OAEP_SHA_256", "SM2", Symmetric, ErrAlgorithm},
	} {
		if err := Wraps(c.algorithm, c.wrapping, c.material); !errors.Is(err, c.want) {
			t.Errorf("%s by %s under %s: %v, want %v", c.material, c.algorithm, c.wrapping, err, c.want)
		}
	}
	if _, _, err := NewWrapping("SM2"); !errors.Is(err, ErrSpec) {
		t.Errorf("SM2: %v, want ErrSpec", err)
	}
}

// RFC 5649, section 6.
func TestKeyWrapExamples(t *testing.T) {
	unhex := func(s string) []byte { b, _ := hex.DecodeString(s); return b }
	kek := unhex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")
	for plain, want := range map[string]string{
		"c37b7e6492584340bed12207808941155068f738": "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
		"466f7250617369": "afbeb0f07dfbf5419200f2ccb50bb24f",
	} {
		wrapped, err := WrapKWP(kek, unhex(plain))
		if err != nil || hex.EncodeToString(wrapped) != want {
			t.Errorf("%s wraps to %x, %v", plain, wrapped, err)
		}
	}
	for n := range 40 {
		plain := random(n + 1)
		wrapped, err := WrapKWP(kek, plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := UnwrapKWP(kek, wrapped); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: %v", n+1, err)
		}
	}
	if _, err := WrapKWP(kek[:5], []byte("x")); !errors.Is(err, ErrInput) {
		t.Errorf("a key of 5 bytes: %v", err)
	}
	if _, err := WrapKWP(kek, nil); !errors.Is(err, ErrInput) {
		t.Errorf("nothing: %v", err)
	}
}
