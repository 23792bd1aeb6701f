package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestRewrite(t *testing.T) {
	ids := map[string]string{
		"arn:aws:iam::111122223333:user/alice": "AIDAAAAAAAAAAAAAAAAAA",
		"arn:aws:iam::111122223333:role/app":   "AROAAAAAAAAAAAAAAAAAA",
	}
	to := func(p string) (string, error) {
		if p == "gone" {
			return "", errors.New("gone")
		}
		if id, known := ids[p]; known {
			return id, nil
		}
		return p, nil
	}
	for _, c := range []struct{ name, doc, want string }{
		{"one", `{"Statement":{"Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"}}}`,
			`{"Statement":{"Principal":{"AWS":"AIDAAAAAAAAAAAAAAAAAA"}}}`},
		{"spaces_and_order_stay", "{ \"Statement\" : [\n {\"Principal\": { \"Service\":\"x\",\"AWS\" : [ \"arn:aws:iam::111122223333:user/alice\" ,\t\"111122223333\", \"arn:aws:iam::111122223333:role/app\"]} , \"Effect\":\"Allow\"} ] }\n",
			"{ \"Statement\" : [\n {\"Principal\": { \"Service\":\"x\",\"AWS\" : [ \"AIDAAAAAAAAAAAAAAAAAA\" ,\t\"111122223333\", \"AROAAAAAAAAAAAAAAAAAA\"]} , \"Effect\":\"Allow\"} ] }\n"},
		{"escapes", `{"Statement":{"Principal":{"AWS":["\"\\","arn:aws:iam::111122223333:user\/\u0061lice"]}}}`,
			`{"Statement":{"Principal":{"AWS":["\"\\","AIDAAAAAAAAAAAAAAAAAA"]}}}`},
		{"not_principal", `{"Statement":[{"NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/app"}}]}`,
			`{"Statement":[{"NotPrincipal":{"AWS":"AROAAAAAAAAAAAAAAAAAA"}}]}`},
		{"only_principals", `{"Id":"arn:aws:iam::111122223333:role/app","Statement":[{"Principal":"*","Resource":"arn:aws:iam::111122223333:role/app"},{"Principal":{"Federated":"arn:aws:iam::111122223333:role/app"}}]}`, ""},
		{"everyone", `{"Statement":[{"Principal":{"AWS":"*"}}]}`, ""},
		{"unknown_stays", `{"Statement":[{"Principal":{"AWS":"arn:aws:iam::111122223333:role/\u0078"}}]}`, ""},
		{"wrong_types_are_for_Parse", `{"Statement":[1,{"Principal":{"AWS":[1,{"a":[]}]}}]}`, ""},
		{"no_object", `[]`, ""},
	} {
		if c.want == "" {
			c.want = c.doc
		}
		got, err := Rewrite([]byte(c.doc), to)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, c.want)
		}
	}
	for _, doc := range []string{
		``, `{`, `{"Statement":[`, `{"Statement":{"Principal":{"AWS":["a`, `{"a":1,"a":2}`, `{} {}`, `{"Statement":{"Principal":{"AWS":"x"`,
		`{"Statement":{"Principal":{"AWS":"gone"}}}`, strings.Repeat(" ", maxDocument) + `{}`,
	} {
		if got, err := Rewrite([]byte(doc), to); err == nil {
			t.Errorf("%.40s: got %s, want an error", doc, got)
		}
	}
	if _, err := Rewrite([]byte(`{"Statement":{"Principal":{"AWS":"x"}}}`), func(string) (string, error) { return "\xff", nil }); err == nil {
		t.Error("a principal that is no text was written")
	}
}

// There and back again is the document that was; every other value stays.
func FuzzRewrite(f *testing.F) {
	f.Add([]byte(`{"Statement":[{"Principal":{"AWS":["a\"\\","111122223333"]},"Action":"x"},{"NotPrincipal":{"AWS":"b"}}]}`))
	f.Add([]byte(v12 + `{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		there, err := Rewrite(doc, func(p string) (string, error) { return "~\\\"" + p, nil })
		if err != nil {
			return
		}
		back, err := Rewrite(there, func(p string) (string, error) {
			rest, found := strings.CutPrefix(p, "~\\\"")
			if !found {
				return "", fmt.Errorf("%q was left as it was", p)
			}
			return rest, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if a, b := valueOf(t, doc), valueOf(t, back); !reflect.DeepEqual(a, b) {
			t.Fatalf("%s became %s", doc, back)
		}
		same, err := Rewrite(doc, func(p string) (string, error) { return p, nil })
		if err != nil || !bytes.Equal(same, doc) {
			t.Fatalf("%v: %s became %s", err, doc, same)
		}
	})
}

// valueOf reads JSON with its numbers as they are written: 1E700 is one, too.
func valueOf(t *testing.T, doc []byte) (v any) {
	t.Helper()
	in := json.NewDecoder(bytes.NewReader(doc))
	in.UseNumber()
	if err := in.Decode(&v); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return v
}
