package iam

import (
	"strings"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
)

func TestServiceLinkedRolesHavePoliciesOfAWS(t *testing.T) {
	w := newWorld(t)
	for service, l := range linkedServices() {
		if p := w.service.aws.Find("arn:aws:iam::aws:policy" + linkedPath + l.policy); p == nil {
			t.Errorf("%s: AWS has no policy %s", service, l.policy)
		}
		r, err := newLinkedRole(service, l, nil)
		if err != nil || !r.protected(w.ctx()) || len(r.Name) > 64 || !strings.HasPrefix(r.Name, "AWSServiceRoleFor") {
			t.Errorf("%s: %+v, %v", service, r, err)
		}
		if _, err := w.service.keptTrust(w.ctx(), r.Trust); err != nil {
			t.Errorf("%s: its trust policy: %v", service, err)
		}
	}
}

// Roles of Identity Center are its own, description and all; of service-linked
// roles the description is the account's.
func TestDescriptionsOfRolesOfAWS(t *testing.T) {
	w := newWorld(t)
	must(w, &iamapi.CreateServiceLinkedRole, &iamapi.CreateServiceLinkedRoleRequest{AWSServiceName: "ssm.amazonaws.com"})
	err := w.store.Update(w.ctx(), func(ctx ctx) error {
		return w.service.insertRole(ctx, account, &role{Name: "AWSReservedSSO_admin_0", Path: "/aws-reserved/sso.amazonaws.com/", ID: aws.UniqueID("AROA"), Trust: trust, MaxSession: defaultSession})
	})
	if err != nil {
		t.Fatal(err)
	}
	const protected = "Cannot perform the operation on the protected role 'AWSReservedSSO_admin_0' - this role is only modifiable by AWS"
	refused(w, &iamapi.UpdateRole, &iamapi.UpdateRoleRequest{RoleName: "AWSReservedSSO_admin_0", Description: new("mine")}, "UnmodifiableEntity", protected)
	refused(w, &iamapi.UpdateRoleDescription, &iamapi.UpdateRoleDescriptionRequest{RoleName: "AWSReservedSSO_admin_0", Description: "mine"}, "UnmodifiableEntity", protected)
	must(w, &iamapi.UpdateRole, &iamapi.UpdateRoleRequest{RoleName: "AWSServiceRoleForAmazonSSM", Description: new("mine")})
	must(w, &iamapi.UpdateRoleDescription, &iamapi.UpdateRoleDescriptionRequest{RoleName: "AWSServiceRoleForAmazonSSM", Description: "mine"})
}
