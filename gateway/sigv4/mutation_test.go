package sigv4

import (
	"bufio"
	"bytes"
	"flag"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

var everyValue = flag.Bool("every", false, "try all 255 other values of each byte, which takes minutes")

// Why a changed byte may go unnoticed. Everything else must be refused.
const (
	sameRequest = "the server reads the same request: letter case of a header's name, space around a value, bytes after the request's end"
	sameVersion = "only the HTTP version differs, which no signature covers"
	sameQuery   = "the query decodes to the same parameters: letter case of an escape's digits"
	samePath    = "the path normalises to the same path, and the normalised one is served"
	sameComma   = "the space after a comma of the Authorization header may be left out"
	sameSpaces  = "a run of spaces within a header's value counts as one space"
)

// unchanged says why r means what was signed, or nothing when it does not.
func unchanged(signed, r *received, rules Rules) string {
	if signed.Method != r.Method || signed.Host != r.Host || !bytes.Equal(signed.body, r.body) {
		return ""
	}
	why := sameRequest
	if signed.http.Proto != r.http.Proto {
		why = sameVersion
	}
	switch {
	case maps.EqualFunc(signed.Header, r.Header, slices.Equal):
	case maps.EqualFunc(noComma(signed.Header), noComma(r.Header), slices.Equal):
		why = sameComma
	default:
		if !maps.EqualFunc(oneSpace(signed.Header), oneSpace(r.Header), slices.Equal) {
			return ""
		}
		why = sameSpaces
	}
	if signed.Query != r.Query {
		x, err1 := url.ParseQuery(signed.Query)
		y, err2 := url.ParseQuery(r.Query)
		if err1 != nil || err2 != nil || !maps.EqualFunc(x, y, slices.Equal) {
			return ""
		}
		why = sameQuery
	}
	if signed.Path != r.Path {
		if rules&KeepPath != 0 || normalise(signed.Path) != normalise(r.Path) {
			return ""
		}
		why = samePath
	}
	return why
}

func noComma(h http.Header) http.Header {
	h = h.Clone()
	for i, v := range h["Authorization"] {
		v = strings.Join(strings.Fields(v), " ")
		h["Authorization"][i] = strings.ReplaceAll(v, ", ", ",")
	}
	return h
}

func oneSpace(h http.Header) http.Header {
	h = h.Clone()
	for _, values := range h {
		for i, v := range values {
			for strings.Contains(v, "  ") {
				v = strings.ReplaceAll(v, "  ", " ")
			}
			values[i] = v
		}
	}
	return h
}

// replacements are the values to try instead of b.
func replacements(b byte) []byte {
	var all []byte
	switch {
	case *everyValue:
		for i := range 256 {
			all = append(all, byte(i))
		}
	case raceDetector:
		all = []byte{b ^ 1, b ^ 0x20, b ^ 0x80, ' ', '/'}
	default:
		for bit := range 8 {
			all = append(all, b^1<<bit)
		}
		all = append(all, " \t\r\n\x00%+&=/.,;:?09afAF\xff"...)
	}
	return slices.DeleteFunc(all, func(c byte) bool { return c == b })
}

// Every byte of every signed request of AWS's suite is changed, dropped and
// doubled. What is still accepted must mean what was signed, for a reason that is
// listed above.
func TestEveryChangedByteIsRefused(t *testing.T) {
	verifier := new(Verifier)
	for _, v := range vectors(t) {
		t.Run(v.name+"/"+v.form, func(t *testing.T) {
			t.Parallel()
			signed, err := receive(v.raw)
			if err != nil {
				t.Fatal(err)
			}
			accepted := map[string]int{}
			buffer := bufio.NewReader(nil)
			try := func(at int, how string, raw []byte) {
				r, err := receiveWith(buffer, raw)
				if err != nil {
					return // the server answers 400 before anything is authenticated
				}
				s, err := v.accept(verifier, r)
				if err != nil {
					return
				}
				why := unchanged(signed, r, v.rules)
				if why == "" || s.Path() != normaliseUnder(v.rules, signed.Path) {
					t.Errorf("byte %d %s is accepted:\n%q", at, how, raw)
				}
				accepted[why]++
			}
			for i, b := range v.raw {
				for _, c := range replacements(b) {
					raw := bytes.Clone(v.raw)
					raw[i] = c
					try(i, "changed", raw)
				}
				try(i, "dropped", slices.Delete(bytes.Clone(v.raw), i, i+1))
				try(i, "doubled", slices.Insert(bytes.Clone(v.raw), i, b))
			}
			for why, n := range accepted {
				t.Logf("%4d accepted: %s", n, why)
			}
		})
	}
}

func normaliseUnder(rules Rules, path string) string {
	if rules&KeepPath != 0 {
		return path
	}
	return normalise(path)
}
