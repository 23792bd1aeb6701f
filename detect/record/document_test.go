package record

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A document is what JSON says that it is, however it is taken apart.
func FuzzTree(f *testing.F) {
	for _, s := range []string{
		`{"a":{"b":[1,2.5e3,-0,true,false,null,"x\u00e9\n",{}]},"c":[]}`, `{"a":1,"a":{"b":2}}`, `{"a":{"b":1},"a":{"c":2}}`, `{"a\u0062":1}`, `"\ud800"`, "\"\xff\"", `1e999`, `-1e-999`, `01`, `{"a":1}x`, ` [ 1 , 2 ] `,
		strings.Repeat("[", depth) + strings.Repeat("]", depth), strings.Repeat("[", depth+1) + strings.Repeat("]", depth+1), strings.Repeat(`{"a":`, depth) + `1` + strings.Repeat("}", depth), `123456789012345678901234567890`, ``, `nul`, `{"":""}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := NewDocument(b)
		var want any
		if shallow(b) {
			if err := json.Unmarshal(b, &want, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
				want = nil
			}
		}
		if got := d.Tree(); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %v, not %v", b, got, want)
		}
	})
}
