package lint

import (
	"os"
	"strings"
	"testing"

	"sumun.dev/policy"
)

var kinds = map[string]policy.Kind{
	"identity": policy.Identity, "resource": policy.Resource, "key": policy.Key, "trust": policy.Trust, "scp": policy.SCP, "rcp": policy.RCP, "endpoint": policy.Endpoint,
}

type line struct {
	code, path, doc string
	kind            policy.Kind
}

func read(t testing.TB) []line {
	t.Helper()
	text, err := os.ReadFile("testdata/findings.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []line
	for row := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		if strings.HasPrefix(row, "#") {
			continue
		}
		kind, known := kinds[f[1]]
		if len(f) != 4 || !known {
			t.Fatalf("cannot read %q", row)
		}
		all = append(all, line{code: f[0], path: f[2], doc: f[3], kind: kind})
	}
	return all
}

// Every finding is shown by an example, and every example is found where it stands.
func TestFindings(t *testing.T) {
	shown := map[string]bool{}
	for _, c := range read(t) {
		shown[c.code] = true
		found := false
		var all []string
		for _, f := range Check([]byte(c.doc), c.kind) {
			found = found || f.Code == c.code && f.Path == c.path
			all = append(all, f.Code+" at "+f.Path+": "+f.Details)
			if f.Line != 1 || f.Column < 1 || f.Column > len(c.doc)+1 || strings.Contains(f.Details, "%!") {
				t.Errorf("%+v in %s", f, c.doc)
			}
		}
		if c.code == "none" && len(all) > 0 || c.code != "none" && !found {
			t.Errorf("want %s at %q in %.300s, got:\n  %s", c.code, c.path, c.doc, strings.Join(all, "\n  "))
		}
	}
	for _, c := range checks {
		if !shown[c.code] {
			t.Errorf("no example shows %s", c.code)
		}
	}
	if len(checks) < 100 {
		t.Errorf("%d checks", len(checks))
	}
}

func TestPlaces(t *testing.T) {
	const doc = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\n    \"Effect\": \"Allow\",\n    \"Action\": [\n      \"s3:GetObject\", \"s3:Nothing\"\n    ],\n    \"Resource\": \"*\"\n  }\n}\n"
	all := Check([]byte(doc), policy.Identity)
	if len(all) != 1 || all[0].Line != 6 || all[0].Column != 23 || all[0].Path != "Statement.Action[1]" {
		t.Errorf("%+v", all)
	}
	all = Check([]byte("{\n \"Version\": \"2012-10-17\"\n \"Statement\": []}"), policy.Identity)
	if len(all) != 1 || all[0].Code != "JSON_SYNTAX_ERROR" || all[0].Line != 3 {
		t.Errorf("%+v", all)
	}
}

// What the service refuses has an error, and what has no error is taken.
func FuzzCheck(f *testing.F) {
	for _, c := range read(f) {
		f.Add([]byte(c.doc), uint8(c.kind))
	}
	f.Fuzz(func(t *testing.T, doc []byte, k uint8) {
		kind := policy.Kind(k % 7)
		wrong := false
		for _, found := range Check(doc, kind) {
			wrong = wrong || found.Type == Error
			if found.Line < 1 || found.Column < 1 || found.at > len(doc) {
				t.Errorf("%+v", found)
			}
		}
		if _, err := policy.Parse(doc, kind); err != nil && !wrong && kind != policy.RCP {
			t.Errorf("%q is refused, but has no error", doc)
		}
	})
}

func TestMeet(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"*", "", true}, {"a*", "*b", true}, {"a*", "b*", false}, {"table/*", "table/t*", true}, {"table/*/index/*", "table/*", true},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"?*", "", false}, {"?*", "*", true}, {"user/*", "usr/a", false}, {"*", strings.Repeat("x", 5000), true},
	} {
		if meet(c.a, c.b) != c.want || meet(c.b, c.a) != c.want {
			t.Errorf("%q and %q: want %v", c.a, c.b, c.want)
		}
	}
}
