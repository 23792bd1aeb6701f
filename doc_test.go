package sumun

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackagesSayWhatTheyAre(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		switch {
		case p.Doc == "":
			t.Errorf("%s has no package comment: one sentence says what it is", p.ImportPath)
		case p.Name != "main" && !strings.HasPrefix(p.Doc, "Package "+p.Name+" "):
			t.Errorf("%s: its comment begins %q, not with \"Package %s\"", p.ImportPath, p.Doc, p.Name)
		}
	}
}

// Only these may make a call context: whoever can, can act as anyone.
var mayMakeCalls = []string{"gateway/", "plane/", "aws/"}

// TestNobodyElse looks at the syntax of every file that is not a test: who makes
// call contexts, and who has code that runs on import.
func TestNobodyElse(t *testing.T) {
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") || isModule(name) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "api/") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		look(t, filepath.ToSlash(name), f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func isModule(dir string) bool {
	if dir == "." {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func look(t *testing.T, name string, f *ast.File) {
	t.Helper()
	may := false
	for _, prefix := range mayMakeCalls {
		may = may || strings.HasPrefix(name, prefix)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				t.Errorf("%s has an init function; the plane lists what exists", name)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "aws" && n.Sel.Name == "WithCall" && !may {
				t.Errorf("%s makes a call context; only gateway and plane may", name)
			}
		}
		return true
	})
}

func TestReadmeNamesEveryFolder(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !strings.Contains(string(text), "\n"+e.Name()+"/") {
			t.Errorf("README.md's picture of the house does not name %s/", e.Name())
		}
	}
}

// Every service says the same things of itself, under the same headings.
func TestServicesSayWhatIsReal(t *testing.T) {
	entries, err := os.ReadDir("service")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		name := filepath.Join("service", e.Name(), "README.md")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		for _, heading := range []string{"## What is real", "## What is simulated", "## Divergences from AWS"} {
			if !strings.Contains(string(text), heading) {
				t.Errorf("%s has no heading %q", name, heading)
			}
		}
	}
}
