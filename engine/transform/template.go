package transform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// The variables that EventBridge defines itself.
const (
	varRuleARN   = "aws.events.rule-arn"
	varRuleName  = "aws.events.rule-name"
	varIngestion = "aws.events.event.ingestion-time"
	varEvent     = "aws.events.event"
	varEventJSON = "aws.events.event.json"
)

// A Template is an input transformer. It is immutable.
type Template struct {
	parts []part
	paths map[string]Path
}

// A part is literal text, or a variable when name is set.
type part struct {
	text, name string
	quoted     bool // the variable stands inside a JSON string
}

// Reserved is what the variables that EventBridge defines stand for.
type Reserved struct {
	RuleARN, RuleName string
	Ingestion         string // ISO 8601
}

// A PlaceholderError names a variable that a template uses and nobody defines.
type PlaceholderError struct{ Name string }

func (e *PlaceholderError) Error() string { return "contains invalid placeholder " + e.Name + "." }

// A NameError names a variable that may not be defined.
type NameError struct{ Name string }

func (e *NameError) Error() string { return "variable names may not start with AWS.: " + e.Name }

// A PathError names a variable whose path cannot be read.
type PathError struct{ Name, Path string }

func (e *PathError) Error() string {
	return fmt.Sprintf("variable %s has invalid path %s", e.Name, e.Path)
}

// A TemplateError tells that a template is neither a JSON value nor lines of them.
type TemplateError struct{ Cause error }

func (e *TemplateError) Error() string { return "template is not JSON: " + e.Cause.Error() }

// Unwrap returns what the JSON reader says.
func (e *TemplateError) Unwrap() error { return e.Cause }

// ParseTemplate reads an InputTemplate whose variables have the given paths.
// The error is *PlaceholderError, *NameError, *PathError or *TemplateError.
func ParseTemplate(template string, paths map[string]string) (*Template, error) {
	t := &Template{paths: map[string]Path{}}
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		if strings.HasPrefix(strings.ToLower(name), "aws.") {
			return nil, &NameError{name}
		}
		p, err := ParsePath(paths[name])
		if err != nil {
			return nil, &PathError{name, paths[name]}
		}
		t.paths[name] = p
	}
	t.split(template)
	for _, p := range t.parts {
		if p.name == "" {
			continue
		}
		if _, ok := t.paths[p.name]; !ok && !reserved(p.name) {
			return nil, &PlaceholderError{p.name}
		}
	}
	sample, _ := t.fill(len(template)*4, func(p part) string {
		if p.quoted {
			return ""
		}
		return "null"
	})
	if err := values(sample); err != nil {
		return nil, &TemplateError{err}
	}
	return t, nil
}

func reserved(name string) bool {
	switch name {
	case varRuleARN, varRuleName, varIngestion, varEvent, varEventJSON:
		return true
	}
	return false
}

// split finds the variables and whether they stand in strings.
func (t *Template) split(s string) {
	from, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case '<':
			n := variable(s[i+1:])
			if n == 0 {
				continue
			}
			t.parts = append(t.parts, part{text: s[from:i]}, part{name: s[i+1 : i+1+n], quoted: quoted})
			i += n + 1
			from = i + 1
		}
	}
	t.parts = append(t.parts, part{text: s[from:]})
}

// variable returns the length of the name that s begins with, if ">" follows.
func variable(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	})
	if n <= 0 || s[n] != '>' {
		return 0
	}
	return n
}

// fill reports false when the result would have more than limit bytes.
func (t *Template) fill(limit int, value func(part) string) (string, bool) {
	var b strings.Builder
	for _, p := range t.parts {
		text := p.text
		if p.name != "" {
			text = value(p)
		}
		if b.Len()+len(text) > limit {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), true
}

// values checks that s is one JSON value or several in a row: a text of several
// lines is a template of several strings.
func values(s string) error {
	dec := json.NewDecoder(strings.NewReader(s))
	for n := 0; ; n++ {
		var v json.RawMessage
		err := dec.Decode(&v)
		if err == io.EOF && n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Render fills the template from an event. A variable whose path leads nowhere
// is an empty string. In a JSON string a variable is the text of a string, or
// the JSON of an object or array without its quotes; elsewhere it is JSON.
//
// What an event brings is always escaped, so that it cannot add members to the
// input: EventBridge leaves that to the template's author.
//
// A template of a few kilobytes can name a large part of the event thousands of
// times: what would have more than limit bytes is not made, the error is ErrTooLong.
func (t *Template) Render(event []byte, known Reserved, limit int) ([]byte, error) {
	texts := map[part]string{} // what a variable stands for, found once
	s, ok := t.fill(limit, func(p part) string {
		text, ok := texts[p]
		if ok {
			return text
		}
		v := t.value(p.name, event, known)
		if text = string(v); p.quoted {
			text = inString(v)
		}
		texts[p] = text
		return text
	})
	if !ok {
		return nil, ErrTooLong
	}
	if small, ok := compact([]byte(s)); ok {
		return small, nil
	}
	return []byte(s), nil
}

// ErrTooLong means that a template makes more of an event than may be.
var ErrTooLong = errors.New("the template makes a text that is too long")

// value returns a variable as JSON.
func (t *Template) value(name string, event []byte, known Reserved) []byte {
	switch name {
	case varRuleARN:
		return text(known.RuleARN)
	case varRuleName:
		return text(known.RuleName)
	case varIngestion:
		return text(known.Ingestion)
	case varEvent:
		return withoutDetail(event)
	case varEventJSON:
		v, _ := compact(event)
		return v
	}
	if v, ok := t.paths[name].Select(event); ok {
		return v
	}
	return []byte(`""`)
}

func text(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return []byte(`""`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// inString returns JSON value v as it stands between the quotes of a string.
func inString(v []byte) string {
	if len(v) >= 2 && v[0] == '"' {
		return string(v[1 : len(v)-1])
	}
	// What is left after the quotes are gone is escaped, so that the backslash
	// of \" cannot take the string's own quote with it.
	plain := text(strings.ReplaceAll(string(v), `"`, ""))
	return string(plain[1 : len(plain)-1])
}

// withoutDetail is the event as <aws.events.event> shows it: without detail,
// and with detail-type under another name.
func withoutDetail(event []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(event))
	if _, err := dec.Token(); err != nil {
		return []byte("{}")
	}
	out := []byte("{")
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return []byte("{}")
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return []byte("{}")
		}
		if name == "detail" {
			continue
		}
		if name == "detail-type" {
			name = "detailType"
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		key, _ := name.(string)
		out = append(append(out, text(key)...), ':')
		out = append(out, v...)
	}
	small, ok := compact(append(out, '}'))
	if !ok {
		return []byte("{}")
	}
	return small
}
