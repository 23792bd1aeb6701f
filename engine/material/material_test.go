package material

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// specs are all there are, the cheap ones first.
var specs = []Spec{
	Symmetric, HMAC224, HMAC256, HMAC384, HMAC512, P256, P384, P521, Secp256k1, Ed25519, MLDSA44, MLDSA65, MLDSA87, RSA2048, RSA3072, RSA4096,
}

// fresh returns a new key; the slow ones are left out of short tests.
func fresh(t testing.TB, spec Spec) (*Key, []byte) {
	t.Helper()
	if testing.Short() && rsaBits[spec] > 2048 {
		t.Skip("keys of so many bits take long")
	}
	b, err := Generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	k, err := Parse(spec, b)
	if err != nil {
		t.Fatalf("what was generated is not read: %v", err)
	}
	return k, b
}

func TestEveryAlgorithmOfEverySpecWorks(t *testing.T) {
	for _, spec := range specs {
		t.Run(string(spec), func(t *testing.T) {
			k, _ := fresh(t, spec)
			if len(Usages(spec)) == 0 {
				t.Error("no usages")
			}
			for _, usage := range Usages(spec) {
				for _, alg := range Algorithms(spec, usage) {
					try(t, k, usage, alg)
				}
			}
		})
	}
}

func try(t *testing.T, k *Key, usage, alg string) {
	t.Helper()
	msg := []byte("attack at dawn")
	switch {
	case alg == "SYMMETRIC_DEFAULT":
		sealed := k.Seal([]byte("head"), msg, []byte("aad"))
		if got, err := k.Open(sealed[len("head"):], []byte("aad")); string(sealed[:4]) != "head" || err != nil || !bytes.Equal(got, msg) {
			t.Errorf("open: %q, %v", got, err)
		}
	case usage == encryptDecrypt:
		most := bytes.Repeat([]byte{1}, MaxPlaintext(k.Spec(), alg))
		ciphertext, err := k.Encrypt(alg, most)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if got, err := k.Decrypt(alg, ciphertext); err != nil || !bytes.Equal(got, most) {
			t.Errorf("%s: %v", alg, err)
		}
		if _, err := k.Encrypt(alg, append(most, 1)); !errors.Is(err, ErrInput) {
			t.Errorf("%s of a byte too many: %v, want ErrInput", alg, err)
		}
		ciphertext[9] ^= 1
		if _, err := k.Decrypt(alg, ciphertext); !errors.Is(err, ErrCiphertext) {
			t.Errorf("%s of a changed ciphertext: %v, want ErrCiphertext", alg, err)
		}
	case usage == signVerify:
		kind := raw
		if alg == ed25519Prehashed {
			kind, msg = digest, random(64)
		}
		sig, err := k.Sign(alg, msg, kind)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if err := k.Verify(alg, msg, kind, sig); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		other := bytes.Clone(msg)
		other[0] ^= 1
		if err := k.Verify(alg, other, kind, sig); !errors.Is(err, ErrSignature) {
			t.Errorf("%s of another message: %v, want ErrSignature", alg, err)
		}
		if err := k.Verify(alg, msg, kind, sig[:len(sig)-1]); !errors.Is(err, ErrSignature) {
			t.Errorf("%s cut short: %v, want ErrSignature", alg, err)
		}
	case usage == generateVerifyMAC:
		mac, err := k.MAC(alg, msg)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.VerifyMAC(alg, msg, mac); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		for _, bad := range [][]byte{nil, mac[1:], append(bytes.Clone(mac), 0)} {
			if err := k.VerifyMAC(alg, msg, bad); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: %d bytes: %v, want ErrSignature", alg, len(bad), err)
			}
		}
	case usage == keyAgreement:
		peer, _ := fresh(t, k.Spec())
		mine, _ := k.Public()
		theirs, _ := peer.Public()
		a, errA := k.Agree(theirs)
		b, errB := peer.Agree(mine)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("the two do not agree: %v, %v", errA, errB)
		}
	default:
		t.Errorf("%s for %s is not tried", alg, usage)
	}
}

// Every operation refuses the keys and algorithms that it is not for, and panics at none.
func TestRefusesWhatDoesNotFit(t *testing.T) {
	for _, spec := range specs {
		if rsaBits[spec] > 2048 {
			continue
		}
		k, _ := fresh(t, spec)
		for name, do := range map[string]func(alg string) error{
			"Sign":    func(alg string) error { _, err := k.Sign(alg, []byte("x"), raw); return err },
			"Verify":  func(alg string) error { return k.Verify(alg, []byte("x"), raw, []byte("x")) },
			"Encrypt": func(alg string) error { _, err := k.Encrypt(alg, []byte("x")); return err },
			"Decrypt": func(alg string) error { _, err := k.Decrypt(alg, []byte("x")); return err },
			"MAC":     func(alg string) error { _, err := k.MAC(alg, []byte("x")); return err },
		} {
			for _, alg := range []string{"", "SM2DSA", "RSAES_PKCS1_V1_5", "HMAC_SHA_1"} {
				if err := do(alg); !errors.Is(err, ErrAlgorithm) {
					t.Errorf("%s by %q under %s: %v, want ErrAlgorithm", name, alg, spec, err)
				}
			}
		}
		if _, err := k.Agree([]byte("x")); err == nil {
			t.Errorf("%s agrees with a stranger", spec)
		}
		if _, err := k.Open([]byte("x"), nil); err == nil {
			t.Errorf("%s opens anything", spec)
		}
	}
	if _, err := Generate("SM2"); !errors.Is(err, ErrSpec) {
		t.Errorf("SM2: %v, want ErrSpec", err)
	}
	if _, err := Parse("SM2", nil); !errors.Is(err, ErrSpec) {
		t.Errorf("SM2: %v, want ErrSpec", err)
	}
	for _, spec := range []Spec{Symmetric, HMAC256, MLDSA44, "SM2"} {
		if _, _, err := Pair(spec); !errors.Is(err, ErrSpec) {
			t.Errorf("a data key pair of spec %s: %v, want ErrSpec", spec, err)
		}
	}
}

func TestDigestsHaveTheLengthOfTheirHash(t *testing.T) {
	k, _ := fresh(t, P384)
	for n, want := range map[int]error{0: ErrInput, 32: ErrInput, 47: ErrInput, 48: nil, 49: ErrInput, 64: ErrInput} {
		if _, err := k.Sign("ECDSA_SHA_384", make([]byte, n), digest); !errors.Is(err, want) {
			t.Errorf("a digest of %d bytes: %v, want %v", n, err, want)
		}
	}
	for _, kind := range []string{externalMu, "raw", "HEX"} {
		if _, err := k.Sign("ECDSA_SHA_384", make([]byte, 64), kind); !errors.Is(err, ErrInput) {
			t.Errorf("type %s: %v, want ErrInput", kind, err)
		}
	}
	e, _ := fresh(t, Ed25519)
	for alg, kind := range map[string]string{ed25519Pure: digest, ed25519Prehashed: raw} {
		if _, err := e.Sign(alg, make([]byte, 64), kind); !errors.Is(err, ErrInput) {
			t.Errorf("%s of type %s: %v, want ErrInput", alg, kind, err)
		}
	}
}

// Material of one spec is none of another, whole or damaged.
func TestParseTakesItsOwnOnly(t *testing.T) {
	made := map[Spec][]byte{}
	for _, spec := range specs {
		if rsaBits[spec] <= 2048 {
			_, made[spec] = fresh(t, spec)
		}
	}
	alike := map[[2]Spec]bool{{Symmetric, HMAC256}: true, {HMAC256, Symmetric}: true, {Ed25519, HMAC384}: true} // of one length, and raw is raw
	for of, b := range made {
		for as := range made {
			_, err := Parse(as, b)
			if ok := of == as || alike[[2]Spec{of, as}]; ok != (err == nil) || err != nil && !errors.Is(err, ErrInput) {
				t.Errorf("material of %s read as %s: %v", of, as, err)
			}
		}
		if _, err := Parse(of, append(bytes.Clone(b), 0)); !errors.Is(err, ErrInput) {
			t.Errorf("%s with a byte after it: %v", of, err)
		}
		if _, err := Parse(of, b[:len(b)-1]); !errors.Is(err, ErrInput) {
			t.Errorf("%s without its last byte: %v", of, err)
		}
	}
	if _, err := Parse(RSA3072, made[RSA2048]); !errors.Is(err, ErrInput) {
		t.Errorf("2048 bits read as 3072: %v", err)
	}
}

func TestSymmetricIsBoundToItsContext(t *testing.T) {
	k, _ := fresh(t, Symmetric)
	other, _ := fresh(t, Symmetric)
	sealed := k.Seal(nil, []byte("secret"), []byte("context"))
	if len(sealed) != 6+SealOverhead {
		t.Errorf("%d bytes, want %d more than the plaintext", len(sealed), SealOverhead)
	}
	if _, err := k.Open(sealed, []byte("contex")); !errors.Is(err, ErrCiphertext) {
		t.Errorf("another context: %v", err)
	}
	if _, err := other.Open(sealed, []byte("context")); !errors.Is(err, ErrCiphertext) {
		t.Errorf("another key: %v", err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 0x80
		if _, err := k.Open(bad, []byte("context")); !errors.Is(err, ErrCiphertext) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := k.Open(sealed[:i], []byte("context")); !errors.Is(err, ErrCiphertext) {
			t.Errorf("cut to %d: %v", i, err)
		}
	}
}

func TestPublicKeysAreWhatOthersRead(t *testing.T) {
	for _, spec := range []Spec{RSA2048, P256, P384, P521, Ed25519} {
		_, spki, err := Pair(spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x509.ParsePKIXPublicKey(spki); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
	}
	pkcs8, spki, err := Pair(Secp256k1)
	if err != nil {
		t.Fatal(err)
	}
	if len(spki) != 88 || len(pkcs8) != 135 { // what OpenSSL writes
		t.Errorf("secp256k1: %d and %d bytes, want 88 and 135", len(spki), len(pkcs8))
	}
	for spec, size := range map[Spec]int{MLDSA44: 1312 + 22, MLDSA65: 1952 + 22, MLDSA87: 2592 + 22} {
		k, b := fresh(t, spec)
		spki, err := k.Public()
		if err != nil || len(spki) != size || len(b) != 54 { // RFC 9881, appendix C
			t.Errorf("%s: %d and %d bytes, %v", spec, len(spki), len(b), err)
		}
	}
	k, _ := fresh(t, Symmetric)
	if _, err := k.Public(); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("a symmetric key has no public key: %v", err)
	}
}

// RFC 9881 allows the expanded key beside the seed, when it is that of the seed.
func TestMLDSAWithItsExpandedKey(t *testing.T) {
	k, b := fresh(t, MLDSA44)
	var info privateKeyInfo
	if err := unmarshal(b, &info); err != nil {
		t.Fatal(err)
	}
	expanded, _ := k.form.(*mldsaKey).private.MarshalBinary()
	with := func(expanded []byte) []byte {
		inner, _ := asn1.Marshal(struct{ Seed, Expanded []byte }{info.PrivateKey[2:], expanded})
		info.PrivateKey, inner = inner, info.PrivateKey
		defer func() { info.PrivateKey = inner }()
		der, err := asn1.Marshal(struct {
			Version    int
			Algorithm  any
			PrivateKey []byte
		}{0, info.Algorithm, info.PrivateKey})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	if _, err := Parse(MLDSA44, with(expanded)); err != nil {
		t.Errorf("with its own: %v", err)
	}
	expanded[100] ^= 1
	if _, err := Parse(MLDSA44, with(expanded)); !errors.Is(err, ErrInput) {
		t.Errorf("with another's: %v, want ErrInput", err)
	}
}

func TestKeysAreNeverPrinted(t *testing.T) {
	k, b := fresh(t, HMAC256)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if text := fmt.Sprintf(verb, k); text != "HMAC_256 key" || strings.Contains(text, fmt.Sprintf("%x", b)) {
			t.Errorf("%s prints %q", verb, text)
		}
	}
}

func TestMaxPlaintext(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		alg  string
		want int
	}{ // KMS API Reference, Encrypt
		{Symmetric, "SYMMETRIC_DEFAULT", 4096},
		{RSA2048, "RSAES_OAEP_SHA_1", 214}, {RSA2048, "RSAES_OAEP_SHA_256", 190},
		{RSA3072, "RSAES_OAEP_SHA_1", 342}, {RSA3072, "RSAES_OAEP_SHA_256", 318},
		{RSA4096, "RSAES_OAEP_SHA_1", 470}, {RSA4096, "RSAES_OAEP_SHA_256", 446},
		{P256, "RSAES_OAEP_SHA_256", 0}, {RSA2048, "SYMMETRIC_DEFAULT", 0},
	} {
		if got := MaxPlaintext(c.spec, c.alg); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.spec, c.alg, got, c.want)
		}
	}
}

// A message signs to the same bytes whether KMS or its holder has hashed it. KMS
// Developer Guide, "ML-DSA keys".
func TestRepresentativesSignAsTheirMessages(t *testing.T) {
	for _, spec := range []Spec{MLDSA44, MLDSA65, MLDSA87} {
		k, _ := fresh(t, spec)
		key, _ := k.form.(*mldsaKey).key.MarshalBinary()
		msg := []byte("a message of any length")
		mu := muOf(key, msg)
		a, errA := k.Sign(mldsaAlgorithm, msg, raw)
		b, errB := k.Sign(mldsaAlgorithm, mu, externalMu)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: two signatures, %v, %v", spec, errA, errB)
		}
		if err := k.Verify(mldsaAlgorithm, mu, externalMu, a); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
		if err := k.Verify(mldsaAlgorithm, mu, raw, a); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: µ is a message too: %v", spec, err)
		}
		if _, err := k.Sign(mldsaAlgorithm, mu[1:], externalMu); !errors.Is(err, ErrInput) {
			t.Errorf("%s: 63 bytes: %v, want ErrInput", spec, err)
		}
		if _, err := k.Sign(mldsaAlgorithm, mu, digest); !errors.Is(err, ErrInput) {
			t.Errorf("%s: a digest: %v, want ErrInput", spec, err)
		}
	}
}

// KMS hashes the digest that it is given once more, and so must whoever verifies
// elsewhere.
func TestEd25519phOfTheDigestOfTheDigest(t *testing.T) {
	k, _ := fresh(t, Ed25519)
	sum := sha512.Sum512([]byte("abc"))
	sig, err := k.Sign(ed25519Prehashed, sum[:], digest)
	if err != nil {
		t.Fatal(err)
	}
	again := sha512.Sum512(sum[:])
	spki, _ := k.Public()
	public, _ := x509.ParsePKIXPublicKey(spki)
	if err := ed25519.VerifyWithOptions(public.(ed25519.PublicKey), again[:], sig, &ed25519.Options{Hash: crypto.SHA512}); err != nil {
		t.Errorf("others verify it so: %v", err)
	}
}

// A zeroed key holds nothing of what can be reached.
func TestZero(t *testing.T) {
	k, _ := fresh(t, HMAC256)
	k.Zero()
	if !bytes.Equal(k.form.(*hmacKey).key, make([]byte, 32)) {
		t.Error("an HMAC key is left")
	}
	k, _ = fresh(t, RSA2048)
	k.Zero()
	for _, w := range k.form.(*rsaKey).private.D.Bits() {
		if w != 0 {
			t.Fatal("an RSA exponent is left")
		}
	}
	for _, spec := range specs {
		if rsaBits[spec] <= 2048 {
			k, _ := fresh(t, spec)
			k.Zero()
		}
	}
}

func TestKeysServeManyAtOnce(t *testing.T) {
	k, _ := fresh(t, MLDSA44)
	sym, _ := fresh(t, Symmetric)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := k.Sign(mldsaAlgorithm, make([]byte, 64), externalMu); err != nil {
				t.Error(err)
			}
			if _, err := sym.Open(sym.Seal(nil, []byte("x"), nil), nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// What was sealed once opens for ever, whatever becomes of this package.
func TestOpensWhatWasSealedLongAgo(t *testing.T) {
	b := make([]byte, 32)
	for i := range b {
		b[i] = byte(i)
	}
	k, err := Parse(Symmetric, b)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := hex.DecodeString("5c2efece260f832aed06140cc20afd814b65009ea015578990d374ac2bcdc6d1e922fbf3920706bb")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Open(sealed, []byte("context")); err != nil || string(got) != "for ever" {
		t.Errorf("%q, %v", got, err)
	}
}
