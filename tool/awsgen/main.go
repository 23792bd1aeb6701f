// Command awsgen writes api/ from the AWS service models: types, operations, errors and enumerations.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("awsgen: ")
	models := flag.String("models", "../shared/models", "folder of models, laid out as botocore's data folder")
	out := flag.String("out", "api", "folder to write; its packages are replaced")
	flag.Parse()
	if err := run(*models, *out); err != nil {
		log.Fatal(err)
	}
}

// run generates every service of the list, and only then replaces what stood in out.
func run(models, out string) error {
	if _, err := os.Stat(models); err != nil {
		return fmt.Errorf("no models: %w (name the folder with -models; an installed botocore's data folder will do)", err)
	}
	patches, err := readPatches()
	if err != nil {
		return err
	}
	packages := map[string]map[string][]byte{}
	for _, s := range services {
		m, err := load(models, s.Name, patches)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		files, err := generate(s, m, patches.Predicates)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		packages[s.Package()] = files
	}
	if err := patches.unused(); err != nil {
		return err
	}
	for name, files := range packages {
		if err := replace(filepath.Join(out, name), files); err != nil {
			return err
		}
	}
	return nil
}

// replace makes dir hold exactly files.
func replace(dir string, files map[string][]byte) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
