package tree_test

import (
	"strings"
	"testing"

	"sumun.dev/policy"
	"sumun.dev/policy/tree"
)

const alice = "arn:aws:iam::111122223333:user/alice"

func attached(t *testing.T, kind policy.Kind, source, statements string) *policy.Attached {
	t.Helper()
	d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[`+statements+`]}`), kind)
	if err != nil {
		t.Fatal(err)
	}
	return &policy.Attached{Document: d, Source: source}
}

func TestTree(t *testing.T) {
	all := func(kind policy.Kind, source string) *policy.Attached {
		return attached(t, kind, source, `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	}
	p, err := policy.PrincipalOf(alice, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		policies policy.Policies
		context  policy.Map
		want     []string
	}{
		{"nothing_allows", policy.Policies{}, nil, []string{
			"s3:GetObject on arn:aws:s3:::b/k: implicitDeny by identity-based policy\nneeded: an Allow for s3:GetObject on arn:aws:s3:::b/k in an identity-based policy of the caller\n",
		}},
		{"allowed", policy.Policies{Identity: []*policy.Attached{all(policy.Identity, "inline:alice/p")}}, nil, []string{
			"s3:GetObject on arn:aws:s3:::b/k: allowed by identity-based policy: #0 of inline:alice/p\n└─ identity-based policy: inline:alice/p allows\n   Allow #0: applies  ← this decided\n       {\"Effect\"",
		}},
		{"a_level_without_allow", policy.Policies{
			Identity: []*policy.Attached{all(policy.Identity, "inline:alice/p")},
			SCPs:     [][]*policy.Attached{{all(policy.SCP, "root-scp")}, {attached(t, policy.SCP, "ou-scp", `{"Sid":"Ec2","Effect":"Allow","Action":"ec2:*","Resource":"*"}`)}},
		}, nil, []string{
			"implicitDeny by service control policy\n", "├─ service control policy, level 0: root-scp allows\n", "├─ service control policy, level 1: ou-scp says nothing of this action\n",
			"needed: an Allow for s3:GetObject on arn:aws:s3:::b/k in a service control policy of level 1 (0 is the root)\n",
		}},
		{"an_explicit_deny", policy.Policies{Identity: []*policy.Attached{all(policy.Identity, "inline:alice/p")}, Boundary: attached(t, policy.Identity, "arn:aws:iam::111122223333:policy/b",
			`{"Sid":"No","Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`)},
			policy.Map{"aws:securetransport": policy.Bool(false)}, []string{
				"explicitDeny by permissions boundary: No of arn:aws:iam::111122223333:policy/b\n", "Deny No: applies  ← this decided\n", "Bool aws:SecureTransport: wants false, got false: met\n", "needed: that Deny no longer applies",
			}},
		{"nearly", policy.Policies{Identity: []*policy.Attached{attached(t, policy.Identity, "inline:alice/p",
			`{"Sid":"Other","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::c/*"},
			 {"Sid":"Mine","Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":["red","blue"]}}},
			 {"Sid":"Var","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/team}/*"}`)}}, nil, []string{
			"inline:alice/p does not apply\n", "near: Other of inline:alice/p would, but it is about other resources\n",
			"near: Mine of inline:alice/p would, but StringEquals aws:PrincipalTag/team: wants red or blue, got (not in the request): not met\n",
			"near: Var of inline:alice/p would, but it has a variable in its Resource without a value\n",
		}},
		{"a_management_account", policy.Policies{Identity: []*policy.Attached{all(policy.Identity, "inline:alice/p")}, Management: true}, nil, []string{
			"allowed by identity-based policy", "├─ service control policy: does not concern it (management account)\n",
		}},
		{"a_bound_management_account", policy.Policies{SCPs: [][]*policy.Attached{{all(policy.SCP, "root-scp")}}, Management: true}, nil, []string{
			"implicitDeny by identity-based policy", "service control policy, level 0: root-scp does not concern it (management account)\n",
		}},
		{"others_are_named", policy.Policies{Resource: attached(t, policy.Key, "key", `{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"s3:*","Resource":"*"}`)}, nil, []string{
			"implicitDeny by resource-based policy\n", "needed: an Allow for s3:GetObject on arn:aws:s3:::b/k in a resource-based policy\n", "near: Theirs of key would, but it names other principals\n",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := tree.Explain(&policy.Request{Principal: p, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: c.context}, &c.policies)
			var b strings.Builder
			d.Write(&b)
			for _, want := range c.want {
				if !strings.Contains(b.String(), want) {
					t.Errorf("lacks %q:\n%s", want, b.String())
				}
			}
		})
	}
	var b strings.Builder
	(&tree.Decision{Action: "sts:GetCallerIdentity", Open: "everybody may ask who they are"}).Write(&b)
	if b.String() != "sts:GetCallerIdentity: allowed, AWS asks for no permission: everybody may ask who they are\n" {
		t.Error(b.String())
	}
}

// A statement of any length is a line that can be read.
func TestLongStatementsAreShortened(t *testing.T) {
	p, _ := policy.PrincipalOf(alice, "")
	long := attached(t, policy.Identity, "inline:alice/p", `{"Effect":"Deny","Action":"*","Resource":["*","arn:aws:s3:::`+strings.Repeat("é", 1000)+`"]}`)
	d := tree.Explain(&policy.Request{Principal: p, Action: "s3:GetObject", Resource: "*"}, &policy.Policies{Identity: []*policy.Attached{long}})
	var b strings.Builder
	d.Write(&b)
	for line := range strings.Lines(b.String()) {
		if len(line) > 500 || strings.ContainsRune(line, '\uFFFD') {
			t.Errorf("%d bytes: %q", len(line), line)
		}
	}
}

// Whoever writes a policy does not write on the terminal of who reads the tree.
func TestNothingWritesOnTheTerminal(t *testing.T) {
	p, err := policy.PrincipalOf(alice, "")
	if err != nil {
		t.Fatal(err)
	}
	policies := policy.Policies{Identity: []*policy.Attached{attached(t, policy.Identity, "inline:alice/p",
		`{"Sid":"Near","Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:UserAgent":"\u001b[2K\r\nallowed \u202e\u009bx é"}}}`)}}
	d := tree.Explain(&policy.Request{Principal: p, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/\x1b]0;k\xff", ResourceAccount: "111122223333"}, &policies)
	var b strings.Builder
	d.Write(&b)
	for line := range strings.Lines(b.String()) {
		if strings.ContainsAny(line, "\x1b\r\u202e\u009b") || strings.HasPrefix(line, "allowed") {
			t.Errorf("%q", line)
		}
	}
	if want := `wants \u001b[2K\u000d\u000aallowed \u202e\u009bx é, got`; !strings.Contains(b.String(), want) {
		t.Errorf("%s lacks %s", b.String(), want)
	}
}
