package wire

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// rules are the constraints of one value.
type rules struct {
	minLen, maxLen int64 // -1: none
	min, max       string
	minVal, maxVal float64
	pattern        *Matcher
	enum           []string
	enumSet        map[string]bool // when the enum is long
}

// rulesOf reads the tags len, range and pattern, and the Values of an enum.
// It returns nil when nothing constrains the value.
func rulesOf(t reflect.Type, k kind, length, between, pattern string) *rules {
	r := &rules{minLen: -1, maxLen: -1}
	if pattern != "" {
		r.pattern = Pattern(pattern)
	}
	if lo, hi, ok := strings.Cut(length, ":"); ok {
		r.minLen, r.maxLen = bound(lo), bound(hi)
	}
	if lo, hi, ok := strings.Cut(between, ":"); ok {
		r.min, r.max = lo, hi
		r.minVal, _ = strconv.ParseFloat(lo, 64)
		r.maxVal, _ = strconv.ParseFloat(hi, 64)
	}
	if k == kString {
		if e, ok := reflect.Zero(t).Interface().(interface{ Values() []string }); ok {
			r.enum = e.Values()
		}
	}
	if len(r.enum) > 16 {
		r.enumSet = make(map[string]bool, len(r.enum))
		for _, v := range r.enum {
			r.enumSet[v] = true
		}
	}
	if r.minLen < 0 && r.maxLen < 0 && r.min == "" && r.max == "" && r.pattern == nil && r.enum == nil {
		return nil
	}
	return r
}

func bound(s string) int64 {
	if s == "" {
		return -1
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (r *rules) allows(s string) bool {
	if r.enumSet != nil {
		return r.enumSet[s]
	}
	return slices.Contains(r.enum, s)
}

// broken returns AWS's sentences for what v breaks, none when it is fine.
func (r *rules) broken(s *shape, v reflect.Value) (out []string) {
	switch s.kind {
	case kString:
		text := v.String()
		out = r.brokenLength(int64(len(text)), func() int64 { return int64(utf8.RuneCountInString(text)) })
		if r.pattern != nil && !r.pattern.Match(text) {
			out = append(out, mustMatch+r.pattern.String())
		}
		if r.enum != nil && !r.allows(text) {
			out = append(out, r.mustBeOneOf())
		}
	case kBlob, kList, kMap:
		out = r.brokenLength(int64(v.Len()), func() int64 { return int64(v.Len()) })
	case kInt32, kInt64:
		out = r.brokenRange(float64(v.Int()))
	case kFloat32, kFloat64:
		out = r.brokenRange(v.Float())
	}
	return out
}

// brokenLength checks a length that is at most size, and asks for the exact
// one only when size does not settle it. Characters count, not bytes.
func (r *rules) brokenLength(size int64, exact func() int64) (out []string) {
	if r.maxLen >= 0 && size > r.maxLen && exact() > r.maxLen {
		out = append(out, mustBeShorter+strconv.FormatInt(r.maxLen, 10))
	}
	if r.minLen > 0 && (size < r.minLen || size < r.minLen*utf8.UTFMax && exact() < r.minLen) {
		out = append(out, mustBeLonger+strconv.FormatInt(r.minLen, 10))
	}
	return out
}

// brokenRange also refuses NaN wherever there is a bound.
func (r *rules) brokenRange(n float64) (out []string) {
	if r.max != "" && !(n <= r.maxVal) {
		out = append(out, mustBeLess+r.max)
	}
	if r.min != "" && !(n >= r.minVal) {
		out = append(out, mustBeMore+r.min)
	}
	return out
}

// The sentences of AWS's validation, as its services answer them.
const (
	mustNotBeNull = "Member must not be null"
	mustBeShorter = "Member must have length less than or equal to "
	mustBeLonger  = "Member must have length greater than or equal to "
	mustBeLess    = "Member must have value less than or equal to "
	mustBeMore    = "Member must have value greater than or equal to "
	mustMatch     = "Member must satisfy regular expression pattern: "
)

func (r *rules) mustBeOneOf() string {
	return "Member must satisfy enum value set: [" + strings.Join(r.enum, ", ") + "]"
}

// all lists every constraint, which AWS does when an element breaks one.
func (r *rules) all() string {
	var out []string
	if r.maxLen >= 0 {
		out = append(out, mustBeShorter+strconv.FormatInt(r.maxLen, 10))
	}
	if r.minLen >= 0 {
		out = append(out, mustBeLonger+strconv.FormatInt(r.minLen, 10))
	}
	if r.max != "" {
		out = append(out, mustBeLess+r.max)
	}
	if r.min != "" {
		out = append(out, mustBeMore+r.min)
	}
	if r.pattern != nil {
		out = append(out, mustMatch+r.pattern.String())
	}
	if r.enum != nil {
		out = append(out, r.mustBeOneOf())
	}
	return strings.Join(out, ", ")
}
