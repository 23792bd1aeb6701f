package conformance

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"sumun.dev/wire"
)

// A member is what the tags of one of our fields say.
type member struct {
	name    string // on the wire
	in      string // header, query, …; empty means the body
	flat    bool
	query   string // ec2
	element string
	t       reflect.Type
}

func membersOf(t reflect.Type) []member {
	var out []member
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		parts := strings.Split(f.Tag.Get("aws"), ",")
		m := member{name: parts[0], t: f.Type, query: f.Tag.Get("q"), element: f.Tag.Get("el1")}
		for _, o := range parts[1:] {
			if v, ok := strings.CutPrefix(o, "in="); ok {
				m.in = v
			}
			m.flat = m.flat || o == "flat"
		}
		if m.query == "" && m.name != "" {
			m.query = strings.ToUpper(m.name[:1]) + m.name[1:]
		}
		if m.t.Kind() == reflect.Pointer {
			m.t = m.t.Elem()
		}
		out = append(out, m)
	}
	return out
}

// payload returns the member that is the whole body, if there is one.
func payload(t reflect.Type) (member, bool) {
	for _, m := range membersOf(t) {
		if m.in == "payload" {
			return m, true
		}
	}
	return member{}, false
}

func isStructure(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]()
}

// known takes what our model does not have out of a message, and reports whether
// there was anything: AWS's golden files are newer than our models.
func known(m message, t reflect.Type, about *wire.Meta) (message, bool) {
	k := knower{ec2: about.Service.Protocols[0] == wire.EC2}
	_, literals, _ := strings.Cut(about.URI, "?")
	headers := map[string]string{}
	for name, v := range m.headers {
		if k.header(name, t) {
			headers[name] = v
		} else {
			k.unknown = true
		}
	}
	m.headers = headers
	query := m.query[:0:0]
	for _, q := range m.query {
		name, value, _ := strings.Cut(q, "=")
		if value == "" || slices.Contains(strings.Split(literals, "&"), q) || k.inQuery(name, t) {
			query = append(query, q)
		} else {
			k.unknown = true
		}
	}
	m.query = query
	if p, ok := payload(t); ok {
		m.body = k.value(m.body, p.t)
	} else {
		m.body = k.value(m.body, t)
	}
	return m, k.unknown
}

type knower struct{ ec2, unknown bool }

func (k *knower) header(name string, t reflect.Type) bool {
	switch name {
	case "Content-Type", "X-Amz-Target", "X-Amzn-Query-Mode", "Smithy-Protocol":
		return true
	}
	for _, m := range membersOf(t) {
		if m.in == "header" && strings.EqualFold(m.name, name) || m.in == "headers" && len(name) >= len(m.name) && strings.EqualFold(m.name, name[:len(m.name)]) {
			return true
		}
	}
	return false
}

func (k *knower) inQuery(name string, t reflect.Type) bool {
	for _, m := range membersOf(t) {
		if m.in == "query" && (m.name == name || m.t.Kind() == reflect.Map) {
			return true
		}
	}
	return false
}

func (k *knower) value(v any, t reflect.Type) any {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case map[string]any:
		return k.object(v, t)
	case []any:
		if t.Kind() != reflect.Slice {
			return v
		}
		out := make([]any, len(v))
		for i := range v {
			out[i] = k.value(v[i], t.Elem())
		}
		return out
	case []string:
		out := []string{}
		for _, p := range v {
			name, _, _ := strings.Cut(p, "=")
			if name == "Action" || name == "Version" || k.path(strings.Split(name, "."), t, false) {
				out = append(out, p)
			} else {
				k.unknown = true
			}
		}
		return out
	case *element:
		return k.element(v, t)
	}
	return v
}

func (k *knower) object(v map[string]any, t reflect.Type) any {
	out := map[string]any{}
	if t.Kind() == reflect.Map {
		for name, x := range v {
			out[name] = k.value(x, t.Elem())
		}
		return out
	}
	if !isStructure(t) {
		return v
	}
	for name, x := range v {
		found := false
		for _, m := range membersOf(t) {
			if m.name == name && m.in == "" {
				out[name], found = k.value(x, m.t), true
			}
		}
		k.unknown = k.unknown || !found
	}
	return out
}

// path reports whether a dotted parameter name leads through the model.
func (k *knower) path(parts []string, t reflect.Type, flat bool) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if len(parts) == 0 {
		return true
	}
	switch {
	case t == reflect.TypeFor[[]byte]():
		return false
	case t.Kind() == reflect.Slice:
		if !flat && len(parts) > 1 && !numeric(parts[0]) {
			parts = parts[1:]
		}
		return k.path(parts[1:], t.Elem(), k.ec2)
	case t.Kind() == reflect.Map:
		if !flat {
			parts = parts[1:]
		}
		if len(parts) < 2 {
			return false
		}
		return len(parts) == 2 || k.path(parts[2:], t.Elem(), k.ec2)
	case isStructure(t):
		for _, m := range membersOf(t) {
			if k.ec2 && m.query == parts[0] || !k.ec2 && (m.name == parts[0] || m.flat && m.element == parts[0]) {
				return k.path(parts[1:], m.t, m.flat || k.ec2)
			}
		}
	}
	return false
}

func numeric(s string) bool { return strings.Trim(s, "0123456789") == "" }

func (k *knower) element(e *element, t reflect.Type) *element {
	out := &element{name: e.name, attrs: e.attrs, text: e.text}
	for _, kid := range e.kids {
		switch {
		case t.Kind() == reflect.Slice:
			out.kids = append(out.kids, k.element(kid, t.Elem()))
		case t.Kind() == reflect.Map:
			out.kids = append(out.kids, kid)
		case isStructure(t):
			found := false
			for _, m := range membersOf(t) {
				if m.name == kid.name || m.flat && m.element == kid.name {
					inner := m.t
					if m.flat && inner.Kind() == reflect.Slice {
						inner = inner.Elem()
					}
					out.kids, found = append(out.kids, k.element(kid, inner)), true
					break
				}
			}
			k.unknown = k.unknown || !found
		default:
			out.kids = append(out.kids, kid)
		}
	}
	return out
}
