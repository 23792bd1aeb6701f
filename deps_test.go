package sumun

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// denied are modules that must not come in, not even through others.
var denied = map[string]string{
	"github.com/goccy/go-json":              "open data-race and memory-corruption reports",
	"github.com/hamba/avro":                 "archived with unfixed CVEs; twmb/avro is its successor",
	"github.com/mattn/go-sqlite3":           "needs cgo; modernc.org/sqlite does not",
	"github.com/stretchr/testify":           "tests compare values with plain Go",
	"gopkg.in/yaml.v2":                      "unmaintained; github.com/goccy/go-yaml is used",
	"gopkg.in/yaml.v3":                      "archived in 2025; github.com/goccy/go-yaml is used",
	"github.com/dgrijalva/jwt-go":           "unmaintained, CVE-2020-26160",
	"github.com/aws/aws-sdk-go":             "the product speaks the AWS protocols itself; SDKs belong to modules of their own: wire/conformance, bench/detect/clients",
	"github.com/aws/aws-sdk-go-v2":          "the product speaks the AWS protocols itself; SDKs belong to modules of their own: wire/conformance, bench/detect/clients",
	"github.com/trufflesecurity/trufflehog": "AGPL, and it sends what it finds over the network",
}

func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-test", "-f", "{{with .Module}}{{.Path}}{{end}}", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	linked := map[string]bool{}
	for path := range strings.FieldsSeq(string(out)) {
		linked[path] = true
	}
	for path := range linked {
		for bad, why := range denied {
			if path == bad || strings.HasPrefix(path, bad+"/") {
				t.Errorf("%s is linked: %s", path, why)
			}
		}
	}
	listed, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	for path := range linked {
		if path != "sumun.dev" && !strings.Contains(string(listed), "`"+path+"`") {
			t.Errorf("%s is linked, but docs/dependencies.md does not say what for", path)
		}
	}
}
