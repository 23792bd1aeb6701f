package wire

import (
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"sumun.dev/aws"
)

const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// An xmlWriter appends elements as restXml, awsQuery and ec2Query carry them.
// Smithy, "XML bindings".
type xmlWriter struct {
	b     []byte
	depth int
}

func (w *xmlWriter) open(name, ns, nspfx string) {
	w.b = append(append(w.b, '<'), name...)
	if ns != "" {
		w.b = append(w.b, " xmlns"...)
		if nspfx != "" {
			w.b = append(append(w.b, ':'), nspfx...)
		}
		w.b = append(w.b, `="`...)
		w.b = append(appendXMLText(w.b, ns), '"')
	}
}

func (w *xmlWriter) start(name string) { w.b = append(append(append(w.b, '<'), name...), '>') }
func (w *xmlWriter) end(name string)   { w.b = append(append(append(w.b, "</"...), name...), '>') }

func (w *xmlWriter) text(name, value string) {
	w.start(name)
	w.b = appendXMLText(w.b, value)
	w.end(name)
}

// appendXMLText escapes text. Characters that XML cannot hold become U+FFFD.
func appendXMLText(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '"':
			b = append(b, "&quot;"...)
		case r == '\r':
			b = append(b, "&#xD;"...)
		case r == '\n':
			b = append(b, "&#xA;"...)
		case r == '\t':
			b = append(b, "&#x9;"...)
		case r < ' ' || r == 0xFFFE || r == 0xFFFF:
			b = append(b, "\uFFFD"...)
		default:
			b = utf8.AppendRune(b, r)
		}
		i += n
	}
	return b
}

// members writes those of v that are present and that want accepts (nil: all), attributes left out.
func (w *xmlWriter) members(p *plan, v reflect.Value, want func(*field) bool) {
	if w.depth++; w.depth > maxEncodeDepth {
		panic("wire: structure " + p.name + " contains itself")
	}
	for _, f := range p.fields {
		fv, present := f.value(v)
		if !present || f.attr || want != nil && !want(f) {
			continue
		}
		w.value(f.shape, fv, f.name, f.ns, f.nspfx, f.flat)
	}
	w.depth--
}

// element writes the structure v as name, with its attributes.
func (w *xmlWriter) element(p *plan, v reflect.Value, name, ns, nspfx string) {
	if ns == "" {
		ns, nspfx = p.ns, p.nspfx
	}
	w.open(name, ns, nspfx)
	for _, f := range p.fields {
		if fv, present := f.value(v); present && f.attr {
			w.b = append(append(append(w.b, ' '), f.name...), `="`...)
			w.b = append(appendXMLText(w.b, textOf(f.shape, fv, iso8601)), '"')
		}
	}
	w.b = append(w.b, '>')
	w.members(p, v, nil)
	w.end(name)
}

func (w *xmlWriter) value(s *shape, v reflect.Value, name, ns, nspfx string, flat bool) {
	switch s.kind {
	case kStruct:
		w.element(s.st, v, name, ns, nspfx)
	case kList:
		w.list(s, v, name, ns, nspfx, flat)
	case kMap:
		w.entries(s, v, name, ns, nspfx, flat)
	case kStream:
	default:
		w.open(name, ns, nspfx)
		w.b = append(w.b, '>')
		w.b = appendXMLText(w.b, textOf(s, v, iso8601))
		w.end(name)
	}
}

func (w *xmlWriter) list(s *shape, v reflect.Value, name, ns, nspfx string, flat bool) {
	if flat {
		for i := range v.Len() {
			w.value(s.elem, v.Index(i), name, ns, nspfx, false)
		}
		return
	}
	w.open(name, ns, nspfx)
	w.b = append(w.b, '>')
	for i := range v.Len() {
		w.value(s.elem, v.Index(i), orElse(s.elemName, "member"), "", "", false)
	}
	w.end(name)
}

func (w *xmlWriter) entries(s *shape, v reflect.Value, name, ns, nspfx string, flat bool) {
	entry := name
	if !flat {
		entry = "entry"
		w.open(name, ns, nspfx)
		w.b = append(w.b, '>')
	}
	for _, k := range sortedKeys(v) {
		w.start(entry)
		w.text(orElse(s.keyName, "key"), k.String())
		w.value(s.elem, v.MapIndex(k), orElse(s.valueName, "value"), "", "", false)
		w.end(entry)
	}
	if !flat {
		w.end(name)
	}
}

// local returns a name without its namespace prefix.
func local(name string) string {
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		return name[i+1:]
	}
	return name
}

// fields writes the further members of an error.
func (w *xmlWriter) fields(err *aws.Error) {
	for _, name := range fields(err) {
		w.any(name, reflect.ValueOf(err.Fields[name]))
	}
}

// any writes a value whose shape no tag tells.
func (w *xmlWriter) any(name string, v reflect.Value) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if !v.IsValid() {
		return
	}
	switch {
	case v.Type() == timeType:
		w.text(name, formatTime(v.Interface().(time.Time), iso8601))
	case v.Kind() == reflect.Struct:
		w.element(planOf(v.Type()), v, name, "", "")
	case v.Kind() == reflect.Slice && v.Type() != bytesType:
		w.start(name)
		for i := range v.Len() {
			w.any("member", v.Index(i))
		}
		w.end(name)
	default:
		w.text(name, fmt.Sprint(v.Interface()))
	}
}
