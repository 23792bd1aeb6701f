package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
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
		return fmt.Errorf("%s:%d: %s", file, at.GetToken().Position.Line, reason(at))
	}
	return fmt.Errorf("%s: %w", file, err)
}

// reason says what is wrong without the words of Go.
func reason(err yaml.Error) string {
	var kind *yaml.TypeError
	if errors.As(err, &kind) {
		return fmt.Sprintf("%q is not %s", kind.Token.Value, wanted(kind.DstType.Kind()))
	}
	var node *yaml.UnexpectedNodeTypeError
	if errors.As(err, &node) {
		switch node.Expected {
		case ast.MappingType:
			return fmt.Sprintf("%q stands where settings are wanted: 'name: value'", node.Token.Value)
		case ast.SequenceType:
			return fmt.Sprintf("%q stands where a list is wanted: '- …'", node.Token.Value)
		}
	}
	return err.GetMessage()
}

func wanted(kind reflect.Kind) string {
	switch kind {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	}
	return "a whole number" // no setting is of another kind
}
