// Package inherit merges JSON policies that stand above each other by the
// inheritance operators of AWS's management policies.
//
// Organizations User Guide, "Policy syntax and inheritance for management policy
// types". A document is a tree of objects; names that begin with "@@" are
// operators on the object they stand in, all others are its children.
package inherit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrSyntax is a document that does not follow the grammar.
var ErrSyntax = errors.New("inherit: not a policy of inheritance operators")

// The operators.
const (
	opAssign  = "@@assign"
	opAppend  = "@@append"
	opRemove  = "@@remove"
	opControl = "@@operators_allowed_for_child_policies"
)

// maxDepth bounds how deep objects nest; AWS's deepest policies have under ten levels.
const maxDepth = 32

// operators is a set of value-setting operators.
type operators uint8

const (
	mayAssign operators = 1 << iota
	mayAppend
	mayRemove
	mayAll  = mayAssign | mayAppend | mayRemove
	mayNone = operators(0)
)

// A Document is one policy, taken apart. It never changes.
type Document struct{ root *element }

// An element is an object of a document.
type element struct {
	assign         any // string, float64, bool or []string; nil: none
	append, remove []string
	control        *operators // what policies further down may do here; nil: nothing said
	children       map[string]*element
}

// Parse reads a document. Its errors are ErrSyntax.
func Parse(text []byte) (*Document, error) {
	d := jsontext.NewDecoder(bytes.NewReader(text)) // refuses names that stand twice
	e, err := readElement(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, ErrSyntax
	}
	return &Document{e}, nil
}

// Names lists the children of the document's outermost object, sorted.
func (d *Document) Names() []string {
	var names []string
	for name := range d.root.children {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func readElement(d *jsontext.Decoder, depth int) (*element, error) {
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' || depth > maxDepth {
		return nil, ErrSyntax
	}
	e := &element{}
	for d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return nil, ErrSyntax
		}
		name := t.String()
		if len(name) < 2 || name[:2] != "@@" {
			child, err := readElement(d, depth+1)
			if err != nil {
				return nil, err
			}
			if e.children == nil {
				e.children = map[string]*element{}
			}
			e.children[name] = child
			continue
		}
		value, err := d.ReadValue()
		if err != nil {
			return nil, ErrSyntax
		}
		if err := e.operate(name, value); err != nil {
			return nil, err
		}
	}
	if t, err := d.ReadToken(); err != nil || t.Kind() != '}' {
		return nil, ErrSyntax
	}
	return e, nil
}

// operate takes in an operator with its value.
func (e *element) operate(name string, value jsontext.Value) error {
	var texts []string
	isList := value.Kind() == '[' && json.Unmarshal(value, &texts) == nil
	switch {
	case name == opAssign && isList:
		e.assign = texts
	case name == opAssign && slices.Contains([]jsontext.Kind{'"', '0', 't', 'f'}, value.Kind()):
		if err := json.Unmarshal(value, &e.assign); err != nil {
			return ErrSyntax
		}
	case name == opAppend && isList:
		e.append = texts
	case name == opRemove && isList:
		e.remove = texts
	case name == opControl && isList:
		c, ok := readControl(texts)
		if !ok {
			return ErrSyntax
		}
		e.control = &c
	default:
		return fmt.Errorf("%w: %s", ErrSyntax, name)
	}
	return nil
}

func readControl(names []string) (operators, bool) {
	may := mayNone
	for _, name := range names {
		switch name {
		case "@@all":
			may |= mayAll
		case opAssign:
			may |= mayAssign
		case opAppend:
			may |= mayAppend
		case opRemove:
			may |= mayRemove
		case "@@none":
			if len(names) > 1 {
				return 0, false
			}
		default:
			return 0, false
		}
	}
	return may, len(names) > 0
}
