// Package sumun holds the tests that police the structure of the whole tree.
package sumun

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the path that all our packages begin with.
const module = "sumun.dev/"

// mayImport lists, for each root folder, the root folders of ours that it may
// import: the table of docs/architecture.md. "*" is everything.
var mayImport = map[string][]string{
	"aws":      {},
	"wire":     {"aws"},
	"api":      {"aws", "wire"},
	"policy":   {"aws"},
	"store":    {"aws"},
	"spine":    {"aws"},
	"engine":   {},
	"finding":  {"aws", "wire", "api"},
	"detect":   {"aws", "policy", "store", "spine", "finding", "engine"},
	"respond":  {"aws", "wire", "api", "spine", "finding"},
	"enforce":  {"aws", "engine", "spine", "finding"},
	"service":  {"aws", "wire", "api", "policy", "store", "spine", "engine", "finding", "detect", "respond"},
	"gateway":  {"aws", "wire", "policy", "store", "spine"},
	"plane":    {"*"},
	"scenario": {"aws", "wire", "api", "engine", "gateway", "plane"},
	"cmd":      {"*"},
	"bench":    {"*"},
	"tool":     {"*"},
}

// testsMayImport lists what tests of a folder may import besides: real backends
// and seals stand where other projects have mocks.
var testsMayImport = map[string][]string{
	"store":   {"engine"},
	"spine":   {"engine", "store"},
	"policy":  {"engine"},
	"enforce": {"store"},
	"finding": {"store", "engine"},
	"detect":  {"enforce"},
	"respond": {"store", "engine", "gateway"},
	"gateway": {"engine", "api"},
	"service": {"gateway", "enforce"},
	"wire":    {"api"},
}

// A pkg is what 'go list' says of one of our packages.
type pkg struct {
	ImportPath, Doc, Dir               string
	Name                               string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Doc,Dir,Name,GoFiles,Imports,TestImports,XTestImports,Deps", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// layer returns the root folder of one of our import paths, "" for others and for
// the root itself.
func layer(path string) string {
	rest, ours := strings.CutPrefix(path, module)
	if !ours {
		return ""
	}
	root, _, _ := strings.Cut(rest, "/")
	return root
}

func TestLayers(t *testing.T) {
	for _, p := range packages(t) {
		from := layer(p.ImportPath)
		if from == "" {
			continue
		}
		may, known := mayImport[from]
		if !known {
			t.Errorf("%s: the folder %s stands in no layer; add it to mayImport and to docs/architecture.md", p.ImportPath, from)
			continue
		}
		for _, imp := range p.Imports {
			check(t, p.ImportPath, imp, may)
		}
		for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
			check(t, p.ImportPath+" (test)", imp, slices.Concat(may, testsMayImport[from]))
		}
	}
}

func check(t *testing.T, from, imp string, may []string) {
	t.Helper()
	to := layer(imp)
	bare := strings.TrimSuffix(from, " (test)")
	if to == "" {
		return
	}
	if to == layer(bare) {
		if to == "service" && imp != module+"service" && folder(imp) != folder(bare) {
			t.Errorf("%s imports %s: services call each other through wire.Caller", from, imp)
		}
		return
	}
	if !slices.Contains(may, "*") && !slices.Contains(may, to) {
		t.Errorf("%s imports %s: its layer may import only %v", from, imp, may)
	}
}

// folder returns the first two elements of one of our paths: "service/kms".
func folder(path string) string {
	parts := strings.SplitN(strings.TrimPrefix(path, module), "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}
