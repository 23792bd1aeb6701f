package policy

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// A match is an answer that may have to stay open: a pattern with a policy
// variable that the request does not have neither matches nor fails to.
type match uint8

const (
	no match = iota
	yes
	unresolved
)

func matchIf(b bool) match {
	if b {
		return yes
	}
	return no
}

type partKind uint8

const (
	literal  partKind = iota
	anyText           // *
	one               // ?
	variable          // ${key, 'otherwise'}
)

type part struct {
	kind       partKind
	text       string // literal: the text; variable: what stands for a missing value
	key        string // variable: the condition key, in lower case
	hasDefault bool
}

type patternMode uint8

const (
	exactly patternMode = iota
	anything
	startsWith
	wild      // parts without variables
	templated // parts with variables
)

// A pattern is text with wildcards, variables, or both. Values that variables
// stand for are compared as they are: a "*" in a tag is no wildcard.
type pattern struct {
	mode  patternMode
	text  string
	parts []part
}

var errVariable = errors.New("a policy variable does not end")

// compilePattern reads s. wildcards says whether * and ? are special, variables
// whether ${…} is.
func compilePattern(s string, wildcards, variables bool) (pattern, error) {
	var parts []part
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			parts = append(parts, part{text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch {
		case variables && strings.HasPrefix(s[i:], "${"):
			v, n, err := readVariable(s[i:])
			if err != nil {
				return pattern{}, err
			}
			i += n - 1
			if v.kind == literal {
				text.WriteString(v.text)
				continue
			}
			flush()
			parts = append(parts, v)
		case wildcards && s[i] == '*':
			flush()
			if len(parts) == 0 || parts[len(parts)-1].kind != anyText {
				parts = append(parts, part{kind: anyText})
			}
		case wildcards && s[i] == '?':
			flush()
			parts = append(parts, part{kind: one})
		default:
			text.WriteByte(s[i])
		}
	}
	flush()
	return simplify(parts), nil
}

func simplify(parts []part) pattern {
	for _, p := range parts {
		if p.kind == variable {
			return pattern{mode: templated, parts: parts}
		}
	}
	switch {
	case len(parts) == 0:
		return pattern{mode: exactly}
	case len(parts) == 1 && parts[0].kind == literal:
		return pattern{mode: exactly, text: parts[0].text}
	case len(parts) == 1 && parts[0].kind == anyText:
		return pattern{mode: anything}
	case len(parts) == 2 && parts[0].kind == literal && parts[1].kind == anyText:
		return pattern{mode: startsWith, text: parts[0].text}
	}
	return pattern{mode: wild, parts: parts}
}

// readVariable reads the variable that s begins with, and says how long it is.
// ${*}, ${?} and ${$} are the characters themselves.
// IAM User Guide, "IAM policy elements: Variables and tags".
func readVariable(s string) (part, int, error) {
	end := strings.IndexAny(s, ",}")
	if end < 0 {
		return part{}, 0, errVariable
	}
	key := strings.TrimSpace(s[2:end])
	if s[end] == '}' {
		switch key {
		case "*", "?", "$":
			return part{kind: literal, text: key}, end + 1, nil
		case "":
			return part{}, 0, errVariable
		}
		return part{kind: variable, key: strings.ToLower(key)}, end + 1, nil
	}
	rest := strings.TrimLeft(s[end+1:], " ")
	if key == "" || !strings.HasPrefix(rest, "'") {
		return part{}, 0, errVariable
	}
	value, after, found := strings.Cut(rest[1:], "'")
	if !found {
		return part{}, 0, errVariable
	}
	closed := strings.TrimLeft(after, " ")
	if !strings.HasPrefix(closed, "}") {
		return part{}, 0, errVariable
	}
	p := part{kind: variable, key: strings.ToLower(key), text: value, hasDefault: true}
	return p, len(s) - len(closed) + 1, nil
}

// matches compares s with the pattern. fold ignores case.
func (p *pattern) matches(e *evaluation, s string, fold bool) match {
	switch p.mode {
	case anything:
		return yes
	case exactly:
		if fold {
			return matchIf(strings.EqualFold(s, p.text))
		}
		return matchIf(s == p.text)
	case startsWith:
		return matchIf(strings.HasPrefix(s, p.text))
	case wild:
		return matchIf(glob(p.parts, nil, s, false))
	}
	var room [8]string
	values := room[:0]
	for i := range p.parts {
		if p.parts[i].kind != variable {
			continue
		}
		value, ok := e.variable(&p.parts[i])
		if !ok {
			return unresolved
		}
		values = append(values, value)
	}
	return matchIf(glob(p.parts, values, s, fold))
}

// variable returns what a policy variable stands for. Keys with several values
// have no place in a variable.
func (e *evaluation) variable(p *part) (string, bool) {
	v := e.lookup(p.key)
	if v.count() == 1 && !manyValued(p.key) {
		return v.at(0), true
	}
	return p.text, p.hasDefault && !v.Present()
}

// manyValued reports whether a condition key is a list by its nature, also when
// a request has one value for it. IAM User Guide, "AWS global condition context keys".
func manyValued(key string) bool {
	switch key {
	case "aws:calledvia", "aws:tagkeys", "aws:principalservicenameslist", "sts:transitivetagkeys",
		"aws:principalorgpaths", "aws:resourceorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths":
		return true
	}
	return false
}

// glob matches parts against all of s. After a failure only the last * is
// tried again, which is enough: what an earlier * took can only have been the
// shortest.
func glob(parts []part, values []string, s string, fold bool) bool {
	at, pos, used := 0, 0, 0
	star, starPos, starUsed := -1, 0, 0
	for {
		ok := false
		switch {
		case at == len(parts):
			if pos == len(s) {
				return true
			}
		case parts[at].kind == anyText:
			at++
			star, starPos, starUsed = at, pos, used
			continue
		case parts[at].kind == one:
			_, n := utf8.DecodeRuneInString(s[pos:])
			pos, ok = pos+n, n > 0
		default:
			text := parts[at].text
			if parts[at].kind == variable {
				text = values[used]
				used++
			}
			ok = hasPrefix(s[pos:], text, fold)
			pos += len(text)
		}
		if ok {
			at++
			continue
		}
		if star < 0 || starPos >= len(s) {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[starPos:])
		starPos += n
		at, pos, used = star, starPos, starUsed
	}
}

func hasPrefix(s, prefix string, fold bool) bool {
	if len(s) < len(prefix) {
		return false
	}
	if fold {
		return strings.EqualFold(s[:len(prefix)], prefix)
	}
	return s[:len(prefix)] == prefix
}
