package organizations

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
)

// ids are what one organisation has.
type ids struct {
	organization, root, unit, policy, account, creation, handshake, resourcePolicy string
}

// missing are ids of the same forms that nobody has.
var missing = ids{
	"o-missing000", "r-miss", "ou-miss-missing0", "p-missing0", "999999999999", "car-missing0", "h-missing0", "rp-missing0",
}

// full makes an organisation that has one of everything.
func full(w *world) ids {
	o := w.found()
	have := ids{organization: o.id, root: o.root, unit: w.unit(o.root, "u"), account: string(w.member(string(w.caller) + "m"))}
	have.policy = w.policy(scp, "p", denyIAM)
	tags := []organizationsapi.Tag{{Key: "secret", Value: "yes"}}
	for _, id := range []string{have.root, have.unit, have.policy, have.account} {
		must(w, &organizationsapi.TagResource, &organizationsapi.TagResourceRequest{ResourceId: id, Tags: tags})
	}
	have.creation = *must(w, &organizationsapi.ListCreateAccountStatus, &organizationsapi.ListCreateAccountStatusRequest{}).CreateAccountStatuses[0].Id
	have.resourcePolicy = *must(w, &organizationsapi.PutResourcePolicy, &organizationsapi.PutResourcePolicyRequest{Content: allowRead}).ResourcePolicy.ResourcePolicySummary.Id
	guest := w.member(string(w.caller) + "guest")
	must(w.as(guest), &organizationsapi.LeaveOrganization, &organizationsapi.LeaveOrganizationRequest{})
	have.handshake = *must(w, &organizationsapi.InviteAccountToOrganization, &organizationsapi.InviteAccountToOrganizationRequest{
		Target: &organizationsapi.HandshakeParty{Id: string(guest), Type: organizationsapi.HandshakePartyTypeAccount}}).Handshake.Id
	return have
}

// name sets the members of a request that name something, and reports whether there are any.
func (have ids) name(request any) bool {
	named := false
	v := reflect.ValueOf(request).Elem()
	for i := range v.NumField() {
		to := map[string]string{
			"RootId": have.root, "ParentId": have.unit, "SourceParentId": have.root, "DestinationParentId": have.unit, "OrganizationalUnitId": have.unit,
			"ChildId": have.unit, "PolicyId": have.policy, "TargetId": have.unit, "ResourceId": have.unit, "AccountId": have.account,
			"HandshakeId": have.handshake, "CreateAccountRequestId": have.creation,
		}[v.Type().Field(i).Name]
		if to == "" {
			continue
		}
		named = true
		if f := v.Field(i); f.Kind() == reflect.Pointer {
			f.Set(reflect.ValueOf(&to))
		} else {
			f.SetString(to)
		}
	}
	return named
}

// For every operation, who asks for what another organisation has gets the answer
// for what nobody has, and touches nothing of it.
func TestOrganisationsSeeNothingOfEachOther(t *testing.T) {
	w := newWorld(t)
	theirs := full(w)
	mine := w.as(stranger)
	full(mine)
	compared := 0
	for _, route := range w.service.Routes() {
		ask := func(have ids) (string, error) {
			request := reflect.New(route.Operation.InType()).Interface()
			if !have.name(request) {
				return "", nil
			}
			_, touches, err := asked(mine, route.Operation, request)
			var about []string
			for _, touch := range touches {
				if len(touch.Tags) > 0 {
					t.Errorf("%s: another's tags are touched", route.Meta())
				}
				about = append(about, string(touch.Account)+strings.Join(slices.Sorted(keys(touch.Conditions)), ","))
			}
			return strings.Join(about, " "), err
		}
		gotTouches, got := ask(theirs)
		wantTouches, want := ask(missing)
		if want == nil && got == nil {
			continue // names nothing
		}
		compared++
		var e *aws.Error
		if !errors.As(want, &e) || got == nil || got.Error() != want.Error() || gotTouches != wantTouches {
			t.Errorf("%s: another's %v [%s], nobody's %v [%s]", route.Meta(), got, gotTouches, want, wantTouches)
		}
	}
	if compared < 25 {
		t.Errorf("%d operations were compared", compared)
	}
}

func keys(m map[string][]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// Members to whom nothing is delegated may ask about themselves; accounts in no
// organisation hear that they are in none.
func TestWhoMayCall(t *testing.T) {
	w := newWorld(t)
	w.found()
	member := w.as(w.member("a"))
	alone := w.as(stranger)
	for _, route := range w.service.Routes() {
		name := route.Meta().Name
		request := reflect.New(route.Operation.InType()).Interface()
		missing.name(request)
		if r, ok := request.(*organizationsapi.InviteAccountToOrganizationRequest); ok {
			r.Target = &organizationsapi.HandshakeParty{Id: string(stranger), Type: organizationsapi.HandshakePartyTypeAccount}
		}
		_, _, err := asked(member, route.Operation, request)
		open := slices.Contains([]string{"DescribeOrganization", "ListHandshakesForAccount", "LeaveOrganization", "CreateOrganization",
			"AcceptHandshake", "DeclineHandshake", "CancelHandshake", "DescribeHandshake"}, name)
		if !open && !organizationsapi.AccessDeniedException.Is(err) {
			t.Errorf("a member's %s: %v", name, err)
		}
		if open && organizationsapi.AccessDeniedException.Is(err) {
			t.Errorf("a member's %s: %v", name, err)
		}
		if name == "LeaveOrganization" {
			member = w.as(w.member("b"))
		}
		_, _, err = asked(alone, route.Operation, request)
		open = slices.Contains([]string{"CreateOrganization", "ListHandshakesForAccount", "AcceptHandshake", "DeclineHandshake", "CancelHandshake", "DescribeHandshake"}, name)
		if !open && !organizationsapi.AWSOrganizationsNotInUseException.Is(err) {
			t.Errorf("%s without an organisation: %v", name, err)
		}
		if name == "CreateOrganization" {
			must(alone, &organizationsapi.DeleteOrganization, &organizationsapi.DeleteOrganizationRequest{})
		}
	}
}

func TestDelegatedAdministrators(t *testing.T) {
	w := newWorld(t)
	w.found()
	a, b := w.member("a"), w.member("b")
	for _, service := range []string{"guardduty.amazonaws.com", "securityhub.amazonaws.com"} {
		must(w, &organizationsapi.EnableAWSServiceAccess, &organizationsapi.EnableAWSServiceAccessRequest{ServicePrincipal: service})
		for _, account := range []aws.Account{a, b} {
			must(w, &organizationsapi.RegisterDelegatedAdministrator, &organizationsapi.RegisterDelegatedAdministratorRequest{AccountId: string(account), ServicePrincipal: service})
		}
	}
	must(w, &organizationsapi.PutResourcePolicy, &organizationsapi.PutResourcePolicyRequest{Content: allowRead})
	_, touches, err := asked(w.as(a), &organizationsapi.ListAccounts, &organizationsapi.ListAccountsRequest{})
	if err != nil || touches[0].Account != management {
		t.Fatalf("%+v, %v", touches, err)
	}
	doc, err := policy.Parse([]byte(touches[0].Policy), policy.Resource)
	if err != nil || len(doc.Statements) != 2 {
		t.Errorf("%s: %v", touches[0].Policy, err)
	}
	// Each account stands there once, page by page.
	var seen []string
	var token *string
	for {
		out := must(w, &organizationsapi.ListDelegatedAdministrators, &organizationsapi.ListDelegatedAdministratorsRequest{MaxResults: new(int32(1)), NextToken: token})
		for _, d := range out.DelegatedAdministrators {
			seen = append(seen, *d.Id)
		}
		if token = out.NextToken; token == nil {
			break
		}
	}
	want := []string{string(a), string(b)}
	slices.Sort(want)
	if !slices.Equal(seen, want) {
		t.Errorf("listed %v, want %v", seen, want)
	}
	refused(w, &organizationsapi.RemoveAccountFromOrganization, &organizationsapi.RemoveAccountFromOrganizationRequest{AccountId: string(a)},
		organizationsapi.ConstraintViolationException, "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG")
	refused(w, &organizationsapi.DisableAWSServiceAccess, &organizationsapi.DisableAWSServiceAccessRequest{ServicePrincipal: "guardduty.amazonaws.com"},
		organizationsapi.ConstraintViolationException, "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE")
	for _, service := range []string{"guardduty.amazonaws.com", "securityhub.amazonaws.com"} {
		must(w, &organizationsapi.DeregisterDelegatedAdministrator, &organizationsapi.DeregisterDelegatedAdministratorRequest{AccountId: string(a), ServicePrincipal: service})
	}
	refused(w, &organizationsapi.ListDelegatedServicesForAccount, &organizationsapi.ListDelegatedServicesForAccountRequest{AccountId: string(a)},
		organizationsapi.AccountNotRegisteredException, "")
	must(w, &organizationsapi.RemoveAccountFromOrganization, &organizationsapi.RemoveAccountFromOrganizationRequest{AccountId: string(a)})
	for _, content := range []string{
		`{}`, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"organizations:*","Resource":"*"}]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","NotAction":"organizations:LeaveOrganization","Resource":"*"}}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"iam:ListUsers","Resource":"*"}}`,
	} {
		refused(w, &organizationsapi.PutResourcePolicy, &organizationsapi.PutResourcePolicyRequest{Content: content}, organizationsapi.InvalidInputException, "")
	}
	must(w, &organizationsapi.DeleteResourcePolicy, &organizationsapi.DeleteResourcePolicyRequest{})
	refused(w, &organizationsapi.DescribeResourcePolicy, &organizationsapi.DescribeResourcePolicyRequest{}, organizationsapi.ResourcePolicyNotFoundException, "")
}

func TestHandshakesEndByThemselves(t *testing.T) {
	w := newWorld(t)
	w.found()
	guest := w.member("a")
	must(w.as(guest), &organizationsapi.LeaveOrganization, &organizationsapi.LeaveOrganizationRequest{})
	invite := &organizationsapi.InviteAccountToOrganizationRequest{Target: &organizationsapi.HandshakeParty{Id: string(guest), Type: organizationsapi.HandshakePartyTypeAccount}}
	first := must(w, &organizationsapi.InviteAccountToOrganization, invite).Handshake
	refused(w, &organizationsapi.InviteAccountToOrganization, invite, organizationsapi.DuplicateHandshakeException, "")
	state := func(id string) organizationsapi.HandshakeState {
		t.Helper()
		return *must(w.as(guest), &organizationsapi.DescribeHandshake, &organizationsapi.DescribeHandshakeRequest{HandshakeId: id}).Handshake.State
	}
	w.due(time.Now().Add(inviteLasts - time.Minute))
	if got := state(*first.Id); got != organizationsapi.HandshakeStateOpen {
		t.Errorf("before its time the handshake is %s", got)
	}
	w.due(time.Now().Add(inviteLasts + time.Minute))
	if got := state(*first.Id); got != organizationsapi.HandshakeStateExpired {
		t.Errorf("after its time the handshake is %s", got)
	}
	refused(w.as(guest), &organizationsapi.AcceptHandshake, &organizationsapi.AcceptHandshakeRequest{HandshakeId: *first.Id}, organizationsapi.HandshakeAlreadyInStateException, "")
	second := must(w, &organizationsapi.InviteAccountToOrganization, invite).Handshake
	must(w.as(guest), &organizationsapi.DeclineHandshake, &organizationsapi.DeclineHandshakeRequest{HandshakeId: *second.Id})
	third := must(w, &organizationsapi.InviteAccountToOrganization, invite).Handshake
	refused(w.as(guest), &organizationsapi.CancelHandshake, &organizationsapi.CancelHandshakeRequest{HandshakeId: *third.Id}, organizationsapi.AccessDeniedException, "")
	must(w, &organizationsapi.CancelHandshake, &organizationsapi.CancelHandshakeRequest{HandshakeId: *third.Id})
	w.due(time.Now().Add(settledShown + time.Minute))
	if left := must(w, &organizationsapi.ListHandshakesForOrganization, &organizationsapi.ListHandshakesForOrganizationRequest{}).Handshakes; len(left) != 0 {
		t.Errorf("%d handshakes that are over are still listed", len(left))
	}
	invite.Target.Type = organizationsapi.HandshakePartyTypeOrganization
	refused(w, &organizationsapi.InviteAccountToOrganization, invite, organizationsapi.InvalidInputException, "INVALID_PARTY_TYPE_TARGET")
	invite.Target = &organizationsapi.HandshakeParty{Id: string(management), Type: organizationsapi.HandshakePartyTypeAccount}
	refused(w, &organizationsapi.InviteAccountToOrganization, invite, organizationsapi.HandshakeConstraintViolationException, "ALREADY_IN_AN_ORGANIZATION")
}

// With the organisation go its invitations.
func TestDeletedOrganisationsInviteNobody(t *testing.T) {
	w := newWorld(t)
	w.found()
	guest := w.member("a")
	must(w.as(guest), &organizationsapi.LeaveOrganization, &organizationsapi.LeaveOrganizationRequest{})
	h := must(w, &organizationsapi.InviteAccountToOrganization, &organizationsapi.InviteAccountToOrganizationRequest{
		Target: &organizationsapi.HandshakeParty{Id: string(guest), Type: organizationsapi.HandshakePartyTypeAccount}}).Handshake
	must(w, &organizationsapi.DeleteOrganization, &organizationsapi.DeleteOrganizationRequest{})
	refused(w.as(guest), &organizationsapi.AcceptHandshake, &organizationsapi.AcceptHandshakeRequest{HandshakeId: *h.Id}, organizationsapi.HandshakeAlreadyInStateException, "")
	w.found()
	if n := len(must(w, &organizationsapi.ListPolicies, &organizationsapi.ListPoliciesRequest{Filter: scp}).Policies); n != 1 {
		t.Errorf("a new organisation begins with %d policies", n)
	}
}

func TestPagesBelongToWhoAsked(t *testing.T) {
	w := newWorld(t)
	o := w.found()
	for _, name := range []string{"a", "b", "c"} {
		w.member(name)
		w.policy(scp, name, denyIAM)
	}
	var seen []string
	var token *string
	for {
		out := must(w, &organizationsapi.ListPolicies, &organizationsapi.ListPoliciesRequest{Filter: scp, MaxResults: new(int32(1)), NextToken: token})
		if len(out.Policies) > 1 {
			t.Errorf("a page has %d policies", len(out.Policies))
		}
		for _, p := range out.Policies {
			seen = append(seen, *p.Name)
		}
		if token = out.NextToken; token == nil {
			break
		}
	}
	slices.Sort(seen)
	if strings.Join(seen, " ") != "FullAWSAccess a b c" {
		t.Errorf("listed %v", seen)
	}
	page := must(w, &organizationsapi.ListAccounts, &organizationsapi.ListAccountsRequest{MaxResults: new(int32(2))})
	if len(page.Accounts) != 2 || page.NextToken == nil {
		t.Fatalf("%d accounts on the first page", len(page.Accounts))
	}
	rest := must(w, &organizationsapi.ListAccounts, &organizationsapi.ListAccountsRequest{NextToken: page.NextToken})
	if len(rest.Accounts) != 2 || rest.NextToken != nil {
		t.Errorf("%d accounts on the last page", len(rest.Accounts))
	}
	refused(w, &organizationsapi.ListAccountsForParent, &organizationsapi.ListAccountsForParentRequest{ParentId: o.root, NextToken: page.NextToken},
		organizationsapi.InvalidInputException, "INVALID_NEXT_TOKEN")
	w.as(stranger).found()
	refused(w.as(stranger), &organizationsapi.ListAccounts, &organizationsapi.ListAccountsRequest{NextToken: page.NextToken},
		organizationsapi.InvalidInputException, "INVALID_NEXT_TOKEN")
}
