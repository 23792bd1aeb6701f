package respond

import (
	"bytes"
	"encoding/json"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Bounds of what the reader of YAML is given; deeper texts cost it seconds.
const (
	maxDepth    = 40
	maxBrackets = 2000
)

// read makes maps and slices of the text.
func read(text []byte) (any, string, error) {
	var tree any
	if trimmed := bytes.TrimLeft(text, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&tree); err != nil {
			return nil, "", bad("%v", err)
		}
		if dec.More() {
			return nil, "", bad("text follows the document")
		}
		return tree, JSON, within(tree, 0)
	}
	if err := plainYAML(text); err != nil {
		return nil, "", err
	}
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, "", bad("%s", yaml.FormatError(err, false, false))
	}
	return tree, YAML, within(tree, 0)
}

// plainYAML refuses anchors and aliases, which a small text can use to say a lot,
// and nesting so deep that reading it would take the stack.
func plainYAML(text []byte) error {
	if bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > maxBrackets {
		return bad("the document has more than %d brackets", maxBrackets)
	}
	for line := range bytes.Lines(text) {
		begin := line[:len(line)-len(bytes.TrimLeft(line, "-?: \t"))]
		if len(begin)-bytes.Count(begin, []byte(" ")) > maxDepth {
			return bad("a line is nested deeper than %d", maxDepth)
		}
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return bad("%s", yaml.FormatError(err, false, false))
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return bad("one document is expected")
	}
	v := &aliases{}
	ast.Walk(v, file.Docs[0].Body)
	if v.found {
		return bad("anchors, aliases and tags are not read")
	}
	return nil
}

type aliases struct{ found bool }

// Visit looks at one node of the YAML tree.
func (a *aliases) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AliasNode, *ast.AnchorNode, *ast.TagNode, *ast.MergeKeyNode:
		a.found = true
		return nil
	}
	return a
}

func within(tree any, depth int) error {
	if depth > maxDepth {
		return bad("the document is nested deeper than %d", maxDepth)
	}
	switch v := tree.(type) {
	case map[string]any:
		for _, e := range v {
			if err := within(e, depth+1); err != nil {
				return err
			}
		}
	case []any:
		for _, e := range v {
			if err := within(e, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// canonical makes int64, float64, string, bool, nil, []any and map[string]any of
// what JSON decoding leaves.
func canonical(x any, depth int) any {
	switch v := x.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = canonical(e, depth+1)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = canonical(e, depth+1)
		}
		return l
	}
	return x
}

// Canonical brings a decoded JSON document into the types that a Scope holds:
// int64, float64, string, bool, nil, []any and map[string]any.
func Canonical(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var x any
	if err := dec.Decode(&x); err != nil {
		return nil, err
	}
	return canonical(x, 0), nil
}
