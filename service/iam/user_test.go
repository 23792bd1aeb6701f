package iam

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

func TestUserFromCreationToDeletion(t *testing.T) {
	w := newWorld(t)
	made := must(w, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "Alice", Path: new("/team/"), Tags: []iamapi.Tag{{Key: "k", Value: "v"}}}).User
	if made.Arn != "arn:aws:iam::111122223333:user/team/Alice" || !strings.HasPrefix(made.UserId, "AIDA") || len(made.UserId) != 21 {
		t.Errorf("made %+v", made)
	}
	got := must(w, &iamapi.GetUser, &iamapi.GetUserRequest{UserName: new("aLICE")}).User
	if got.UserName != "Alice" || got.UserId != made.UserId || !got.CreateDate.Equal(made.CreateDate) || len(got.Tags) != 1 {
		t.Errorf("names are not told apart by case, but got %+v", got)
	}
	refused(w, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "ALICE"}, "EntityAlreadyExists", "User with name ALICE already exists.")

	k := w.key("alice")
	w.put("alice", allowed)
	must(w, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "alice", PolicyArn: AdministratorAccess})
	gone := &iamapi.DeleteUserRequest{UserName: "alice"}
	refused(w, &iamapi.DeleteUser, gone, "DeleteConflict", "Cannot delete entity, must delete access keys first.")
	must(w, &iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyRequest{UserName: new("alice"), AccessKeyId: k.AccessKeyId})
	refused(w, &iamapi.DeleteUser, gone, "DeleteConflict", "Cannot delete entity, must delete policies first.")
	must(w, &iamapi.DeleteUserPolicy, &iamapi.DeleteUserPolicyRequest{UserName: "alice", PolicyName: "p"})
	refused(w, &iamapi.DeleteUser, gone, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
	must(w, &iamapi.DetachUserPolicy, &iamapi.DetachUserPolicyRequest{UserName: "alice", PolicyArn: AdministratorAccess})
	must(w, &iamapi.DeleteUser, gone)
	refused(w, &iamapi.GetUser, &iamapi.GetUserRequest{UserName: new("alice")}, "NoSuchEntity", "The user with name alice cannot be found.")
	if again := w.user("Alice"); again.UserId == made.UserId {
		t.Error("a user made again has the old id")
	}
}

func TestWhoIsMeantWhenNobodyIsNamed(t *testing.T) {
	w := newWorld(t)
	if err := w.store.Update(w.ctx(), func(ctx ctx) error { return w.service.AddRoot(ctx, account, NewKey(account)) }); err != nil {
		t.Fatal(err)
	}
	root := must(w, &iamapi.GetUser, &iamapi.GetUserRequest{}).User
	if root.UserId != string(account) || root.Arn != "arn:aws:iam::111122223333:root" || root.CreateDate.IsZero() {
		t.Errorf("root is shown as %+v", root)
	}
	alice := w.user("alice")
	as := w.as(&aws.Principal{Kind: aws.User, Account: account, Name: "alice", ID: alice.UserId})
	if got := must(as, &iamapi.GetUser, &iamapi.GetUserRequest{}).User; got.UserName != "alice" {
		t.Errorf("alice sees herself as %+v", got)
	}
	if got := w.touched(&iamapi.GetUser, &iamapi.GetUserRequest{}); got[0].Resource.Resource != "root" {
		t.Errorf("root touches %+v", got)
	}
	role := w.as(&aws.Principal{Kind: aws.AssumedRole, Account: account, Name: "r", Session: &aws.Session{}})
	const message = "Must specify userName when calling with non-User credentials"
	refused(role, &iamapi.GetUser, &iamapi.GetUserRequest{}, "ValidationError", message)
	refused(role, &iamapi.ListAccessKeys, &iamapi.ListAccessKeysRequest{}, "ValidationError", message)
	refused(role, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{}, "ValidationError", message)
}

func TestUsersArePagedByPath(t *testing.T) {
	w := newWorld(t)
	for n := range 25 {
		path := []string{"/a/", "/b/"}[n%2]
		must(w, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: fmt.Sprintf("u%02d", n), Path: &path})
	}
	var seen []string
	in := &iamapi.ListUsersRequest{PathPrefix: new("/a/"), MaxItems: new(int32(4))}
	for {
		out := must(w, &iamapi.ListUsers, in)
		for _, u := range out.Users {
			seen = append(seen, u.UserName)
		}
		if (out.Marker != nil) != *out.IsTruncated || len(out.Users) > 4 {
			t.Fatalf("page %+v", out)
		}
		if out.Marker == nil {
			break
		}
		in.Marker = out.Marker
	}
	if len(seen) != 13 || !slices.IsSorted(seen) {
		t.Errorf("pages show %d users: %v", len(seen), seen)
	}
	first := must(w, &iamapi.ListUsers, &iamapi.ListUsersRequest{MaxItems: new(int32(1))})
	for name, wrong := range map[string]func(){
		"other operation": func() {
			refused(w, &iamapi.ListRoles, &iamapi.ListRolesRequest{Marker: first.Marker}, "ValidationError", "Invalid Marker.")
		},
		"other filter": func() {
			refused(w, &iamapi.ListUsers, &iamapi.ListUsersRequest{Marker: first.Marker, PathPrefix: new("/a/")}, "ValidationError", "Invalid Marker.")
		},
		"other account": func() {
			refused(w.as(rootOf(other)), &iamapi.ListUsers, &iamapi.ListUsersRequest{Marker: first.Marker}, "ValidationError", "Invalid Marker.")
		},
		"changed": func() {
			refused(w, &iamapi.ListUsers, &iamapi.ListUsersRequest{Marker: new("A" + (*first.Marker)[1:] + "A")}, "ValidationError", "Invalid Marker.")
		},
	} {
		t.Run(name, func(t *testing.T) { wrong() })
	}
}

func TestTagsAreChecked(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		tags          []iamapi.Tag
		code, message string
	}{
		{[]iamapi.Tag{{Key: "Team"}, {Key: "team"}}, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{[]iamapi.Tag{{Key: "AWS:x"}}, "InvalidInput", "aws: prefixed tag key names are not allowed for external use."},
	} {
		refused(w, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "a", Tags: c.tags}, c.code, c.message)
		refused(w, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: "a", AssumeRolePolicyDocument: trust, Tags: c.tags}, c.code, c.message)
	}
	touches := w.touched(&iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "a", Path: new("/p/"), Tags: []iamapi.Tag{{Key: "k", Value: "v"}}})
	if len(touches) != 2 || touches[0].Action != "iam:CreateUser" || touches[1].Action != "iam:TagUser" ||
		touches[0].Resource.Resource != "user/p/a" || !slices.Equal(touches[1].Conditions["aws:RequestTag/k"], []string{"v"}) {
		t.Errorf("tags on a new user touch %+v", touches)
	}
}

func TestQuotasOfUsersAndRoles(t *testing.T) {
	w := newWorld(t)
	full := func(q quota) {
		err := w.store.Update(w.ctx(), func(ctx ctx) error { return w.service.totals.Put(ctx, q.part("others"), &total{q.most - 1}) })
		if err != nil {
			t.Fatal(err)
		}
	}
	full(usersQuota)
	w.user("last")
	refused(w, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "more"}, "LimitExceeded", "Cannot exceed quota for UsersPerAccount: 5000")
	must(w, &iamapi.DeleteUser, &iamapi.DeleteUserRequest{UserName: "last"})
	w.user("more")
	full(rolesQuota)
	w.role("last")
	refused(w, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: "more", AssumeRolePolicyDocument: trust}, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000")
	must(w, &iamapi.DeleteRole, &iamapi.DeleteRoleRequest{RoleName: "last"})
	w.role("more")
	w.as(rootOf(other)).user("elsewhere")
}

func TestUsersMadeAtOnceAreAllCounted(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	made := make([]bool, 8)
	for n := range made {
		all.Go(func() {
			for !made[n] {
				_, err := call(w, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: fmt.Sprint("u", n)})
				made[n] = err == nil
			}
		})
	}
	all.Wait()
	n, err := others(w.ctx(), w.service.totals, usersQuota, "")
	if err != nil || n != len(made) {
		t.Errorf("%v, %v users counted of %d", err, n, len(made))
	}
}

// Whatever somebody of another account asks about, nothing of ours is there.
func TestOtherAccountsFindNothing(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	k := w.key("alice")
	w.role("deploy")
	w.put("alice", allowed)
	must(w, &iamapi.PutRolePolicy, &iamapi.PutRolePolicyRequest{RoleName: "deploy", PolicyName: "p", PolicyDocument: allowed})
	stranger := w.as(rootOf(other))

	const noUser, noRole = "The user with name alice cannot be found.", "The role with name deploy cannot be found."
	user := new("alice")
	refused(stranger, &iamapi.GetUser, &iamapi.GetUserRequest{UserName: user}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.DeleteUser, &iamapi.DeleteUserRequest{UserName: "alice"}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: user}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.ListAccessKeys, &iamapi.ListAccessKeysRequest{UserName: user}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.UpdateAccessKey, &iamapi.UpdateAccessKeyRequest{UserName: user, AccessKeyId: k.AccessKeyId, Status: "Inactive"}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyRequest{UserName: user, AccessKeyId: k.AccessKeyId}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyRequest{AccessKeyId: k.AccessKeyId}, "NoSuchEntity", "The Access Key with id "+k.AccessKeyId+" cannot be found.")
	refused(stranger, &iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: "alice", PolicyName: "p", PolicyDocument: allowed}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.GetUserPolicy, &iamapi.GetUserPolicyRequest{UserName: "alice", PolicyName: "p"}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.ListUserPolicies, &iamapi.ListUserPoliciesRequest{UserName: "alice"}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.DeleteUserPolicy, &iamapi.DeleteUserPolicyRequest{UserName: "alice", PolicyName: "p"}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "alice", PolicyArn: AdministratorAccess}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.DetachUserPolicy, &iamapi.DetachUserPolicyRequest{UserName: "alice", PolicyArn: AdministratorAccess}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.ListAttachedUserPolicies, &iamapi.ListAttachedUserPoliciesRequest{UserName: "alice"}, "NoSuchEntity", noUser)
	refused(stranger, &iamapi.GetRole, &iamapi.GetRoleRequest{RoleName: "deploy"}, "NoSuchEntity", noRole)
	refused(stranger, &iamapi.UpdateAssumeRolePolicy, &iamapi.UpdateAssumeRolePolicyRequest{RoleName: "deploy", PolicyDocument: trust}, "NoSuchEntity", noRole)
	refused(stranger, &iamapi.DeleteRole, &iamapi.DeleteRoleRequest{RoleName: "deploy"}, "NoSuchEntity", noRole)
	refused(stranger, &iamapi.PutRolePolicy, &iamapi.PutRolePolicyRequest{RoleName: "deploy", PolicyName: "p", PolicyDocument: allowed}, "NoSuchEntity", noRole)
	refused(stranger, &iamapi.GetRolePolicy, &iamapi.GetRolePolicyRequest{RoleName: "deploy", PolicyName: "p"}, "NoSuchEntity", noRole)
	refused(stranger, &iamapi.ListRolePolicies, &iamapi.ListRolePoliciesRequest{RoleName: "deploy"}, "NoSuchEntity", noRole)
	refused(stranger, &iamapi.DeleteRolePolicy, &iamapi.DeleteRolePolicyRequest{RoleName: "deploy", PolicyName: "p"}, "NoSuchEntity", noRole)
	if out := must(stranger, &iamapi.ListUsers, &iamapi.ListUsersRequest{}); len(out.Users) != 0 {
		t.Errorf("a stranger sees %v", out.Users)
	}
	if out := must(stranger, &iamapi.ListRoles, &iamapi.ListRolesRequest{}); len(out.Roles) != 0 {
		t.Errorf("a stranger sees %v", out.Roles)
	}

	// A key of ours and a key that does not exist are answered and touched alike.
	var answers []string
	for _, id := range []string{k.AccessKeyId, "AKIAAAAAAAAAAAAAAAAA"} {
		in := &iamapi.GetAccessKeyLastUsedRequest{AccessKeyId: id}
		_, err := call(stranger, &iamapi.GetAccessKeyLastUsed, in)
		answers = append(answers, fmt.Sprint(err, stranger.touched(&iamapi.GetAccessKeyLastUsed, in)))
	}
	if answers[0] != answers[1] || !strings.HasPrefix(answers[0], "AccessDenied: ") {
		t.Errorf("the answers tell a stranger which keys exist: %q", answers)
	}
	for _, r := range w.service.Routes() {
		if !strings.HasPrefix(r.Meta().String(), "iam:") {
			t.Errorf("IAM serves %s", r.Meta())
		}
	}
}

func TestOnlyRowsOfTheAccountAreKeptUnderItsNames(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	if _, err := w.service.users.In(store.Place{Account: other}).Get(t.Context(), "alice"); err == nil {
		t.Error("alice stands in another account too")
	}
}
