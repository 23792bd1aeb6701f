package record

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/detect/source/scan"
)

// A Document is a part of a record that has its own shape for each call. It is
// only taken apart when somebody asks.
type Document struct {
	raw    []byte
	tree   any
	parsed bool
}

// NewDocument keeps raw, a JSON value, until it is asked for. Whoever calls does
// not change raw for as long as the document is used.
func NewDocument(raw []byte) Document { return Document{raw: raw} }

// Raw returns the JSON that the document was made of.
func (d *Document) Raw() []byte { return d.raw }

// depth is how far into a document anybody looks: CloudTrail's own go to about ten.
const depth = 64

// Tree returns the whole document: map[string]any, []any, string, float64, bool
// or nil, also where it is no JSON or lies too deep.
func (d *Document) Tree() any {
	if !d.parsed {
		d.parsed = true
		var end int
		if d.tree, end = tree(d.raw, scan.Space(d.raw, 0), 0); end >= 0 && scan.Space(d.raw, end) == len(d.raw) {
			return d.tree
		}
		if d.tree = nil; len(d.raw) > 0 && shallow(d.raw) {
			if err := json.Unmarshal(d.raw, &d.tree, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
				d.tree = nil
			}
		}
	}
	return d.tree
}

// tree takes the value at i apart where it is plain, and returns where it ends; a
// negative end says that it is not.
func tree(b []byte, i, level int) (v any, end int) {
	if i < 0 || i >= len(b) {
		return nil, scan.No
	}
	switch b[i] {
	case '{', '[':
		switch {
		case level == depth:
			return nil, scan.No
		case b[i] == '{':
			return object(b, i, level)
		}
		return list(b, i, level)
	case '"':
		s, end := scan.Text(b, i)
		return string(s), end
	case 't':
		return true, scan.Literal(b, i, "true")
	case 'f':
		return false, scan.Literal(b, i, "false")
	case 'n':
		return nil, scan.Literal(b, i, "null")
	}
	if end = scan.Value(b, i); end < 0 {
		return nil, end
	}
	n, err := strconv.ParseFloat(string(b[i:end]), 64)
	if err != nil {
		return nil, scan.No // too large
	}
	return n, end
}

func object(b []byte, i, level int) (any, int) {
	m := map[string]any{}
	if i = scan.Space(b, i+1); i < len(b) && b[i] == '}' {
		return m, i + 1
	}
	for {
		name, at := scan.Name(b, i)
		if at < 0 {
			return nil, at
		}
		// Of a name that comes twice, what it held before matters in ways of its own.
		if _, twice := m[string(name)]; twice {
			return nil, scan.No
		}
		if m[string(name)], i = tree(b, at, level+1); i < 0 {
			return nil, i
		}
		if i = scan.Space(b, i); i >= len(b) || b[i] != ',' && b[i] != '}' {
			return nil, scan.No
		}
		if b[i] == '}' {
			return m, i + 1
		}
		i = scan.Space(b, i+1)
	}
}

func list(b []byte, i, level int) (any, int) {
	l := []any{}
	if i = scan.Space(b, i+1); i < len(b) && b[i] == ']' {
		return l, i + 1
	}
	for {
		var v any
		if v, i = tree(b, i, level+1); i < 0 {
			return nil, i
		}
		l = append(l, v)
		if i = scan.Space(b, i); i >= len(b) || b[i] != ',' && b[i] != ']' {
			return nil, scan.No
		}
		if b[i] == ']' {
			return l, i + 1
		}
		i = scan.Space(b, i+1)
	}
}

// shallow reports whether raw nests no deeper than anybody looks. Brackets within
// strings do not count.
func shallow(raw []byte) bool {
	n, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if n++; n > depth {
				return false
			}
		case c == '}' || c == ']':
			n--
		}
	}
	return true
}

// At returns what stands at a path of names. A list is passed through: the path
// goes on in its first element that has it.
func (d *Document) At(path ...string) any { return at(d.Tree(), path) }

func at(v any, path []string) any {
	if len(path) == 0 {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		next, ok := v[path[0]]
		if !ok {
			return nil
		}
		return at(next, path[1:])
	case []any:
		for _, e := range v {
			if found := at(e, path); found != nil {
				return found
			}
		}
	}
	return nil
}

// Str returns the string, number or bool at a path as text, of an object its JSON;
// "" when there is none.
func (d *Document) Str(path ...string) string { return text(d.At(path...)) }

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case map[string]any:
		b, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return ""
		}
		return string(b)
	}
	return ""
}

// True reports whether a bool, or a text that says so, stands at a path.
func (d *Document) True(path ...string) bool { return strings.EqualFold(d.Str(path...), "true") }

// All returns every text that stands at a path, of all elements of the lists on
// the way.
func (d *Document) All(path ...string) []string { return d.AllOf([][]string{path}) }

// AllOf returns what All does, for one path after the other.
func (d *Document) AllOf(paths [][]string) (found []string) {
	for _, path := range paths {
		each(d.Tree(), path, func(v any) {
			if s := text(v); s != "" {
				found = append(found, s)
			}
		})
	}
	return found
}

// Each calls f with every value that stands at a path, of all elements of the
// lists on the way.
func (d *Document) Each(f func(any), path ...string) { each(d.Tree(), path, f) }

func each(v any, path []string, f func(any)) {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			each(e, path, f)
		}
		return
	}
	if len(path) == 0 {
		if v != nil {
			f(v)
		}
		return
	}
	if m, ok := v.(map[string]any); ok {
		each(m[path[0]], path[1:], f)
	}
}

// Leaves calls f with every text, number and bool of the document, and the name
// under which it stands, lists passed through; what stands alone has none. Names
// come in alphabetical order. It stops when f returns false.
func (d *Document) Leaves(f func(name, value string) bool) { leaves(d.Tree(), "", f) }

func leaves(v any, name string, f func(name, value string) bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if !leaves(v[k], k, f) {
				return false
			}
		}
	case []any:
		for _, e := range v {
			if !leaves(e, name, f) {
				return false
			}
		}
	case nil:
	default:
		return f(name, text(v))
	}
	return true
}
