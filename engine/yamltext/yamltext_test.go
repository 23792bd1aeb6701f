package yamltext

import (
	"strings"
	"testing"
)

func TestStrict(t *testing.T) {
	var v []struct {
		Name string `yaml:"name"`
	}
	if err := Strict([]byte("- name: a\n- name: b\n"), &v); err != nil || len(v) != 2 || v[1].Name != "b" {
		t.Errorf("%v, %v", v, err)
	}
	for text, want := range map[string]string{"- nam: a\n": "nam", "- [": "", "name: a": ""} {
		if err := Strict([]byte(text), &v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzStrict holds that no text makes the decoder take the program down.
func FuzzStrict(f *testing.F) {
	f.Add([]byte("- name: a\n"))
	f.Add([]byte("&a [*a]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var list []struct {
			Name string `yaml:"name"`
		}
		Strict(b, &list)
		var one struct {
			Names []string          `yaml:"names"`
			Map   map[string]string `yaml:"map"`
		}
		Strict(b, &one)
	})
}
