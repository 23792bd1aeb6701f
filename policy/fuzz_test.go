package policy

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"sumun.dev/aws"
)

// A dice makes policies and requests out of few words, so that they meet often.
type dice struct{ *rand.Rand }

func (d dice) of(words ...string) string { return words[d.IntN(len(words))] }

func (d dice) some(words ...string) any {
	if d.IntN(3) > 0 {
		return d.of(words...)
	}
	return []string{d.of(words...), d.of(words...)}
}

var (
	someActions   = []string{"*", "s3:*", "s3:Get*", "S3:GetObject", "s3:?etObject", "*:Get*", "kms:Decrypt", "sts:AssumeRole", "sts:*"}
	someResources = []string{"*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::${k:a, 'b'}/alice", "arn:aws:s3", "arn:aws:kms:*:111122223333:key/?"}
	somePatterns  = []string{"x", "X", "x*", "?", "${k:b}", "${k:b, 'x'}", "${aws:username}", "a${*}", "*${k:a}*", "${aws:CalledVia, 'x'}", "${saml:aud}"}
	someKeys      = []string{"k:a", "K:B", "aws:username", "aws:PrincipalTag/team", "k:list"}
	someValues    = []string{"x", "X", "xy", "alice", "a*", "", "*"}
	someStrings   = []string{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"}
	somePeople    = []string{"*", "111122223333", "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/app",
		"arn:aws:sts::111122223333:assumed-role/app/one", "arn:aws:iam::444455556666:root", "arn:aws:iam::444455556666:user/carol",
		"AIDAALICEALICEALICE1", "AROAAPPAPPAPPAPPAPP1", "AROAAPPAPPAPPAPPAPP1:one"}
	someServices = []string{"ssm.amazonaws.com", "ssm.us-east-1.amazonaws.com", "ssm.eu-west-1.amazonaws.com", "sns.amazonaws.com"}
	someTokens   = []string{"accounts.google.com", "arn:aws:iam::111122223333:saml-provider/corp", "arn:aws:iam::111122223333:oidc-provider/token.example.com"}
)

func (d dice) condition() (string, any) {
	suffix, prefix := d.of("", "", "IfExists"), d.of("", "", "ForAllValues:", "ForAnyValue:")
	switch d.IntN(9) {
	case 0:
		return "Null", doc{d.of(someKeys...): d.of("true", "false")}
	case 1:
		return prefix + "Numeric" + d.of("Equals", "NotEquals", "LessThan", "GreaterThanEquals") + suffix, doc{"k:n": d.some("1", "2", "2.5")}
	case 2:
		return prefix + d.of("IpAddress", "NotIpAddress") + suffix, doc{"k:ip": d.some("10.0.0.0/8", "10.1.2.3", "::/0")}
	case 3:
		return prefix + d.of("ArnLike", "ArnNotEquals") + suffix, doc{"aws:PrincipalArn": d.some("*", "arn:aws:iam::*:user/*", "arn:aws:iam::111122223333:*", "arn:aws:iam::${k:a}:*", "${k:b}")}
	case 5:
		return prefix + "Bool" + suffix, doc{d.of("k:yes", "aws:PrincipalIsAWSService", "aws:MultiFactorAuthPresent", "aws:AssumedRoot"): d.of("true", "false")}
	case 6:
		return prefix + "BinaryEquals" + suffix, doc{"k:bin": d.some("aGk=", "aGo=", "")}
	case 4:
		return prefix + "Date" + d.of("Equals", "NotEquals", "LessThanEquals", "GreaterThan") + suffix, doc{"k:d": d.some("2026-11-23T00:00:00Z", "2026", "0", "9999-12-31T23:59:59Z")}
	}
	return prefix + d.of(someStrings...) + suffix, doc{d.of(someKeys...): d.some(somePatterns...)}
}

func (d dice) document(kind Kind) string {
	var statements []doc
	for range 1 + d.IntN(3) {
		s := doc{"Effect": d.of("Allow", "Allow", "Deny"), d.of("Action", "Action", "NotAction"): d.some(someActions...)}
		if kind == Trust {
			s = doc{"Effect": s["Effect"], "Action": d.some("sts:*", "sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:TagSession")}
		} else {
			s[d.of("Resource", "Resource", "NotResource")] = d.some(someResources...)
		}
		if kind == Resource || kind == Key || kind == Trust || kind == Endpoint {
			element := "Principal"
			if s["Effect"] == "Deny" && kind != Trust {
				element = d.of("Principal", "NotPrincipal")
			}
			s[element] = d.principals()
		}
		if d.IntN(2) == 0 {
			op, keys := d.condition()
			s["Condition"] = doc{op: keys}
		}
		statements = append(statements, s)
	}
	text, _ := json.Marshal(doc{"Version": d.of("2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17"), "Statement": statements})
	return string(text)
}

func (d dice) principals() any {
	switch d.IntN(8) {
	case 0:
		return "*"
	case 1:
		return doc{"Service": d.some(someServices...)}
	case 2:
		return doc{"Federated": d.some(someTokens...), "Service": d.of(someServices...)}
	case 3:
		return doc{"CanonicalUser": d.some("79a59df900b9", "0ther")}
	}
	return doc{"AWS": d.some(somePeople...), "Service": d.of(someServices...)}
}

// acl makes an access control list.
func (d dice) acl(t *testing.T) *Attached {
	l := &ACL{Bucket: d.IntN(2) == 0, IgnorePublicAcls: d.IntN(3) == 0}
	for range 1 + d.IntN(2) {
		l.Grants = append(l.Grants, ACLGrant{d.of("79a59df900b9", "0ther", AllUsers, AuthenticatedUsers, LogDelivery), d.of("READ", "FULL_CONTROL", "WRITE")})
	}
	return compileACL(t, l)
}

// compileACL compiles a list, and remembers it as text for the second evaluator.
func compileACL(t testing.TB, l *ACL) *Attached {
	t.Helper()
	statements := []doc{}
	for _, g := range l.Grants {
		who := doc{"CanonicalUser": g.Grantee}
		switch g.Grantee {
		case AllUsers:
			who = doc{"AWS": "*"}
		case AuthenticatedUsers:
			who = doc{"Signed": "*"}
		case LogDelivery:
			who = doc{"Service": "logging.s3.amazonaws.com"}
		}
		if l.IgnorePublicAcls && strings.HasPrefix(g.Grantee, "http://acs.amazonaws.com/groups/global/") {
			continue
		}
		var actions []string
		for _, m := range []struct {
			bucket     bool
			permission string
			actions    []string
		}{
			{false, "READ", []string{"s3:GetObject", "s3:GetObjectVersion"}},
			{false, "READ_ACP", []string{"s3:GetObjectAcl", "s3:GetObjectVersionAcl"}},
			{false, "WRITE_ACP", []string{"s3:PutObjectAcl", "s3:PutObjectVersionAcl"}},
			{true, "READ", []string{"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"}},
			{true, "WRITE", []string{"s3:PutObject"}},
			{true, "READ_ACP", []string{"s3:GetBucketAcl"}},
			{true, "WRITE_ACP", []string{"s3:PutBucketAcl"}},
		} {
			if m.bucket == l.Bucket && (m.permission == g.Permission || g.Permission == "FULL_CONTROL") {
				actions = append(actions, m.actions...)
			}
		}
		if actions != nil {
			statements = append(statements, doc{"Effect": "Allow", "Principal": who, "Action": actions, "Resource": "*"})
		}
	}
	document, err := l.Document()
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(doc{"Statement": statements})
	written.Store(document, string(text))
	return &Attached{Document: document, Source: "acl"}
}

func (d dice) attached(t *testing.T, kind Kind) *Attached {
	if d.IntN(3) == 0 && kind != Resource {
		return must(t, kind, "open", administrator)
	}
	return must(t, kind, "made", d.document(kind))
}

func (d dice) policies(t *testing.T) *Policies {
	p := &Policies{}
	for range d.IntN(3) {
		p.Identity = append(p.Identity, d.attached(t, Identity))
	}
	switch d.IntN(5) {
	case 0, 1:
		p.Resource = d.attached(t, Resource)
	case 2:
		p.Resource = must(t, Key, "key", d.document(Key))
	case 3:
		p.Resource = must(t, Trust, "trust", d.document(Trust))
	}
	p.RestrictPublicBuckets = d.IntN(4) == 0
	p.Management, p.ResourceManagement = d.IntN(8) == 0, d.IntN(8) == 0
	if d.IntN(4) == 0 {
		p.Grants = append(p.Grants, d.acl(t))
	}
	if d.IntN(4) == 0 {
		p.Grants = append(p.Grants, must(t, Resource, "grant", d.document(Resource)))
	}
	if d.IntN(4) == 0 {
		p.Boundary = d.attached(t, Identity)
	}
	if d.IntN(4) == 0 {
		p.Session = []*Attached{d.attached(t, Identity)}
	}
	if d.IntN(6) == 0 {
		p.Endpoint = must(t, Endpoint, "endpoint", d.document(Endpoint))
	}
	for range max(0, d.IntN(6)-3) {
		p.SCPs = append(p.SCPs, []*Attached{d.attached(t, SCP)})
		p.RCPs = append(p.RCPs, []*Attached{must(t, Resource, "rcp", `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`), must(t, Resource, "rcp", d.document(Resource))})
	}
	return p
}

func (d dice) request(t *testing.T) *Request {
	name := d.of("alice", "alice", "app", "app", "fed", "root", "other", "ssm", "anonymous", "slr", "saml", "oidc", "google", "ssm.eu-west-1.amazonaws.com", "logging.s3.amazonaws.com")
	who, known := callers[name]
	if !known {
		who = name
	}
	p, err := PrincipalOf(who, issuers[name])
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case name == "alice":
		p.ID = "AIDAALICEALICEALICE1"
	case name == "app":
		p.ID, p.Session.IssuerID = "AROAAPPAPPAPPAPPAPP1:one", "AROAAPPAPPAPPAPPAPP1"
		p.Session.Facts = map[string][]string{"saml:aud": {d.of(someValues...)}}
		if d.IntN(4) == 0 {
			p.Session.Policy = "{}"
		}
	case name == "root" && d.IntN(2) == 0:
		p.Session = &aws.Session{TaskPolicy: d.of("", "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy")}
	}
	p.Tags = map[string]string{"team": d.of(someValues...)}
	context := map[string][]string{}
	for _, key := range []string{"k:a", "k:b"} {
		if d.IntN(2) == 0 {
			context[key] = []string{d.of(someValues...)}
		}
	}
	if d.IntN(2) == 0 {
		context["k:list"] = []string{d.of(someValues...), d.of(someValues...)}
	}
	if d.IntN(2) == 0 {
		context["aws:RequestedRegion"] = []string{d.of("us-east-1", "eu-west-1")}
		context["aws:CalledVia"] = []string{"x"}
	}
	if d.IntN(3) > 0 {
		context["k:yes"] = []string{d.of("true", "FALSE", "x", "")}
		context["k:bin"] = []string{d.of("aGk=", "aGo=", "x", "")}
		context["k:n"] = []string{d.of("1", "2", "2.50", "x")}
		context["k:ip"] = []string{d.of("10.1.2.3", "11.0.0.1", "2001:db8::1", "x")}
		context["k:d"] = []string{d.of("2026-11-23T00:00:00Z", "2025-01-01", "0", "x")}
	}
	return &Request{Principal: p, Context: MapOf(context),
		CanonicalID: d.of("", "79a59df900b9", "0ther"), AWSManagedKey: d.IntN(8) == 0,
		Action:   d.of("s3:GetObject", "s3:GetObject", "s3:PutObject", "kms:Decrypt", "sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:TagSession", "sts:AssumeRoot"),
		Resource: d.of("*", "arn:aws:iam::111122223333:role/app", "arn:aws:s3:::b/alice", "arn:aws:s3:::b/x:y", "arn:aws:kms:us-east-1:111122223333:key/1"),
	}
}

func differ(t *testing.T, seed uint64) Outcome {
	d := dice{rand.New(rand.NewPCG(seed, 0))}
	p, req := d.policies(t), d.request(t)
	if d.IntN(2) == 0 {
		req.ResourceAccount = "111122223333"
	}
	fast := Authorize(req, p)
	full, why := Explain(req, p)
	slow := slowly(req, p)
	if fast == full && fast.Outcome == slow {
		return fast.Outcome
	}
	all := [][]*Attached{p.Identity, p.Grants, p.Session, {p.Resource, p.Boundary, p.Endpoint}}
	var docs strings.Builder
	for _, list := range append(append(all, p.SCPs...), p.RCPs...) {
		for _, a := range list {
			if a == nil {
				continue
			}
			text, _ := written.Load(a.Document)
			docs.WriteString(a.Source + " " + text.(string) + "\n")
		}
	}
	t.Fatalf("seed %d: Authorize %s, Explain %s, second evaluator %s\n%+v\n%s\n%s%+v", seed, show(fast), show(full), slow, req.Principal, req.Action+" "+req.Resource, docs.String(), why)
	return 0
}

// Three evaluators must agree on whatever is thrown at them, and all outcomes
// must come up.
func TestEvaluatorsAgree(t *testing.T) {
	var seen [3]int
	for seed := range uint64(2000) {
		seen[differ(t, seed)]++
	}
	for o, n := range seen {
		if n < 50 {
			t.Errorf("%s came up %d times only", Outcome(o), n)
		}
	}
	t.Log("implicit, explicit, allowed:", seen)
}

func FuzzEvaluatorsAgree(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { differ(t, seed) })
}
