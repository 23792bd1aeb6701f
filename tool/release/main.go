// Command release builds the binaries of a release with checksums and a bill of materials.
//
//	go run ./tool/release VERSION
//
// writes dist/VERSION/: a binary per platform, SHA256SUMS, and an SBOM in
// CycloneDX form that lists the modules that are linked, with their versions and
// the hashes of go.sum.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64"}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 || !regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(\.\d+)?$`).MatchString(args[0]) {
		return errors.New("usage: go run ./tool/release VERSION, a date such as 2026-11-23")
	}
	version := args[0]
	if dirty, err := exec.Command("git", "status", "--porcelain").Output(); err != nil || len(dirty) > 0 {
		return errors.New("the tree has changes that are not committed")
	}
	dir := filepath.Join("dist", version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, p := range platforms {
		goos, arch, _ := strings.Cut(p, "/")
		name := fmt.Sprintf("sumun-%s-%s-%s", version, goos, arch)
		if err := build(filepath.Join(dir, name), goos, arch, version); err != nil {
			return err
		}
		sum, err := hash(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, name)
	}
	bill, err := sbom(version)
	if err != nil {
		return err
	}
	name := "sumun-" + version + ".cdx.json"
	if err := os.WriteFile(filepath.Join(dir, name), bill, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(bill), name)
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), sums.Bytes(), 0o644)
}

func build(out, goos, arch, version string) error {
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=true", "-ldflags", "-s -w -X main.release="+version, "-o", out, "./cmd/sumun")
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+arch, "GOFLAGS=")
	c.Stderr = os.Stderr
	return c.Run()
}

func hash(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

// sbom returns a CycloneDX 1.6 document of what is linked on any platform.
func sbom(version string) ([]byte, error) {
	seen := map[string]bool{}
	var parts []component
	for _, p := range platforms {
		goos, arch, _ := strings.Cut(p, "/")
		c := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "./cmd/sumun")
		c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+arch)
		out, err := c.Output()
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(out)) {
			path, v, ok := strings.Cut(strings.TrimSpace(line), " ")
			if !ok || seen[path] {
				continue
			}
			seen[path] = true
			parts = append(parts, component{"library", path, v, "pkg:golang/" + path + "@" + v})
		}
	}
	slices.SortFunc(parts, func(a, b component) int { return strings.Compare(a.Name, b.Name) })
	return json.MarshalIndent(map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
		"metadata":   map[string]any{"component": component{"application", "sumun", version, "pkg:golang/sumun.dev@" + version}},
		"components": parts,
	}, "", "  ")
}
