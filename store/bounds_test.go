package store

import (
	"testing"
	"unicode/utf8"
)

func TestPrefixEnd(t *testing.T) {
	for prefix, want := range map[string]string{
		"":                   pastAll,
		"a":                  "b",
		"a/":                 "a0",
		"\x7f":               "\u0080",
		"é":                  "ê",
		"\uD7FF":             "\uE000",
		"a\U0010FFFF":        "b",
		"ab\U0010FFFF\x7e":   "ab\U0010FFFF\x7f",
		"\uFFFF":             "\U00010000",
		"z\U0010FFFF\uD7FFa": "z\U0010FFFF\uD7FFb",
	} {
		if got := prefixEnd(prefix); got != want {
			t.Errorf("after all with %q: %q, want %q", prefix, got, want)
		}
	}
}

func FuzzBounds(f *testing.F) {
	f.Add("a", "ab", "abc", false)
	f.Add("", "", "x", true)
	f.Fuzz(func(t *testing.T, prefix, after, id string, desc bool) {
		if checkID("", prefix) != nil || checkID("", after) != nil || checkID("", id) != nil {
			return
		}
		s := Scan{Prefix: prefix, After: after, Desc: desc}
		lo, open, hi := s.Bounds()
		if !utf8.ValidString(lo) || !utf8.ValidString(hi) {
			t.Fatalf("%+v: bounds %q, %q are not UTF-8", s, lo, hi)
		}
		got := id < hi && (id > lo || id == lo && !open)
		want := len(id) >= len(prefix) && id[:len(prefix)] == prefix &&
			(after == "" || !desc && id > after || desc && id < after)
		if got != want {
			t.Errorf("%+v covers %q: %t, want %t", s, id, got, want)
		}
	})
}
