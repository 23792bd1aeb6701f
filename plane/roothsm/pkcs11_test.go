//go:build pkcs11 && cgo

package roothsm

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ThalesGroup/crypto11"

	"sumun.dev/engine/seal"
	"sumun.dev/plane/rootwrap"
)

// token makes a token of SoftHSM with an AES key, and two more of one label.
func token(t *testing.T) Settings {
	t.Helper()
	module := "/usr/lib/softhsm/libsofthsm2.so"
	if _, err := os.Stat(module); err != nil {
		if os.Getenv("SUMUN_TEST_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skipf("SoftHSM is not installed: %v", err)
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "directories.tokendir = %s\nobjectstore.backend = file\n", dir), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	if out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "plane", "--pin", "1234", "--so-pin", "5678").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := Settings{Module: module, Token: "plane", Key: "root", PIN: "1234"}
	c, err := crypto11.Configure(&crypto11.Config{Path: s.Module, TokenLabel: s.Token, Pin: s.PIN})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for id, label := range []string{"root", "twice", "twice"} {
		if _, err := c.GenerateSecretKeyWithLabel([]byte{byte(id)}, []byte(label), 256, crypto11.CipherAES); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestRootKeysUnderAnHSM(t *testing.T) {
	s := token(t)
	h, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "root.hsm")
	keys := &rootwrap.Keys{File: file, By: h}
	if _, err := keys.Read(t.Context()); !errors.Is(err, seal.ErrNone) {
		t.Errorf("a file that is not there: %v", err)
	}
	root, err := seal.Open(t.Context(), keys, true)
	if err != nil {
		t.Fatal(err)
	}
	sealed := root.Seal([]byte("secret"), []byte("ad"))
	kept, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(kept), "secret") {
		t.Errorf("%s, %v", kept, err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}

	again, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	root, err = seal.Open(t.Context(), &rootwrap.Keys{File: file, By: again}, false)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := root.Open(sealed, []byte("ad")); err != nil || string(plain) != "secret" {
		t.Errorf("%q, %v", plain, err)
	}

	for i := range kept { // a changed file opens nothing else
		if kept[i] < 'A' || kept[i] > 'Y' {
			continue
		}
		changed := append([]byte(nil), kept...)
		changed[i]++
		if err := os.WriteFile(file, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.Open(t.Context(), &rootwrap.Keys{File: file, By: again}, false); err == nil {
			t.Errorf("byte %d changed, and the file is read", i)
		}
		if i > 120 {
			break
		}
	}
}

func TestRefused(t *testing.T) {
	s := token(t)
	for name, c := range map[string]struct {
		change func(*Settings)
		want   string
	}{
		"pin":    {func(s *Settings) { s.PIN = "9999" }, "cannot be opened"},
		"token":  {func(s *Settings) { s.Token = "other" }, "cannot be opened"},
		"key":    {func(s *Settings) { s.Key = "other" }, "has no secret key other; make"},
		"twice":  {func(s *Settings) { s.Key = "twice" }, "has 2 secret keys twice"},
		"module": {func(s *Settings) { s.Module = "/nowhere.so" }, "cannot be opened"},
	} {
		changed := s
		c.change(&changed)
		if _, err := Open(changed); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
