package policy

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"sumun.dev/aws"
)

func TestSentences(t *testing.T) {
	alice, _ := PrincipalOf(callers["alice"], "")
	app, _ := PrincipalOf(callers["app"], "")
	ssm, _ := PrincipalOf("ssm.amazonaws.com", "")
	ours := &Attached{Source: "arn:aws:iam::111122223333:policy/p", Document: &Document{}}
	inline := &Attached{Source: "inline:alice/p", Document: &Document{}}
	trust := &Attached{Source: "trust", Document: &Document{Kind: Trust}}
	scp := &Attached{Source: "arn:aws:organizations::444455556666:policy/o-1/service_control_policy/p-1", Document: &Document{Kind: SCP}}
	rcp := &Attached{Source: "arn:aws:organizations::444455556666:policy/o-1/resource_control_policy/p-1", Document: &Document{Kind: RCP}}
	const head = "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: iam:Get on resource: *"
	for _, c := range []struct {
		d    Decision
		req  Request
		want string
	}{
		{Decision{By: ByIdentity}, Request{Principal: alice}, head + " because no identity-based policy allows the iam:Get action"},
		{Decision{}, Request{Principal: alice}, head + " because no identity-based policy allows the iam:Get action"},
		{Decision{By: ByResource}, Request{Principal: alice}, head + " because no resource-based policy allows the iam:Get action"},
		{Decision{By: ByBoundary}, Request{Principal: alice}, head + " because no permissions boundary allows the iam:Get action"},
		{Decision{By: BySession}, Request{Principal: alice}, head + " because no session policy allows the iam:Get action"},
		{Decision{By: BySCP}, Request{Principal: alice}, head + " because no service control policy allows the iam:Get action"},
		{Decision{By: ByRCP}, Request{Principal: alice}, head + " because no resource control policy allows the iam:Get action"},
		{Decision{By: ByEndpoint}, Request{Principal: alice}, head + " because no VPC endpoint policy allows the iam:Get action"},
		{Decision{ExplicitDeny, ByIdentity, inline, nil}, Request{Principal: alice}, head + " with an explicit deny in an identity-based policy"},
		{Decision{ExplicitDeny, ByIdentity, ours, nil}, Request{Principal: alice}, head + " with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/p"},
		{Decision{ExplicitDeny, ByBoundary, ours, nil}, Request{Principal: alice, ResourceAccount: "111122223333"}, head + " with an explicit deny in a permissions boundary: arn:aws:iam::111122223333:policy/p"},
		{Decision{ExplicitDeny, BySession, ours, nil}, Request{Principal: alice, ResourceAccount: "444455556666"}, head + " with an explicit deny in a session policy"},
		{Decision{ExplicitDeny, BySCP, inline, nil}, Request{Principal: alice}, head + " with an explicit deny in a service control policy"},
		{Decision{ExplicitDeny, ByRCP, inline, nil}, Request{Principal: alice}, head + " with an explicit deny in a resource control policy"},
		{Decision{ExplicitDeny, ByEndpoint, inline, nil}, Request{Principal: alice}, head + " with an explicit deny in a VPC endpoint policy"},
		{Decision{ExplicitDeny, ByResource, ours, nil}, Request{Principal: alice}, head + " with an explicit deny in a resource-based policy"},
		{Decision{ExplicitDeny, ByResource, trust, nil}, Request{Principal: alice}, head + " with an explicit deny in the role trust policy"},
		{Decision{By: ByIdentity}, Request{Principal: app}, "User: arn:aws:sts::111122223333:assumed-role/app/one is not authorized to perform: iam:Get on resource: * because no identity-based policy allows the iam:Get action"},
		{Decision{By: ByResource}, Request{Principal: ssm}, "User: ssm.amazonaws.com is not authorized to perform: iam:Get on resource: * because no resource-based policy allows the iam:Get action"},
		{Decision{By: ByResource}, Request{}, "User: anonymous is not authorized to perform: iam:Get on resource: * because no resource-based policy allows the iam:Get action"},
		{Decision{By: ByResource}, Request{Principal: alice, Action: "sts:AssumeRole", Resource: "arn:aws:iam::111122223333:role/r"}, "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/r because no role trust policy allows the sts:AssumeRole action"},
		{Decision{ExplicitDeny, BySCP, scp, nil}, Request{Principal: alice, ResourceAccount: "444455556666", Context: MapOf(map[string][]string{"aws:PrincipalOrgID": {"o-1"}, "aws:ResourceOrgID": {"o-1"}})}, head + " with an explicit deny in a service control policy: " + scp.Source},
		{Decision{ExplicitDeny, BySCP, scp, nil}, Request{Principal: alice, ResourceAccount: "444455556666", Context: MapOf(map[string][]string{"aws:PrincipalOrgID": {"o-1"}, "aws:ResourceOrgID": {"o-2"}})}, head + " with an explicit deny in a service control policy"},
		{Decision{ExplicitDeny, ByRCP, rcp, nil}, Request{Principal: alice}, head + " with an explicit deny in a resource control policy: " + rcp.Source},
		{Decision{ExplicitDeny, BySession, ours, nil}, Request{Principal: alice}, head + " with an explicit deny in a session policy: arn:aws:iam::111122223333:policy/p"},
		{Decision{ExplicitDeny, ByGrant, ours, nil}, Request{Principal: alice}, head + " with an explicit deny in a resource-based policy"},
		{Decision{By: ByResource}, Request{Principal: alice, Action: "sts:TagSession", Resource: "arn:aws:iam::111122223333:role/r"}, "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: sts:TagSession on resource: arn:aws:iam::111122223333:role/r because no role trust policy allows the sts:TagSession action"},
		{Decision{By: ByIdentity}, Request{Principal: alice, Action: "kms:ListKeys", Resource: "*"}, "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: kms:ListKeys because no identity-based policy allows the kms:ListKeys action"},
		{Decision{By: ByIdentity}, Request{Principal: alice, Action: "kms:Decrypt", Resource: "arn:aws:kms:eu-central-1:444455556666:key/k", ResourceAccount: "444455556666"}, "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-central-1:444455556666:key/k because no identity-based policy allows the kms:Decrypt action"},
		{Decision{By: ByResource}, Request{Principal: alice, Action: "kms:Decrypt", Resource: "arn:aws:kms:eu-central-1:444455556666:key/k", ResourceAccount: "444455556666"}, "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: kms:Decrypt on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"},
		{Decision{ExplicitDeny, ByResource, ours, nil}, Request{Principal: alice, Action: "kms:Decrypt", Resource: "arn:aws:kms:eu-central-1:444455556666:key/k", ResourceAccount: "444455556666"}, "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: kms:Decrypt on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"},
		// What a secret's ARN ends in says whether it is there: it is called as the caller did.
		{Decision{By: ByIdentity}, Request{Principal: alice, Action: "secretsmanager:GetSecretValue", Resource: "arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-a1b2c3", Context: MapOf(map[string][]string{"secretsmanager:SecretId": {"db"}})}, "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: secretsmanager:GetSecretValue on resource: db because no identity-based policy allows the secretsmanager:GetSecretValue action"},
		{Decision{By: ByIdentity}, Request{Principal: alice, Action: "secretsmanager:CreateSecret", Resource: "arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-??????", Context: MapOf(map[string][]string{"secretsmanager:Name": {"db"}})}, "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: secretsmanager:CreateSecret on resource: db because no identity-based policy allows the secretsmanager:CreateSecret action"},
		{Decision{By: ByIdentity}, Request{Principal: alice, Action: "secretsmanager:ListSecrets", Resource: "*", Context: Map{}}, "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: secretsmanager:ListSecrets because no identity-based policy allows the secretsmanager:ListSecrets action"},
	} {
		if c.req.Action == "" {
			c.req.Action, c.req.Resource = "iam:Get", "*"
		}
		if got := c.d.Sentence(&c.req); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	if got := (Decision{}).Sentence(&Request{Principal: alice, Action: "iam:Get"}); got != "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: iam:Get because no identity-based policy allows the iam:Get action" {
		t.Error(got)
	}
}

func TestNobodyIsDenied(t *testing.T) {
	if d := Authorize(&Request{}, &Policies{}); d.Allowed() || d.Source() != "" || d.Label() != "" {
		t.Errorf("got %v", d)
	}
}

func TestPrincipalOf(t *testing.T) {
	for _, c := range []struct{ arn, issuer string }{
		{"alice", ""}, {"arn:aws:iam", ""}, {"arn:aws:s3:::b", ""}, {"arn:aws:iam::111122223333:group/x", ""},
		{"arn:aws:sts::111122223333:assumed-role/app/one", "app"},
		{"arn:aws:sts::111122223333:assumed-role/app/one", "arn:aws:iam::111122223333:role/other"},
		{"arn:aws:sts::111122223333:assumed-role/app/one", "arn:aws:iam::111122223333:user/app"},
		{"arn:aws:sts::111122223333:assumed-role/app/one", "arn:aws:iam::444455556666:role/app"},
		{"arn:aws:sts::111122223333:assumed-role/app/one", "arn:aws:sts::111122223333:role/app"},
		{"arn:aws:sts::111122223333:federated-user/f", "arn:aws:iam::111122223333:role/app"},
		{"arn:aws:sts::111122223333:federated-user/f", "arn:aws:iam::111122223333:user/"},
	} {
		if p, err := PrincipalOf(c.arn, c.issuer); err == nil {
			t.Errorf("%s: got %+v, want an error", c.arn, p)
		}
	}
	for _, c := range []struct{ arn, issuer string }{
		{"arn:aws:sts::111122223333:assumed-role/app/one", "arn:aws:iam::111122223333:role/path/app"},
		{"arn:aws:sts::111122223333:federated-user/f", "arn:aws:iam::111122223333:user/ops/alice"},
		{"arn:aws:sts::111122223333:federated-user/f", "arn:aws:iam::111122223333:root"},
	} {
		if p, err := PrincipalOf(c.arn, c.issuer); err != nil || p.Session.Issuer.String() != c.issuer {
			t.Errorf("%s: got %+v, %v", c.arn, p, err)
		}
	}
	role, err := PrincipalOf("arn:aws:iam::111122223333:role/path/app", "")
	if err != nil || role.Kind != aws.AssumedRole || role.Session.IssuerName != "app" {
		t.Errorf("got %+v, %v", role, err)
	}
}

// Typed values and their text must meet the same conditions.
func TestTypedValues(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	arn := aws.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "role/app"}
	for _, c := range []struct {
		value Value
		op    string
		want  string
		met   bool
	}{
		{Date(now), "DateEquals", "2026-11-23T12:00:00Z", true},
		{Date(now), "DateGreaterThan", "2026-11-23T12:00:00Z", false},
		{Date(now), "DateLessThan", "2027", true},
		{Date(now), "DateGreaterThan", "2025", true},
		{Date(now), "DateGreaterThan", "2027", false},
		{Date(now), "NumericEquals", "1795435200", true},
		{Date(now), "StringEquals", "2026-11-23T12:00:00Z", true},
		{Number(1795435200), "DateEquals", "2026-11-23T12:00:00Z", true},
		{Number(7), "NumericLessThan", "7.5", true},
		{Number(7), "StringEquals", "7", true},
		{IP(netip.MustParseAddr("10.1.2.3")), "IpAddress", "10.0.0.0/8", true},
		{IP(netip.MustParseAddr("fe80::1%eth0")), "IpAddress", "fe80::/10", true},
		{IP(netip.MustParseAddr("10.1.2.3")), "StringEquals", "10.1.2.3", true},
		{Text("here"), "NotIpAddress", "10.0.0.0/8", true},
		{IP(netip.Addr{}), "Null", "true", true},
		{ARN(&arn), "ArnLike", "arn:aws:iam::*:role/*", true},
		{ARN(&arn), "StringLike", "arn:aws:iam::*:role/*", true},
		{ARN(nil), "Null", "true", true},
		{Text("arn:aws:iam::1"), "ArnLike", "arn:aws:iam::1:x", false},
		{Text("anything"), "ArnLike", "*", true},
		{Text(""), "NumericEquals", "0", false},
		{Text("€"), "StringLike", "*??", false},
		{Text("a€b"), "StringLike", "a?b", true},
		{Texts([]string{"a", "b"}), "StringEquals", "b", true},
		{Texts([]string{"a", "b"}), "StringNotEquals", "b", false},
		{Ambiguous(), "StringNotEquals", "b", false},
	} {
		a := must(t, Identity, "x", v12+`{`+able+`,"Condition":{"`+c.op+`":{"k:x":"`+c.want+`"}}}}`)
		req := &Request{Principal: &aws.Principal{Kind: aws.User}, Action: "s3:Get", Resource: "*", Context: Map{"k:x": c.value}}
		p := &Policies{Identity: []*Attached{a}}
		d, why := Explain(req, p)
		if d.Allowed() != c.met || Authorize(req, p) != d {
			t.Errorf("%s %s: got %s %+v", c.op, c.want, d.Outcome, why)
		}
	}
}

func TestAmbiguousValuesFailClosed(t *testing.T) {
	deny := must(t, Identity, "deny", v12+`[{`+able+`},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/env":"prod"}}}]}`)
	tags := map[string]string{"env": "dev", "Env": "prod"}
	req := &Request{Principal: &aws.Principal{Kind: aws.User}, Action: "s3:Get", Resource: "*",
		Context: Map{"aws:requesttag/env": Tag(tags, "env")}}
	if d := Authorize(req, &Policies{Identity: []*Attached{deny}}); d.Outcome != ExplicitDeny {
		t.Errorf("got %s", d.Outcome)
	}
	if v := MapOf(map[string][]string{"K": {"1"}, "k": {"2"}})["k"]; v.kind != ambiguous {
		t.Errorf("got %v", v)
	}
	if v := Tag(map[string]string{"team": "x"}, "env"); v.Present() {
		t.Errorf("got %v", v)
	}
	if v := Tag(map[string]string{"env": "x", "ENV": "x"}, "Env"); v.at(0) != "x" {
		t.Errorf("got %v", v)
	}
}

func TestSessionKeys(t *testing.T) {
	p := &aws.Principal{Kind: aws.AssumedRole, Session: &aws.Session{
		Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), SourceID: "alice", MFA: true}}
	rooted := &aws.Principal{Kind: aws.Root, Session: &aws.Session{TaskPolicy: "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}}
	for key, want := range map[string]string{
		"aws:tokenissuetime": "2026-01-01T00:00:00Z", "aws:sourceidentity": "alice",
		"aws:multifactorauthpresent": "true", "aws:assumedroot": "", "aws:nothing": "",
	} {
		e := evaluation{req: &Request{}, principal: p}
		v := e.lookup(key)
		if got := v.strings(); len(got) > 1 || v.Present() != (want != "") || v.Present() && got[0] != want {
			t.Errorf("%s: got %v, want %q", key, got, want)
		}
	}
	e := evaluation{req: &Request{}, principal: rooted}
	if v := e.lookup("aws:assumedroot"); v.at(0) != "true" {
		t.Errorf("aws:AssumedRoot of an AssumeRoot session is %v", v)
	}
	if v := e.lookup("aws:tokenissuetime"); v.Present() {
		t.Errorf("a session without a beginning has %v", v)
	}
}

func TestValuesOfARequest(t *testing.T) {
	alice, _ := PrincipalOf(callers["alice"], "")
	r := Request{Principal: alice, Context: MapOf(map[string][]string{"aws:TagKeys": {"a", "b"}})}
	for key, want := range map[string][]string{"aws:tagkeys": {"a", "b"}, "aws:UserName": {"alice"}, "aws:PrincipalOrgID": nil} {
		if got := r.Values(key); !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if got := (&Request{}).Values("aws:PrincipalAccount"); !slices.Equal(got, []string{"anonymous"}) {
		t.Errorf("nobody's account is %q", got)
	}
}

func TestADocumentKeepsItsText(t *testing.T) {
	const text = `{"Version":"2012-10-17","Statement":[ {"Effect":"Allow","Action":"*","Resource":"*"}]}`
	d, err := Parse([]byte(text), Identity)
	if err != nil || d.Text != text || d.Text[d.Statements[0].Start:d.Statements[0].End] != `{"Effect":"Allow","Action":"*","Resource":"*"}` {
		t.Errorf("%+v, %v", d, err)
	}
}
