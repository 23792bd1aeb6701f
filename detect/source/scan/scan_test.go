package scan

import (
	"bytes"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

var seeds = []string{
	`{"a":1,"b":[true,false,null,{"c":"d"}],"e":{}}`, `[]`, `[ ]`, `{ }`, `[1,]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `"\u00e9\n\ud800"`, `"\u00g0"`, `"\x"`, "\"\x1f\"", "\"\xff\"",
	`-0.5e+7`, `01`, `1.`, `.5`, `-`, `1e`, `nul`, `truex`, `{"a":[[[[{"b":[]}]]]]}`, `["a", "bcdefghijklmnopqrstuvw\"xyz", "` + "\u00e9" + `"]`, `]`, `{"a":1]`, `[1}`, " \t\r\n1 ", `[1 2]`,
	`"12345678\\90123456"`, `"1234567` + "\x00" + `"`, `{"eventTime" : "2026-01-01T10:00:00Z" , "n":-12.5E-3}`,
}

// What is taken for a value is one, and ends where others say so.
func FuzzValue(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		i := Space(b, 0)
		end := Value(b, i)
		dec := jsontext.NewDecoder(bytes.NewReader(b), lenient...)
		want, err := dec.ReadValue()
		switch {
		case end < 0 && err == nil && depth(want) <= deepest:
			t.Fatalf("%q is declined", b)
		case end < 0:
		case err != nil && !(end == len(b) || number(b, i) == end): // what follows a number may be part of it
			t.Fatalf("%q is taken, up to %d: %v", b, end, err)
		case err == nil && !bytes.Equal(want, b[i:end]):
			t.Fatalf("%q: %q, not %q", b, b[i:end], want)
		}
		if end >= 0 && !jsontext.Value(b[i:end]).IsValid(lenient...) {
			t.Fatalf("%q is no JSON", b[i:end])
		}
	})
}

func depth(v []byte) int {
	n, most, quoted := 0, 0, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			n++
			most = max(most, n)
		case c == '}', c == ']':
			n--
		}
	}
	return most
}

// What is read as a text is what others read.
func FuzzText(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		text, end := Text(b, 0)
		if end < 0 || end == 4 && string(b[:4]) == "null" {
			return
		}
		want, err := jsontext.AppendUnquote(nil, b[:end])
		if err != nil || !bytes.Equal(text, want) {
			t.Fatalf("%q: %q, not %q, %v", b[:end], text, want, err)
		}
		if name, to := Name(append(b[:end:end], ':'), 0); to >= 0 && !bytes.Equal(name, want) {
			t.Fatalf("%q: %q as a name", b[:end], name)
		}
	})
}

func FuzzTime(f *testing.F) {
	for _, s := range []string{"2026-01-31T10:00:00Z", "2026-02-29T10:00:00Z", "2024-02-29T23:59:59Z", "2026-13-01T10:00:00Z", "2026-01-01T24:00:00Z", "0000-01-01T00:00:00Z", "2026-01-01T10:00:60Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := Time([]byte(s))
		want, err := time.Parse(time.RFC3339, s)
		if ok && (err != nil || got != want) {
			t.Fatalf("%q: %v, not %v, %v", s, got, want, err)
		}
		if !ok && err == nil && len(s) == 20 && s[19] == 'Z' && s[10] == 'T' {
			t.Fatalf("%q is declined", s)
		}
	})
}

func TestTextsAreTheirOwn(t *testing.T) {
	texts, b := NewTexts(), []byte("first")
	one := texts.Of(b)
	copy(b, "other")
	if one != "first" || texts.Of([]byte("first")) != "first" || texts.Of(b) != "other" || texts.Of(nil) != "" {
		t.Error(one)
	}
	for _, long := range []int{longKept, longKept + 1} {
		if b := bytes.Repeat([]byte("x"), long); texts.Of(b) != string(b) {
			t.Errorf("%d bytes", long)
		}
	}
}

func BenchmarkValue(b *testing.B) {
	v := []byte(`{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROA2XM3VJ3TQXWNMABCD:session","arn":"arn:aws:sts::111122223333:assumed-role/app/session","accountId":"111122223333"},"requestParameters":{"maxResults":100,"filterSet":{"items":[{"name":"tag:Name","valueSet":{"items":[{"value":"orders"}]}}]}},"readOnly":true,"responseElements":null}`)
	b.SetBytes(int64(len(v)))
	for b.Loop() {
		if Value(v, 0) != len(v) {
			b.Fatal("declined")
		}
	}
}
