package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"sumun.dev/wire"
)

const allModels = "../../../shared/models"

// Every pattern of every model is checked by package wire: none is skipped.
func TestNoPatternIsSkipped(t *testing.T) {
	entries, err := os.ReadDir(allModels)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no models at %s", allModels)
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := readPatches()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	total := 0
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		m, err := load(allModels, e.Name(), p)
		if err != nil {
			t.Fatalf("%s: %v", e.Name(), err)
		}
		for _, name := range m.Shapes.keys {
			pattern := m.Shapes.values[name].Pattern
			if pattern == "" {
				continue
			}
			total++
			tag := tagOf(pattern, p.Predicates)
			used[tag] = true
			got := wire.Pattern(tag)
			if err := got.Err(); err != nil {
				t.Errorf("%s.%s: %v", e.Name(), name, err)
			}
			if got.String() != pattern {
				t.Errorf("%s.%s: %s stands for %q, want %q", e.Name(), name, tag, got, pattern)
			}
		}
	}
	for _, x := range p.Predicates {
		if !used["@"+x.Name] {
			t.Errorf("predicate %s: no model has this pattern any more", x.Name)
		}
	}
	if total == 0 {
		t.Errorf("no patterns at %s", filepath.Clean(allModels))
	}
	t.Logf("%d patterns", total)
}
