package dns

import "testing"

func TestLastAndCommonLabels(t *testing.T) {
	name := func(s string) Name {
		n, err := ParseName(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range []struct {
		a, b   string
		common string
	}{
		{"a.t.example.com", "b.t.example.com", "t.example.com."},
		{"a.t.example.com", "a.t.example.com", "a.t.example.com."},
		{"t.example.com", "a.b.t.example.com", "t.example.com."},
		{"xample.com", "example.com", "com."},
		{"a.org", "a.com", "."},
		{".", "a.com", "."},
	} {
		a, b := name(c.a), name(c.b)
		if got := a.Last(a.Common(b)).String(); got != c.common || a.Common(b) != b.Common(a) {
			t.Errorf("%s and %s have %s in common", c.a, c.b, got)
		}
	}
	if got := name("a.com").Last(9).String(); got != "a.com." {
		t.Errorf("the last nine labels are %s", got)
	}
}
