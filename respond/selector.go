package respond

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrSelector means that a selector finds nothing in an answer.
var ErrSelector = errors.New("selector")

// A hop is one part of a selector: a member, an element, or all of them.
type hop struct {
	member string
	index  int
	kind   hopKind
}

type hopKind int

const (
	toMember hopKind = iota
	toIndex
	toAll
)

// parseSelector reads the part of JSONPath that runbooks use: $.a.b[0].c,
// $['a'], $.list[*].id. Filters and recursive descent are refused.
func parseSelector(text string) ([]hop, error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, fmt.Errorf("%q does not begin with $", text)
	}
	var hops []hop
	for rest != "" {
		var h hop
		var err error
		switch {
		case strings.HasPrefix(rest, ".."):
			return nil, fmt.Errorf("%q: recursive descent is not served", text)
		case rest[0] == '.':
			h, rest, err = memberHop(rest[1:])
		case rest[0] == '[':
			h, rest, err = bracketHop(rest[1:])
		default:
			err = fmt.Errorf("unexpected %q", rest)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		hops = append(hops, h)
	}
	return hops, nil
}

func memberHop(rest string) (hop, string, error) {
	end := strings.IndexAny(rest, ".[")
	if end < 0 {
		end = len(rest)
	}
	name := rest[:end]
	if name == "*" {
		return hop{kind: toAll}, rest[end:], nil
	}
	if name == "" || strings.ContainsAny(name, "*?()'\" ]@") {
		return hop{}, "", fmt.Errorf("%q is not a member's name", name)
	}
	return hop{member: name}, rest[end:], nil
}

func bracketHop(rest string) (hop, string, error) {
	end := strings.IndexByte(rest, ']')
	if end < 0 {
		return hop{}, "", errors.New("a bracket is not closed")
	}
	inside, rest := rest[:end], rest[end+1:]
	if inside == "*" {
		return hop{kind: toAll}, rest, nil
	}
	if n := len(inside); n > 2 && (inside[0] == '\'' || inside[0] == '"') && inside[n-1] == inside[0] {
		return hop{member: inside[1 : n-1]}, rest, nil
	}
	i, err := strconv.Atoi(inside)
	if err != nil || i < 0 {
		return hop{}, "", fmt.Errorf("[%s] is not served", inside)
	}
	return hop{kind: toIndex, index: i}, rest, nil
}

// Select returns what a selector finds in an answer. With a [*] in it the result
// is a list, which may be empty; otherwise nothing found is an ErrSelector.
func Select(selector string, answer any) (any, error) {
	hops, err := parseSelector(selector)
	if err != nil {
		return nil, fmt.Errorf("%w %w", ErrSelector, err)
	}
	found, many := []any{answer}, false
	for _, h := range hops {
		var next []any
		for _, v := range found {
			next = append(next, h.from(v)...)
		}
		found, many = next, many || h.kind == toAll
	}
	if many {
		if found == nil {
			found = []any{}
		}
		return found, nil
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w %s finds nothing in the answer", ErrSelector, selector)
	}
	return found[0], nil
}

func (h hop) from(v any) []any {
	switch v := v.(type) {
	case map[string]any:
		if h.kind == toMember {
			if e, ok := v[h.member]; ok {
				return []any{e}
			}
		}
	case []any:
		if h.kind == toAll {
			return v
		}
		if h.kind == toIndex && h.index < len(v) {
			return v[h.index : h.index+1]
		}
	}
	return nil
}

// Take returns the value of an output of a step, of the output's type.
func (o Output) Take(answer any) (any, error) {
	v, err := Select(o.Selector, answer)
	if err != nil {
		return nil, fmt.Errorf("output %s: %w", o.Name, err)
	}
	if fits(o.Type, v) {
		return v, nil
	}
	// A list that a selector makes may stand for its only element.
	if l, ok := v.([]any); ok && len(l) == 1 && fits(o.Type, l[0]) {
		return l[0], nil
	}
	return nil, fmt.Errorf("output %s: %w %s finds a value that is not of type %s", o.Name, ErrSelector, o.Selector, o.Type)
}

func fits(t string, v any) bool {
	switch baseType(t) {
	case String:
		_, ok := v.(string)
		return ok
	case Integer:
		_, ok := v.(int64)
		return ok
	case Boolean:
		_, ok := v.(bool)
		return ok
	case StringMap:
		_, ok := v.(map[string]any)
		return ok
	}
	l, ok := v.([]any)
	for _, e := range l {
		if baseType(t) == StringList {
			_, isText := e.(string)
			ok = ok && isText
			continue
		}
		_, isMap := e.(map[string]any)
		ok = ok && isMap
	}
	return ok
}
