package yamltext

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Bounds of what Documents reads; deeper texts cost the parser seconds.
const (
	maxDepth     = 40
	maxBrackets  = 2000
	maxDocuments = 200
)

// Documents decodes a text that holds one map a document, with "---" between them.
// Documents that hold nothing are left out. Anchors and aliases, which a small text
// can use to say a lot, are errors, and so is deep nesting.
func Documents(text []byte) (all []map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			all, err = nil, fmt.Errorf("is no YAML that can be read: %v", r)
		}
	}()
	if bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > maxBrackets {
		return nil, fmt.Errorf("has more than %d brackets", maxBrackets)
	}
	if bytes.Count(text, []byte("\n---")) >= maxDocuments {
		return nil, fmt.Errorf("has more than %d documents", maxDocuments)
	}
	for line := range bytes.Lines(text) {
		begin := line[:len(line)-len(bytes.TrimLeft(line, "-?: \t"))]
		if n := len(begin) - bytes.Count(begin, []byte(" ")); n > maxDepth && len(begin) < len(line) {
			return nil, fmt.Errorf("a line is nested deeper than %d", maxDepth)
		}
	}
	for _, part := range split(text) {
		one, err := document(part)
		if err != nil {
			return nil, err
		}
		if one != nil {
			all = append(all, one)
		}
	}
	return all, nil
}

// split cuts a text where a document ends; each part keeps its line numbers. The
// parser of goccy/go-yaml 1.19 passes over all that follows an empty document.
func split(text []byte) (parts [][]byte) {
	var part []byte
	lines := 0
	for line := range bytes.Lines(text) {
		begins := bytes.HasPrefix(line, []byte("---")) && (len(line) == 3 || bytes.ContainsAny(line[3:4], " \t\r\n"))
		if begins || bytes.Equal(bytes.TrimSpace(line), []byte("...")) && line[0] == '.' {
			parts = append(parts, part)
			part = bytes.Repeat([]byte("\n"), lines)
			if line = line[3:]; !begins {
				line = []byte("\n")
			}
		}
		part = append(part, line...)
		lines++
	}
	return append(parts, part)
}

func document(text []byte) (map[string]any, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, errors.New(yaml.FormatError(err, false, false))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, nil
	}
	body := file.Docs[0].Body
	if len(file.Docs) > 1 {
		return nil, errors.New("two documents stand where one is expected")
	}
	if t := body.Type(); t == ast.NullType || t == ast.CommentType {
		return nil, nil
	}
	v := &plain{}
	if ast.Walk(v, body); v.found {
		return nil, errors.New("anchors, aliases and tags are not read")
	}
	var one map[string]any
	if err := yaml.NodeToValue(body, &one); err != nil {
		return nil, errors.New(yaml.FormatError(err, false, false))
	}
	return one, nil
}

// plain looks for what says one thing in several places.
type plain struct{ found bool }

// Visit looks at one node of the tree.
func (p *plain) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AliasNode, *ast.AnchorNode, *ast.TagNode, *ast.MergeKeyNode:
		p.found = true
		return nil
	}
	return p
}
