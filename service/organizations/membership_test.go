package organizations

import (
	"testing"
	"time"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
)

// standing is the membership of an account, which the test expects to be known.
func (w *world) standing(a aws.Account) *policy.Membership {
	w.t.Helper()
	m, err := w.service.Membership(w.t.Context(), a)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func TestMembershipFollowsEveryChange(t *testing.T) {
	w := newWorld(t)
	if m := w.standing(management); m != nil {
		t.Errorf("before there is an organisation: %+v", m)
	}
	o := w.found()
	if m := w.standing(management); m == nil || !m.Management || m.SCPs != nil || m.RCPs != nil || m.Path != o.id+"/"+o.root+"/" {
		t.Errorf("the management account: %+v", m)
	}
	member := w.member("a")
	m := w.standing(member)
	if m == nil || m.Management || m.Organization != o.id || len(m.SCPs) != 2 || len(m.RCPs) != 2 {
		t.Fatalf("a new member: %+v", m)
	}
	if m != w.standing(member) {
		t.Error("the membership is not remembered")
	}
	unit := w.unit(o.root, "u")
	must(w, &organizationsapi.MoveAccount, &organizationsapi.MoveAccountRequest{AccountId: string(member), SourceParentId: o.root, DestinationParentId: unit})
	if m = w.standing(member); len(m.SCPs) != 3 || m.Path != o.id+"/"+o.root+"/"+unit+"/" {
		t.Errorf("moved: %+v", m)
	}
	p := w.policy(organizationsapi.PolicyTypeServiceControlPolicy, "p", denyIAM)
	must(w, &organizationsapi.AttachPolicy, &organizationsapi.AttachPolicyRequest{PolicyId: p, TargetId: unit})
	if m = w.standing(member); len(m.SCPs[1]) != 2 || m.SCPs[1][1].Source != "arn:aws:organizations::111122223333:policy/"+o.id+"/service_control_policy/"+p {
		t.Errorf("attached: %+v", m.SCPs)
	}
	if got := m.SCPs[0][0].Source; got != "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess" {
		t.Errorf("AWS's own policy is %s", got)
	}
	before := m.SCPs[1][1].Document
	must(w, &organizationsapi.UpdatePolicy, &organizationsapi.UpdatePolicyRequest{PolicyId: p, Content: new(long(200))})
	if m = w.standing(member); m.SCPs[1][1].Document == before {
		t.Error("an updated policy is not seen")
	}
	must(w, &organizationsapi.DisablePolicyType, &organizationsapi.DisablePolicyTypeRequest{RootId: o.root, PolicyType: organizationsapi.PolicyTypeServiceControlPolicy})
	if m = w.standing(member); m.SCPs != nil || m.RCPs == nil {
		t.Errorf("disabled: %+v", m)
	}
	must(w, &organizationsapi.EnablePolicyType, &organizationsapi.EnablePolicyTypeRequest{RootId: o.root, PolicyType: organizationsapi.PolicyTypeServiceControlPolicy})
	if m = w.standing(member); len(m.SCPs) != 3 || len(m.SCPs[1]) != 1 {
		t.Errorf("enabled again: %+v", m.SCPs)
	}
	must(w, &organizationsapi.RemoveAccountFromOrganization, &organizationsapi.RemoveAccountFromOrganizationRequest{AccountId: string(member)})
	if m = w.standing(member); m != nil {
		t.Errorf("removed: %+v", m)
	}
}

func TestClosedAccounts(t *testing.T) {
	w := newWorld(t)
	w.found()
	member := w.member("a")
	closed := func() bool {
		t.Helper()
		c, err := w.service.Closed(t.Context(), member)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if closed() {
		t.Error("a new account is closed")
	}
	must(w, &organizationsapi.CloseAccount, &organizationsapi.CloseAccountRequest{AccountId: string(member)})
	if !closed() {
		t.Error("an account that is being closed is open")
	}
	refused(w, &organizationsapi.CloseAccount, &organizationsapi.CloseAccountRequest{AccountId: string(member)}, organizationsapi.ConflictException, "")
	w.due(time.Now())
	a := must(w, &organizationsapi.DescribeAccount, &organizationsapi.DescribeAccountRequest{AccountId: string(member)}).Account
	if *a.State != organizationsapi.AccountStateSuspended || *a.Status != organizationsapi.AccountStatusSuspended {
		t.Errorf("the account is %s, %s", *a.State, *a.Status)
	}
	refused(w, &organizationsapi.CloseAccount, &organizationsapi.CloseAccountRequest{AccountId: string(member)}, organizationsapi.AccountAlreadyClosedException, "")
	w.due(time.Now().Add(postClosure + time.Hour))
	refused(w, &organizationsapi.DescribeAccount, &organizationsapi.DescribeAccountRequest{AccountId: string(member)}, organizationsapi.AccountNotFoundException, "")
	if !closed() {
		t.Error("an account that is gone is open")
	}
	refused(w, &organizationsapi.CloseAccount, &organizationsapi.CloseAccountRequest{AccountId: string(management)},
		organizationsapi.ConstraintViolationException, "CANNOT_CLOSE_MANAGEMENT_ACCOUNT")
}

func BenchmarkMembership(b *testing.B) {
	w := newWorld(b)
	w.found()
	member := w.member("a")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.service.Membership(ctx, member); err != nil {
			b.Fatal(err)
		}
	}
}
