package iam

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
)

const (
	readBucket  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`
	denyBucket  = "{\"Version\":\"2012-10-17\",\n \"Statement\":[\n  {\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]}"
	fromOffice  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringEquals":{"s3:prefix":"${aws:PrincipalTag/team}"}}},{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"Bool":{"ec2:Encrypted":"true"}}}]}`
	bucketAlice = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`
)

func entry(key string, of iamapi.ContextKeyTypeEnum, values ...string) iamapi.ContextEntry {
	return iamapi.ContextEntry{ContextKeyName: &key, ContextKeyType: &of, ContextKeyValues: values}
}

// told writes a result in one line.
func told(r iamapi.EvaluationResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", r.EvalActionName, *r.EvalResourceName, r.EvalDecision)
	for _, m := range r.MatchedStatements {
		fmt.Fprintf(&b, " %s(%s)@%d:%d-%d:%d", *m.SourcePolicyId, *m.SourcePolicyType, *m.StartPosition.Line, *m.StartPosition.Column, *m.EndPosition.Line, *m.EndPosition.Column)
	}
	if r.OrganizationsDecisionDetail != nil {
		fmt.Fprintf(&b, " organizations=%t", *r.OrganizationsDecisionDetail.AllowedByOrganizations)
	}
	if r.PermissionsBoundaryDecisionDetail != nil {
		fmt.Fprintf(&b, " boundary=%t", *r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary)
	}
	if len(r.EvalDecisionDetails) > 0 {
		fmt.Fprintf(&b, " %v", r.EvalDecisionDetails)
	}
	if len(r.MissingContextValues) > 0 {
		fmt.Fprintf(&b, " missing=%v", r.MissingContextValues)
	}
	for _, x := range r.ResourceSpecificResults {
		fmt.Fprintf(&b, " | %s %s", x.EvalResourceName, x.EvalResourceDecision)
		if len(x.MissingContextValues) > 0 {
			fmt.Fprintf(&b, " missing=%v", x.MissingContextValues)
		}
	}
	return b.String()
}

func TestSimulateCustomPolicy(t *testing.T) {
	w := newWorld(t)
	const get = "s3:GetObject"
	object := []string{"arn:aws:s3:::b/x"}
	for _, c := range []struct {
		name string
		in   iamapi.SimulateCustomPolicyRequest
		want string
	}{
		{"allowed", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ActionNames: []string{get}, ResourceArns: object},
			"s3:GetObject arn:aws:s3:::b/x allowed PolicyInputList.1(none)@1:38-1:110 | arn:aws:s3:::b/x allowed"},
		{"implicit", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ActionNames: []string{get}}, "s3:GetObject * implicitDeny"},
		{"the_deny_alone_is_shown", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket, denyBucket}, ActionNames: []string{get}, ResourceArns: object},
			"s3:GetObject arn:aws:s3:::b/x explicitDeny PolicyInputList.2(none)@3:3-3:51 | arn:aws:s3:::b/x explicitDeny"},
		{"missing", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{fromOffice}, ActionNames: []string{get}},
			"s3:GetObject * implicitDeny missing=[aws:SourceIp aws:principaltag/team s3:prefix]"},
		{"given", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{fromOffice}, ActionNames: []string{get}, ContextEntries: []iamapi.ContextEntry{
			entry("aws:sourceip", "ip", "10.1.2.3"), entry("s3:prefix", "string", "blue"), entry("aws:PrincipalTag/team", "string", "blue")}},
			"s3:GetObject * allowed PolicyInputList.1(none)@1:38-1:207"},
		{"boundary_leaves_no_room", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, PermissionsBoundaryPolicyInputList: []string{allowed}, ActionNames: []string{get}, ResourceArns: object},
			"s3:GetObject arn:aws:s3:::b/x implicitDeny boundary=false | arn:aws:s3:::b/x implicitDeny"},
		{"boundary_leaves_room", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, PermissionsBoundaryPolicyInputList: []string{readBucket}, ActionNames: []string{get}, ResourceArns: object},
			"s3:GetObject arn:aws:s3:::b/x allowed PolicyInputList.1(none)@1:38-1:110 boundary=true | arn:aws:s3:::b/x allowed"},
		{"resource_policy", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{allowed}, ResourcePolicy: new(bucketAlice), CallerArn: new("arn:aws:iam::111122223333:user/alice"), ActionNames: []string{get}, ResourceArns: object},
			"s3:GetObject arn:aws:s3:::b/x allowed ResourcePolicy(resource)@1:38-1:169 | arn:aws:s3:::b/x allowed"},
		{"across_accounts_both_must", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{allowed}, ResourcePolicy: new(bucketAlice), CallerArn: new("arn:aws:iam::111122223333:user/alice"), ResourceOwner: new("arn:aws:iam::444455556666:root"), ActionNames: []string{get}, ResourceArns: object},
			"s3:GetObject arn:aws:s3:::b/x implicitDeny map[IAM Policy:implicitDeny Resource Policy:allowed] | arn:aws:s3:::b/x implicitDeny"},
		{"across_accounts_both_do", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ResourcePolicy: new(bucketAlice), CallerArn: new("arn:aws:iam::111122223333:user/alice"), ResourceOwner: new("444455556666"), ActionNames: []string{get}, ResourceArns: object},
			"s3:GetObject arn:aws:s3:::b/x allowed ResourcePolicy(resource)@1:38-1:169 PolicyInputList.1(none)@1:38-1:110 map[IAM Policy:allowed Resource Policy:allowed] | arn:aws:s3:::b/x allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := must(w, &iamapi.SimulateCustomPolicy, &c.in)
			lines := make([]string, len(out.EvaluationResults))
			for i, r := range out.EvaluationResults {
				lines[i] = told(r)
			}
			if got := strings.Join(lines, "\n"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestSimulatorRefuses(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name string
		in   iamapi.SimulateCustomPolicyRequest
		want string
	}{
		{"wildcard_action", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ActionNames: []string{"s3:Get*"}}, "Invalid action: s3:Get*"},
		{"no_action", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ActionNames: []string{"GetObject"}}, "Invalid action: GetObject"},
		{"resource", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"bucket"}}, "Invalid resource ARN: bucket"},
		{"policy", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket, "{"}, ActionNames: []string{"s3:GetObject"}}, "Invalid policy in PolicyInputList.2: Syntax errors in policy."},
		{"boundaries", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, PermissionsBoundaryPolicyInputList: []string{readBucket, readBucket}, ActionNames: []string{"s3:GetObject"}}, "Only one policy can be specified in PermissionsBoundaryPolicyInputList."},
		{"resource_policy_alone", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ResourcePolicy: new(bucketAlice), ActionNames: []string{"s3:GetObject"}}, "CallerArn must be specified with ResourcePolicy."},
		{"role_as_caller", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, CallerArn: new("arn:aws:iam::111122223333:role/r"), ActionNames: []string{"s3:GetObject"}}, "Invalid CallerArn: arn:aws:iam::111122223333:role/r is not the ARN of a user."},
		{"owner", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ResourceOwner: new("me"), ActionNames: []string{"s3:GetObject"}}, "Invalid ResourceOwner: it must be an account."},
		{"twice", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ActionNames: []string{"s3:GetObject"}, ContextEntries: []iamapi.ContextEntry{entry("a:bcd", "string", "x"), entry("A:bcd", "string", "x")}}, "Duplicate context key: A:bcd"},
		{"two_values", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ActionNames: []string{"s3:GetObject"}, ContextEntries: []iamapi.ContextEntry{entry("a:bcd", "string", "x", "y")}}, "Context key a:bcd of type string has more than one value."},
		{"not_its_type", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ActionNames: []string{"s3:GetObject"}, ContextEntries: []iamapi.ContextEntry{entry("a:bcd", "ipList", "10.0.0.1", "x")}}, "Invalid value for context key a:bcd of type ipList: x"},
		{"option", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ActionNames: []string{"s3:GetObject"}, ResourceHandlingOption: new("EC2-Moon")}, "Invalid ResourceHandlingOption: EC2-Moon"},
		{"option_without_resource", iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ActionNames: []string{"ec2:RunInstances"}, ResourceHandlingOption: new("EC2-VPC-EBS"), ResourceArns: []string{"arn:aws:ec2:us-east-1::image/ami-1"}}, "ResourceHandlingOption EC2-VPC-EBS needs a resource of type instance in ResourceArns."},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			refused(w, &iamapi.SimulateCustomPolicy, &c.in, "InvalidInput", c.want)
		})
	}
}

func TestValuesHaveTheirTypes(t *testing.T) {
	for _, c := range []struct {
		of         string
		good, bad  string
		everything bool
	}{
		{of: "numeric", good: "1.5", bad: "one"}, {of: "boolean", good: "true", bad: "yes"}, {of: "ip", good: "2001:db8::/32", bad: "300.0.0.1"},
		{of: "binary", good: "aGk=", bad: "%"}, {of: "date", good: "2026-01-01T00:00:00Z", bad: "tomorrow"},
		{of: "date", good: "1700000000", bad: ""}, {of: "string", good: "", bad: "x", everything: true}, {of: "other", good: "", bad: "", everything: false},
	} {
		if c.of != "other" && !typed(c.of, c.good) || typed(c.of, c.bad) != c.everything {
			t.Errorf("%s: %q %t, %q %t", c.of, c.good, typed(c.of, c.good), c.bad, typed(c.of, c.bad))
		}
	}
}

func TestSimulatePrincipalPolicy(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	w.role("deploy")
	w.put("alice", allowed)
	must(w, &iamapi.PutRolePolicy, &iamapi.PutRolePolicyRequest{RoleName: "deploy", PolicyName: "read", PolicyDocument: readBucket})
	scp, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:DeleteUser","Resource":"*"}]}`), policy.SCP)
	if err != nil {
		t.Fatal(err)
	}
	must(w, &iamapi.CreateGroup, &iamapi.CreateGroupRequest{GroupName: "team"})
	must(w, &iamapi.PutGroupPolicy, &iamapi.PutGroupPolicyRequest{GroupName: "team", PolicyName: "read", PolicyDocument: readBucket})
	w.service.UseMembership(func(_ context.Context, a aws.Account) (*policy.Membership, error) {
		return &policy.Membership{Organization: "o-a", Management: a == other, SCPs: [][]*policy.Attached{{{Document: scp, Source: "scp"}}}}, nil
	})
	ask := func(in *iamapi.SimulatePrincipalPolicyRequest) string {
		return told(must(w, &iamapi.SimulatePrincipalPolicy, in).EvaluationResults[0])
	}
	const alice, deploy, team = "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/deploy", "arn:aws:iam::111122223333:group/team"
	for _, c := range []struct {
		name string
		in   *iamapi.SimulatePrincipalPolicyRequest
		want string
	}{
		{"user", &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: alice, ActionNames: []string{"iam:GetUser"}}, "iam:GetUser * allowed p(user)@1:38-1:88 organizations=true"},
		{"denied_by_the_organisation", &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: alice, ActionNames: []string{"iam:DeleteUser"}}, "iam:DeleteUser * explicitDeny organizations=false"},
		{"with_more", &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: alice, PolicyInputList: []string{readBucket}, ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::b/x"}},
			"s3:GetObject arn:aws:s3:::b/x allowed PolicyInputList.1(none)@1:38-1:110 organizations=true | arn:aws:s3:::b/x allowed"},
		{"role", &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: deploy, ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::b/x"}},
			"s3:GetObject arn:aws:s3:::b/x allowed read(role)@1:38-1:110 organizations=true | arn:aws:s3:::b/x allowed"},
		{"group", &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: team, ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::b/x"}},
			"s3:GetObject arn:aws:s3:::b/x allowed read(group)@1:38-1:110 organizations=true | arn:aws:s3:::b/x allowed"},
	} {
		if got := ask(c.in); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	// What was simulated is not remembered for the gate.
	if p, err := w.service.Policies(t.Context(), userOf(account, must(w, &iamapi.GetUser, &iamapi.GetUserRequest{UserName: new("alice")}).User)); err != nil || len(p.Identity) != 1 {
		t.Errorf("alice now has %v, %v", p, err)
	}
	refused(w, &iamapi.SimulatePrincipalPolicy, &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: "arn:aws:iam::111122223333:user/bob"}, "NoSuchEntity", "The user with name bob cannot be found.")
	refused(w, &iamapi.SimulatePrincipalPolicy, &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: "arn:aws:iam::111122223333:user/wrong/alice"}, "NoSuchEntity", "The user with name alice cannot be found.")
	refused(w, &iamapi.SimulatePrincipalPolicy, &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: "arn:aws:sqs:us-east-1:111122223333:q"}, "InvalidInput", "Invalid Entity Arn: arn:aws:sqs:us-east-1:111122223333:q")
	refused(w, &iamapi.SimulatePrincipalPolicy, &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: "arn:aws:iam::111122223333:group/wrong/team"}, "NoSuchEntity", "The group with name team cannot be found.")
	refused(w, &iamapi.SimulatePrincipalPolicy, &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: team, ResourcePolicy: new(bucketAlice), ActionNames: []string{"s3:GetObject"}}, "InvalidInput", "CallerArn must be specified with ResourcePolicy unless PolicySourceArn is the ARN of a user.")
	s := w.as(rootOf(other))
	s.user("alice")
	refused(s, &iamapi.SimulatePrincipalPolicy, &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: alice}, "NoSuchEntity", "The user with name alice cannot be found.")
	refused(s, &iamapi.GetContextKeysForPrincipalPolicy, &iamapi.GetContextKeysForPrincipalPolicyRequest{PolicySourceArn: alice}, "NoSuchEntity", "The user with name alice cannot be found.")
}

// What an organisation says to accounts is theirs to know: a stranger who simulates
// one of their users, or one of their resources, learns nothing of it.
func TestSimulationsTellNothingOfOtherOrganisations(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	w.put("alice", strings.Replace(allowed, "iam:*", "*", 1))
	nothing, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`), policy.SCP)
	if err != nil {
		t.Fatal(err)
	}
	nobody, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:*","Resource":"*"}]}`), policy.RCP)
	if err != nil {
		t.Fatal(err)
	}
	scps, rcps := [][]*policy.Attached{{{Document: nothing, Source: "scp"}}}, [][]*policy.Attached{{{Document: nobody, Source: "rcp"}}}
	const member, unbound = aws.Account("999999999999"), aws.Account("888888888888")
	w.service.UseMembership(func(_ context.Context, a aws.Account) (*policy.Membership, error) {
		switch a {
		case account:
			return &policy.Membership{Organization: "o-ours", Management: true}, nil
		case member:
			return &policy.Membership{Organization: "o-ours", RCPs: rcps}, nil
		case other:
			return &policy.Membership{Organization: "o-theirs", SCPs: scps, RCPs: rcps}, nil
		}
		return nil, nil
	})
	ask := func(of aws.Account, caller bool) string {
		in := &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: "arn:aws:iam::111122223333:user/alice", ActionNames: []string{"sts:AssumeRole"}, ResourceArns: []string{"arn:aws:iam::" + string(of) + ":role/x"}}
		if caller {
			in.CallerArn = new("arn:aws:iam::" + string(of) + ":user/x")
		}
		r := must(w, &iamapi.SimulatePrincipalPolicy, in).EvaluationResults[0]
		return strings.ReplaceAll(told(r), string(of), "them")
	}
	for _, caller := range []bool{false, true} {
		if theirs, nobodys := ask(other, caller), ask(unbound, caller); theirs != nobodys {
			t.Errorf("of an account in another organisation it says\n%s\nof one in none\n%s", theirs, nobodys)
		}
	}
	if got := ask(member, false); !strings.Contains(got, "explicitDeny") {
		t.Errorf("the organisation's own RCP is left out: %s", got)
	}
}

func TestSimulationsArePaged(t *testing.T) {
	w := newWorld(t)
	in := &iamapi.SimulateCustomPolicyRequest{PolicyInputList: []string{readBucket}, ActionNames: []string{"s3:GetObject", "s3:PutObject"}, ResourceArns: []string{"arn:aws:s3:::b/x", "arn:aws:s3:::c/x"}, MaxItems: new(int32(3))}
	first := must(w, &iamapi.SimulateCustomPolicy, in)
	in.Marker = first.Marker
	second := must(w, &iamapi.SimulateCustomPolicy, in)
	if len(first.EvaluationResults) != 3 || len(second.EvaluationResults) != 1 || second.Marker != nil || told(second.EvaluationResults[0]) != "s3:PutObject arn:aws:s3:::c/x implicitDeny | arn:aws:s3:::c/x implicitDeny" {
		t.Errorf("pages of %d and %d", len(first.EvaluationResults), len(second.EvaluationResults))
	}
	in.ActionNames = []string{"s3:PutObject"}
	refused(w, &iamapi.SimulateCustomPolicy, in, "ValidationError", "Invalid Marker.")
	in.ActionNames = []string{"s3:GetObject", "s3:PutObject"}
	refused(w.as(rootOf(other)), &iamapi.SimulateCustomPolicy, in, "ValidationError", "Invalid Marker.")
}

func TestContextKeysForPolicies(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	w.put("alice", fromOffice)
	got := must(w, &iamapi.GetContextKeysForPrincipalPolicy, &iamapi.GetContextKeysForPrincipalPolicyRequest{PolicySourceArn: "arn:aws:iam::111122223333:user/alice"}).ContextKeyNames
	if fmt.Sprint(got) != "[aws:SourceIp aws:principaltag/team ec2:Encrypted s3:prefix]" {
		t.Errorf("got %v", got)
	}
	refused(w, &iamapi.GetContextKeysForCustomPolicy, &iamapi.GetContextKeysForCustomPolicyRequest{PolicyInputList: []string{"x"}}, "InvalidInput", "Invalid policy in PolicyInputList.1: Syntax errors in policy.")
}
