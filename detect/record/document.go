package record

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
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
		if len(d.raw) > 0 && shallow(d.raw) {
			if err := json.Unmarshal(d.raw, &d.tree, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
				d.tree = nil
			}
		}
	}
	return d.tree
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
