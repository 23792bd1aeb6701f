package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReadSaysWhatIsWanted(t *testing.T) {
	for text, want := range map[string]string{
		"listen: x\nno-administrator: perhaps": `2: "perhaps" is not true or false`,
		"dns: {cache-mib: big}":                `1: "big" is not a whole number`,
		"dns: 127.0.0.1:5354":                  `1: "127.0.0.1:5354" stands where settings are wanted: 'name: value'`,
		"hosts: web":                           `1: "web" stands where a list is wanted: '- …'`,
	} {
		file := filepath.Join(t.TempDir(), "sumun.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := Default()
		if err := cfg.Read(file); err == nil || err.Error() != file+":"+want {
			t.Errorf("%s: %v, want %s:%s", text, err, file, want)
		}
	}
}
