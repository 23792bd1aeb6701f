package organizations

import (
	"errors"
	"fmt"
	"testing"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/service"
)

func TestEntitiesToReportOn(t *testing.T) {
	w := newWorld(t)
	ask := func(account aws.Account, path, scp string) (*service.OrganizationEntity, error) {
		return w.service.Entity(t.Context(), account, path, scp)
	}
	refuse := func(account aws.Account, path, scp string, want NoEntity) {
		t.Helper()
		if _, err := ask(account, path, scp); !errors.Is(err, want) {
			t.Errorf("%s %s %s: %v, want %v", account, path, scp, err, want)
		}
	}
	refuse(management, "o-a1b2c3d4e5/r-ab12", "", notManagement)
	o := w.found()
	one, two := w.member("one"), w.member("two")
	unit := w.unit(o.root, "u")
	must(w, &organizationsapi.MoveAccount, &organizationsapi.MoveAccountRequest{AccountId: string(one), SourceParentId: o.root, DestinationParentId: unit})
	p := w.policy(organizationsapi.PolicyTypeServiceControlPolicy, "p", denyIAM)
	must(w, &organizationsapi.AttachPolicy, &organizationsapi.AttachPolicyRequest{PolicyId: p, TargetId: unit})
	root := o.id + "/" + o.root
	for _, c := range []struct {
		path, scp string
		accounts  map[aws.Account]string
		levels    string // how many policies each has
	}{
		{root, "", map[aws.Account]string{one: root + "/" + unit + "/" + string(one), two: root + "/" + string(two)}, "[1]"},
		{root + "/" + unit + "/", "", map[aws.Account]string{one: root + "/" + unit + "/" + string(one)}, "[1 2]"},
		{root + "/" + string(two), "", map[aws.Account]string{two: root + "/" + string(two)}, "[1 1]"},
		{root + "/" + string(management), "", map[aws.Account]string{management: root + "/" + string(management)}, "[]"},
		{root, p, map[aws.Account]string{one: root + "/" + unit + "/" + string(one)}, "[1]"},
		{root + "/" + unit + "/" + string(one), p, map[aws.Account]string{one: root + "/" + unit + "/" + string(one)}, "[1]"},
		{root + "/" + string(two), p, map[aws.Account]string{}, "[1]"},
	} {
		e, err := ask(management, c.path, c.scp)
		if err != nil {
			t.Errorf("%s %s: %v", c.path, c.scp, err)
			continue
		}
		levels := []int{}
		for _, l := range e.SCPs {
			levels = append(levels, len(l))
		}
		if fmt.Sprint(e.Accounts) != fmt.Sprint(c.accounts) || fmt.Sprint(levels) != c.levels {
			t.Errorf("%s %s: accounts %v, levels %v", c.path, c.scp, e.Accounts, levels)
		}
	}
	refuse(one, root, "", notManagement)
	for _, wrong := range []string{"o-a1b2c3d4e5/" + o.root, o.id, root + "/ou-ab12-11111111", root + "/" + string(one), o.id + "/" + unit, root + "//" + unit} {
		refuse(management, wrong, "", noEntity)
	}
	refuse(management, root, "p-12345678", noSCP)
	refuse(management, root, fullRCP, noSCP)
	must(w, &organizationsapi.DisablePolicyType, &organizationsapi.DisablePolicyTypeRequest{RootId: o.root, PolicyType: organizationsapi.PolicyTypeServiceControlPolicy})
	refuse(management, root, "", scpsDisabled)
}
