// Package transform makes the input of a target from an event, as EventBridge does.
//
// A Path picks a part of the event (InputPath), a Template fills variables into
// a text (InputTransformer). User Guide, "Amazon EventBridge input transformation".
package transform

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// A Path is a JSON path of the syntax EventBridge has: dot notation, names in
// brackets, array indices and wildcards. It is immutable.
type Path struct {
	steps []step
}

type step struct {
	name  string
	index int  // when array
	array bool // [n]
	all   bool // * or [*]
}

// ErrPath tells that a text is not a JSON path of that syntax.
var ErrPath = errors.New("not a JSON path that EventBridge understands")

// ParsePath reads "$.detail.items[0]['a name'].*".
func ParsePath(s string) (Path, error) {
	rest, ok := strings.CutPrefix(s, "$")
	if !ok {
		return Path{}, ErrPath
	}
	if rest == "." {
		return Path{}, nil // "$." is accepted for the whole event
	}
	var p Path
	for rest != "" {
		var one step
		var err error
		if one, rest, err = nextStep(rest); err != nil {
			return Path{}, err
		}
		p.steps = append(p.steps, one)
	}
	return p, nil
}

func nextStep(s string) (step, string, error) {
	if s[0] == '.' {
		s = s[1:]
		n := strings.IndexAny(s, ".[")
		if n < 0 {
			n = len(s)
		}
		name := s[:n]
		if name == "" || strings.ContainsAny(name, "]()?@'\"<> \t\r\n") {
			return step{}, "", ErrPath
		}
		return step{name: name, all: name == "*"}, s[n:], nil
	}
	inner, rest, ok := bracket(s)
	if !ok {
		return step{}, "", ErrPath
	}
	if inner == "*" {
		return step{all: true}, rest, nil
	}
	if q := inner[0]; q == '\'' || q == '"' {
		if len(inner) < 3 || inner[len(inner)-1] != q {
			return step{}, "", ErrPath
		}
		return step{name: inner[1 : len(inner)-1]}, rest, nil
	}
	i, err := strconv.Atoi(inner)
	if err != nil {
		return step{}, "", ErrPath
	}
	return step{index: i, array: true}, rest, nil
}

// bracket splits "[…]rest"; a quoted name may hold brackets.
func bracket(s string) (inner, rest string, ok bool) {
	if len(s) < 3 || s[0] != '[' {
		return "", "", false
	}
	end := strings.IndexByte(s, ']')
	if q := s[1]; q == '\'' || q == '"' {
		if end = strings.Index(s[2:], string(q)+"]"); end >= 0 {
			end += 3
		}
	}
	if end < 2 {
		return "", "", false
	}
	return s[1:end], s[end+1:], true
}

// Select returns the part of the event that p leads to, as compact JSON; ok is
// false when there is none. A path with a wildcard selects an array.
func (p Path) Select(event []byte) (part []byte, ok bool) {
	found := []json.RawMessage{event}
	many := false
	for _, s := range p.steps {
		many = many || s.all
		var next []json.RawMessage
		for _, v := range found {
			next = append(next, s.follow(v)...)
		}
		found = next
	}
	if !many {
		if len(found) == 0 {
			return nil, false
		}
		return compact(found[0])
	}
	if found == nil {
		found = []json.RawMessage{}
	}
	all, err := json.Marshal(found)
	if err != nil {
		return nil, false
	}
	return compact(all)
}

func compact(v []byte) ([]byte, bool) {
	var b bytes.Buffer
	if err := json.Compact(&b, v); err != nil {
		return nil, false
	}
	return b.Bytes(), true
}

// follow returns the values one step away from v.
func (s step) follow(v json.RawMessage) []json.RawMessage {
	v = bytes.TrimLeft(v, " \t\r\n")
	if len(v) == 0 {
		return nil
	}
	switch v[0] {
	case '{':
		return s.member(v)
	case '[':
		return s.element(v)
	}
	return nil
}

func (s step) member(v json.RawMessage) []json.RawMessage {
	if s.array {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(v))
	if _, err := dec.Token(); err != nil {
		return nil
	}
	var all []json.RawMessage
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil
		}
		switch {
		case s.all:
			all = append(all, value)
		case name == s.name:
			all = []json.RawMessage{value}
		}
	}
	return all
}

func (s step) element(v json.RawMessage) []json.RawMessage {
	if !s.array && !s.all {
		return nil
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(v, &elements); err != nil {
		return nil
	}
	if s.all {
		return elements
	}
	i := s.index
	if i < 0 {
		i += len(elements) // from the end, as in Jayway's JSON path
	}
	if i < 0 || i >= len(elements) {
		return nil
	}
	return elements[i : i+1]
}
