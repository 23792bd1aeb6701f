package policy

import "strings"

// An arnPattern is an ARN whose parts, between the first five colons, are
// compared one by one, so that a wildcard never reaches across a colon except
// in the last part.
type arnPattern struct {
	all   bool     // "*"
	plain bool     // no wildcard but at the end, no variable: begin says it all
	begin string   // of a plain one: how the ARN begins
	open  bool     // of a plain one: anything may follow
	whole *pattern // something that is not six parts: compared as one text
	parts [6]pattern
}

// splitARN cuts an ARN at its first five colons. It reports false, when s is
// not an ARN.
func splitARN(s string, parts *[6]string) bool {
	if !strings.HasPrefix(s, "arn:") {
		return false
	}
	for i := range 5 {
		head, tail, found := strings.Cut(s, ":")
		if !found {
			return false
		}
		parts[i], s = head, tail
	}
	parts[5] = s
	return true
}

// splitARNPattern cuts at colons outside of variables, into six parts at most.
func splitARNPattern(s string, variables bool) ([]string, error) {
	var parts []string
	start := 0
	for i := 0; i < len(s) && len(parts) < 5; i++ {
		if variables && strings.HasPrefix(s[i:], "${") {
			_, n, err := readVariable(s[i:])
			if err != nil {
				return nil, err
			}
			i += n - 1
			continue
		}
		if s[i] == ':' {
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:]), nil
}

// compileARN compiles the ARN of a Resource element or an Arn condition. Parts
// that are missing at the end are "*".
// IAM User Guide, "IAM JSON policy elements: Resource".
func compileARN(s string, variables bool) (arnPattern, error) {
	if strings.Trim(s, "*") == "" && s != "" {
		return arnPattern{all: true}, nil
	}
	split, err := splitARNPattern(s, variables)
	if err != nil {
		return arnPattern{}, err
	}
	if !strings.HasPrefix(s, "arn:") && split[0] != "*" {
		whole, err := compilePattern(s, true, variables)
		return arnPattern{whole: &whole}, err
	}
	a := arnPattern{}
	for i := range a.parts {
		a.parts[i].mode = anything
		if i >= len(split) {
			continue
		}
		if a.parts[i], err = compilePattern(split[i], true, variables); err != nil {
			return arnPattern{}, err
		}
	}
	a.simplify()
	return a, nil
}

// simplify finds out whether all parts can be compared at once.
func (a *arnPattern) simplify() {
	texts := make([]string, len(a.parts))
	for i := range a.parts {
		last := i == len(a.parts)-1
		switch mode := a.parts[i].mode; {
		case mode == exactly:
		case last && (mode == anything || mode == startsWith):
			a.open = true
		default:
			return
		}
		texts[i] = a.parts[i].text
	}
	a.plain, a.begin = true, strings.Join(texts, ":")
}

// matches compares s, cut into parts when it is an ARN.
func (a *arnPattern) matches(e *evaluation, s string, isARN bool, parts *[6]string) match {
	if a.all {
		return yes
	}
	if a.whole != nil {
		return a.whole.matches(e, s, false)
	}
	if !isARN {
		return no
	}
	if a.plain && s != "" {
		return matchIf(strings.HasPrefix(s, a.begin) && (a.open || len(s) == len(a.begin)))
	}
	open := false
	for i := range a.parts {
		switch a.parts[i].matches(e, parts[i], false) {
		case no:
			return no
		case unresolved:
			open = true
		}
	}
	if open {
		return unresolved
	}
	return yes
}
