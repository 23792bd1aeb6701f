package iam

import (
	"strings"
	"testing"
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
