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

func TestDocuments(t *testing.T) {
	all, err := Documents([]byte("---\na: 1\n---\n# nothing\n---\na:\n  - b: x\n    c: [1, true, null]\n"))
	if err != nil || len(all) != 2 || all[1]["a"].([]any)[0].(map[string]any)["b"] != "x" {
		t.Errorf("%v, %v", all, err)
	}
	for name, text := range map[string]string{
		"list": "- a\n", "alias": "a: &x [1]\nb: *x\n", "tag": "a: !!binary eA==\n", "broken": "a: [", "twice": "a: 1\na: 2\n",
		"brackets": strings.Repeat("[", 60_000), "dashes": strings.Repeat("- ", 30_000) + "a", "marks": strings.Repeat("? ", 20_000),
	} {
		if all, err := Documents([]byte(text)); err == nil {
			t.Errorf("%s: %v", name, all)
		}
	}
}

// FuzzDocuments holds that no text makes the parser take the program down.
func FuzzDocuments(f *testing.F) {
	f.Add([]byte("a: 1\n---\nb: [1, {c: d}]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := Documents(b)
		if err != nil && all != nil {
			t.Errorf("%v with %v", all, err)
		}
	})
}
