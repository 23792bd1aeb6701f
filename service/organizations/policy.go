package organizations

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/store"
)

func (s *Service) createPolicy(ctx context.Context, in *organizationsapi.CreatePolicyRequest) (*organizationsapi.CreatePolicyResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.available(); err != nil {
		return nil, err
	}
	tags, err := tagged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	p := &storedPolicy{
		ID: newID("p-", 8), Name: in.Name, Description: in.Description, Content: in.Content, Type: in.Type, Tags: tags, Changed: now(),
	}
	if err := checkContent(p.Type, p.Content); err != nil {
		return nil, err
	}
	if err := s.checkPolicyName(ctx, o, p); err != nil {
		return nil, err
	}
	// Policies that are made in the same instant may exceed the number.
	full, err := atLeast(store.Outside(ctx), s.policies.In(o.place()), byType, string(p.Type), ruleOf(p.Type).all)
	if err != nil {
		return nil, err
	}
	if full {
		return nil, violates(organizationsapi.ConstraintViolationExceptionReasonPolicyNumberLimitExceeded, "You have exceeded the number of policies that you can have in an organization.")
	}
	if err := s.policies.In(o.place()).Insert(ctx, p.ID, p); err != nil {
		return nil, err
	}
	return &organizationsapi.CreatePolicyResponse{Policy: o.shownPolicy(p)}, nil
}

// checkContent holds a document to the size and the language of its type.
func checkContent(t organizationsapi.PolicyType, content string) error {
	if utf8.RuneCountInString(content) > ruleOf(t).size {
		return violates(organizationsapi.ConstraintViolationExceptionReasonPolicyContentLimitExceeded, "You have exceeded the maximum size of the policy document.")
	}
	return checkDocument(t, content)
}

// checkPolicyName refuses a name that another policy of the type has, AWS's among them.
func (s *Service) checkPolicyName(ctx context.Context, o *organization, p *storedPolicy) error {
	same, err := s.policies.In(o.place()).PageBy(ctx, byName, string(p.Type)+"/"+p.Name, store.Range{Limit: 2})
	if err != nil {
		return err
	}
	full := owned(fullOf(p.Type))
	if full != nil && full.Name == p.Name || slices.ContainsFunc(same, func(e store.Entry[storedPolicy]) bool { return e.ID != p.ID }) {
		return organizationsapi.DuplicatePolicyException.New("A policy with the same name already exists.")
	}
	return nil
}

// found returns a policy, which must be there.
func (s *Service) found(ctx context.Context, o *organization, id string) (*storedPolicy, error) {
	p, err := s.policy(ctx, o, id)
	if err == nil && p == nil {
		err = noPolicy()
	}
	return p, err
}

func (s *Service) describePolicy(ctx context.Context, in *organizationsapi.DescribePolicyRequest) (*organizationsapi.DescribePolicyResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.found(ctx, o, in.PolicyId)
	if err != nil {
		return nil, err
	}
	return &organizationsapi.DescribePolicyResponse{Policy: o.shownPolicy(p)}, nil
}

// immutable refuses to change what AWS owns.
func immutable(id string) error {
	if owned(id) == nil {
		return nil
	}
	return invalid(organizationsapi.InvalidInputExceptionReasonImmutablePolicy, "You specified a policy that is managed by AWS and can't be modified.")
}

func (s *Service) updatePolicy(ctx context.Context, in *organizationsapi.UpdatePolicyRequest) (*organizationsapi.UpdatePolicyResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.found(ctx, o, in.PolicyId)
	if err != nil {
		return nil, err
	}
	if err := immutable(p.ID); err != nil {
		return nil, err
	}
	if in.Content != nil {
		if err := checkContent(p.Type, *in.Content); err != nil {
			return nil, err
		}
		p.Content, p.Changed = *in.Content, now()
	}
	if in.Description != nil {
		p.Description = *in.Description
	}
	if in.Name != nil {
		p.Name = *in.Name
		if err := s.checkPolicyName(ctx, o, p); err != nil {
			return nil, err
		}
	}
	return &organizationsapi.UpdatePolicyResponse{Policy: o.shownPolicy(p)}, s.policies.In(o.place()).Put(ctx, p.ID, p)
}

func (s *Service) deletePolicy(ctx context.Context, in *organizationsapi.DeletePolicyRequest) (*organizationsapi.DeletePolicyResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.found(ctx, o, in.PolicyId)
	if err != nil {
		return nil, err
	}
	if err := immutable(p.ID); err != nil {
		return nil, err
	}
	on, err := s.nodes.In(o.place()).PageBy(ctx, byPolicy, p.ID, store.Range{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(on) > 0 {
		return nil, organizationsapi.PolicyInUseException.New(
			"The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.")
	}
	return &organizationsapi.DeletePolicyResponse{}, s.policies.In(o.place()).Delete(ctx, p.ID)
}

func (s *Service) listPolicies(ctx context.Context, in *organizationsapi.ListPoliciesRequest) (*organizationsapi.ListPoliciesResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	q := query{operation: "ListPolicies", index: byType, value: string(in.Filter), token: in.NextToken, most: in.MaxResults}
	full := owned(fullOf(in.Filter)) // AWS's own comes first
	if in.NextToken != nil {
		full = nil
	}
	if full != nil && q.limit() == 1 {
		return &organizationsapi.ListPoliciesResponse{Policies: []organizationsapi.PolicySummary{o.summary(full)}, NextToken: s.next(ctx, &q, refPolicy)}, nil
	}
	if full != nil {
		q.most = new(int32(q.limit() - 1))
	}
	page, next, err := pageOf(ctx, s, s.policies.In(o.place()), q, nil)
	if err != nil {
		return nil, err
	}
	if full != nil {
		page = slices.Insert(page, 0, full)
	}
	return &organizationsapi.ListPoliciesResponse{Policies: shown(page, o.summary), NextToken: next}, nil
}

func (o *organization) shownPolicy(p *storedPolicy) *organizationsapi.Policy {
	return &organizationsapi.Policy{PolicySummary: new(o.summary(p)), Content: &p.Content}
}

func (o *organization) summary(p *storedPolicy) organizationsapi.PolicySummary {
	return organizationsapi.PolicySummary{
		Id: &p.ID, Arn: new(o.policyARN(p.Type, p.ID).String()), Name: &p.Name, Description: &p.Description, Type: &p.Type,
		AwsManaged: new(owned(p.ID) != nil),
	}
}

// words is a type as sentences have it: "service control policy".
func words(t organizationsapi.PolicyType) string {
	return strings.ToLower(strings.ReplaceAll(string(t), "_", " "))
}
