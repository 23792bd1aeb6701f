package guardduty

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/finding"
)

// A seen finding is one as criteria look at it.
type seen struct {
	*kept
	doc map[string]any // the API's JSON, made when a path needs it
}

func see(k *kept) *seen { return &seen{kept: k} }

// values returns what stands at a path: several values when it leads through
// lists, none when it leads nowhere.
func (s *seen) values(path string) []any {
	if v, ok := s.plain(path); ok {
		return []any{v}
	}
	if s.doc == nil {
		s.doc = document(s.kept)
	}
	return values(s.doc, strings.Split(path, "."))
}

// plain answers for the paths that are asked most, without making the JSON.
func (s *seen) plain(path string) (any, bool) {
	switch path {
	case "id":
		return s.ID, true
	case "type":
		return s.Type, true
	case "severity":
		return s.severity(), true
	case "createdAt":
		return s.Created.UTC().Format(finding.Millis), true
	case "updatedAt":
		return s.Updated.UTC().Format(finding.Millis), true
	case "accountId":
		return string(s.Account), true
	case "region":
		return string(s.Region), true
	case "resource.instanceDetails.instanceId":
		return s.Instance.ID, true
	case "service.archived":
		return s.Archived, true
	case "service.count":
		return float64(s.Count), true
	}
	return nil, false
}

func (s *seen) severity() float64 { return s.Level() }

// document is a finding as the API shows it. Additional info is JSON within JSON;
// criteria reach into it.
func document(k *kept) map[string]any {
	doc := map[string]any{}
	b, err := finding.Encode(k.GuardDuty())
	if err != nil || json.Unmarshal(b, &doc) != nil {
		return doc // paths lead nowhere then
	}
	service, _ := doc["service"].(map[string]any)
	info, _ := service["additionalInfo"].(map[string]any)
	value, _ := info["value"].(string)
	var more map[string]any
	if json.Unmarshal([]byte(value), &more) != nil {
		return doc
	}
	for name, v := range more {
		if _, taken := info[name]; !taken {
			info[name] = v
		}
	}
	return doc
}

func values(at any, path []string) []any {
	if list, ok := at.([]any); ok {
		var all []any
		for _, x := range list {
			all = append(all, values(x, path)...)
		}
		return all
	}
	if len(path) == 0 {
		if at == nil {
			return nil
		}
		return []any{at}
	}
	object, ok := at.(map[string]any)
	if !ok {
		return nil
	}
	return values(object[path[0]], path[1:])
}

// A criterion is one field's condition.
type criterion struct {
	field string
	guarddutyapi.Condition
}

// Bounds of criteria: API Reference, "FindingCriteria".
const (
	maxCriteria = 50
	maxValues   = 50
)

// criteriaOf checks what a request asks for.
func criteriaOf(in *guarddutyapi.FindingCriteria) ([]criterion, error) {
	if in == nil {
		return nil, nil
	}
	if len(in.Criterion) > maxCriteria {
		return nil, invalid("findingCriteria")
	}
	var all []criterion
	for field, c := range in.Criterion {
		if !searchable(field) {
			return nil, invalid("findingCriteria")
		}
		for _, list := range [][]string{c.Eq, c.Neq, c.Equals, c.NotEquals, c.Matches, c.NotMatches} {
			if len(list) > maxValues {
				return nil, invalid("findingCriteria")
			}
		}
		all = append(all, criterion{field, c})
	}
	slices.SortFunc(all, func(a, b criterion) int { return strings.Compare(a.field, b.field) })
	return all, nil
}

// meets reports whether a finding meets all criteria.
func (s *seen) meets(all []criterion) bool {
	for _, c := range all {
		if !c.holds(s.values(c.field)) {
			return false
		}
	}
	return true
}

func (c *criterion) holds(values []any) bool {
	for _, list := range [][]string{c.Eq, c.Equals} {
		if len(list) > 0 && !c.any(values, list, equal) {
			return false
		}
	}
	for _, list := range [][]string{c.Neq, c.NotEquals} {
		if len(list) > 0 && c.any(values, list, equal) {
			return false
		}
	}
	if len(c.Matches) > 0 && !c.any(values, c.Matches, matches) {
		return false
	}
	if len(c.NotMatches) > 0 && c.any(values, c.NotMatches, matches) {
		return false
	}
	return c.within(values)
}

func (c *criterion) any(values []any, wanted []string, same func(v any, want string) bool) bool {
	return slices.ContainsFunc(values, func(v any) bool {
		return slices.ContainsFunc(wanted, func(w string) bool { return same(v, w) })
	})
}

// equal compares as strings; numbers as numbers, "8" being 8.0; times also as
// milliseconds since 1970.
func equal(v any, want string) bool {
	switch v := v.(type) {
	case string:
		if v == want {
			return true
		}
		t, err := time.Parse(finding.Millis, v)
		return err == nil && strconv.FormatInt(t.UnixMilli(), 10) == want
	case float64:
		n, err := strconv.ParseFloat(want, 64)
		return err == nil && n == v
	case bool:
		return strconv.FormatBool(v) == want
	}
	return false
}

// matches compares with wildcards: * for any characters, ? for one.
func matches(v any, pattern string) bool {
	s, ok := v.(string)
	return ok && glob(pattern, s)
}

func glob(pattern, s string) bool {
	star, mark := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// within checks the bounds. Some value must keep them all.
func (c *criterion) within(values []any) bool {
	wide := func(n *int32) *int64 {
		if n == nil {
			return nil
		}
		return new(int64(*n))
	}
	type bound struct {
		limit *int64
		keeps func(v, limit float64) bool
	}
	greater := func(v, l float64) bool { return v > l }
	atLeast := func(v, l float64) bool { return v >= l }
	less := func(v, l float64) bool { return v < l }
	atMost := func(v, l float64) bool { return v <= l }
	bounds := []bound{
		{wide(c.Gt), greater}, {c.GreaterThan, greater}, {wide(c.Gte), atLeast}, {c.GreaterThanOrEqual, atLeast},
		{wide(c.Lt), less}, {c.LessThan, less}, {wide(c.Lte), atMost}, {c.LessThanOrEqual, atMost},
	}
	bounds = slices.DeleteFunc(bounds, func(b bound) bool { return b.limit == nil })
	if len(bounds) == 0 {
		return true
	}
	return slices.ContainsFunc(values, func(v any) bool {
		n, ok := measure(v)
		return ok && !slices.ContainsFunc(bounds, func(b bound) bool { return !b.keeps(n, float64(*b.limit)) })
	})
}

// measure is a value as a number: a time in milliseconds since 1970.
func measure(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		if t, err := time.Parse(finding.Millis, v); err == nil {
			return float64(t.UnixMilli()), true
		}
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil
	}
	return 0, false
}
