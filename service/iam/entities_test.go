package iam

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// sources names the policies that a user has, the boundary last.
func (w *world) sources(u *iamapi.User) string {
	w.t.Helper()
	ps, err := w.service.Policies(w.t.Context(), &aws.Principal{Kind: aws.User, Account: w.caller.Account, Name: u.UserName, ID: u.UserId})
	if err != nil {
		w.t.Fatal(err)
	}
	all := []string{}
	for _, a := range ps.Identity {
		all = append(all, a.Source)
	}
	if ps.Boundary != nil {
		all = append(all, "below "+ps.Boundary.Source)
	}
	return strings.Join(all, " ")
}

func TestPoliciesOfGroupsAndBoundariesFollowEveryChange(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice")
	must(w, &iamapi.CreateGroup, &iamapi.CreateGroupRequest{GroupName: "Staff"})
	must(w, &iamapi.CreatePolicy, &iamapi.CreatePolicyRequest{PolicyName: "Ours", PolicyDocument: allowed})
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, ""},
		{func() {
			must(w, &iamapi.PutGroupPolicy, &iamapi.PutGroupPolicyRequest{GroupName: "staff", PolicyName: "p", PolicyDocument: allowed})
			must(w, &iamapi.AddUserToGroup, &iamapi.AddUserToGroupRequest{GroupName: "staff", UserName: "alice"})
		}, "inline:Staff/p"},
		{func() {
			must(w, &iamapi.AttachGroupPolicy, &iamapi.AttachGroupPolicyRequest{GroupName: "staff", PolicyArn: "arn:aws:iam::111122223333:policy/Ours"})
		}, "inline:Staff/p arn:aws:iam::111122223333:policy/Ours"},
		{func() {
			must(w, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "alice", PolicyArn: "arn:aws:iam::111122223333:policy/Ours"})
		}, "arn:aws:iam::111122223333:policy/Ours inline:Staff/p"}, // once, though it is attached twice
		{func() {
			must(w, &iamapi.PutUserPermissionsBoundary, &iamapi.PutUserPermissionsBoundaryRequest{UserName: "alice", PermissionsBoundary: AdministratorAccess})
		}, "arn:aws:iam::111122223333:policy/Ours inline:Staff/p below " + AdministratorAccess},
		{func() {
			must(w, &iamapi.UpdateGroup, &iamapi.UpdateGroupRequest{GroupName: "staff", NewGroupName: new("Crew")})
		}, "arn:aws:iam::111122223333:policy/Ours inline:Crew/p below " + AdministratorAccess},
		{func() {
			must(w, &iamapi.RemoveUserFromGroup, &iamapi.RemoveUserFromGroupRequest{GroupName: "crew", UserName: "alice"})
			must(w, &iamapi.DeleteUserPermissionsBoundary, &iamapi.DeleteUserPermissionsBoundaryRequest{UserName: "alice"})
		}, "arn:aws:iam::111122223333:policy/Ours"},
	} {
		step.do()
		if got := w.sources(alice); got != step.want {
			t.Errorf("policies are %q, want %q", got, step.want)
		}
	}
}

// A renamed user is found by whoever still holds its old name with its unique id.
func TestRenamedUserKeepsKeysAndSessions(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice")
	w.put("alice", allowed)
	id := w.key("alice").AccessKeyId
	must(w, &iamapi.UpdateUser, &iamapi.UpdateUserRequest{UserName: "alice", NewUserName: new("Alicia"), NewPath: new("/team/")})
	p, _, err := w.service.LongTerm(t.Context(), id)
	if err != nil || p.Name != "Alicia" || p.ARN.Resource != "user/team/Alicia" || p.ID != alice.UserId {
		t.Errorf("the key is of %+v, %v", p, err)
	}
	if got := w.sources(alice); got != "inline:Alicia/p" {
		t.Errorf("under the old name policies are %q", got)
	}
	bob := w.user("alice") // somebody else now
	if got := w.sources(bob); got != "" {
		t.Errorf("a namesake has %q", got)
	}
	if got := w.sources(alice); got != "inline:Alicia/p" {
		t.Errorf("beside a namesake policies are %q", got)
	}
	refused(w, &iamapi.UpdateUser, &iamapi.UpdateUserRequest{UserName: "alicia", NewUserName: new("ALICE")}, "EntityAlreadyExists", "User with name ALICE already exists.")
	must(w, &iamapi.UpdateUser, &iamapi.UpdateUserRequest{UserName: "alicia", NewUserName: new("ALICIA")}) // only its case
	touches := w.touched(&iamapi.UpdateUser, &iamapi.UpdateUserRequest{UserName: "alicia", NewPath: new("/x/")})
	if len(touches) != 2 || touches[0].Resource.Resource != "user/team/ALICIA" || touches[1].Resource.Resource != "user/x/ALICIA" {
		t.Errorf("a new path touches %+v", touches)
	}
}

func TestLimitsOfEntities(t *testing.T) {
	w := newWorld(t)
	w.role("deploy")
	w.user("alice")
	must(w, &iamapi.CreateGroup, &iamapi.CreateGroupRequest{GroupName: "staff"})
	attachable := 0
	for _, p := range w.service.aws.All() {
		if !p.Attachable() || attachable == 20 {
			continue
		}
		attachable++
		must(w, &iamapi.AttachRolePolicy, &iamapi.AttachRolePolicyRequest{RoleName: "deploy", PolicyArn: p.ARN})
		if attachable <= 10 {
			must(w, &iamapi.AttachGroupPolicy, &iamapi.AttachGroupPolicyRequest{GroupName: "staff", PolicyArn: p.ARN})
		}
	}
	refused(w, &iamapi.AttachRolePolicy, &iamapi.AttachRolePolicyRequest{RoleName: "deploy", PolicyArn: AdministratorAccess}, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 20")
	refused(w, &iamapi.AttachGroupPolicy, &iamapi.AttachGroupPolicyRequest{GroupName: "staff", PolicyArn: AdministratorAccess}, "LimitExceeded", "Cannot exceed quota for PoliciesPerGroup: 10")
	must(w, &iamapi.PutGroupPolicy, &iamapi.PutGroupPolicyRequest{GroupName: "staff", PolicyName: "p", PolicyDocument: long(5120)})
	refused(w, &iamapi.PutGroupPolicy, &iamapi.PutGroupPolicyRequest{GroupName: "staff", PolicyName: "p", PolicyDocument: long(5121)}, "LimitExceeded", "Maximum policy size of 5120 bytes exceeded for group staff")
	must(w, &iamapi.CreatePolicy, &iamapi.CreatePolicyRequest{PolicyName: "long", PolicyDocument: long(6144)})
	refused(w, &iamapi.CreatePolicy, &iamapi.CreatePolicyRequest{PolicyName: "longer", PolicyDocument: long(6145)}, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144")

	var tags []iamapi.Tag
	for n := range 50 {
		tags = append(tags, iamapi.Tag{Key: fmt.Sprint("k", n)})
	}
	must(w, &iamapi.TagUser, &iamapi.TagUserRequest{UserName: "alice", Tags: tags})
	must(w, &iamapi.TagUser, &iamapi.TagUserRequest{UserName: "alice", Tags: tags[:1]})
	_, err := call(w, &iamapi.TagUser, &iamapi.TagUserRequest{UserName: "alice", Tags: []iamapi.Tag{{Key: "one more"}}})
	if !iamapi.LimitExceededException.Is(err) {
		t.Errorf("a 51st tag: %v", err)
	}
	one := must(w, &iamapi.ListUserTags, &iamapi.ListUserTagsRequest{UserName: "alice", MaxItems: new(int32(30))})
	two := must(w, &iamapi.ListUserTags, &iamapi.ListUserTagsRequest{UserName: "alice", MaxItems: new(int32(30)), Marker: one.Marker})
	if len(one.Tags) != 30 || len(two.Tags) != 20 || *two.IsTruncated {
		t.Errorf("pages of %d and %d tags", len(one.Tags), len(two.Tags))
	}
	refused(w, &iamapi.ListRoleTags, &iamapi.ListRoleTagsRequest{RoleName: "deploy", Marker: one.Marker}, "ValidationError", "Invalid Marker.")
}

// Whatever the size of the pages, every entity is shown once.
func TestDetailsArePagedOverAllKinds(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	w.user("bob")
	var whole string
	for size := range int32(9) {
		in := &iamapi.GetAccountAuthorizationDetailsRequest{MaxItems: new(size + 1)}
		var seen []string
		for {
			out := must(w, &iamapi.GetAccountAuthorizationDetails, in)
			n := 0
			for _, u := range out.UserDetailList {
				seen, n = append(seen, *u.Arn), n+1
			}
			for _, g := range out.GroupDetailList {
				seen, n = append(seen, *g.Arn), n+1
			}
			for _, r := range out.RoleDetailList {
				seen, n = append(seen, *r.Arn), n+1
			}
			for _, p := range out.Policies {
				seen, n = append(seen, *p.Arn), n+1
			}
			if n > int(size)+1 || *out.IsTruncated != (out.Marker != nil) {
				t.Fatalf("a page of %d with %d things", size+1, n)
			}
			if out.Marker == nil {
				break
			}
			in.Marker = out.Marker
		}
		got := strings.Join(seen, "\n")
		if whole == "" {
			whole = got
		}
		if got != whole || len(seen) != 7 {
			t.Errorf("pages of %d show %d things:\n%s", size+1, len(seen), got)
		}
	}
	refused(w, &iamapi.GetAccountAuthorizationDetails, &iamapi.GetAccountAuthorizationDetailsRequest{
		Marker: must(w, &iamapi.GetAccountAuthorizationDetails, &iamapi.GetAccountAuthorizationDetailsRequest{MaxItems: new(int32(1))}).Marker,
		Filter: []iamapi.EntityType{"User"},
	}, "ValidationError", "Invalid Marker.")
}

// A store of a version that kept no unique ids is brought up to date by the start.
func TestStartWritesDownWhatWasNotKept(t *testing.T) {
	w := newWorld(t)
	u, r := w.user("alice"), w.role("deploy")
	must(w, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "alice", PolicyArn: AdministratorAccess})
	err := w.store.Update(w.ctx(), func(ctx ctx) error {
		return errors.Join(w.service.ids.Delete(ctx, u.UserId), w.service.ids.Delete(ctx, r.RoleId))
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.service.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{u.UserId, r.RoleId} {
		if _, err := w.service.Named(w.ctx(), id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := w.service.Named(w.ctx(), "AIDAAAAAAAAAAAAAAAAAA"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an id that never was: %v", err)
	}
}

// The condition keys by which administration is delegated.
func TestTouchesTellBoundariesAndPolicies(t *testing.T) {
	w := newWorld(t)
	must(w, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "alice", PermissionsBoundary: new(AdministratorAccess)})
	const other = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	for _, c := range []struct {
		what string
		got  map[string][]string
		want string
	}{
		{"attaching", w.touched(&iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "alice", PolicyArn: other})[0].Conditions, "map[iam:PermissionsBoundary:[" + AdministratorAccess + "] iam:PolicyARN:[" + other + "]]"},
		{"an inline policy", w.touched(&iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: "alice", PolicyName: "p", PolicyDocument: allowed})[0].Conditions, "map[iam:PermissionsBoundary:[" + AdministratorAccess + "]]"},
		{"another boundary", w.touched(&iamapi.PutUserPermissionsBoundary, &iamapi.PutUserPermissionsBoundaryRequest{UserName: "alice", PermissionsBoundary: other})[0].Conditions, "map[iam:PermissionsBoundary:[" + other + "]]"},
		{"no boundary", w.touched(&iamapi.DeleteUserPermissionsBoundary, &iamapi.DeleteUserPermissionsBoundaryRequest{UserName: "alice"})[0].Conditions, "map[iam:PermissionsBoundary:[" + AdministratorAccess + "]]"},
		{"a group", w.touched(&iamapi.AttachGroupPolicy, &iamapi.AttachGroupPolicyRequest{GroupName: "missing", PolicyArn: other})[0].Conditions, "map[iam:PolicyARN:[" + other + "]]"},
		{"tags away", w.touched(&iamapi.UntagUser, &iamapi.UntagUserRequest{UserName: "alice", TagKeys: []string{"a", "b"}})[0].Conditions, "map[aws:TagKeys:[a b]]"},
		{"a service's role", w.touched(&iamapi.CreateServiceLinkedRole, &iamapi.CreateServiceLinkedRoleRequest{AWSServiceName: "ssm.amazonaws.com"})[0].Conditions, "map[iam:AWSServiceName:[ssm.amazonaws.com]]"},
	} {
		if got := fmt.Sprint(c.got); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}
