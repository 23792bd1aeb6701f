package securityhub

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/securityhubapi"
)

// A comparison of strings, and whether it says what must not be. The names are
// AWS's for strings and for maps.
type comparison struct {
	not  bool
	same func(have, want string) bool
}

func comparisonOf(name string) (comparison, bool) {
	equal := func(have, want string) bool { return have == want }
	switch name {
	case "EQUALS":
		return comparison{false, equal}, true
	case "NOT_EQUALS":
		return comparison{true, equal}, true
	case "PREFIX":
		return comparison{false, strings.HasPrefix}, true
	case "PREFIX_NOT_EQUALS":
		return comparison{true, strings.HasPrefix}, true
	case "CONTAINS":
		return comparison{false, strings.Contains}, true
	case "NOT_CONTAINS":
		return comparison{true, strings.Contains}, true
	}
	return comparison{}, false
}

// clash says why comparisons cannot be asked for together of one attribute. API
// Reference, "StringFilter" and "MapFilter".
func clash(names []string) string {
	has := func(name string) bool { return slices.Contains(names, name) }
	for _, alone := range [...]string{"CONTAINS", "NOT_CONTAINS"} {
		if has(alone) && slices.ContainsFunc(names, func(name string) bool { return name != alone }) {
			return alone + " filters can only be used with other " + alone + " filters on the same attribute"
		}
	}
	for _, not := range [...]string{"NOT_EQUALS", "PREFIX_NOT_EQUALS"} {
		if has("EQUALS") && has(not) {
			return "EQUALS and " + not + " filters cannot be used on the same attribute"
		}
	}
	return ""
}

// A matcher is one filter of strings.
type matcher struct {
	key  string // of a map; strings have none
	want string
	comparison
}

// texts joins filters that say what must be by OR, and those that say what must not
// be by AND. API Reference, "StringFilter".
func texts(filters []securityhubapi.StringFilter) condition {
	c := condition{n: len(filters)}
	var names []string
	var all []matcher
	for _, f := range filters {
		name := string(value(f.Comparison))
		how, ok := comparisonOf(name)
		if !ok || f.Value == nil {
			c.why = "data should have a Value and a Comparison that GetFindings supports"
			return c
		}
		names = append(names, name)
		all = append(all, matcher{want: *f.Value, comparison: how})
	}
	c.why = clash(names)
	c.holds = func(values []any, _ time.Time) bool {
		return joined(all, func(m matcher) bool {
			return slices.ContainsFunc(values, func(v any) bool { return m.same(text(v), m.want) })
		})
	}
	return c
}

// entries does the same with the values under the filters' keys. API Reference, "MapFilter".
func entries(filters []securityhubapi.MapFilter) condition {
	c := condition{n: len(filters)}
	var names []string
	var all []matcher
	for _, f := range filters {
		name := string(value(f.Comparison))
		how, ok := comparisonOf(name)
		if !ok || f.Key == nil || f.Value == nil {
			c.why = "data should have a Key, a Value and a Comparison that GetFindings supports"
			return c
		}
		names = append(names, name)
		all = append(all, matcher{*f.Key, *f.Value, how})
	}
	c.why = clash(names)
	c.holds = func(values []any, _ time.Time) bool {
		return joined(all, func(m matcher) bool {
			return slices.ContainsFunc(values, func(v any) bool {
				object, _ := v.(map[string]any)
				have, ok := object[m.key]
				return ok && m.same(text(have), m.want)
			})
		})
	}
	return c
}

func joined(all []matcher, has func(matcher) bool) bool {
	wanted, found := false, false
	for _, m := range all {
		switch {
		case m.not && has(m):
			return false
		case !m.not:
			wanted = true
			found = found || has(m)
		}
	}
	return found || !wanted
}

// text is a value as filters compare it.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, _ := json.Marshal(v) // what came out of JSON goes in again
	return string(b)
}

// keywords look for a word in all strings of a finding, in whatever case.
func keywords(filters []securityhubapi.KeywordFilter) condition {
	c := condition{n: len(filters)}
	for _, f := range filters {
		if f.Value == nil {
			c.why = "data should have required property 'Value'"
		}
	}
	c.holds = func(values []any, _ time.Time) bool {
		return slices.ContainsFunc(filters, func(f securityhubapi.KeywordFilter) bool {
			word := strings.ToLower(*f.Value)
			return slices.ContainsFunc(values, func(v any) bool { return mentions(v, word) })
		})
	}
	return c
}

func mentions(v any, word string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(strings.ToLower(v), word)
	case []any:
		return slices.ContainsFunc(v, func(x any) bool { return mentions(x, word) })
	case map[string]any:
		for _, x := range v {
			if mentions(x, word) {
				return true
			}
		}
	}
	return false
}
