package parameters

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
)

func FuzzReference(f *testing.F) {
	for _, seed := range []string{"a", "/a/b:3", "a:label", "arn:aws:ssm:us-east-1:111122223333:parameter/a/b:2", "arn:aws:ssm:us-east-1::parameter/aws/service/x",
		"/aws/reference/secretsmanager/arn:aws:secretsmanager:us-east-1:1:secret:x-AbCdEf:AWSCURRENT", ":", "arn:aws:ssm:::parameter/", "//"} {
		f.Add(seed)
	}
	w := newWorld(f, false)
	f.Fuzz(func(t *testing.T, name string) {
		r := referenceOf(w.ctx, name)
		if len(r.names) == 0 || r.arn.Service != "ssm" || !strings.HasPrefix(r.arn.Resource, "parameter/") {
			t.Fatalf("%q is read as %+v", name, r)
		}
		if checkName(w.ctx, name) != nil {
			return
		}
		// What can be made is found by its name and by its ARN.
		if r.names[0] != name || r.selector != "" {
			t.Fatalf("%q is read as %+v", name, r)
		}
		found := false
		for _, n := range referenceOf(w.ctx, r.arn.String()).names {
			found = found || n == name
		}
		if !found || !under(name, "", true) {
			t.Fatalf("%q is not found by %s", name, r.arn)
		}
	})
}

func FuzzPolicies(f *testing.F) {
	f.Add(`[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2030-01-01T00:00:00.000Z"}},{"Type":"ExpirationNotification","Version":"1.0","Attributes":{"Before":"5","Unit":"Days"}}]`)
	f.Add(`[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"5","Unit":"Hours"}}]`)
	f.Add(`[{}]`)
	f.Add(`[[[`)
	f.Fuzz(func(t *testing.T, text string) {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		all, err := parsePolicies(text, now)
		if err != nil {
			if _, ours := err.(*aws.Error); !ours {
				t.Fatalf("%q: %v is no answer for a client", text, err)
			}
			return
		}
		if len(all) > maxPolicies {
			t.Fatal("too many")
		}
		for _, p := range all {
			if p.At.IsZero() || p.Status != statusPending {
				t.Fatalf("%q gives %+v", text, p)
			}
			if again, err := parsePolicy([]byte(p.Text)); err != nil || again.Type != p.Type {
				t.Fatalf("%q is not read again: %v", p.Text, err)
			}
		}
	})
}

func FuzzAllowedPattern(f *testing.F) {
	f.Add(`^\d+$`, "12")
	f.Add(`a|b)(c`, "b")
	f.Add(`(a*)*`, "aaaaaaaaaaaaaaaaaaaaaaaab")
	f.Fuzz(func(t *testing.T, pattern, value string) {
		if len(pattern) > 1024 || len(value) > maxAdvanced || !utf8.ValidString(pattern) {
			return
		}
		matches, err := allowed(pattern)
		if err != nil {
			return
		}
		if matches(value) && !regexp.MustCompile(pattern).MatchString(value) {
			t.Fatalf("%q takes %q, but does not match it", pattern, value)
		}
	})
}

func FuzzFilters(f *testing.F) {
	f.Add("Name", "Contains", "x")
	f.Add("Path", "Recursive", "/a/")
	f.Add("tag:x", "", "")
	f.Add("Label", "Equals", "y")
	w := newWorld(f, false)
	w.must(w.put("/a/x", "v"))
	f.Fuzz(func(t *testing.T, key, option, value string) {
		if len(value) == 0 || len(value) > 1024 {
			return // the gate refuses it
		}
		filter := []ssmapi.ParameterStringFilter{{Key: key, Values: []string{value}}}
		if option != "" {
			filter[0].Option = &option
		}
		_, err := do(w, w.service.describeParameters, &ssmapi.DescribeParametersRequest{ParameterFilters: filter})
		_, err2 := do(w, w.service.getParametersByPath, &ssmapi.GetParametersByPathRequest{Path: "/a", ParameterFilters: filter})
		for _, err := range []error{err, err2} {
			if _, ours := err.(*aws.Error); err != nil && !ours {
				t.Fatalf("%q %q %q: %v", key, option, value, err)
			}
		}
	})
}

func FuzzEnvelope(f *testing.F) {
	f.Add([]byte{1, 0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, message, err := opened(b)
		if err != nil {
			return
		}
		if _, err := unwrap(make([]byte, 32), message, "arn"); err == nil {
			t.Fatal("what nobody sealed is opened")
		}
	})
}
