package facts

import (
	"slices"
	"strings"
)

// Is reports whether name is the key, in any case; a tag's name or another
// variable part may be anything.
func (k *KeyFacts) Is(name string) bool {
	return Glob(template(strings.ToLower(k.Name)), strings.ToLower(name))
}

// Patterns are the ARNs of the type with "*" for what varies.
func (r *ResourceFacts) Patterns() []string { return strings.Split(template(r.ARN), ", ") }

// Matches reports whether arn can name a resource of the type.
func (r *ResourceFacts) Matches(arn string) bool {
	return slices.ContainsFunc(r.Patterns(), func(pattern string) bool { return meant(pattern, arn) })
}

func meant(pattern, arn string) bool {
	want, got := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(want) != 6 || len(got) != 6 {
		return Glob(pattern, arn)
	}
	for i := range want {
		if !Glob(want[i], got[i]) {
			return false
		}
	}
	return true
}

// template puts "*" in place of each ${…}.
func template(s string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		_, s, _ = strings.Cut(rest, "}")
		out.WriteByte('*')
	}
}

// Glob reports whether pattern, with "*" for any text and "?" for one
// character, matches all of s.
func Glob(pattern, s string) bool {
	p, i, star, again := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, again = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			again++
			p, i = star+1, again
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
