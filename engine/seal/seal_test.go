package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpensWhatWasSealed(t *testing.T) {
	root := NewRoot(GenerateKey())
	for _, n := range []int{0, 1, 15, 16, 512, 1 << 20} {
		plain := bytes.Repeat([]byte("x"), n)
		sealed := root.Seal(plain, []byte("place"))
		if len(sealed) != n+Overhead {
			t.Errorf("%d bytes seal to %d, want %d", n, len(sealed), n+Overhead)
		}
		got, err := root.Open(sealed, []byte("place"))
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("open %d bytes: %v", n, err)
		}
	}
}

func TestRefusesEveryChangedBit(t *testing.T) {
	root := NewRoot(GenerateKey())
	sealed := root.Seal([]byte("attack at dawn"), []byte("ad"))
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if _, err := root.Open(bad, []byte("ad")); err == nil {
				t.Fatalf("byte %d bit %d changed, and it opened", i, bit)
			}
		}
	}
	for n := range sealed {
		if _, err := root.Open(sealed[:n], []byte("ad")); err == nil {
			t.Fatalf("cut to %d bytes, and it opened", n)
		}
	}
	if _, err := root.Open(append(bytes.Clone(sealed), 0), []byte("ad")); err == nil {
		t.Fatal("a byte longer, and it opened")
	}
}

func TestBindsToItsPlace(t *testing.T) {
	root := NewRoot(GenerateKey())
	sealed := root.Seal([]byte("x"), []byte("here"))
	for _, ad := range []string{"", "her", "here ", "there"} {
		if _, err := root.Open(sealed, []byte(ad)); !errors.Is(err, ErrTampered) {
			t.Errorf("opened at %q: %v, want ErrTampered", ad, err)
		}
	}
}

func TestNeverSealsTheSameTwice(t *testing.T) {
	root := NewRoot(GenerateKey())
	seen := map[string]bool{}
	for range 1000 {
		sealed := root.Seal([]byte("same"), nil)
		salt := string(sealed[1+idSize : headerSize])
		if seen[salt] {
			t.Fatal("a salt came twice")
		}
		seen[salt] = true
	}
}

func TestRotation(t *testing.T) {
	older, newer := GenerateKey(), GenerateKey()
	sealed := NewRoot(older).Seal([]byte("x"), nil)
	both := NewRoot(newer, older)
	if _, err := both.Open(sealed, nil); err != nil {
		t.Errorf("an earlier key opens: %v", err)
	}
	again := both.Seal([]byte("x"), nil)
	if _, err := NewRoot(newer).Open(again, nil); err != nil {
		t.Errorf("the current key seals: %v", err)
	}
	if _, err := NewRoot(newer).Open(sealed, nil); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("without the earlier key: %v, want ErrUnknownKey", err)
	}
}

func TestKeysAreNeverPrinted(t *testing.T) {
	k := GenerateKey()
	root := NewRoot(k)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		text := fmt.Sprintf(verb+verb+verb, k, &k, root)
		if strings.Contains(text, hex.EncodeToString(k.secret[:])) || strings.Contains(text, fmt.Sprint(k.secret[0], " ", k.secret[1])) {
			t.Errorf("%s prints the key", verb)
		}
	}
}

func TestParseKey(t *testing.T) {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = byte(i * 7)
	}
	for name, text := range map[string]string{
		"hex": hex.EncodeToString(raw), "HEX": strings.ToUpper(hex.EncodeToString(raw)),
		"base64": base64.StdEncoding.EncodeToString(raw), "raw": base64.RawStdEncoding.EncodeToString(raw),
		"url": base64.URLEncoding.EncodeToString(raw), "spaces": " " + base64.StdEncoding.EncodeToString(raw) + "\n",
	} {
		k, err := ParseKey(text)
		if err != nil || !bytes.Equal(k.secret[:], raw) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "short": hex.EncodeToString(raw[:31]), "long": hex.EncodeToString(append(raw, 1)),
		"words": "correct horse battery staple", "zero": strings.Repeat("0", 64), "repeated": strings.Repeat("ab", 32),
	} {
		if _, err := ParseKey(text); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v, want ErrKey", name, err)
		} else if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error quotes the key", name)
		}
	}
}

func TestFindMakesAKeyOnlyWithoutData(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data", "root.key")
	if _, err := Find(file, false); !errors.Is(err, ErrNoKey) {
		t.Fatalf("data without a key: %v, want ErrNoKey", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Fatal("a key was made although there are data")
	}
	made, err := Find(file, true)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v; want 0600", info.Mode(), err)
	}
	again, err := Find(file, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Open(made.Seal([]byte("x"), nil), nil); err != nil {
		t.Errorf("the kept key opens: %v", err)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestFindRefusesAKeyOthersMayRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root.key")
	if _, err := Find(file, true); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(file, true); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("mode 0640: %v", err)
	}
}

func TestFindRefusesADamagedFile(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "comment only": "# key\n", "half": "AAAA\n"} {
		file := filepath.Join(t.TempDir(), "root.key")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Find(file, true); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v, want ErrKey", name, err)
		}
	}
}

func TestFindTakesTheKeyFromTheEnvironmentAndUnsetsIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root.key")
	k, older := GenerateKey(), GenerateKey()
	t.Setenv(Variable, hex.EncodeToString(k.secret[:])+","+older.encode())
	root, err := Find(file, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, set := os.LookupEnv(Variable); set {
		t.Error("the variable is still set")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a key file was made beside the variable")
	}
	for _, k := range []Key{k, older} {
		if _, err := root.Open(NewRoot(k).Seal(nil, nil), nil); err != nil {
			t.Errorf("key %s: %v", k.ID(), err)
		}
	}
	t.Setenv(Variable, "")
	if _, err := Find(file, true); !errors.Is(err, ErrKey) {
		t.Errorf("an empty variable: %v, want ErrKey", err)
	}
}

// The seeds are sealed by another process than the one that fuzzes, under the
// same key: what opens must be exactly one of them.
func FuzzOpen(f *testing.F) {
	root := NewRoot(newKey([KeySize]byte{1, 2, 3}))
	sealed := root.Seal([]byte("plain"), []byte("ad"))
	f.Add(sealed, []byte("ad"))
	f.Add(sealed[:headerSize], []byte("ad"))
	f.Add([]byte{version}, []byte{})
	f.Fuzz(func(t *testing.T, b, ad []byte) {
		plain, err := root.Open(b, ad)
		if err == nil && !(string(plain) == "plain" && string(ad) == "ad" && len(b) == len(sealed)) {
			t.Errorf("%x opens to %x", b, plain)
		}
	})
}

func BenchmarkSeal512(b *testing.B) {
	root, plain, ad := NewRoot(GenerateKey()), make([]byte, 512), make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		root.Seal(plain, ad)
	}
}

func BenchmarkOpen512(b *testing.B) {
	root, ad := NewRoot(GenerateKey()), make([]byte, 64)
	sealed := root.Seal(make([]byte, 512), ad)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := root.Open(sealed, ad); err != nil {
			b.Fatal(err)
		}
	}
}

// What was sealed once must open for ever.
func TestOpensVersion1(t *testing.T) {
	sealed, err := hex.DecodeString("0177e04573e4cb1aed9341b8181ee1b40beeda0637596463bb98c795f6437b38a30ffddb40d2b0cb4d63")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := NewRoot(newKey([KeySize]byte{1, 2, 3})).Open(sealed, []byte("ad"))
	if err != nil || string(plain) != "plain" {
		t.Errorf("%q, %v", plain, err)
	}
}
