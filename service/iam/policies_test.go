package iam

import (
	"context"
	"strings"
	"testing"

	"sumun.dev/api/iamapi"
)

type ctx = context.Context

func TestPoliciesAreKeptAsTheyCame(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	document := strings.ReplaceAll(allowed, ",", ",\n  ")
	w.put("alice", document)
	got := must(w, &iamapi.GetUserPolicy, &iamapi.GetUserPolicyRequest{UserName: "alice", PolicyName: "p"})
	const want = "%7B%22Version%22%3A%222012-10-17%22%2C%0A%20%20%22Statement%22"
	if !strings.HasPrefix(got.PolicyDocument, want) {
		t.Errorf("got %s, want %s… (RFC 3986)", got.PolicyDocument, want)
	}
	refused(w, &iamapi.GetUserPolicy, &iamapi.GetUserPolicyRequest{UserName: "alice", PolicyName: "P"}, "NoSuchEntity", "The user policy with name P cannot be found.")
	for _, wrong := range []string{`{`, `{}`, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*","Principal":"*"}]}`} {
		if _, err := call(w, &iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: "alice", PolicyName: "p", PolicyDocument: wrong}); !iamapi.MalformedPolicyDocumentException.Is(err) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestSizesCountWhatIsVisible(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	w.role("deploy")
	put := func(name, document string) (*iamapi.PutUserPolicyResponse, error) {
		return call(w, &iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: "alice", PolicyName: name, PolicyDocument: document})
	}
	if _, err := put("a", "  "+long(1024)+"\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := put("b", long(1024)); err != nil {
		t.Errorf("2,048 characters in all: %v", err)
	}
	if _, err := put("a", long(1025)); err == nil || err.Error() != "LimitExceeded: Maximum policy size of 2048 bytes exceeded for user alice" {
		t.Errorf("2,049 characters in all: %v", err)
	}
	if _, err := put("a", long(1000)); err != nil {
		t.Errorf("a policy put again counts once: %v", err)
	}
	role := &iamapi.PutRolePolicyRequest{RoleName: "deploy", PolicyName: "p", PolicyDocument: long(10_240)}
	must(w, &iamapi.PutRolePolicy, role)
	role.PolicyDocument = long(10_241)
	refused(w, &iamapi.PutRolePolicy, role, "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role deploy")
	big := strings.Replace(trust, `"AWS":"*"`, `"AWS":["*"`+strings.Repeat(`,"arn:aws:iam::111122223333:root"`, 70)+`]`, 1)
	refused(w, &iamapi.UpdateAssumeRolePolicy, &iamapi.UpdateAssumeRolePolicyRequest{RoleName: "deploy", PolicyDocument: big}, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")
}

func TestAttachedPolicies(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	const missing = "arn:aws:iam::aws:policy/NoSuchAccess"
	refused(w, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "alice", PolicyArn: missing}, "NoSuchEntity", "Policy "+missing+" does not exist or is not attachable.")
	refused(w, &iamapi.DetachUserPolicy, &iamapi.DetachUserPolicyRequest{UserName: "alice", PolicyArn: AdministratorAccess}, "NoSuchEntity", "Policy "+AdministratorAccess+" was not found.")
	in := &iamapi.AttachUserPolicyRequest{UserName: "alice", PolicyArn: AdministratorAccess}
	must(w, &iamapi.AttachUserPolicy, in)
	must(w, &iamapi.AttachUserPolicy, in) // again: nothing more
	if got := w.touched(&iamapi.AttachUserPolicy, in)[0].Conditions["iam:PolicyARN"]; len(got) != 1 || got[0] != AdministratorAccess {
		t.Errorf("iam:PolicyARN is %v", got)
	}
	all := must(w, &iamapi.ListAttachedUserPolicies, &iamapi.ListAttachedUserPoliciesRequest{UserName: "alice"}).AttachedPolicies
	if len(all) != 1 || *all[0].PolicyName != "AdministratorAccess" || *all[0].PolicyArn != AdministratorAccess {
		t.Errorf("attached are %+v", all)
	}
	if all := must(w, &iamapi.ListAttachedUserPolicies, &iamapi.ListAttachedUserPoliciesRequest{UserName: "alice", PathPrefix: new("/job-function/")}).AttachedPolicies; len(all) != 0 {
		t.Errorf("of another path are %+v", all)
	}
}

func TestNamesArePaged(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	w.user("bob")
	const small = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:b","Resource":"*"}]}`
	for _, name := range []string{"c", "a", "b"} {
		must(w, &iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: "alice", PolicyName: name, PolicyDocument: small})
	}
	one := must(w, &iamapi.ListUserPolicies, &iamapi.ListUserPoliciesRequest{UserName: "alice", MaxItems: new(int32(2))})
	two := must(w, &iamapi.ListUserPolicies, &iamapi.ListUserPoliciesRequest{UserName: "alice", Marker: one.Marker})
	if got := strings.Join(append(one.PolicyNames, two.PolicyNames...), " "); got != "a b c" || !*one.IsTruncated || *two.IsTruncated || two.Marker != nil {
		t.Errorf("pages show %q", got)
	}
	refused(w, &iamapi.ListUserPolicies, &iamapi.ListUserPoliciesRequest{UserName: "bob", Marker: one.Marker}, "ValidationError", "Invalid Marker.")
}

func TestTrustPolicies(t *testing.T) {
	w := newWorld(t)
	for _, wrong := range []string{``, `{}`, allowed} {
		_, err := call(w, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: "r", AssumeRolePolicyDocument: wrong})
		if !iamapi.MalformedPolicyDocumentException.Is(err) {
			t.Errorf("trust policy %q: %v", wrong, err)
		}
	}
	made := must(w, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: "Deploy", Path: new("/ci/"), AssumeRolePolicyDocument: trust, Description: new("ships")}).Role
	got := must(w, &iamapi.GetRole, &iamapi.GetRoleRequest{RoleName: "deploy"}).Role
	if got.Arn != "arn:aws:iam::111122223333:role/ci/Deploy" || got.RoleId != made.RoleId || *got.MaxSessionDuration != 3600 || *got.Description != "ships" || got.RoleLastUsed == nil {
		t.Errorf("got %+v", got)
	}
	refused(w, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: "DEPLOY", AssumeRolePolicyDocument: trust}, "EntityAlreadyExists", "Role with name DEPLOY already exists.")
	must(w, &iamapi.PutRolePolicy, &iamapi.PutRolePolicyRequest{RoleName: "deploy", PolicyName: "p", PolicyDocument: allowed})
	refused(w, &iamapi.DeleteRole, &iamapi.DeleteRoleRequest{RoleName: "deploy"}, "DeleteConflict", "Cannot delete entity, must delete policies first.")
	must(w, &iamapi.DeleteRolePolicy, &iamapi.DeleteRolePolicyRequest{RoleName: "deploy", PolicyName: "p"})
	must(w, &iamapi.DeleteRole, &iamapi.DeleteRoleRequest{RoleName: "deploy"})
}
