package config

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"
)

// maxFile bounds a configuration file.
const maxFile = 4 << 20

// Read lays the settings of a YAML file over c. An unknown key or a value of the
// wrong kind is an error that names file and line.
func (c *Config) Read(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return err
	}
	if len(text) > maxFile {
		return fmt.Errorf("%s: is larger than %d MiB", file, maxFile>>20)
	}
	err = yaml.UnmarshalWithOptions(text, c, yaml.Strict())
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		return fmt.Errorf("%s:%d: %s", file, at.GetToken().Position.Line, at.GetMessage())
	}
	return fmt.Errorf("%s: %w", file, err)
}
