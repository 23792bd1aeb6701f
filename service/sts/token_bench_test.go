package sts

import (
	"testing"

	"sumun.dev/api/stsapi"
)

// BenchmarkTemporary is what every call with temporary credentials pays before its
// signature is checked: a token that was seen before, and one that was not.
func BenchmarkTemporary(b *testing.B) {
	s := newService(b)
	out, _, err := call(b, s, alice, &stsapi.AssumeRole, ask())
	if err != nil {
		b.Fatal(err)
	}
	c := out.Credentials
	for _, bench := range []struct {
		name   string
		before func()
	}{{"again", func() {}}, {"first", func() { s.open.young, s.open.old = nil, nil }}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.before()
				if _, _, err := s.Temporary(c.AccessKeyId, c.SessionToken); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
