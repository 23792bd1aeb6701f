package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/toyapi")

const toyModels = "testdata/models"

func toy(t *testing.T) (*model, *patches) {
	t.Helper()
	p, err := parsePatches([]byte(`{"model": [], "predicates": [{"name": "notBlank", "pattern": "^(?!\\s*$).+", "why": "looks ahead"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	m, err := load(toyModels, "toy", p)
	if err != nil {
		t.Fatal(err)
	}
	return m, p
}

func TestTheToyServiceIsGeneratedAsRead(t *testing.T) {
	m, p := toy(t)
	files, err := generate(service{Name: "toy", Global: true}, m, p.Predicates)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/toyapi"
	if *update {
		if err := replace(golden, nil); err != nil {
			t.Fatal(err)
		}
	}
	for name, got := range files {
		file := filepath.Join(golden, name+".golden")
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s differs from %s: read it, then run with -update\n%s", name, file, got)
		}
	}
	entries, err := os.ReadDir(golden)
	if err != nil || len(entries) != len(files) {
		t.Errorf("%s has %d files, want %d (%v)", golden, len(entries), len(files), err)
	}
}

func TestMistakesInAModelStopTheGenerator(t *testing.T) {
	for _, x := range []struct{ name, path, set, want string }{
		{"shape_missing", "/shapes/Choice/members/a/shape", `"Nowhere"`, "PutToyResult.Choice: Choice.a: shape Nowhere is not in the model"},
		{"location_unknown", "/shapes/listToysRequest/members/Max/location", `"moon"`, `location "moon" is unknown`},
		{"timestamp_unknown", "/shapes/When/timestampFormat", `"julian"`, `timestamp format "julian" is unknown`},
		{"type_unknown", "/shapes/Flag/type", `"trit"`, `type "trit" is unknown`},
		{"protocol_unknown", "/metadata/protocols", `["soap"]`, "protocol soap is unknown"},
		{"list_of_itself", "/shapes/SecretList/member/shape", `"SecretList"`, "SecretList holds itself"},
		{"pattern_not_checkable", "/shapes/Name/pattern", `"(?=x)"`, "write a predicate"},
		{"class_in_class", "/shapes/Name/pattern", `"[a-z&&[^x]]"`, "a class within a class"},
		{"root_called_twice", "/operations/ListToys/input", `{"shape": "PutToyRequest"}`, "PutToyRequest is both"},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := &patches{Model: []*patch{{Service: "toy", Path: x.path, Set: json.RawMessage(x.set), Why: "test"}},
				Predicates: []predicate{{Name: "notBlank", Pattern: `^(?!\s*$).+`, Why: "test"}}}
			m, err := load(toyModels, "toy", p)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = generate(service{Name: "toy"}, m, p.Predicates); err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v, want %q", err, x.want)
			}
		})
	}
}

func TestAPatchMustHaveATargetAndAReason(t *testing.T) {
	for _, x := range []struct{ name, patch, want string }{
		{"applies", `{"service": "toy", "path": "/shapes/Toy/fault", "set": true, "why": "y"}`, ""},
		{"removes", `{"service": "toy", "path": "/shapes/Number/min", "why": "y"}`, ""},
		{"no_target", `{"service": "toy", "path": "/shapes/Doll/fault", "set": true, "why": "y"}`, "Doll is not in the model"},
		{"nothing_to_remove", `{"service": "toy", "path": "/shapes/Toy/fault", "why": "y"}`, "nothing to remove"},
		{"already_so", `{"service": "toy", "path": "/shapes/Broken/fault", "set": true, "why": "y"}`, "already says so"},
		{"no_reason", `{"service": "toy", "path": "/shapes/Toy/fault", "set": true}`, "a reason"},
		{"no_service", `{"service": "doll", "path": "/shapes/Toy/fault", "set": true, "why": "y"}`, "no such service"},
		{"unknown_key", `{"service": "toy", "way": "y"}`, "unknown field"},
	} {
		t.Run(x.name, func(t *testing.T) {
			p, err := parsePatches([]byte(`{"model": [` + x.patch + `], "predicates": []}`))
			if err == nil {
				_, err = load(toyModels, "toy", p)
			}
			if err == nil {
				err = p.unused()
			}
			if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v, want %q", err, x.want)
			}
		})
	}
}

func TestAbsentModelsAreRefused(t *testing.T) {
	out := t.TempDir()
	if err := run(filepath.Join(out, "nowhere"), out); err == nil || !strings.Contains(err.Error(), "-models") {
		t.Errorf("got %v, want a hint at -models", err)
	}
	if err := run(toyModels, out); err == nil || !strings.Contains(err.Error(), "acm: no service-2.json") {
		t.Errorf("got %v, want the service named", err)
	}
}

func TestServicesStandInOrderOnce(t *testing.T) {
	if !slices.IsSortedFunc(services, func(a, b service) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("services are not sorted")
	}
}
