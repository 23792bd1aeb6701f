package iam

import (
	"strings"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/wire"
)

// A resource has one ARN. Named with that of another partition it would be met by
// no statement about the real one: what a Deny holds back, "*" would let through.
func TestPoliciesHaveOneName(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	elsewhere := strings.Replace(ours, "arn:aws:", "arn:aws-cn:", 1)
	for _, c := range []struct {
		op wire.AnyOperation
		in any
	}{
		{&iamapi.CreatePolicyVersion, &iamapi.CreatePolicyVersionRequest{PolicyArn: elsewhere, PolicyDocument: allowed}},
		{&iamapi.SetDefaultPolicyVersion, &iamapi.SetDefaultPolicyVersionRequest{PolicyArn: elsewhere, VersionId: "v1"}},
		{&iamapi.GetPolicyVersion, &iamapi.GetPolicyVersionRequest{PolicyArn: elsewhere, VersionId: "v1"}},
		{&iamapi.GetPolicy, &iamapi.GetPolicyRequest{PolicyArn: elsewhere}},
		{&iamapi.DeletePolicy, &iamapi.DeletePolicyRequest{PolicyArn: elsewhere}},
		{&iamapi.TagPolicy, &iamapi.TagPolicyRequest{PolicyArn: elsewhere, Tags: []iamapi.Tag{{Key: "k", Value: "w"}}}},
		{&iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "alice", PolicyArn: elsewhere}},
		{&iamapi.AttachGroupPolicy, &iamapi.AttachGroupPolicyRequest{GroupName: "staff", PolicyArn: elsewhere}},
		{&iamapi.AttachRolePolicy, &iamapi.AttachRolePolicyRequest{RoleName: "deploy", PolicyArn: elsewhere}},
		{&iamapi.PutUserPermissionsBoundary, &iamapi.PutUserPermissionsBoundaryRequest{UserName: "alice", PermissionsBoundary: elsewhere}},
		{&iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: "new", AssumeRolePolicyDocument: strings.Replace(trust, `"*"`, `"arn:aws-cn:iam::111122223333:user/alice"`, 1)}},
	} {
		err := w.store.Update(w.ctx(), func(ctx ctx) error {
			_, err := w.route(c.op).Serve(ctx, c.in)
			return err
		})
		if err == nil {
			t.Errorf("%s takes %s", w.route(c.op).Meta().Name, elsewhere)
		}
	}
}

// A user and a group may have the same name, and policies of the same name: the
// group's Deny counts.
func TestNamesakesAmongPolicies(t *testing.T) {
	const deny = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}`
	w := newWorld(t)
	u := w.user("dev")
	must(w, &iamapi.CreateGroup, &iamapi.CreateGroupRequest{GroupName: "dev"})
	must(w, &iamapi.AddUserToGroup, &iamapi.AddUserToGroupRequest{GroupName: "dev", UserName: "dev"})
	w.put("dev", allowed)
	must(w, &iamapi.PutGroupPolicy, &iamapi.PutGroupPolicyRequest{GroupName: "dev", PolicyName: "p", PolicyDocument: deny})
	who := &aws.Principal{Kind: aws.User, Account: account, ID: u.UserId, Name: "dev"}
	have, err := w.service.Policies(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	d := policy.Authorize(&policy.Request{Principal: who, Action: "iam:CreateUser", Resource: "*", ResourceAccount: account}, have)
	if d.Outcome != policy.ExplicitDeny {
		t.Errorf("%v by %d policies: the group's is lost", d.Outcome, len(have.Identity))
	}
}
