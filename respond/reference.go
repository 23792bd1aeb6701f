package respond

import (
	"errors"
	"fmt"
	"strings"
)

// maxFilled bounds what references may make of a step's inputs, in bytes.
const maxFilled = 512 << 10

// ErrReference means that a {{ reference }} names nothing.
var ErrReference = errors.New("reference")

// The globals that a runbook may refer to. Systems Manager User Guide,
// "Automation system variables".
const (
	GlobalDate        = "global:DATE"
	GlobalDateTime    = "global:DATE_TIME"
	GlobalRegion      = "global:REGION"
	GlobalAccount     = "global:ACCOUNT_ID"
	GlobalPartition   = "global:AWS_PARTITION"
	GlobalURLSuffix   = "global:AWS_URL_SUFFIX"
	AutomationRun     = "automation:EXECUTION_ID"
	maxReferenceChars = 200
)

// Globals lists the names that Scope.Globals has values for.
func Globals() []string {
	return []string{GlobalDate, GlobalDateTime, GlobalRegion, GlobalAccount, GlobalPartition, GlobalURLSuffix, AutomationRun}
}

// A Scope is what references may name.
type Scope struct {
	Parameters map[string]any
	Steps      map[string]map[string]any // step → output → value
	Globals    map[string]string
}

// Fill replaces the references in all strings of v. A string that is a single
// reference takes the value's type. What is filled in is not looked at again:
// a value that happens to contain {{ }} stays as it is.
func (s *Scope) Fill(v any) (any, error) {
	left := maxFilled
	return s.fill(v, &left)
}

func (s *Scope) fill(v any, left *int) (any, error) {
	switch v := v.(type) {
	case string:
		return s.fillText(v, left)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			f, err := s.fill(e, left)
			if err != nil {
				return nil, err
			}
			out[i] = f
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			f, err := s.fill(e, left)
			if err != nil {
				return nil, err
			}
			out[k] = f
		}
		return out, nil
	}
	return v, nil
}

func (s *Scope) fillText(text string, left *int) (any, error) {
	parts, err := split(text)
	if err != nil {
		return nil, err
	}
	if len(parts) == 1 && parts[0].reference {
		v, err := s.look(parts[0].text)
		if err != nil {
			return nil, err
		}
		if *left -= len(Text(v)); *left < 0 {
			return nil, errTooLong
		}
		return v, nil
	}
	var b strings.Builder
	for _, p := range parts {
		word := p.text
		if p.reference {
			v, err := s.look(p.text)
			if err != nil {
				return nil, err
			}
			word = Text(v)
		}
		if *left -= len(word); *left < 0 {
			return nil, errTooLong
		}
		b.WriteString(word)
	}
	return b.String(), nil
}

var errTooLong = fmt.Errorf("%w: the inputs are longer than %d bytes", ErrReference, maxFilled)

// look returns what a reference names.
func (s *Scope) look(name string) (any, error) {
	if strings.Contains(name, ":") {
		if v, ok := s.Globals[name]; ok {
			return v, nil
		}
		return nil, fmt.Errorf("%w: %s is not known", ErrReference, name)
	}
	if step, output, ok := strings.Cut(name, "."); ok {
		if v, ok := s.Steps[step][output]; ok {
			return v, nil
		}
		return nil, fmt.Errorf("%w: step %s has no output %s", ErrReference, step, output)
	}
	if v, ok := s.Parameters[name]; ok {
		return v, nil
	}
	return nil, fmt.Errorf("%w: there is no parameter %s", ErrReference, name)
}

// A part is a piece of a string: a reference, or text as it stands.
type part struct {
	text      string
	reference bool
}

// split cuts a string at its references. Braces that hold no name stay text.
func split(text string) ([]part, error) {
	var parts []part
	plain := 0
	for at := 0; ; {
		open := strings.Index(text[at:], "{{")
		if open < 0 {
			break
		}
		open += at
		end := strings.Index(text[open:], "}}")
		if end < 0 {
			break
		}
		end += open
		name := strings.TrimSpace(text[open+2 : end])
		if !isReference(name) {
			at = open + 1
			continue
		}
		if open > plain {
			parts = append(parts, part{text[plain:open], false})
		}
		parts = append(parts, part{name, true})
		at, plain = end+2, end+2
	}
	if plain < len(text) || len(parts) == 0 {
		parts = append(parts, part{text[plain:], false})
	}
	return parts, nil
}

func isReference(name string) bool {
	if name == "" || len(name) > maxReferenceChars {
		return false
	}
	for _, r := range name {
		if !isNameRune(r) && r != ':' && r != '.' && r != '-' && r != '/' {
			return false
		}
	}
	return true
}

func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
}

func isName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !isNameRune(r) }) < 0
}
