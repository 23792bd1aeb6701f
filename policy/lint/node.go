package lint

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// A node is a JSON value with the place where it stands.
type node struct {
	kind    jsontext.Kind // '{', '[', '"', '0', 't', 'f', 'n'
	text    string        // of a string, number, boolean
	at      int           // in the document, in bytes
	path    string
	members []member // of an object, duplicates included
	items   []*node  // of a list
}

type member struct {
	name  string
	at    int
	value *node
}

// get returns the value of a member; nil when there is none.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// list returns the items of a list, or the one value without a list around it.
func (n *node) list() []*node {
	switch {
	case n == nil:
		return nil
	case n.kind == '[':
		return n.items
	}
	return []*node{n}
}

// texts returns the strings of a list or of one value.
func (n *node) texts() []*node {
	var all []*node
	for _, item := range n.list() {
		if item.kind == '"' {
			all = append(all, item)
		}
	}
	return all
}

func (n *node) empty() bool { return n != nil && n.kind == '[' && len(n.items) == 0 }

// Bounds of a document that is looked at.
const (
	maxDocument = 1 << 20
	maxDepth    = 32
)

type syntaxError struct {
	at  int
	why string
}

func (e *syntaxError) Error() string { return e.why }

func parse(doc []byte) (*node, *syntaxError) {
	if len(doc) > maxDocument {
		return nil, &syntaxError{0, fmt.Sprintf("the document has more than %d bytes", maxDocument)}
	}
	p := &parser{in: jsontext.NewDecoder(bytes.NewReader(doc), jsontext.AllowDuplicateNames(true)), doc: doc}
	n, err := p.value("", 0)
	if err == nil {
		if _, err = p.in.ReadToken(); errors.Is(err, io.EOF) {
			return n, nil
		} else if err == nil {
			err = errors.New("something follows the document")
		}
	}
	at := min(int(p.in.InputOffset()), len(doc))
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		at = min(int(syntactic.ByteOffset), len(doc))
		return nil, &syntaxError{at, syntactic.Err.Error()}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, &syntaxError{len(doc), "the document ends too early"}
	}
	return nil, &syntaxError{at, err.Error()}
}

type parser struct {
	in  *jsontext.Decoder
	doc []byte
}

// next is where the next token begins.
func (p *parser) next() int {
	at := int(p.in.InputOffset())
	for at < len(p.doc) && bytes.IndexByte([]byte(" \t\r\n,:"), p.doc[at]) >= 0 {
		at++
	}
	return at
}

func (p *parser) value(path string, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errors.New("it is nested too deeply")
	}
	n := &node{at: p.next(), path: path}
	t, err := p.in.ReadToken()
	if err != nil {
		return nil, err
	}
	n.kind = t.Kind()
	switch n.kind {
	case '{':
		for p.in.PeekKind() == '"' {
			at := p.next()
			name, err := p.in.ReadToken()
			if err != nil {
				return nil, err
			}
			m := member{name: name.String(), at: at}
			if m.value, err = p.value(join(path, m.name), depth+1); err != nil {
				return nil, err
			}
			n.members = append(n.members, m)
		}
		_, err = p.in.ReadToken()
	case '[':
		for k := p.in.PeekKind(); k != ']' && k != 0; k = p.in.PeekKind() {
			item, err := p.value(fmt.Sprintf("%s[%d]", path, len(n.items)), depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		_, err = p.in.ReadToken()
	default:
		n.text = t.String()
	}
	return n, err
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
