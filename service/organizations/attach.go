package organizations

import (
	"context"
	"slices"
	"strings"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
)

// attaching finds the policy and the target that a call is about.
func (s *Service) attaching(ctx context.Context, policyID, target string) (*organization, *storedPolicy, *node, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	p, err := s.found(ctx, o, policyID)
	if err != nil {
		return nil, nil, nil, err
	}
	n, err := s.target(ctx, o, target)
	if err != nil {
		return nil, nil, nil, err
	}
	if !o.enabled(p.Type) {
		return nil, nil, nil, notEnabled()
	}
	return o, p, n, nil
}

// target returns a root, unit or account.
func (s *Service) target(ctx context.Context, o *organization, id string) (*node, error) {
	n, err := s.node(ctx, o, id)
	if err == nil && n == nil {
		err = noTarget()
	}
	return n, err
}

func (s *Service) attachPolicy(ctx context.Context, in *organizationsapi.AttachPolicyRequest) (*organizationsapi.AttachPolicyResponse, error) {
	o, p, n, err := s.attaching(ctx, in.PolicyId, in.TargetId)
	if err != nil {
		return nil, err
	}
	if n.has(p.ID) {
		return nil, organizationsapi.DuplicatePolicyAttachmentException.New("The selected policy is already attached to the specified target.")
	}
	if len(n.attached(p.Type)) >= ruleOf(p.Type).most {
		return nil, violates(organizationsapi.ConstraintViolationExceptionReasonMaxPolicyTypeAttachmentLimitExceeded,
			"You have exceeded the number of policies that can be attached to the specified target.")
	}
	n.Attached = append(n.Attached, attachment{p.ID, p.Type, now()})
	return &organizationsapi.AttachPolicyResponse{}, s.putNode(ctx, o, n)
}

func (s *Service) detachPolicy(ctx context.Context, in *organizationsapi.DetachPolicyRequest) (*organizationsapi.DetachPolicyResponse, error) {
	o, p, n, err := s.attaching(ctx, in.PolicyId, in.TargetId)
	if err != nil {
		return nil, err
	}
	switch {
	case !n.has(p.ID):
		return nil, organizationsapi.PolicyNotAttachedException.New("The policy isn't attached to the specified target in the specified root.")
	case p.ID == fullRCP:
		return nil, invalid(organizationsapi.InvalidInputExceptionReasonNonDetachablePolicy, "You can't detach the policy RCPFullAWSAccess.")
	case p.Type == organizationsapi.PolicyTypeServiceControlPolicy && len(n.attached(p.Type)) == 1:
		return nil, violates(organizationsapi.ConstraintViolationExceptionReasonMinPolicyTypeAttachmentLimitExceeded,
			"You cannot remove the last %s attached to the specified target.", words(p.Type))
	}
	n.Attached = slices.DeleteFunc(n.Attached, func(a attachment) bool { return a.Policy == p.ID })
	return &organizationsapi.DetachPolicyResponse{}, s.putNode(ctx, o, n)
}

func (s *Service) listPoliciesForTarget(ctx context.Context, in *organizationsapi.ListPoliciesForTargetRequest) (*organizationsapi.ListPoliciesForTargetResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	n, err := s.target(ctx, o, in.TargetId)
	if err != nil {
		return nil, err
	}
	var policies []*storedPolicy
	if o.enabled(in.Filter) {
		for _, id := range n.attached(in.Filter) {
			p, err := s.found(ctx, o, id)
			if err != nil {
				return nil, err
			}
			policies = append(policies, p)
		}
	}
	slices.SortFunc(policies, func(a, b *storedPolicy) int { return strings.Compare(a.ID, b.ID) })
	page, next, err := slice(ctx, s,
		query{operation: "ListPoliciesForTarget", value: n.ID, filters: []string{string(in.Filter)}, token: in.NextToken, most: in.MaxResults},
		policies, func(p *storedPolicy) string { return p.ID })
	return &organizationsapi.ListPoliciesForTargetResponse{Policies: shown(page, o.summary), NextToken: next}, err
}

func (s *Service) listTargetsForPolicy(ctx context.Context, in *organizationsapi.ListTargetsForPolicyRequest) (*organizationsapi.ListTargetsForPolicyResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.found(ctx, o, in.PolicyId)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListTargetsForPolicyResponse{Targets: []organizationsapi.PolicyTargetSummary{}}
	if !o.enabled(p.Type) {
		return out, nil // what AWS attaches shows once the type is enabled
	}
	page, next, err := pageOf(ctx, s, s.nodes.In(o.place()),
		query{operation: "ListTargetsForPolicy", index: byPolicy, value: p.ID, token: in.NextToken, most: in.MaxResults}, nil)
	if err != nil {
		return nil, err
	}
	out.NextToken = next
	for _, n := range page {
		name := n.Name
		if n.Kind == isAccount {
			a, err := s.account(ctx, aws.Account(n.ID))
			if err != nil {
				return nil, err
			}
			name = a.Name
		}
		out.Targets = append(out.Targets, organizationsapi.PolicyTargetSummary{
			TargetId: &n.ID, Arn: new(o.nodeARN(n.ID).String()), Name: &name, Type: new(organizationsapi.TargetType(n.Kind)),
		})
	}
	return out, nil
}
