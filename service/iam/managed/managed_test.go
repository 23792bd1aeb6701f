package managed

import (
	"strings"
	"testing"

	"sumun.dev/policy"
)

func TestEveryPolicyIsWhole(t *testing.T) {
	ps := New()
	if n := len(ps.All()); n != 1485 {
		t.Fatalf("%d policies, want 1485", n)
	}
	if len(packed) > 600<<10 {
		t.Errorf("%d bytes in the program, at most 600 KiB are allowed", len(packed))
	}
	ids, attachable := map[string]bool{}, 0
	for i := range ps.All() {
		p := &ps.All()[i]
		if p.Attachable() {
			attachable++
		}
		text, err := ps.Document(p)
		if err != nil {
			t.Fatal(err)
		}
		d, err := policy.Parse([]byte(text), policy.Identity)
		if err != nil {
			t.Errorf("%s: %v", p.ARN, err)
			continue
		}
		if len(d.Statements) == 0 || d.Version != "2012-10-17" && d.Version != "2008-10-17" {
			t.Errorf("%s: %+v", p.ARN, d)
		}
		if ps.Find(p.ARN) != p || ids[p.ID] || len(p.ID) != 21 || p.Created.IsZero() || p.Updated.Before(p.Created) || !strings.HasPrefix(p.Version, "v") {
			t.Errorf("index has %+v", p)
		}
		ids[p.ID] = true
	}
	if attachable != 1485-339-5 {
		t.Errorf("%d policies can be attached", attachable)
	}
}

func TestKnownPolicies(t *testing.T) {
	ps := New()
	for arn, path := range map[string]string{
		"arn:aws:iam::aws:policy/AdministratorAccess":                               "/",
		"arn:aws:iam::aws:policy/job-function/Billing":                              "/job-function/",
		"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole":          "/service-role/",
		"arn:aws:iam::aws:policy/aws-service-role/AmazonGuardDutyServiceRolePolicy": "/aws-service-role/",
		"arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy":                    "/root-task/",
	} {
		if p := ps.Find(arn); p == nil || p.Path != path {
			t.Errorf("%s is %+v", arn, p)
		}
	}
	if p := ps.Find("arn:aws:iam::aws:policy/Billing"); p != nil {
		t.Errorf("without its path a policy is found: %+v", p)
	}
	text, err := ps.Document(ps.Find("arn:aws:iam::aws:policy/AdministratorAccess"))
	if want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`; err != nil || text != want {
		t.Errorf("AdministratorAccess is %q, %v", text, err)
	}
}

func BenchmarkDocument(b *testing.B) {
	ps := New()
	all := ps.All()
	n := 0
	for b.Loop() {
		if _, err := ps.Document(&all[n%len(all)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
}
