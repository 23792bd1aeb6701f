package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sumun.dev/aws"
)

func TestDiagnostic(t *testing.T) {
	p := &Policies{
		SCPs: [][]*Attached{{must(t, SCP, "full", administrator)}}, Management: true,
		Identity: []*Attached{must(t, Identity, "inline:alice/own", "{\"Version\":\"2012-10-17\",\n \"Statement\":[\n  {\"Sid\":\"Own\",\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\n   \"Resource\":\"arn:aws:s3:::b/*\",\"Condition\":{\"StringLike\":{\"aws:RequestTag/team\":\"${aws:PrincipalTag/team}\"},\"ArnLike\":{\"aws:PrincipalArn\":[\"${k:x}\",\"arn:aws:iam::111122223333:user/${aws:username}\"]}}}, {\"Effect\":\"Deny\",\"Action\":\"s3:Put*\",\"Resource\":\"arn:aws:s3:::c/*\"}]}")},
		Boundary: must(t, Identity, "boundary", administrator),
	}
	alice, _ := PrincipalOf(callers["alice"], "")
	alice.Tags = map[string]string{"team": "dns"}
	req := &Request{Principal: alice, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: MapOf(map[string][]string{"aws:RequestTag/team": {"web"}})}
	d, why := Explain(req, p)
	got, _ := json.MarshalIndent(why, "", " ")
	const want = `{
 "types": [
  {"type": "scp", "applies": false, "reason": "management account", "allows": false, "denies": false},
  {"type": "rcp", "applies": false, "reason": "no organization", "allows": false, "denies": false},
  {"type": "endpoint", "applies": false, "reason": "no VPC endpoint", "allows": false, "denies": false},
  {"type": "resource", "applies": false, "reason": "none", "allows": false, "denies": false},
  {"type": "grant", "applies": false, "reason": "none", "allows": false, "denies": false},
  {"type": "identity", "applies": true, "allows": false, "denies": false},
  {"type": "boundary", "applies": true, "allows": true, "denies": false, "names": "direct"},
  {"type": "session", "applies": false, "reason": "not passed", "allows": false, "denies": false}],
 "policies": [
  {"type": "scp", "source": "full", "applies": false, "reason": "management account", "statements": []},
  {"type": "identity", "source": "inline:alice/own", "applies": true, "statements": [
   {"label": "Own", "index": 0, "start": 42, "end": 294, "from": {"line": 3, "column": 3}, "to": {"line": 4, "column": 203}, "text": "TEXT", "effect": "Allow",
    "applies": false, "failed": ["condition"], "action": true, "resource": "yes", "principal": "direct", "conditions": [
    {"operator": "StringLike", "key": "aws:RequestTag/team", "want": ["${aws:PrincipalTag/team}"], "got": ["web"], "missing": false, "variables": {"aws:principaltag/team": ["dns"]}, "met": "no"},
    {"operator": "ArnLike", "key": "aws:PrincipalArn", "want": ["${k:x}", "arn:aws:iam::111122223333:user/${aws:username}"], "got": ["arn:aws:iam::111122223333:user/alice"], "missing": false, "variables": {"aws:username": ["alice"], "k:x": []}, "met": "yes"}]},
   {"label": "#1", "index": 1, "start": 296, "end": 362, "from": {"line": 4, "column": 205}, "to": {"line": 4, "column": 271}, "text": "TEXT", "effect": "Deny",
    "applies": false, "failed": ["action", "resource"], "action": false, "resource": "no", "principal": "direct"}]},
  {"type": "boundary", "source": "boundary", "applies": true, "statements": [
   {"label": "#0", "index": 0, "start": 37, "end": 83, "from": {"line": 1, "column": 38}, "to": {"line": 1, "column": 84}, "text": "TEXT", "effect": "Allow", "applies": true, "action": true, "resource": "yes", "principal": "direct"}]}]
}`
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatal(err)
	}
	hideText(t, p, a)
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	x, _ := json.MarshalIndent(a, "", " ")
	y, _ := json.MarshalIndent(b, "", " ")
	if d.By != ByIdentity || string(x) != string(y) {
		t.Errorf("got %s\nwant %s", x, y)
	}
	if why.Of(ByIdentity).Passes() || !why.Of(ByBoundary).Passes() || !why.Of(BySCP).Passes() {
		t.Error("which types leave room?")
	}
	if got := (&Diagnostic{}).Of(ByRCP); got != (TypeResult{Type: "rcp"}) {
		t.Errorf("got %+v of nothing", got)
	}
}

// hideText holds every statement's text to be that of the document, and takes it out.
func hideText(t *testing.T, p *Policies, x any) {
	t.Helper()
	documents := map[string]string{"inline:alice/own": p.Identity[0].Text, "boundary": p.Boundary.Text}
	for _, one := range x.(doc)["policies"].([]any) {
		for _, s := range one.(doc)["statements"].([]any) {
			s := s.(doc)
			if want := documents[one.(doc)["source"].(string)][int(s["start"].(float64)):int(s["end"].(float64))]; s["text"] != want {
				t.Errorf("the text of %v is %s, want %s", s["label"], s["text"], want)
			}
			s["text"] = "TEXT"
		}
	}
}

// Every reason for which a type of policy does not apply.
func TestExemptions(t *testing.T) {
	open := must(t, Identity, "open", administrator)
	everyone := must(t, Resource, "open", v12+`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`)
	all := Policies{
		SCPs: [][]*Attached{{open}}, RCPs: [][]*Attached{{everyone}}, Endpoint: everyone, Resource: everyone, Grants: []*Attached{everyone},
		Identity: []*Attached{open}, Boundary: open, Session: []*Attached{open},
	}
	for _, c := range []struct {
		who, action string
		change      func(*Policies, *Request)
		of          Type
		want        string
	}{
		{"alice", "s3:GetObject", nil, BySCP, ""},
		{"alice", "s3:GetObject", func(p *Policies, _ *Request) { p.Management = true }, BySCP, "management account"},
		{"alice", "s3:GetObject", func(p *Policies, _ *Request) { p.SCPs = nil }, BySCP, "no organization"},
		{"ssm", "s3:GetObject", nil, BySCP, "no principal of an account"},
		{"anonymous", "s3:GetObject", nil, BySCP, "no principal of an account"},
		{"slr", "s3:GetObject", nil, BySCP, "service-linked role"},
		{"alice", "s3:GetObject", nil, ByRCP, ""},
		{"ssm", "s3:GetObject", nil, ByRCP, ""},
		{"saml", "sts:AssumeRoleWithSAML", nil, ByRCP, ""},
		{"alice", "s3:GetObject", func(p *Policies, _ *Request) { p.ResourceManagement = true }, ByRCP, "management account"},
		{"alice", "s3:GetObject", func(p *Policies, _ *Request) { p.RCPs = nil }, ByRCP, "no organization"},
		{"slr", "s3:GetObject", nil, ByRCP, "service-linked role"},
		{"alice", "kms:Decrypt", func(_ *Policies, r *Request) { r.AWSManagedKey = true }, ByRCP, "AWS managed key"},
		{"alice", "kms:RetireGrant", nil, ByRCP, "action without resource control policies"},
		{"alice", "ec2:StopInstances", nil, ByRCP, "action without resource control policies"},
		{"alice", "s3:GetObject", func(p *Policies, _ *Request) { p.Endpoint = nil }, ByEndpoint, "no VPC endpoint"},
		{"alice", "s3:GetObject", func(p *Policies, _ *Request) { p.Resource = nil }, ByResource, "none"},
		{"alice", "s3:GetObject", func(p *Policies, _ *Request) { p.Grants = nil }, ByGrant, "none"},
		{"ssm", "s3:GetObject", nil, ByIdentity, "no principal of an account"},
		{"alice", "s3:GetObject", func(p *Policies, _ *Request) { p.Boundary = nil }, ByBoundary, "not set"},
		{"root", "s3:GetObject", nil, ByBoundary, "root user"},
		{"slr", "s3:GetObject", nil, ByBoundary, "service-linked role"},
		{"ssm", "s3:GetObject", nil, ByBoundary, "no principal of an account"},
		{"fed", "s3:GetObject", nil, ByBoundary, ""},
		{"app", "s3:GetObject", func(p *Policies, _ *Request) { p.Session = nil }, BySession, "not passed"},
		{"fed", "s3:GetObject", func(p *Policies, _ *Request) { p.Session = nil }, BySession, ""},
		{"app", "s3:GetObject", func(p *Policies, r *Request) { p.Session, r.Principal.Session.Policy = nil, "{}" }, BySession, ""},
		{"app", "s3:GetObject", func(p *Policies, r *Request) { p.Session, r.Principal.Session.PolicyARNs = nil, []string{"x"} }, BySession, ""},
		{"root", "s3:GetObject", func(p *Policies, r *Request) {
			p.Session, r.Principal.Session = nil, &aws.Session{TaskPolicy: "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}
		}, BySession, ""},
	} {
		principal, err := PrincipalOf(callers[c.who], issuers[c.who])
		if err != nil {
			t.Fatal(err)
		}
		req, p := &Request{Principal: principal, Action: c.action, Resource: "*"}, all
		if c.change != nil {
			c.change(&p, req)
		}
		_, why := Explain(req, &p)
		if got := why.Of(c.of); got.Reason != c.want || got.Applies != (c.want == "") {
			t.Errorf("%s %s: got %+v, want %q", c.who, c.action, got, c.want)
		}
		for _, r := range why.Policies {
			if r.Type == c.of.String() && (r.Reason != c.want || r.Applies != (c.want == "")) {
				t.Errorf("%s %s: got %+v, want %q", c.who, c.action, r, c.want)
			}
		}
	}
}

// A session that says it was made with policies is denied when they are missing.
func TestSessionsWithoutTheirPoliciesAreDenied(t *testing.T) {
	app, _ := PrincipalOf(callers["app"], "")
	app.Session.PolicyARNs = []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}
	d := Authorize(&Request{Principal: app, Action: "s3:GetObject", Resource: "*"}, &Policies{Identity: []*Attached{must(t, Identity, "admin", administrator)}})
	if d != (Decision{By: BySession}) {
		t.Errorf("got %s", show(d))
	}
}

func TestKeysOfThePrincipal(t *testing.T) {
	region := Map{"aws:requestedregion": Text("eu-central-1")}
	service := func(name string) *aws.Principal { return &aws.Principal{Kind: aws.Service, Name: name} }
	alice, _ := PrincipalOf(callers["alice"], "")
	google, _ := PrincipalOf("accounts.google.com", "")
	saml, _ := PrincipalOf(callers["saml"], "")
	root, _ := PrincipalOf(callers["root"], "")
	federated := &aws.Principal{Kind: aws.AssumedRole, Session: &aws.Session{Provider: "accounts.google.com",
		Facts: map[string][]string{"saml:aud": {"https://signin.aws.amazon.com/saml"}, "identitystore:userid": {"u-1"}, "aws:sourceidentity": {"from facts"}}}}
	for _, c := range []struct {
		who     *aws.Principal
		context Context
		key     string
		want    []string
	}{
		{service("logs.amazonaws.com"), region, "aws:PrincipalServiceNamesList", []string{"logs.amazonaws.com", "logs.eu-central-1.amazonaws.com"}},
		{service("logs.amazonaws.com"), nil, "aws:PrincipalServiceNamesList", []string{"logs.amazonaws.com"}},
		{service("logs.eu-west-1.amazonaws.com"), region, "aws:PrincipalServiceNamesList", []string{"logs.eu-west-1.amazonaws.com", "logs.amazonaws.com"}},
		{service("odd.example.com"), region, "aws:PrincipalServiceNamesList", []string{"odd.example.com"}},
		{alice, region, "aws:PrincipalServiceNamesList", nil},
		{service("logs.amazonaws.com"), nil, "aws:PrincipalServiceName", []string{"logs.amazonaws.com"}},
		{alice, nil, "aws:PrincipalServiceName", nil},
		{service("logs.amazonaws.com"), nil, "aws:PrincipalIsAWSService", []string{"true"}},
		{alice, nil, "aws:PrincipalIsAWSService", []string{"false"}},
		{google, nil, "aws:PrincipalIsAWSService", nil},
		{google, nil, "aws:FederatedProvider", []string{"accounts.google.com"}},
		{saml, nil, "aws:FederatedProvider", nil},
		{federated, nil, "aws:FederatedProvider", []string{"accounts.google.com"}},
		{alice, nil, "aws:FederatedProvider", nil},
		{federated, nil, "SAML:aud", []string{"https://signin.aws.amazon.com/saml"}},
		{federated, nil, "identitystore:UserId", []string{"u-1"}},
		{federated, nil, "aws:SourceIdentity", []string{"from facts"}},
		{federated, MapOf(map[string][]string{"aws:SourceIdentity": {"from context"}}), "aws:SourceIdentity", []string{"from context"}},
		{federated, nil, "saml:sub", nil},
		{root, nil, "aws:AssumedRoot", nil},
		{&aws.Principal{Kind: aws.Root, Session: &aws.Session{}}, nil, "aws:AssumedRoot", nil},
	} {
		if got := (&Request{Principal: c.who, Context: c.context}).Values(c.key); !slices.Equal(got, c.want) {
			t.Errorf("%s of %+v: got %q, want %q", c.key, c.who, got, c.want)
		}
	}
}

// Hashes only tell what does not match: names of one hash are still compared.
func TestActionsOfOneHash(t *testing.T) {
	alice, _ := PrincipalOf(callers["alice"], "")
	for _, pair := range [][2]string{{"costarring", "liquid"}, {"declinate", "macallums"}} {
		if foldHash(pair[0]) != foldHash(pair[1]) {
			t.Fatalf("%q are not of one hash", pair)
		}
		allow := must(t, Identity, "x", v12+`{"Effect":"Allow","Action":"s3:`+pair[0]+`","Resource":"*"}}`)
		for action, want := range map[string]bool{"s3:" + strings.ToUpper(pair[0]): true, "s3:" + pair[1]: false} {
			if d := Authorize(&Request{Principal: alice, Action: action, Resource: "*"}, &Policies{Identity: []*Attached{allow}}); d.Allowed() != want {
				t.Errorf("%s allowed: %t", action, d.Allowed())
			}
		}
	}
}

// A statement of many actions is searched, one of few is read through.
func TestManyActions(t *testing.T) {
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprintf("s3:Action%d", i))
	}
	patterns := []string{"sqs:*", "*:Only", "*:Li?t*"}
	for i := range 100 {
		patterns = append(patterns, fmt.Sprintf("service%d:Get*", i))
	}
	list, _ := json.Marshal(append(slices.Clone(names), patterns...))
	many := &Policies{Identity: []*Attached{must(t, Identity, "x", v12+`{"Effect":"Allow","Resource":"*","Action":`+string(list)+`}}`)}}
	alice, _ := PrincipalOf(callers["alice"], "")
	ask := func(action string, want bool) {
		t.Helper()
		if d := Authorize(&Request{Principal: alice, Action: action, Resource: "*"}, many); d.Allowed() != want {
			t.Errorf("%s allowed: %t", action, d.Allowed())
		}
	}
	for _, name := range names {
		ask(name, true)
		ask(strings.ToUpper(name), true)
		ask(name+"0000", false)
		ask("kms"+name[2:], false)
	}
	ask("SQS:Anything", true)
	for i := range 100 {
		ask(fmt.Sprintf("Service%d:GetThing", i), true)
		ask(fmt.Sprintf("service%d:PutThing", i), false)
	}
	ask("service100:GetThing", false)
	ask("kms:only", true)
	ask("kms:ListKeys", true)
	ask("kms:Lit", false)
}
