package main

import (
	"fmt"
	"strings"
)

func (g *gen) writeEnums() (map[string]string, error) {
	files := newSplit("enums", len(g.enums))
	for _, name := range g.enums {
		s := g.model.Shapes.values[name]
		t := g.goName[name]
		b := files.of(t)
		var constants []string
		fmt.Fprintf(b, "// %s is an enumeration: see Values.\ntype %s string\n\n// The values of %s.\nconst (\n", t, t, t)
		for _, value := range s.Enum {
			c := g.taken.take(t+valueName(value), "Value")
			constants = append(constants, "string("+c+")")
			fmt.Fprintf(b, "%s %s = %q\n", c, t, value)
		}
		fmt.Fprintf(b, ")\n\n// Values lists all values in the model's order.\nfunc (%s) Values() []string {\nreturn []string{\n%s,\n}\n}\n\n", t, wrap(constants))
	}
	return files.texts(), nil
}

// wrap joins items with commas, a few to the line.
func wrap(items []string) string {
	var b strings.Builder
	width := 0
	for i, s := range items {
		if i > 0 {
			b.WriteByte(',')
			if width > 110 {
				b.WriteByte('\n')
				width = 0
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteString(s)
		width += len(s)
	}
	return b.String()
}

// A split spreads the types of a big service over files by first letter.
type split struct {
	base  string
	many  bool
	files map[string]*strings.Builder
}

// manyTypes is where a file of types becomes too long to read.
const manyTypes = 300

func newSplit(base string, types int) *split {
	return &split{base, types > manyTypes, map[string]*strings.Builder{}}
}

func (s *split) of(typeName string) *strings.Builder {
	name := s.base + ".go"
	if s.many {
		name = s.base + "_" + strings.ToLower(typeName[:1]) + ".go"
	}
	if s.files[name] == nil {
		s.files[name] = &strings.Builder{}
	}
	return s.files[name]
}

func (s *split) texts() map[string]string {
	t := map[string]string{}
	for name, b := range s.files {
		t[name] = b.String()
	}
	return t
}
