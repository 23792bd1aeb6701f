package organizations

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

const (
	scp = organizationsapi.PolicyTypeServiceControlPolicy
	rcp = organizationsapi.PolicyTypeResourceControlPolicy
)

func TestUnitsHaveNamesAndDepth(t *testing.T) {
	w := newWorld(t)
	o := w.found()
	parent := o.root
	for depth := range maxDepth {
		parent = w.unit(parent, fmt.Sprint(depth))
	}
	refused(w, &organizationsapi.CreateOrganizationalUnit, &organizationsapi.CreateOrganizationalUnitRequest{ParentId: parent, Name: "x"},
		organizationsapi.ConstraintViolationException, "OU_DEPTH_LIMIT_EXCEEDED")
	a := w.unit(o.root, "a")
	refused(w, &organizationsapi.CreateOrganizationalUnit, &organizationsapi.CreateOrganizationalUnitRequest{ParentId: o.root, Name: "a"},
		organizationsapi.DuplicateOrganizationalUnitException, "")
	refused(w, &organizationsapi.UpdateOrganizationalUnit, &organizationsapi.UpdateOrganizationalUnitRequest{OrganizationalUnitId: a, Name: new("0")},
		organizationsapi.DuplicateOrganizationalUnitException, "")
	must(w, &organizationsapi.UpdateOrganizationalUnit, &organizationsapi.UpdateOrganizationalUnitRequest{OrganizationalUnitId: a, Name: new("a")})
	must(w, &organizationsapi.UpdateOrganizationalUnit, &organizationsapi.UpdateOrganizationalUnitRequest{OrganizationalUnitId: a, Name: new("b")})
	w.unit(o.root, "a")
	refused(w, &organizationsapi.CreateOrganizationalUnit, &organizationsapi.CreateOrganizationalUnitRequest{ParentId: string(management), Name: "x"},
		organizationsapi.ParentNotFoundException, "")
}

func TestPoliciesHaveSizesNamesAndAttachments(t *testing.T) {
	w := newWorld(t)
	o := w.found()
	refused(w, &organizationsapi.CreatePolicy, &organizationsapi.CreatePolicyRequest{Type: scp, Name: "long", Content: long(10_241)},
		organizationsapi.ConstraintViolationException, "POLICY_CONTENT_LIMIT_EXCEEDED")
	w.policy(scp, "long", long(10_240))
	refused(w, &organizationsapi.CreatePolicy, &organizationsapi.CreatePolicyRequest{Type: scp, Name: "long", Content: denyIAM},
		organizationsapi.DuplicatePolicyException, "")
	refused(w, &organizationsapi.CreatePolicy, &organizationsapi.CreatePolicyRequest{Type: scp, Name: "FullAWSAccess", Content: denyIAM},
		organizationsapi.DuplicatePolicyException, "")
	w.policy(rcp, "long", denySTS) // names belong to a type
	for _, bad := range []organizationsapi.CreatePolicyRequest{
		{Type: scp, Name: "x", Content: denySTS}, {Type: rcp, Name: "x", Content: denyIAM}, {Type: scp, Name: "x", Content: "{}"},
		{Type: organizationsapi.PolicyTypeTagPolicy, Name: "x", Content: `{"plans":{}}`}, {Type: organizationsapi.PolicyTypeBackupPolicy, Name: "x", Content: denyIAM},
	} {
		refused(w, &organizationsapi.CreatePolicy, &bad, organizationsapi.MalformedPolicyDocumentException, "")
	}
	for i := range ruleOf(scp).most - 1 {
		p := w.policy(scp, fmt.Sprint(i), denyIAM)
		must(w, &organizationsapi.AttachPolicy, &organizationsapi.AttachPolicyRequest{PolicyId: p, TargetId: o.root})
		refused(w, &organizationsapi.AttachPolicy, &organizationsapi.AttachPolicyRequest{PolicyId: p, TargetId: o.root},
			organizationsapi.DuplicatePolicyAttachmentException, "")
		refused(w, &organizationsapi.DeletePolicy, &organizationsapi.DeletePolicyRequest{PolicyId: p}, organizationsapi.PolicyInUseException, "")
	}
	more := w.policy(scp, "more", denyIAM)
	refused(w, &organizationsapi.AttachPolicy, &organizationsapi.AttachPolicyRequest{PolicyId: more, TargetId: o.root},
		organizationsapi.ConstraintViolationException, "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
	refused(w, &organizationsapi.DetachPolicy, &organizationsapi.DetachPolicyRequest{PolicyId: more, TargetId: o.root},
		organizationsapi.PolicyNotAttachedException, "")
	refused(w, &organizationsapi.DetachPolicy, &organizationsapi.DetachPolicyRequest{PolicyId: fullSCP, TargetId: string(management)},
		organizationsapi.ConstraintViolationException, "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
	refused(w, &organizationsapi.DetachPolicy, &organizationsapi.DetachPolicyRequest{PolicyId: fullRCP, TargetId: o.root},
		organizationsapi.InvalidInputException, "NON_DETACHABLE_POLICY")
	refused(w, &organizationsapi.UpdatePolicy, &organizationsapi.UpdatePolicyRequest{PolicyId: fullSCP, Content: new(denyIAM)},
		organizationsapi.InvalidInputException, "IMMUTABLE_POLICY")
	refused(w, &organizationsapi.DeletePolicy, &organizationsapi.DeletePolicyRequest{PolicyId: fullRCP},
		organizationsapi.InvalidInputException, "IMMUTABLE_POLICY")
	tags := w.policy(organizationsapi.PolicyTypeTagPolicy, "tags", `{"tags":{"a":{"tag_key":{"@@assign":"A"}}}}`)
	refused(w, &organizationsapi.AttachPolicy, &organizationsapi.AttachPolicyRequest{PolicyId: tags, TargetId: o.root},
		organizationsapi.PolicyTypeNotEnabledException, "")
	refused(w, &organizationsapi.EnablePolicyType, &organizationsapi.EnablePolicyTypeRequest{RootId: o.root, PolicyType: scp},
		organizationsapi.PolicyTypeAlreadyEnabledException, "")
	refused(w, &organizationsapi.EnablePolicyType, &organizationsapi.EnablePolicyTypeRequest{RootId: "r-none", PolicyType: organizationsapi.PolicyTypeTagPolicy},
		organizationsapi.RootNotFoundException, "")
}

func TestBillsOnly(t *testing.T) {
	w := newWorld(t)
	billing := organizationsapi.OrganizationFeatureSetConsolidatedBilling
	must(w, &organizationsapi.CreateOrganization, &organizationsapi.CreateOrganizationRequest{FeatureSet: &billing})
	root := *must(w, &organizationsapi.ListRoots, &organizationsapi.ListRootsRequest{}).Roots[0].Id
	refused(w, &organizationsapi.EnablePolicyType, &organizationsapi.EnablePolicyTypeRequest{RootId: root, PolicyType: scp},
		organizationsapi.PolicyTypeNotAvailableForOrganizationException, "")
	refused(w, &organizationsapi.CreatePolicy, &organizationsapi.CreatePolicyRequest{Type: scp, Name: "x", Content: denyIAM},
		organizationsapi.PolicyTypeNotAvailableForOrganizationException, "")
	refused(w, &organizationsapi.EnableAWSServiceAccess, &organizationsapi.EnableAWSServiceAccessRequest{ServicePrincipal: "guardduty.amazonaws.com"},
		organizationsapi.ConstraintViolationException, "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE")

	// An account that has left and comes back by invitation has to agree.
	member := w.member("a")
	must(w.as(member), &organizationsapi.LeaveOrganization, &organizationsapi.LeaveOrganizationRequest{})
	invitation := must(w, &organizationsapi.InviteAccountToOrganization, &organizationsapi.InviteAccountToOrganizationRequest{
		Target: &organizationsapi.HandshakeParty{Id: "a@example.com", Type: organizationsapi.HandshakePartyTypeEmail}}).Handshake
	must(w.as(member), &organizationsapi.AcceptHandshake, &organizationsapi.AcceptHandshakeRequest{HandshakeId: *invitation.Id})
	all := must(w, &organizationsapi.EnableAllFeatures, &organizationsapi.EnableAllFeaturesRequest{}).Handshake
	if *all.State != organizationsapi.HandshakeStateRequested {
		t.Errorf("the handshake is %s", *all.State)
	}
	refused(w, &organizationsapi.EnableAllFeatures, &organizationsapi.EnableAllFeaturesRequest{},
		organizationsapi.HandshakeConstraintViolationException, "ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION")
	refused(w, &organizationsapi.AcceptHandshake, &organizationsapi.AcceptHandshakeRequest{HandshakeId: *all.Id}, organizationsapi.InvalidHandshakeTransitionException, "")
	mine := must(w.as(member), &organizationsapi.ListHandshakesForAccount, &organizationsapi.ListHandshakesForAccountRequest{
		Filter: &organizationsapi.HandshakeFilter{ParentHandshakeId: all.Id}}).Handshakes
	if len(mine) != 1 {
		t.Fatalf("the member is asked %d times", len(mine))
	}
	must(w.as(member), &organizationsapi.AcceptHandshake, &organizationsapi.AcceptHandshakeRequest{HandshakeId: *mine[0].Id})
	must(w, &organizationsapi.AcceptHandshake, &organizationsapi.AcceptHandshakeRequest{HandshakeId: *all.Id})
	must(w, &organizationsapi.EnablePolicyType, &organizationsapi.EnablePolicyTypeRequest{RootId: root, PolicyType: scp})
	refused(w, &organizationsapi.EnableAllFeatures, &organizationsapi.EnableAllFeaturesRequest{},
		organizationsapi.HandshakeConstraintViolationException, "ORGANIZATION_ALREADY_HAS_ALL_FEATURES")
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	o := w.found()
	put := func(tags ...organizationsapi.Tag) *organizationsapi.TagResourceRequest {
		return &organizationsapi.TagResourceRequest{ResourceId: o.root, Tags: tags}
	}
	refused(w, &organizationsapi.TagResource, put(organizationsapi.Tag{Key: "AWS:x"}), organizationsapi.InvalidInputException, "INVALID_SYSTEM_TAGS_PARAMETER")
	refused(w, &organizationsapi.TagResource, put(organizationsapi.Tag{Key: "x"}, organizationsapi.Tag{Key: "x"}), organizationsapi.InvalidInputException, "DUPLICATE_TAG_KEY")
	var many []organizationsapi.Tag
	for i := range maxTags {
		many = append(many, organizationsapi.Tag{Key: fmt.Sprintf("k%02d", i)})
	}
	must(w, &organizationsapi.TagResource, put(many...))
	must(w, &organizationsapi.TagResource, put(organizationsapi.Tag{Key: "k00", Value: "changed"}))
	refused(w, &organizationsapi.TagResource, put(organizationsapi.Tag{Key: "one more"}), organizationsapi.ConstraintViolationException, "MAX_TAG_LIMIT_EXCEEDED")
	_, touches, err := asked(w, &organizationsapi.ListTagsForResource, &organizationsapi.ListTagsForResourceRequest{ResourceId: o.root})
	if err != nil || touches[0].Tags["k00"] != "changed" {
		t.Errorf("touches %+v, %v", touches, err)
	}
	must(w, &organizationsapi.UntagResource, &organizationsapi.UntagResourceRequest{ResourceId: o.root, TagKeys: []string{"k00", "none"}})
	seen := map[string]bool{}
	var token *string
	for {
		out := must(w, &organizationsapi.ListTagsForResource, &organizationsapi.ListTagsForResourceRequest{ResourceId: o.root, NextToken: token})
		for _, tag := range out.Tags {
			seen[tag.Key] = true
		}
		if token = out.NextToken; token == nil {
			break
		}
	}
	if len(seen) != maxTags-1 || seen["k00"] {
		t.Errorf("%d tags are listed", len(seen))
	}
	refused(w, &organizationsapi.TagResource, &organizationsapi.TagResourceRequest{ResourceId: fullSCP, Tags: many[:1]}, organizationsapi.TargetNotFoundException, "")
}

// The quotas that AWS raises on request apply only where they are asked for.
func TestQuotas(t *testing.T) {
	w := openWorld(t, true)
	w.found()
	var last aws.Account
	for i := range accountsAtFirst - 1 {
		last = w.member(fmt.Sprint("a", i))
	}
	refused(w, &organizationsapi.CreateAccount, &organizationsapi.CreateAccountRequest{Email: "more@example.com", AccountName: "more"},
		organizationsapi.ConstraintViolationException, "ACCOUNT_NUMBER_LIMIT_EXCEEDED")
	refused(w.as(last), &organizationsapi.LeaveOrganization, &organizationsapi.LeaveOrganizationRequest{},
		organizationsapi.ConstraintViolationException, "WAIT_PERIOD_ACTIVE")
}

// A request for an account is answered once, whatever happens in between.
func TestAccountsAreMadeOnce(t *testing.T) {
	w := newWorld(t)
	w.found()
	owners := w.service.owners.(*begun)
	owners.fail = errors.New("the node dies here")
	out := must(w, &organizationsapi.CreateAccount, &organizationsapi.CreateAccountRequest{Email: "a@example.com", AccountName: "a"})
	dues, err := w.store.ClaimDue(t.Context(), time.Now().Add(time.Second), time.Millisecond, 10)
	if err != nil || len(dues) != 1 {
		t.Fatalf("%d due records, %v", len(dues), err)
	}
	if err := w.run(dues[0]); !errors.Is(err, owners.fail) {
		t.Fatal(err)
	}
	begun, err := owners.Page(t.Context(), store.Range{}) // one is the role in the management account
	if err != nil || len(begun) != 1 {
		t.Errorf("%d rows are left half made, %v", len(begun)-1, err)
	}
	owners.fail = nil
	again, err := w.store.ClaimDue(t.Context(), time.Now().Add(time.Minute), time.Minute, 10)
	if err != nil || len(again) != 1 {
		t.Fatalf("%d due records the second time, %v", len(again), err)
	}
	if err := w.run(again[0]); err != nil {
		t.Fatal(err)
	}
	if err := w.run(dues[0]); !errors.Is(err, store.ErrLost) {
		t.Errorf("who lost the lease finishes too: %v", err)
	}
	st := must(w, &organizationsapi.DescribeCreateAccountStatus, &organizationsapi.DescribeCreateAccountStatusRequest{CreateAccountRequestId: *out.CreateAccountStatus.Id}).CreateAccountStatus
	if *st.State != organizationsapi.CreateAccountStateSucceeded {
		t.Errorf("the request is %s", *st.State)
	}
	if n := len(must(w, &organizationsapi.ListAccounts, &organizationsapi.ListAccountsRequest{}).Accounts); n != 2 {
		t.Errorf("there are %d accounts", n)
	}
}

// Whoever attaches and detaches at the same time: the bounds hold, and nothing is lost.
func TestAttachAndDetachAtOnce(t *testing.T) {
	w := newWorld(t)
	o := w.found()
	var ids []string
	for i := range 2 * ruleOf(scp).most {
		ids = append(ids, w.policy(scp, fmt.Sprint(i), denyIAM))
	}
	var all sync.WaitGroup
	for _, id := range append(ids, fullSCP) {
		all.Go(func() {
			for range 3 {
				attach := &organizationsapi.AttachPolicyRequest{PolicyId: id, TargetId: o.root}
				for _, err := range []error{
					second(call(w, &organizationsapi.AttachPolicy, attach)),
					second(call(w, &organizationsapi.DetachPolicy, &organizationsapi.DetachPolicyRequest{PolicyId: id, TargetId: o.root})),
					second(call(w, &organizationsapi.AttachPolicy, attach)),
				} {
					var e *aws.Error
					if err != nil && !errors.As(err, &e) && !errors.Is(err, store.ErrConflict) {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	n := len(must(w, &organizationsapi.ListPoliciesForTarget, &organizationsapi.ListPoliciesForTargetRequest{TargetId: o.root, Filter: scp}).Policies)
	if n < 1 || n > ruleOf(scp).most {
		t.Errorf("%d policies are attached", n)
	}
}

func second[T any](_ T, err error) error { return err }
