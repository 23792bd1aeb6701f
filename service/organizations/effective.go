package organizations

import (
	"context"
	"encoding/json"
	"time"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/inherit"
	"sumun.dev/wire"
)

// An effective policy is what the policies of a type come to for one account.
type effective struct {
	content      map[string]any
	updated      time.Time
	contributing []string // policy ids, root's first
}

// effectiveOf merges the policies of a type along an account's line; nil when
// nothing is left or the type is not enabled.
func (s *Service) effectiveOf(ctx context.Context, o *organization, n *node, t organizationsapi.PolicyType) (*effective, error) {
	if !o.enabled(t) {
		return nil, nil
	}
	line, err := s.line(ctx, o, n)
	if err != nil {
		return nil, err
	}
	e := &effective{}
	var levels [][]*inherit.Document
	for _, at := range line {
		var level []*inherit.Document
		for _, on := range at.Attached {
			if on.Type != t {
				continue
			}
			p, err := s.found(ctx, o, on.Policy)
			if err != nil {
				return nil, err
			}
			d, err := inherit.Parse([]byte(p.Content))
			if err != nil {
				return nil, err
			}
			level = append(level, d)
			e.contributing = append(e.contributing, p.ID)
			for _, changed := range []time.Time{p.Changed, on.Since} {
				if changed.After(e.updated) {
					e.updated = changed
				}
			}
		}
		levels = append(levels, level)
	}
	if e.content = inherit.Merge(levels); e.content == nil {
		return nil, nil
	}
	return e, nil
}

func noEffective() error {
	return organizationsapi.EffectivePolicyNotFoundException.New("The account doesn't have an effective policy of the specified type, or the type is not enabled.")
}

func (s *Service) describeEffectivePolicy(ctx context.Context, in *organizationsapi.DescribeEffectivePolicyRequest) (*organizationsapi.DescribeEffectivePolicyResponse, error) {
	target := oneself(ctx, in.TargetId)
	o, err := s.effectiveFor(ctx, target)
	if err != nil {
		return nil, err
	}
	n, err := s.target(ctx, o, target)
	if err != nil {
		return nil, err
	}
	if n.Kind != isAccount {
		return nil, invalid(organizationsapi.InvalidInputExceptionReasonTargetNotSupported, "You can't perform the specified operation on that target entity.")
	}
	e, err := s.effectiveOf(ctx, o, n, organizationsapi.PolicyType(in.PolicyType))
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, noEffective()
	}
	text, err := json.Marshal(e.content)
	if err != nil {
		return nil, err
	}
	return &organizationsapi.DescribeEffectivePolicyResponse{EffectivePolicy: &organizationsapi.EffectivePolicy{
		PolicyContent: new(string(text)), LastUpdatedTimestamp: &e.updated, TargetId: &n.ID, PolicyType: &in.PolicyType,
	}}, nil
}

// oneself is the target that was named, else the caller's account.
func oneself(ctx context.Context, target *string) string {
	if target != nil {
		return *target
	}
	return string(aws.CallOf(ctx).Account)
}

// effectiveFor returns the organisation: every account may ask for its own policy.
func (s *Service) effectiveFor(ctx context.Context, target string) (*organization, error) {
	if target == string(aws.CallOf(ctx).Account) {
		return s.mine(ctx)
	}
	return s.managed(ctx)
}

// effectiveTarget touches the account whose policy is asked for. For one's own no
// leave of the organisation is needed.
func (s *Service) effectiveTarget(ctx context.Context, in *organizationsapi.DescribeEffectivePolicyRequest) ([]wire.Touch, error) {
	target := oneself(ctx, in.TargetId)
	touches, err := s.touched(ctx, "organizations:DescribeEffectivePolicy", map[string][]string{policyTypeKey: {string(in.PolicyType)}}, anAccount(target))
	if err == nil && target == string(aws.CallOf(ctx).Account) {
		touches[0].Account, touches[0].Policy = aws.CallOf(ctx).Account, ""
	}
	return touches, err
}

func (s *Service) listEffectivePolicyValidationErrors(ctx context.Context, in *organizationsapi.ListEffectivePolicyValidationErrorsRequest) (*organizationsapi.ListEffectivePolicyValidationErrorsResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	n, err := s.member(ctx, o, in.AccountId)
	if err != nil {
		return nil, err
	}
	e, err := s.effectiveOf(ctx, o, n, organizationsapi.PolicyType(in.PolicyType))
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, noEffective()
	}
	line, err := s.line(ctx, o, n)
	if err != nil {
		return nil, err
	}
	page, next, err := slice(ctx, s, query{operation: "ListEffectivePolicyValidationErrors", value: n.ID, filters: []string{string(in.PolicyType)}, token: in.NextToken, most: in.MaxResults},
		faults(organizationsapi.PolicyType(in.PolicyType), e.content), func(f fault) string { return f.path })
	return &organizationsapi.ListEffectivePolicyValidationErrorsResponse{
		AccountId: &n.ID, PolicyType: &in.PolicyType, Path: new(o.path(line) + n.ID + "/"), EvaluationTimestamp: &e.updated, NextToken: next,
		EffectivePolicyValidationErrors: shown(page, func(f fault) organizationsapi.EffectivePolicyValidationError {
			return organizationsapi.EffectivePolicyValidationError{ErrorCode: &f.code, ErrorMessage: &f.message, PathToError: &f.path, ContributingPolicies: e.contributing}
		}),
	}, err
}

func (s *Service) listAccountsWithInvalidEffectivePolicy(ctx context.Context, in *organizationsapi.ListAccountsWithInvalidEffectivePolicyRequest) (*organizationsapi.ListAccountsWithInvalidEffectivePolicyResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	t := organizationsapi.PolicyType(in.PolicyType)
	if !o.enabled(t) {
		return nil, noEffective()
	}
	var failed error
	page, next, err := pageOf(ctx, s, s.nodes.In(o.place()), query{
		operation: "ListAccountsWithInvalidEffectivePolicy", index: byKind, value: isAccount, filters: []string{string(t)}, token: in.NextToken, most: in.MaxResults,
	}, func(n *node) bool {
		e, err := s.effectiveOf(ctx, o, n, t)
		if err != nil {
			failed = err
		}
		return e != nil && len(faults(t, e.content)) > 0
	})
	if err = errorOr(failed, err); err != nil {
		return nil, err
	}
	accounts, err := s.shownAccounts(ctx, o, page)
	return &organizationsapi.ListAccountsWithInvalidEffectivePolicyResponse{Accounts: accounts, PolicyType: &in.PolicyType, NextToken: next}, err
}

func (s *Service) invalidOfType(ctx context.Context, in *organizationsapi.ListAccountsWithInvalidEffectivePolicyRequest) ([]wire.Touch, error) {
	return s.touched(ctx, "organizations:ListAccountsWithInvalidEffectivePolicy", map[string][]string{policyTypeKey: {string(in.PolicyType)}})
}

func (s *Service) faultsOf(ctx context.Context, in *organizationsapi.ListEffectivePolicyValidationErrorsRequest) ([]wire.Touch, error) {
	return s.touched(ctx, "organizations:ListEffectivePolicyValidationErrors", map[string][]string{policyTypeKey: {string(in.PolicyType)}}, anAccount(in.AccountId))
}
