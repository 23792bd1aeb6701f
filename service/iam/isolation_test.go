package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// furnish makes one of each kind in the world's account, all tied together.
func furnish(w *world) {
	w.user("alice")
	w.role("deploy")
	must(w, &iamapi.CreateGroup, &iamapi.CreateGroupRequest{GroupName: "staff"})
	must(w, &iamapi.AddUserToGroup, &iamapi.AddUserToGroupRequest{GroupName: "staff", UserName: "alice"})
	must(w, &iamapi.CreatePolicy, &iamapi.CreatePolicyRequest{PolicyName: "ours", PolicyDocument: allowed, Tags: []iamapi.Tag{{Key: "k", Value: "v"}}})
	must(w, &iamapi.CreateInstanceProfile, &iamapi.CreateInstanceProfileRequest{InstanceProfileName: "web"})
	must(w, &iamapi.AddRoleToInstanceProfile, &iamapi.AddRoleToInstanceProfileRequest{InstanceProfileName: "web", RoleName: "deploy"})
	must(w, &iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: "alice", PolicyName: "p", PolicyDocument: allowed})
	must(w, &iamapi.PutGroupPolicy, &iamapi.PutGroupPolicyRequest{GroupName: "staff", PolicyName: "p", PolicyDocument: allowed})
	must(w, &iamapi.PutRolePolicy, &iamapi.PutRolePolicyRequest{RoleName: "deploy", PolicyName: "p", PolicyDocument: allowed})
	for _, err := range []error{
		drop(call(w, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "alice", PolicyArn: ours})),
		drop(call(w, &iamapi.AttachGroupPolicy, &iamapi.AttachGroupPolicyRequest{GroupName: "staff", PolicyArn: ours})),
		drop(call(w, &iamapi.AttachRolePolicy, &iamapi.AttachRolePolicyRequest{RoleName: "deploy", PolicyArn: ours})),
		drop(call(w, &iamapi.CreateServiceLinkedRole, &iamapi.CreateServiceLinkedRoleRequest{AWSServiceName: "ssm.amazonaws.com"})),
	} {
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// furnishCredentials makes what users sign in with, and the providers.
func furnishCredentials(w *world) {
	d := must(w, &iamapi.CreateVirtualMFADevice, &iamapi.CreateVirtualMFADeviceRequest{VirtualMFADeviceName: "alice", Tags: []iamapi.Tag{{Key: "k", Value: "v"}}}).VirtualMFADevice
	if d.SerialNumber != owned("mfa") {
		w.t.Fatalf("the device is %s", d.SerialNumber)
	}
	must(w, &iamapi.CreateOpenIDConnectProvider, &iamapi.CreateOpenIDConnectProviderRequest{Url: "https://alice", ClientIDList: []string{"k"}, Tags: []iamapi.Tag{{Key: "k", Value: "v"}}})
	must(w, &iamapi.CreateSAMLProvider, &iamapi.CreateSAMLProviderRequest{Name: "alice", SAMLMetadataDocument: describing(w.t, ""), Tags: []iamapi.Tag{{Key: "k", Value: "v"}}})
	must(w, &iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileRequest{UserName: new("alice"), Password: new("Correct-Horse-1")})
	must(w, &iamapi.CreateServiceSpecificCredential, &iamapi.CreateServiceSpecificCredentialRequest{UserName: "alice", ServiceName: "codecommit.amazonaws.com"})
	must(w, &iamapi.UpdateAccountPasswordPolicy, &iamapi.UpdateAccountPasswordPolicyRequest{MinimumPasswordLength: new(int32(12))})
}

// owned is the ARN of what furnish has made of a kind.
func owned(kind string) string { return "arn:aws:iam::111122223333:" + kind + "/alice" }

const ours = "arn:aws:iam::111122223333:policy/ours"

func drop[T any](_ T, err error) error { return err }

// Whatever somebody of another account asks about what is ours, the answer and
// what is touched are those of a world in which nothing of it is there.
func TestStrangersMeetAnEmptyWorld(t *testing.T) {
	full, empty := newWorld(t), newWorld(t)
	furnish(full)
	furnishCredentials(full)
	for _, r := range full.service.Routes() {
		t.Run(r.Meta().Name, func(t *testing.T) {
			for _, name := range []string{"alice", "deploy", "staff", "web", "AWSServiceRoleForAmazonSSM"} {
				got, want := stranger(full, r, name), stranger(empty, r, name)
				if got != want {
					t.Errorf("about %s a stranger hears\n%s\nwant\n%s", name, got, want)
				}
			}
		})
	}
}

// stranger asks as root of another account, and tells what came of it without what
// is new in every answer.
func stranger(w *world, r wire.Route, name string) string {
	r = w.route(r.Operation)
	in := reflect.New(r.Operation.InType())
	fillIn(in.Elem(), name)
	as := w.as(rootOf(other))
	var touches []wire.Touch
	var answer string
	err := w.store.Update(as.ctx(), func(ctx ctx) (err error) {
		if touches, err = r.Touches(ctx, in.Interface()); err != nil {
			return err
		}
		out, err := r.Serve(ctx, in.Interface())
		if err != nil {
			return err
		}
		if name := r.Meta().Name; strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Get") {
			text, err := json.Marshal(out)
			if err != nil {
				return err
			}
			answer = marker.ReplaceAllString(string(text), "")
		}
		return errDone // nothing is kept, so that one question does not answer the next
	})
	return fmt.Sprintf("%+v %s %v", touches, answer, err)
}

// marker is sealed, and so never twice the same.
var marker = regexp.MustCompile(`"Marker":"[^"]*"`)

var errDone = errors.New("done")

func fillIn(v reflect.Value, name string) {
	for i := range v.NumField() {
		f, field := v.Field(i), v.Type().Field(i).Name
		text := name
		switch {
		case strings.HasSuffix(field, "Document"):
			text = allowed
			if field == "AssumeRolePolicyDocument" {
				text = trust
			}
		case field == "SerialNumber":
			text = owned("mfa")
		case field == "OpenIDConnectProviderArn":
			text = owned("oidc-provider")
		case field == "SAMLProviderArn":
			text = owned("saml-provider")
		case field == "PolicySourceArn", field == "Arn":
			text = owned("user")
		case strings.HasSuffix(field, "Arn"), field == "PermissionsBoundary":
			text = ours
		case field == "VersionId":
			text = "v1"
		case field == "PolicyName":
			text = "p"
		case strings.Contains(field, "Path"):
			text = "/"
		case field == "AWSServiceName":
			text = "ssm.amazonaws.com"
		case field == "Marker", field == "AccessKeyId", field == "Status":
			continue
		case field == "DeletionTaskId":
			text = "task/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM/x"
		}
		switch {
		case f.Kind() == reflect.String:
			f.SetString(text)
		case f.Type() == reflect.TypeFor[*string]():
			f.Set(reflect.ValueOf(&text))
		case f.Type() == reflect.TypeFor[[]string]():
			f.Set(reflect.ValueOf([]string{"k"}))
		}
	}
}

// A policy of another account is neither attached nor a boundary.
func TestPoliciesOfOtherAccountsAreNotAttached(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	as := w.as(rootOf(other))
	as.user("bob")
	refused(as, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "bob", PolicyArn: ours}, "NoSuchEntity", "Policy "+ours+" does not exist or is not attachable.")
	refused(as, &iamapi.PutUserPermissionsBoundary, &iamapi.PutUserPermissionsBoundaryRequest{UserName: "bob", PermissionsBoundary: ours}, "NoSuchEntity", "Scope ARN: "+ours+" does not exist or is not attachable.")
	touch := as.touched(&iamapi.GetPolicy, &iamapi.GetPolicyRequest{PolicyArn: ours})[0]
	if len(touch.Tags) != 0 || touch.Resource.Account != account {
		t.Errorf("a stranger touches %+v", touch)
	}
	// An alias is taken in all accounts, and tells no more than that.
	must(w, &iamapi.CreateAccountAlias, &iamapi.CreateAccountAliasRequest{AccountAlias: "taken"})
	refused(as, &iamapi.CreateAccountAlias, &iamapi.CreateAccountAliasRequest{AccountAlias: "taken"}, "EntityAlreadyExists", "The account alias taken already exists.")
	refused(as, &iamapi.DeleteAccountAlias, &iamapi.DeleteAccountAliasRequest{AccountAlias: "taken"}, "NoSuchEntity", "The account alias with name taken cannot be found.")
}

// Ids tell users and roles of all accounts apart, and names come and go.
func TestUniqueIDsOfAllAccounts(t *testing.T) {
	w := newWorld(t)
	u, r := w.user("alice"), w.as(rootOf(other)).role("deploy")
	for text, id := range map[string]string{u.Arn: u.UserId, r.Arn: r.RoleId} {
		arn, err := aws.ParseARN(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.service.UniqueID(w.ctx(), arn)
		if err != nil || got != id {
			t.Errorf("%s has id %s, %v", text, got, err)
		}
		back, err := w.service.Named(w.ctx(), id)
		if err != nil || back != arn {
			t.Errorf("%s is %s, %v", id, back, err)
		}
		arn.Account = "999999999999"
		if _, err := w.service.UniqueID(w.ctx(), arn); err == nil {
			t.Errorf("%s is there", arn)
		}
	}
	must(w, &iamapi.DeleteUser, &iamapi.DeleteUserRequest{UserName: "alice"})
	w.user("alice")
	if _, err := w.service.Named(w.ctx(), u.UserId); err == nil {
		t.Error("a deleted user's id names its namesake")
	}
}
