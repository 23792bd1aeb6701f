package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"

	"sumun.dev/aws"
)

// A node is one XML element, its namespace prefix forgotten.
type node struct {
	name  string
	attrs []xml.Attr
	text  []byte
	kids  []*node
}

// maxNodeBytes is about what a node and its tokens take in memory.
const maxNodeBytes = 256

// parseXML reads one document. Document types are refused, so that nothing can
// be defined or fetched by them; depth and size are bounded.
func parseXML(body []byte, st *state) (*node, error) {
	dec := xml.NewDecoder(bytes.NewReader(body))
	dec.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("only UTF-8 is read") }
	var root *node
	var open []*node
	for {
		tok, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, malformedXML(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			n := &node{name: tok.Name.Local, attrs: tok.Copy().Attr}
			if err := st.grow(maxNodeBytes); err != nil {
				return nil, err
			}
			if len(open) >= st.limits.Depth*2 {
				return nil, tooMuch("too many levels of nesting")
			}
			switch {
			case len(open) > 0:
				top := open[len(open)-1]
				top.kids = append(top.kids, n)
			case root != nil:
				return nil, malformedXML(errors.New("two root elements"))
			default:
				root = n
			}
			open = append(open, n)
		case xml.EndElement:
			// RawToken leaves it to us that elements close in order.
			if len(open) == 0 || open[len(open)-1].name != tok.Name.Local {
				return nil, malformedXML(errors.New("element " + tok.Name.Local + " closed but not open"))
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				top := open[len(open)-1]
				top.text = append(top.text, tok...)
			} else if len(bytes.TrimSpace(bytes.TrimPrefix(tok, []byte("\uFEFF")))) > 0 {
				return nil, malformedXML(errors.New("text outside of the root element"))
			}
		case xml.Directive:
			return nil, malformedXML(errors.New("document types are not read"))
		}
	}
	if root == nil || len(open) > 0 {
		return nil, malformedXML(errors.New("the document ends early"))
	}
	return root, nil
}

func malformedXML(cause error) error {
	return &aws.Error{Code: codeMalformedXML, Status: 400, Cause: cause,
		Message: "The XML you provided was not well-formed or did not validate against our published schema"}
}

const codeMalformedXML = "MalformedXML"

func (n *node) kid(name string) *node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// An xmlReader decodes elements into structures.
type xmlReader struct{ state }

func (d *xmlReader) structure(p *plan, v reflect.Value, n *node) (seen uint64, err error) {
	if err := d.enter(); err != nil {
		return 0, err
	}
	for _, a := range n.attrs {
		for _, f := range p.fields {
			if f.attr && local(f.name) == a.Name.Local {
				seen |= f.need
				if err := setText(f.shape, f.target(v), a.Value); err != nil {
					return 0, err
				}
			}
		}
	}
	counts := map[*field]int{}
	for _, kid := range n.kids {
		f := p.element(kid.name)
		if f == nil {
			continue
		}
		seen |= f.need
		d.push(step{member: f.member})
		if f.flat && (f.kind == kList || f.kind == kMap) {
			err = d.flat(f, v, kid, counts[f])
		} else if counts[f] > 0 {
			err = malformedXML(errors.New("element " + kid.name + " stands twice"))
		} else {
			err = d.value(f.shape, f.target(v), kid)
		}
		if err != nil {
			return 0, err
		}
		counts[f]++
		d.pop()
	}
	d.leave()
	return seen, nil
}

// element finds the member that an element is: by its name, or, for flat
// lists, by that of its elements.
func (p *plan) element(name string) *field {
	if f := p.body[name]; f != nil && !f.attr {
		return f
	}
	for _, f := range p.fields {
		if f.flat && f.kind == kList && f.elemName == name && f.in == inBody {
			return f
		}
	}
	return nil
}

// flat adds the element kid to a list or map that has no element of its own.
func (d *xmlReader) flat(f *field, v reflect.Value, kid *node, i int) error {
	fv := f.target(v)
	if f.kind == kMap {
		if fv.IsNil() {
			fv.Set(reflect.MakeMap(f.t))
		}
		return d.entry(f.shape, fv, kid)
	}
	e, err := d.extend(f.shape, fv, i)
	if err != nil {
		return err
	}
	d.push(step{index: i + 1})
	defer d.pop()
	return d.value(f.elem, e, kid)
}

func (d *xmlReader) value(s *shape, v reflect.Value, n *node) error {
	switch s.kind {
	case kStruct:
		seen, err := d.structure(s.st, v, n)
		if err == nil {
			d.lacks(s.st, seen)
		}
		return err
	case kList:
		return d.list(s, v, n)
	case kMap:
		return d.entries(s, v, n)
	}
	if len(n.kids) > 0 {
		return malformedXML(errors.New("element " + n.name + " has elements inside"))
	}
	return setText(s, v, string(n.text))
}

func (d *xmlReader) list(s *shape, v reflect.Value, n *node) error {
	if err := d.enter(); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(s.t, 0, 0))
	name := orElse(s.elemName, "member")
	i := 0
	for _, kid := range n.kids {
		if kid.name != name {
			continue
		}
		e, err := d.extend(s, v, i)
		if err != nil {
			return err
		}
		i++
		d.push(step{index: i})
		if err := d.value(s.elem, e, kid); err != nil {
			return err
		}
		d.pop()
	}
	d.leave()
	return nil
}

func (d *xmlReader) entries(s *shape, v reflect.Value, n *node) error {
	if err := d.enter(); err != nil {
		return err
	}
	v.Set(reflect.MakeMap(s.t))
	for _, kid := range n.kids {
		if kid.name != "entry" {
			continue
		}
		if err := d.entry(s, v, kid); err != nil {
			return err
		}
	}
	d.leave()
	return nil
}

func (d *xmlReader) entry(s *shape, v reflect.Value, n *node) error {
	k := n.kid(orElse(s.keyName, "key"))
	if k == nil {
		return malformedXML(errors.New("a map's entry has no key"))
	}
	key, e := reflect.New(s.key.t).Elem(), reflect.New(s.elem.t).Elem()
	key.SetString(string(k.text))
	if err := d.grow(s.elem.t.Size() + uintptr(len(k.text))); err != nil {
		return err
	}
	if val := n.kid(orElse(s.valueName, "value")); val != nil {
		d.push(step{key: strings.Clone(key.String())})
		if err := d.value(s.elem, e, val); err != nil {
			return err
		}
		d.pop()
	}
	v.SetMapIndex(key, e)
	return nil
}
