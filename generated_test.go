package sumun

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The folder of models that api/ is generated from: see tool/awsgen/README.md.
const models = "../shared/models"

// What stands in api/ is what tool/awsgen writes, and nothing else.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	if _, err := os.Stat(models); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no models at %s: the generated code is not compared", models)
	}
	fresh := t.TempDir()
	if out, err := exec.Command("go", "run", "./tool/awsgen", "-models", models, "-out", fresh).CombinedOutput(); err != nil {
		t.Fatalf("go run ./tool/awsgen: %v\n%s", err, out)
	}
	want, got := filesOf(t, fresh), filesOf(t, "api")
	for name, text := range want {
		switch {
		case got[name] == nil:
			t.Errorf("api/%s is missing: go run ./tool/awsgen", name)
		case !bytes.Equal(got[name], text):
			t.Errorf("api/%s is stale: go run ./tool/awsgen", name)
		}
	}
	for name := range got {
		if want[name] == nil {
			t.Errorf("api/%s is not generated: it belongs elsewhere", name)
		}
	}
}

// The linker lays out all that is generated: nothing runs at start.
func TestGeneratedCodeRunsNothingAtStart(t *testing.T) {
	list, err := exec.Command("go", "list", "-export", "-f", "{{.ImportPath}} {{.Export}}", "./api/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(list)) {
		path, export, _ := strings.Cut(strings.TrimSpace(line), " ")
		symbols, err := exec.Command("go", "tool", "nm", "-size", export).Output()
		if err != nil {
			t.Fatalf("go tool nm %s: %v", path, err)
		}
		for symbol := range strings.Lines(string(symbols)) {
			f := strings.Fields(symbol) // address size type name; an init of one byte only returns
			if len(f) == 4 && strings.HasPrefix(f[3], path+".init") && f[2] == "T" && f[1] != "1" {
				t.Errorf("%s has code at start: %s of %s bytes", path, f[3], f[1])
			}
		}
	}
}

func filesOf(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
