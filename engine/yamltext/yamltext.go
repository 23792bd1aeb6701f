// Package yamltext reads YAML that people write: what is not known is an error, and so is what the decoder cannot stand.
package yamltext

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
)

// Strict decodes text into v. A key that v does not have is an error, which says
// where it stands. The decoder of goccy/go-yaml 1.19 panics at some malformed texts
// where a list was meant: that is an error too.
func Strict(text []byte, v any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("is no YAML that can be read: %v", r)
		}
	}()
	if err := yaml.UnmarshalWithOptions(text, v, yaml.Strict()); err != nil {
		return errors.New(yaml.FormatError(err, false, false))
	}
	return nil
}
