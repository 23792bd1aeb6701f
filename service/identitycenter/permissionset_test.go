package identitycenter

import (
	"strings"
	"testing"

	api "sumun.dev/api/ssoadminapi"
	"sumun.dev/aws"
)

func TestSessionLengths(t *testing.T) {
	for text, minutes := range map[string]int{
		"PT1H": 60, "PT12H": 720, "PT90M": 90, "PT1H30M": 90, "PT3600S": 60, "PT59M": 0, "PT13H": 0, "PT": 0, "P1D": 0, "1H": 0, "PT-2H": 0, "PT2": 0, "": 0,
	} {
		d, err := sessionLength(text)
		if minutes == 0 && err == nil || minutes > 0 && int(d.Minutes()) != minutes {
			t.Errorf("%q is %v, %v", text, d, err)
		}
	}
}

func (w *world) set(name string) string {
	w.t.Helper()
	return *must(w, &api.CreatePermissionSet, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: name}).PermissionSet.PermissionSetArn
}

func TestPermissionSetsRefuse(t *testing.T) {
	w := newWorld(t)
	set := w.set("one")
	attach := func(arn string) error {
		_, err := call(w, owner, &api.AttachManagedPolicyToPermissionSet, &api.AttachManagedPolicyToPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: arn})
		return err
	}
	if err := attach("arn:aws:iam::aws:policy/ReadOnlyAccess"); err != nil {
		t.Fatal(err)
	}
	customer := func(name string) error {
		_, err := call(w, owner, &api.AttachCustomerManagedPolicyReferenceToPermissionSet, &api.AttachCustomerManagedPolicyReferenceToPermissionSetRequest{
			InstanceArn: w.instance, PermissionSetArn: set, CustomerManagedPolicyReference: &api.CustomerManagedPolicyReference{Name: name},
		})
		return err
	}
	for i := range maxSetPolicies - 1 {
		if err := customer("p" + strings.Repeat("x", i)); err != nil {
			t.Fatal(err)
		}
	}
	_, twice := call(w, owner, &api.CreatePermissionSet, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "one"})
	_, inline := call(w, owner, &api.PutInlinePolicyToPermissionSet, &api.PutInlinePolicyToPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, InlinePolicy: `{"Version":"2012-10-17"}`})
	_, long := call(w, owner, &api.CreatePermissionSet, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "long", SessionDuration: new("PT24H")})
	_, tag := call(w, owner, &api.CreatePermissionSet, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "tag", Tags: []api.Tag{{Key: "aws:x", Value: "y"}}})
	_, both := call(w, owner, &api.PutPermissionsBoundaryToPermissionSet, &api.PutPermissionsBoundaryToPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set, PermissionsBoundary: &api.PermissionsBoundary{}})
	_, none := call(w, owner, &api.GetPermissionsBoundaryForPermissionSet, &api.GetPermissionsBoundaryForPermissionSetRequest{InstanceArn: w.instance, PermissionSetArn: set})
	_, second := call(w, owner, &api.CreateInstance, &api.CreateInstanceRequest{})
	_, nobody := call(w, owner, &api.DeleteAccountAssignment, &api.DeleteAccountAssignmentRequest{
		InstanceArn: w.instance, PermissionSetArn: set, TargetId: string(other), TargetType: api.TargetTypeAwsAccount, PrincipalType: api.PrincipalTypeUser, PrincipalId: aws.UUID(),
	})
	for name, c := range map[string]struct {
		err  error
		want aws.ErrorKind
	}{
		"name_twice": {twice, api.ConflictException}, "malformed_policy": {inline, api.ValidationException}, "too_long": {long, api.ValidationException},
		"reserved_tag": {tag, api.ValidationException}, "empty_boundary": {both, api.ValidationException}, "no_boundary": {none, api.ResourceNotFoundException},
		"second_instance": {second, api.ConflictException}, "attached_twice": {attach("arn:aws:iam::aws:policy/ReadOnlyAccess"), api.ConflictException},
		"no_such_policy": {attach("arn:aws:iam::aws:policy/Missing"), api.ResourceNotFoundException}, "one_too_many": {customer("more"), api.ServiceQuotaExceededException},
		"no_such_assignment": {nobody, api.ResourceNotFoundException},
	} {
		if !c.want.Is(c.err) {
			t.Errorf("%s: %v, want %s", name, c.err, c.want.Code)
		}
	}
}

// A member's instance is of its account alone.
func TestAccountInstancesHaveNoPermissionSets(t *testing.T) {
	w := newWorld(t)
	made, err := call(w, other, &api.CreateInstance, &api.CreateInstanceRequest{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = call(w, other, &api.CreatePermissionSet, &api.CreatePermissionSetRequest{InstanceArn: *made.InstanceArn, Name: "x"})
	if !api.ValidationException.Is(err) {
		t.Errorf("a permission set in an account instance: %v", err)
	}
}

func TestTagsOfPermissionSets(t *testing.T) {
	w := newWorld(t)
	set := w.set("one")
	must(w, &api.TagResource, &api.TagResourceRequest{InstanceArn: &w.instance, ResourceArn: set, Tags: []api.Tag{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}})
	must(w, &api.UntagResource, &api.UntagResourceRequest{InstanceArn: &w.instance, ResourceArn: set, TagKeys: []string{"a"}})
	if got := must(w, &api.ListTagsForResource, &api.ListTagsForResourceRequest{ResourceArn: set}).Tags; len(got) != 1 || got[0].Key != "b" {
		t.Errorf("tags are %+v", got)
	}
	if _, err := call(w, other, &api.TagResource, &api.TagResourceRequest{ResourceArn: set, Tags: []api.Tag{{Key: "a", Value: "1"}}}); !api.ResourceNotFoundException.Is(err) {
		t.Errorf("another account tags: %v", err)
	}
}
