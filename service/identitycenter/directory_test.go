package identitycenter

import (
	"fmt"
	"testing"

	api "sumun.dev/api/identitystoreapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

func TestUsersAreUnique(t *testing.T) {
	w := newWorld(t)
	w.person("alice")
	full := func(name, mail string) *api.CreateUserRequest {
		r := &api.CreateUserRequest{IdentityStoreId: w.id, UserName: &name, DisplayName: new("x"), Name: &api.Name{GivenName: new("x"), FamilyName: new("x")}}
		if mail != "" {
			r.Emails = []api.Email{{Value: &mail}}
		}
		return r
	}
	must(w, &api.CreateUser, full("bob", "bob@example.com"))
	for name, r := range map[string]*api.CreateUserRequest{
		"Duplicate UserName": full("ALICE", ""), "Duplicate Emails": full("carol", "Bob@example.com"),
	} {
		if _, err := call(w, owner, &api.CreateUser, r); !api.ConflictException.Is(err) || err.(*aws.Error).Message != name {
			t.Errorf("%v, want %s", err, name)
		}
	}
	for lacks, r := range map[string]*api.CreateUserRequest{
		"userName":       {IdentityStoreId: w.id, DisplayName: new("x"), Name: &api.Name{GivenName: new("x"), FamilyName: new("x")}},
		"displayName":    {IdentityStoreId: w.id, UserName: new("x"), Name: &api.Name{GivenName: new("x"), FamilyName: new("x")}},
		"name.givenName": {IdentityStoreId: w.id, UserName: new("x"), DisplayName: new("x")},
	} {
		if _, err := call(w, owner, &api.CreateUser, r); !api.ValidationException.Is(err) {
			t.Errorf("without %s: %v", lacks, err)
		}
	}
	if id := must(w, &api.GetUserId, &api.GetUserIdRequest{IdentityStoreId: w.id, AlternateIdentifier: &api.AlternateIdentifier{
		UniqueAttribute: &api.UniqueAttribute{AttributePath: "emails.value", AttributeValue: "bob@example.com"},
	}}).UserId; id != w.named("bob").ID {
		t.Errorf("the address leads to %s", id)
	}
}

func TestAttributesAreUpdated(t *testing.T) {
	w := newWorld(t)
	id := w.person("alice")
	update := func(path string, value any) error {
		_, err := call(w, owner, &api.UpdateUser, &api.UpdateUserRequest{IdentityStoreId: w.id, UserId: id, Operations: []api.AttributeOperation{{AttributePath: path, AttributeValue: value}}})
		return err
	}
	for _, c := range []struct {
		path  string
		value any
	}{
		{"displayName", "Alice"}, {"name.givenName", "Alice"}, {"title", "Engineer"},
		{"emails", []any{map[string]any{"value": "alice@example.com", "type": "work", "primary": true}}}, {"emails.value", "a@example.com"},
		{"aws:identitystore:enterprise.department", "blue"}, {"aws:identitystore:enterprise", map[string]any{"costCenter": "7"}}, {"nickName", "Al"}, {"nickName", nil},
	} {
		if err := update(c.path, c.value); err != nil {
			t.Errorf("%s: %v", c.path, err)
		}
	}
	got := must(w, &api.DescribeUser, &api.DescribeUserRequest{IdentityStoreId: w.id, UserId: id, Extensions: []string{"aws:identitystore:enterprise"}})
	if *got.DisplayName != "Alice" || *got.Emails[0].Value != "a@example.com" || *got.Emails[0].Type != "work" || got.NickName != nil ||
		fmt.Sprint(got.Extensions) != "map[aws:identitystore:enterprise:map[costCenter:7]]" {
		t.Errorf("got %+v %v", got, got.Extensions)
	}
	if plain := must(w, &api.DescribeUser, &api.DescribeUserRequest{IdentityStoreId: w.id, UserId: id}); plain.Extensions != nil {
		t.Error("extensions are shown to who has not asked for them")
	}
	for _, c := range []struct {
		path  string
		value any
	}{
		{"userName", nil}, {"name.familyName", nil}, {"userId", "x"}, {"identityStoreId", "d-0000000000"}, {"shoeSize", "44"}, {"displayName.value", "x"},
		{"emails", "x"}, {"title", 7}, {"externalIds", []any{}}, {"userStatus", "DISABLED"},
	} {
		if err := update(c.path, c.value); !api.ValidationException.Is(err) {
			t.Errorf("%s = %v: %v", c.path, c.value, err)
		}
	}
	w.person("bob")
	if err := update("userName", "bob"); !api.ConflictException.Is(err) {
		t.Errorf("another's name: %v", err)
	}
}

func TestListsArePagedAndFiltered(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		w.person(fmt.Sprint("user", i))
	}
	seen, request := map[string]bool{}, &api.ListUsersRequest{IdentityStoreId: w.id, MaxResults: new(int32(3))}
	for pages := 1; ; pages++ {
		out := must(w, &api.ListUsers, request)
		for _, u := range out.Users {
			seen[*u.UserName] = true
		}
		if request.NextToken = out.NextToken; out.NextToken == nil {
			if pages != 3 || len(seen) != 7 {
				t.Errorf("%d pages show %v", pages, seen)
			}
			break
		}
	}
	one := must(w, &api.ListUsers, &api.ListUsersRequest{IdentityStoreId: w.id, Filters: []api.Filter{{AttributePath: "UserName", AttributeValue: "USER3"}}})
	if len(one.Users) != 1 || *one.Users[0].UserName != "user3" {
		t.Errorf("the filter finds %+v", one.Users)
	}
	if _, err := call(w, owner, &api.ListUsers, &api.ListUsersRequest{IdentityStoreId: w.id, Filters: []api.Filter{{AttributePath: "Title", AttributeValue: "x"}}}); !api.ValidationException.Is(err) {
		t.Errorf("another filter: %v", err)
	}
	if _, err := call(w, owner, &api.ListUsers, &api.ListUsersRequest{IdentityStoreId: w.id, NextToken: new("x")}); !api.ValidationException.Is(err) {
		t.Errorf("a forged token: %v", err)
	}
}

func TestWhoIsDeletedLeavesTheirGroups(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice")
	g := must(w, &api.CreateGroup, &api.CreateGroupRequest{IdentityStoreId: w.id, DisplayName: new("blue")}).GroupId
	join := &api.CreateGroupMembershipRequest{IdentityStoreId: w.id, GroupId: g, MemberId: &api.MemberId{UserId: &alice}}
	must(w, &api.CreateGroupMembership, join)
	if _, err := call(w, owner, &api.CreateGroupMembership, join); !api.ConflictException.Is(err) {
		t.Errorf("joins twice: %v", err)
	}
	is := must(w, &api.IsMemberInGroups, &api.IsMemberInGroupsRequest{IdentityStoreId: w.id, MemberId: &api.MemberId{UserId: &alice}, GroupIds: []string{g}})
	if !*is.Results[0].MembershipExists {
		t.Error("who has joined is no member")
	}
	must(w, &api.DeleteUser, &api.DeleteUserRequest{IdentityStoreId: w.id, UserId: alice})
	if out := must(w, &api.ListGroupMemberships, &api.ListGroupMembershipsRequest{IdentityStoreId: w.id, GroupId: g}); len(out.GroupMemberships) != 0 {
		t.Errorf("the group still has %+v", out.GroupMemberships)
	}
	if _, err := call(w, owner, &api.DescribeUser, &api.DescribeUserRequest{IdentityStoreId: w.id, UserId: alice}); !api.ResourceNotFoundException.Is(err) {
		t.Errorf("a deleted user: %v", err)
	}
}

// Whatever is asked with the ids of another account's instance finds nothing.
func TestOtherAccountsFindNothing(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice")
	member := map[string]any{"UserId": alice}
	doc := map[string]any{
		"InstanceArn": w.instance, "IdentityStoreId": w.id, "UserId": alice, "GroupId": alice, "MembershipId": alice, "MemberId": member, "GroupIds": []any{alice},
		"PermissionSetArn": "arn:aws:sso:::permissionSet/" + w.instance[len("arn:aws:sso:::instance/"):] + "/ps-0123456789abcdef", "Name": "x", "PrincipalType": "USER",
		"PrincipalId": alice, "TargetId": string(other), "AccountId": string(other), "TargetType": "AWS_ACCOUNT", "InlinePolicy": "{}", "ResourceArn": w.instance,
		"ManagedPolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "CustomerManagedPolicyReference": map[string]any{"Name": "x"}, "Tags": []any{map[string]any{"Key": "a", "Value": "b"}},
		"PermissionsBoundary": map[string]any{"ManagedPolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, "TagKeys": []any{"a"}, "PasswordMode": "OTP",
		"AccountAssignmentCreationRequestId": aws.UUID(), "AccountAssignmentDeletionRequestId": aws.UUID(), "ProvisionPermissionSetRequestId": aws.UUID(),
		"InstanceAccessControlAttributeConfiguration": map[string]any{"AccessControlAttributes": []any{}}, "TrustedTokenIssuerType": "OIDC_JWT",
		"TrustedTokenIssuerArn": "arn:aws:sso::" + string(owner) + ":trustedTokenIssuer/ssoins-0123456789abcdef/tti-" + aws.UUID(),
		"TrustedTokenIssuerConfiguration": map[string]any{"OidcJwtConfiguration": map[string]any{
			"IssuerUrl": "https://idp.example.com", "ClaimAttributePath": "email", "IdentityStoreAttributePath": "userName", "JwksRetrievalOption": "OPEN_ID_DISCOVERY"}},
		"AlternateIdentifier": map[string]any{"UniqueAttribute": map[string]any{"AttributePath": "userName", "AttributeValue": "alice"}},
		"Operations":          []any{map[string]any{"AttributePath": "displayName", "AttributeValue": "x"}},
	}
	tried := 0
	for _, r := range w.routes() {
		m := r.Meta()
		if m.NoAuth || m.Name == "ListInstances" || m.Name == "CreateInstance" {
			continue
		}
		doc["Name"] = "x"
		if m.Name == "CreateUser" {
			doc["Name"] = map[string]any{"GivenName": "x"}
		}
		request, err := wire.DecodeJSONDocument(r.Operation, doc)
		if err != nil {
			t.Fatalf("%s: %v", m, err)
		}
		_, err = serve(w, other, r, request)
		if !api.ResourceNotFoundException.Is(err) {
			t.Errorf("%s of another account: %v", m, err)
		}
		tried++
	}
	if out, err := call(w, other, &api.ListUsers, &api.ListUsersRequest{IdentityStoreId: w.id}); err == nil {
		t.Errorf("lists %+v", out)
	}
	if tried < 50 {
		t.Errorf("only %d operations were tried", tried)
	}
}
