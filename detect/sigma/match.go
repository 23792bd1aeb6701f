package sigma

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sumun.dev/detect/record"
)

// selection reads a search identifier: a map, of which all has to be so, or a list
// of maps and keywords, of which one has to be.
func selection(v any, total *int) (node, error) {
	switch v := v.(type) {
	case map[string]any:
		return fieldsOf(v, total)
	case []any:
		var either anyOf
		for _, e := range v {
			if m, ok := e.(map[string]any); ok {
				n, err := fieldsOf(m, total)
				if err != nil {
					return nil, err
				}
				either = append(either, n)
				continue
			}
			n, err := keywords(e, nil, total)
			if err != nil {
				return nil, err
			}
			either = append(either, n)
		}
		if len(either) > 0 {
			return either, nil
		}
	case string:
		return keywords(v, nil, total)
	}
	return nil, errors.New("is neither a map nor a list")
}

// keywords are looked for in the whole record.
func keywords(v any, modifiers []string, total *int) (node, error) {
	if !slices.Contains(modifiers, "re") && !slices.Contains(modifiers, "contains") {
		modifiers = append(modifiers, "contains")
	}
	return compareWith(item{name: "keywords", get: anywhere}, modifiers, v, total)
}

func fieldsOf(m map[string]any, total *int) (node, error) {
	var all allOf
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, key := range keys {
		parts := strings.Split(key, "|")
		name, modifiers := parts[0], parts[1:]
		if name == "" {
			n, err := keywords(m[key], modifiers, total)
			if err != nil {
				return nil, err
			}
			all = append(all, n)
			continue
		}
		get, err := fieldOf(name)
		if err != nil {
			return nil, err
		}
		n, err := compareWith(item{name: name, get: get}, modifiers, m[key], total)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", short(key), err)
		}
		all = append(all, n)
	}
	switch len(all) {
	case 0:
		return nil, errors.New("is empty")
	case 1:
		return all[0], nil
	}
	return all, nil
}

// An item compares a field with values.
type item struct {
	name   string
	get    field
	values []value
	every  bool     // modifier all
	differ bool     // modifier neq
	means  []string // the calls that it matches at all; nil when it cannot be told
}

// A value is what a field is compared with: a text of it, or that it is not there.
type value struct {
	is     func(string) bool
	absent bool
}

func (i *item) match(r *record.Record) bool { return i.compare(i.get(r)) != i.differ }

func (i *item) compare(found []string) bool {
	for _, v := range i.values {
		hit := v.absent && len(found) == 0 || v.is != nil && slices.ContainsFunc(found, v.is)
		if hit != i.every {
			return hit
		}
	}
	return i.every
}

func (i *item) calls() []string { return i.means }

// modifiers that are read; what else the specification has is refused by name.
var known = []string{"contains", "startswith", "endswith", "all", "re", "i", "m", "s", "cidr", "exists", "cased", "base64", "base64offset", "lt", "lte", "gt", "gte", "neq"}

// kinds are the modifiers that say how values are compared: one of them at most.
var kinds = []string{"contains", "startswith", "endswith", "re", "cidr", "exists", "lt", "lte", "gt", "gte"}

// compareWith makes an item of a field's values and modifiers.
func compareWith(it item, modifiers []string, v any, total *int) (node, error) {
	has := map[string]bool{}
	kind := ""
	for _, m := range modifiers {
		if !slices.Contains(known, m) {
			return nil, fmt.Errorf("the modifier %q is not read", short(m))
		}
		has[m] = true
		if slices.Contains(kinds, m) {
			if kind != "" && kind != m {
				return nil, fmt.Errorf("the modifiers %s and %s contradict each other", kind, m)
			}
			kind = m
		}
	}
	encoded := has["base64"] || has["base64offset"]
	switch {
	case encoded && kind != "" && kind != "contains", has["base64"] && has["base64offset"]:
		return nil, errors.New("the modifiers base64 and base64offset go with contains only")
	case has["base64offset"] && kind != "contains":
		return nil, errors.New("the modifier base64offset goes with contains only")
	case (has["i"] || has["m"] || has["s"]) && kind != "re":
		return nil, errors.New("the modifiers i, m and s go with re only")
	case kind == "exists" && len(modifiers) > 1:
		return nil, errors.New("the modifier exists stands alone")
	}
	it.every, it.differ = has["all"], has["neq"]
	values, ok := v.([]any)
	if !ok {
		values = []any{v}
	}
	if *total += len(values); *total > maxValues {
		return nil, fmt.Errorf("the rule has more than %d values", maxValues)
	}
	if len(values) == 0 {
		return nil, errors.New("has no value")
	}
	if kind == "" && !encoded && !it.every && !it.differ {
		it.means = named(it.name, values)
	}
	for _, e := range values {
		made, err := valueOf(e, kind, has)
		if err != nil {
			return nil, err
		}
		it.values = append(it.values, made)
	}
	return &it, nil
}

func valueOf(v any, kind string, has map[string]bool) (value, error) {
	switch v := v.(type) {
	case nil:
		if kind != "" {
			return value{}, errors.New("null is compared without modifiers")
		}
		return value{absent: true}, nil
	case map[string]any, []any:
		return value{}, errors.New("a value is a text, a number, true, false or null")
	case bool:
		if kind == "exists" {
			if !v {
				return value{absent: true}, nil
			}
			return value{is: func(string) bool { return true }}, nil
		}
	}
	s := text(v)
	if len(s) > maxText {
		return value{}, fmt.Errorf("a value is longer than %d bytes", maxText)
	}
	switch kind {
	case "exists":
		return value{}, errors.New("the modifier exists asks for true or false")
	case "re":
		return expression(s, has)
	case "cidr":
		return network(s)
	case "lt", "lte", "gt", "gte":
		return number(s, kind)
	}
	if s == "" && kind == "" {
		return value{absent: true, is: func(found string) bool { return found == "" }}, nil
	}
	if has["base64"] || has["base64offset"] {
		return encodedIn(s, kind, has)
	}
	return pattern(s, kind, has["cased"])
}

// expression reads a regular expression. It runs in a time that grows with the
// text only; what PCRE has beyond that, as looking ahead, is refused.
func expression(s string, has map[string]bool) (value, error) {
	flags := ""
	for _, f := range []string{"i", "m", "s"} {
		if has[f] {
			flags += f
		}
	}
	if flags != "" {
		s = "(?" + flags + ")" + s
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return value{}, fmt.Errorf("the expression cannot be read: %w", err)
	}
	return value{is: re.MatchString}, nil
}

func network(s string) (value, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, err2 := netip.ParseAddr(s)
		if err2 != nil {
			return value{}, fmt.Errorf("%q is no network", short(s))
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	return value{is: func(found string) bool {
		a, err := netip.ParseAddr(found)
		return err == nil && p.Contains(a.Unmap().WithZone(""))
	}}, nil
}

func number(s, kind string) (value, error) {
	want, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(want) {
		return value{}, fmt.Errorf("%q is no number", short(s))
	}
	return value{is: func(found string) bool {
		n, err := strconv.ParseFloat(found, 64)
		if err != nil {
			return false
		}
		switch kind {
		case "lt":
			return n < want
		case "lte":
			return n <= want
		case "gt":
			return n > want
		}
		return n >= want
	}}, nil
}

// encodedIn compares with a text in Base64; base64offset with all three ways that
// it can look within a longer one.
func encodedIn(s, kind string, has map[string]bool) (value, error) {
	if has["base64"] {
		return pattern(base64.StdEncoding.EncodeToString([]byte(s)), kind, true)
	}
	var ways []func(string) bool
	for offset := range 3 {
		b := base64.StdEncoding.EncodeToString(append(make([]byte, offset), s...))
		// The first characters hold bits of what stands before, the last of what follows.
		from, upto := [...]int{0, 2, 3}[offset], len(b)-[...]int{0, 3, 2}[(offset+len(s))%3]
		if from >= upto {
			return value{}, errors.New("the modifier base64offset asks for a longer text")
		}
		v, err := pattern(b[from:upto], "contains", true)
		if err != nil {
			return value{}, err
		}
		ways = append(ways, v.is)
	}
	return value{is: func(found string) bool {
		return slices.ContainsFunc(ways, func(is func(string) bool) bool { return is(found) })
	}}, nil
}

// pattern compares with a text in which * and ? are wildcards, unless a backslash
// stands before them.
func pattern(s, kind string, cased bool) (value, error) {
	var literal, expr strings.Builder
	wild := false
	put := func(c byte) { literal.WriteByte(c) }
	flush := func() { expr.WriteString(regexp.QuoteMeta(literal.String())); literal.Reset() }
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`*?\`, s[i+1]) >= 0:
			i++
			put(s[i])
		case c == '*':
			wild = true
			flush()
			expr.WriteString(".*")
		case c == '?':
			wild = true
			flush()
			expr.WriteString(".")
		default:
			put(c)
		}
	}
	if !wild {
		return plain(literal.String(), kind, cased), nil
	}
	flush()
	from, to := "^", "$"
	if kind == "contains" || kind == "endswith" {
		from = ""
	}
	if kind == "contains" || kind == "startswith" {
		to = ""
	}
	flags := "(?is)"
	if cased {
		flags = "(?s)"
	}
	re, err := regexp.Compile(flags + from + expr.String() + to)
	if err != nil {
		return value{}, fmt.Errorf("the value cannot be read: %w", err)
	}
	return value{is: re.MatchString}, nil
}

// plain compares with a text that has no wildcards.
func plain(want, kind string, cased bool) value {
	fold := func(s string) string { return s }
	if !cased {
		fold = strings.ToLower
		want = fold(want)
	}
	switch kind {
	case "contains":
		return value{is: func(found string) bool { return strings.Contains(fold(found), want) }}
	case "startswith":
		return value{is: func(found string) bool { return strings.HasPrefix(fold(found), want) }}
	case "endswith":
		return value{is: func(found string) bool { return strings.HasSuffix(fold(found), want) }}
	}
	if cased {
		return value{is: func(found string) bool { return found == want }}
	}
	return value{is: func(found string) bool { return strings.EqualFold(found, want) }}
}

var (
	sourceForm    = regexp.MustCompile(`^[A-Za-z0-9.-]{1,128}$`)
	operationForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,127}$`)
)

// named are the calls that values of eventSource or eventName mean, in upper or lower
// case; nil when a rule has to look at all.
func named(field string, values []any) (calls []string) {
	if len(values) > maxCalls {
		return nil
	}
	for _, v := range values {
		s, _ := v.(string)
		switch {
		case field == "eventSource" && sourceForm.MatchString(s):
			calls = append(calls, s+":*")
		case field == "eventName" && operationForm.MatchString(s):
			calls = append(calls, "*:"+s)
		default:
			return nil
		}
	}
	return calls
}
