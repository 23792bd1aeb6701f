package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"
)

// WriteReference writes the reference page of all settings, in Markdown.
func WriteReference(w io.Writer) error {
	_, err := fmt.Fprint(w, `# Configuration reference

`+"`sumun up --config FILE`"+` reads these settings from YAML. A flag of the same name wins over the file. An unknown key, or a value
of the wrong kind, stops the start-up with file and line. This page is made from the code (`+"`go run ./tool/confdoc`"+`).

| setting | meaning | default |
| --- | --- | --- |
`)
	if err != nil {
		return err
	}
	return rows(w, reflect.TypeFor[Config](), "")
}

func rows(w io.Writer, t reflect.Type, prefix string) error {
	for f := range t.Fields() {
		name := prefix + f.Tag.Get("yaml")
		def := f.Tag.Get("default")
		if def != "" {
			def = "`" + def + "`"
			if strings.Contains(def, " ") {
				def = strings.Trim(def, "`")
			}
		}
		if _, err := fmt.Fprintf(w, "| `%s` | %s | %s |\n", name, f.Tag.Get("doc"), def); err != nil {
			return err
		}
		inner, dot := f.Type, "."
		if inner.Kind() == reflect.Slice {
			inner, dot = inner.Elem(), "[]."
		}
		if inner.Kind() == reflect.Struct {
			if err := rows(w, inner, name+dot); err != nil {
				return err
			}
		}
	}
	return nil
}
