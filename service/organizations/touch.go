package organizations

import (
	"context"
	"strings"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/wire"
)

// A ref names something of the organisation by its id; kind says what it must be.
type ref struct{ kind, id string }

// The kinds of ref. Ids begin with them, except account numbers.
const (
	refAccount = "account"
	refUnit    = "ou-"
	refRoot    = "r-"
	refPolicy  = "p-"
)

func anAccount(id string) ref { return ref{refAccount, id} }
func aUnit(id string) ref     { return ref{refUnit, id} }
func aRoot(id string) ref     { return ref{refRoot, id} }
func aPolicy(id string) ref   { return ref{refPolicy, id} }

// aParent is a root or a unit, as the id says.
func aParent(id string) ref {
	if strings.HasPrefix(id, refRoot) {
		return aRoot(id)
	}
	return aUnit(id)
}

// aTarget is a root, a unit or an account, as the id says.
func aTarget(id string) ref {
	if strings.HasPrefix(id, refRoot) || strings.HasPrefix(id, refUnit) {
		return aParent(id)
	}
	return anAccount(id)
}

// aResource is anything that can have tags, as the id says.
func aResource(id string) ref {
	switch {
	case strings.HasPrefix(id, refPolicy):
		return aPolicy(id)
	case strings.HasPrefix(id, refResourcePolicy):
		return ref{refResourcePolicy, id}
	}
	return aTarget(id)
}

// touch makes the touch function of an action on the things that refs names: each
// of them must be allowed. What is not there is touched by the name that it would
// have, so that refusals do not tell.
func touch[In any](s *Service, action string, refs func(*In) []ref) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		return s.touched(ctx, action, nil, refs(in)...)
	}
}

// touchNothing makes the touch function of an action that knows no resources.
func touchNothing[In any](s *Service, action string) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, _ *In) ([]wire.Touch, error) { return s.touched(ctx, action, nil) }
}

func (s *Service) touched(ctx context.Context, action string, conditions map[string][]string, refs ...ref) ([]wire.Touch, error) {
	bare := wire.Touch{Action: action, Conditions: conditions}
	o, err := s.ownOrNowhere(ctx)
	if err != nil {
		return nil, err
	}
	if bare.Account, bare.Policy, err = s.side(ctx, o, action); err != nil {
		return nil, err
	}
	touches := []wire.Touch{}
	kind := ""
	for _, r := range refs {
		t := bare
		if err := s.name(ctx, o, r, &t); err != nil {
			return nil, err
		}
		if k := t.Conditions[policyTypeKey]; k != nil {
			kind = k[0]
		}
		touches = append(touches, t)
	}
	if len(touches) == 0 {
		touches = append(touches, bare)
	}
	// The type of the policy is a condition of the whole request.
	for i := range touches {
		if kind != "" && touches[i].Conditions[policyTypeKey] == nil {
			touches[i].Conditions = with(touches[i].Conditions, policyTypeKey, kind)
		}
	}
	return touches, nil
}

const policyTypeKey = "organizations:PolicyType"

// with returns conditions with one more; maps are shared between touches.
func with(conditions map[string][]string, key string, values ...string) map[string][]string {
	all := make(map[string][]string, len(conditions)+1)
	for k, v := range conditions {
		all[k] = v
	}
	all[key] = values
	return all
}

// side says what stands on the resource's side of an action: whose the
// organisation is and, for callers from other accounts of it, what lets them.
// Members to whom nothing is delegated are asked for their own permissions only:
// the operation itself knows what they may.
func (s *Service) side(ctx context.Context, o *organization, action string) (aws.Account, string, error) {
	if o.Management == aws.CallOf(ctx).Account {
		if o.Policy != nil {
			return o.Management, o.Policy.Content, nil
		}
		return o.Management, "", nil
	}
	if membersMay[action] {
		return aws.CallOf(ctx).Account, "", nil
	}
	doc, err := s.delegated(ctx, o)
	if err != nil || doc == "" {
		return aws.CallOf(ctx).Account, "", err
	}
	return o.Management, doc, nil
}

// membersMay are the actions that every account may do that is allowed by its own
// policies. Organizations API Reference: what does not say "can be called only
// from the organization's management account".
var membersMay = map[string]bool{
	"organizations:DescribeOrganization": true, "organizations:LeaveOrganization": true, "organizations:ListHandshakesForAccount": true,
	"organizations:AcceptHandshake": true, "organizations:DeclineHandshake": true, "organizations:DescribeHandshake": true,
	"organizations:CreateOrganization": true,
}

// ownOrNowhere returns the caller's organisation. One that does not exist stands
// for that of an account that is in none: what it touches is named as if it were there.
func (s *Service) ownOrNowhere(ctx context.Context) (*organization, error) {
	o, err := s.ownOrNone(ctx)
	if err == nil && o == nil {
		o = &organization{ID: "o-0000000000", Root: "r-0000", Management: aws.CallOf(ctx).Account}
	}
	return o, err
}

// name fills in which resource r is, its tags, and the type of a policy.
func (s *Service) name(ctx context.Context, o *organization, r ref, t *wire.Touch) error {
	id := r.id
	if r.kind != refAccount && !strings.HasPrefix(id, r.kind) {
		id = r.kind + id // no such id passes the gate
	}
	if r.kind == refResourcePolicy {
		t.Resource = o.arn("resourcepolicy", id)
		if o.Policy != nil && o.Policy.ID == id {
			t.Tags = tagMap(o.Policy.Tags)
		}
		return nil
	}
	if r.kind != refPolicy {
		t.Resource = o.nodeARN(id)
		n, err := s.node(ctx, o, id)
		if n != nil {
			t.Tags = tagMap(n.Tags)
		}
		return err
	}
	p, err := s.policy(ctx, o, id)
	if err != nil {
		return err
	}
	if p == nil {
		p = &storedPolicy{Type: organizationsapi.PolicyTypeServiceControlPolicy}
	} else {
		t.Conditions = with(t.Conditions, policyTypeKey, string(p.Type))
	}
	t.Resource, t.Tags = o.policyARN(p.Type, id), tagMap(p.Tags)
	return nil
}

func (s *Service) newOrganization(ctx context.Context, _ *organizationsapi.CreateOrganizationRequest) ([]wire.Touch, error) {
	return []wire.Touch{
		{Action: "organizations:CreateOrganization"},
		linking(aws.CallOf(ctx).Account),
	}, nil
}

// linking touches the role by which Organizations works in an account.
func linking(a aws.Account) wire.Touch {
	return wire.Touch{
		Action: "iam:CreateServiceLinkedRole", Conditions: map[string][]string{"iam:AWSServiceName": {principal}},
		Resource: aws.ARN{Partition: "aws", Service: "iam", Account: a, Resource: "role/aws-service-role/" + principal + "/AWSServiceRoleForOrganizations"},
	}
}

func (s *Service) newMember(ctx context.Context, in *organizationsapi.CreateAccountRequest) ([]wire.Touch, error) {
	return s.tagging(ctx, "organizations:CreateAccount", nil, in.Tags)
}

func (s *Service) newUnit(ctx context.Context, in *organizationsapi.CreateOrganizationalUnitRequest) ([]wire.Touch, error) {
	return s.tagging(ctx, "organizations:CreateOrganizationalUnit", nil, in.Tags, aParent(in.ParentId))
}

func (s *Service) newPolicy(ctx context.Context, in *organizationsapi.CreatePolicyRequest) ([]wire.Touch, error) {
	touches, err := s.tagging(ctx, "organizations:CreatePolicy", map[string][]string{policyTypeKey: {string(in.Type)}}, in.Tags)
	if err != nil {
		return nil, err
	}
	o, err := s.ownOrNowhere(ctx)
	if err != nil {
		return nil, err
	}
	for i := range touches {
		touches[i].Resource = o.policyARN(in.Type, "p-*") // its id is not known yet
	}
	return touches, nil
}

// tagging touches what is made, and organizations:TagResource when it gets tags.
// Organizations User Guide, "Tagging AWS Organizations resources".
func (s *Service) tagging(ctx context.Context, action string, conditions map[string][]string, tags []organizationsapi.Tag, refs ...ref) ([]wire.Touch, error) {
	conditions = requested(conditions, tags)
	touches, err := s.touched(ctx, action, conditions, refs...)
	if err != nil || len(tags) == 0 {
		return touches, err
	}
	more, err := s.touched(ctx, "organizations:TagResource", conditions)
	return append(touches, more...), err
}

func (s *Service) typeInRoot(action string) func(context.Context, *organizationsapi.EnablePolicyTypeRequest) ([]wire.Touch, error) {
	return func(ctx context.Context, in *organizationsapi.EnablePolicyTypeRequest) ([]wire.Touch, error) {
		return s.touched(ctx, action, map[string][]string{policyTypeKey: {string(in.PolicyType)}}, aRoot(in.RootId))
	}
}

func (s *Service) typeInRootDisabled(ctx context.Context, in *organizationsapi.DisablePolicyTypeRequest) ([]wire.Touch, error) {
	return s.touched(ctx, "organizations:DisablePolicyType", map[string][]string{policyTypeKey: {string(in.PolicyType)}}, aRoot(in.RootId))
}

func (s *Service) policiesOfType(ctx context.Context, in *organizationsapi.ListPoliciesRequest) ([]wire.Touch, error) {
	return s.touched(ctx, "organizations:ListPolicies", map[string][]string{policyTypeKey: {string(in.Filter)}})
}

func (s *Service) policiesOfTarget(ctx context.Context, in *organizationsapi.ListPoliciesForTargetRequest) ([]wire.Touch, error) {
	return s.touched(ctx, "organizations:ListPoliciesForTarget", map[string][]string{policyTypeKey: {string(in.Filter)}}, aTarget(in.TargetId))
}

// principal is what Organizations is called as a service.
const principal = "organizations.amazonaws.com"

// requested adds the tags of a request to conditions.
func requested(conditions map[string][]string, tags []organizationsapi.Tag) map[string][]string {
	return service.RequestTags(conditions, service.Pairs(tags, func(t organizationsapi.Tag) (string, string) { return t.Key, t.Value }))
}
