package once

import (
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

func TestOpensWhatWasSealed(t *testing.T) {
	s := Extract([]byte("material"), "test")
	salt := make([]byte, SaltSize)
	NewSalt(salt)
	for _, n := range []int{0, 1, 16, 4096} {
		plain := bytes.Repeat([]byte{7}, n)
		body := s.Seal(nil, "label", salt, plain, []byte("ad"))
		if len(body) != n+TagSize {
			t.Errorf("%d bytes seal to %d", n, len(body))
		}
		got, err := s.Open("label", salt, body, []byte("ad"))
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("open %d bytes: %v", n, err)
		}
		if _, err := s.Open("other", salt, body, []byte("ad")); err == nil {
			t.Error("opened under another label")
		}
	}
}

func TestAnotherSaltIsAnotherKey(t *testing.T) {
	s := Extract([]byte("material"), "test")
	a := s.Seal(nil, "l", make([]byte, SaltSize), []byte("same"), nil)
	b := s.Seal(nil, "l", bytes.Repeat([]byte{1}, SaltSize), []byte("same"), nil)
	if bytes.Equal(a, b) {
		t.Error("two salts gave one ciphertext")
	}
}

// The vectors of keys, nonces and tags of the lengths used here, against the cipher
// that Seal and Open use.
func TestWycheproof(t *testing.T) {
	const file = "../../../shared/data/wycheproof/aes_gcm_test.json.gz"
	f, err := os.Open(file)
	if err != nil {
		t.Skip("the vectors of Wycheproof are not there: " + err.Error())
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var suite struct {
		TestGroups []struct {
			KeySize, IVSize, TagSize int
			Tests                    []struct {
				ID                         int `json:"tcId"`
				Key, IV, AAD, Msg, Ct, Tag string
				Result                     string
			}
		}
	}
	if err := json.NewDecoder(z).Decode(&suite); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, g := range suite.TestGroups {
		if g.KeySize != 256 || g.IVSize != 96 || g.TagSize != 128 {
			continue
		}
		for _, c := range g.Tests {
			ran++
			iv, aad, msg := unhex(t, c.IV), unhex(t, c.AAD), unhex(t, c.Msg)
			sealed := append(unhex(t, c.Ct), unhex(t, c.Tag)...)
			aead := gcm(unhex(t, c.Key))
			plain, err := aead.Open(nil, iv, sealed, aad)
			if valid := c.Result == "valid"; valid != (err == nil) {
				t.Errorf("%d opens: %v, but it is %s", c.ID, err, c.Result)
			} else if valid && (!bytes.Equal(plain, msg) || !bytes.Equal(aead.Seal(nil, iv, msg, aad), sealed)) {
				t.Errorf("%d: another text", c.ID)
			}
		}
	}
	if ran < 60 {
		t.Errorf("%d vectors ran, fewer than there should be", ran)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkSeal1KiB(b *testing.B) {
	s := Extract([]byte("material"), "test")
	salt, plain, dst := make([]byte, SaltSize), make([]byte, 1024), make([]byte, 0, 2048)
	for b.Loop() {
		NewSalt(salt)
		s.Seal(dst, "label", salt, plain, salt)
	}
}

// The construction, written out: what it makes must not change, or what was sealed
// is lost.
func TestIsHKDFAndGCM(t *testing.T) {
	s := Extract([]byte("material"), "test")
	salt := []byte("0123456789abcdef")
	key, err := hkdf.Key(sha256.New, []byte("material"), []byte("test"), "label"+string(salt), 32)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := aes.NewCipher(key)
	aead, _ := cipher.NewGCM(block)
	want := aead.Seal(nil, make([]byte, 12), []byte("plain"), []byte("ad"))
	if got := s.Seal(nil, "label", salt, []byte("plain"), []byte("ad")); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}
