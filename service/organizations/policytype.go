package organizations

import (
	"context"
	"slices"

	"sumun.dev/api/organizationsapi"
)

// A policyRule is what Organizations holds policies of a type to.
type policyRule struct {
	size int // characters, white space counts
	most int // attached to one root, unit or account
	all  int // in the organisation
}

// ruleOf returns the rules of a type. Organizations User Guide, "Quotas for AWS
// Organizations".
func ruleOf(t organizationsapi.PolicyType) policyRule {
	switch t {
	case organizationsapi.PolicyTypeServiceControlPolicy:
		return policyRule{10_240, 10, 10_000}
	case organizationsapi.PolicyTypeResourceControlPolicy:
		return policyRule{5_120, 5, 2_000}
	case organizationsapi.PolicyTypeAiservicesOptOutPolicy:
		return policyRule{2_500, 5, 1_000}
	case organizationsapi.PolicyTypeChatbotPolicy:
		return policyRule{10_000, 5, 1_000}
	}
	return policyRule{10_000, 10, 1_000}
}

// rooted returns the organisation, whose root id must be.
func (s *Service) rooted(ctx context.Context, root string) (*organization, error) {
	o, err := s.managed(ctx)
	if err == nil && o.Root != root {
		err = noRoot()
	}
	return o, err
}

func (s *Service) enablePolicyType(ctx context.Context, in *organizationsapi.EnablePolicyTypeRequest) (*organizationsapi.EnablePolicyTypeResponse, error) {
	o, err := s.rooted(ctx, in.RootId)
	if err != nil {
		return nil, err
	}
	if err := o.available(); err != nil {
		return nil, err
	}
	if o.enabled(in.PolicyType) {
		return nil, organizationsapi.PolicyTypeAlreadyEnabledException.New("The specified policy type is already enabled.")
	}
	o.Enabled = append(o.Enabled, in.PolicyType)
	return &organizationsapi.EnablePolicyTypeResponse{Root: o.shownRoot()}, s.put(ctx, o)
}

// available refuses policies where only bills are shared.
func (o *organization) available() error {
	if o.all() {
		return nil
	}
	return organizationsapi.PolicyTypeNotAvailableForOrganizationException.New("You can't use the specified policy type with the feature set currently enabled for this organization.")
}

// disablePolicyType takes all policies of the type off everything: what AWS
// attaches by itself is there again when the type is enabled again.
func (s *Service) disablePolicyType(ctx context.Context, in *organizationsapi.DisablePolicyTypeRequest) (*organizationsapi.DisablePolicyTypeResponse, error) {
	o, err := s.rooted(ctx, in.RootId)
	if err != nil {
		return nil, err
	}
	if !o.enabled(in.PolicyType) {
		return nil, notEnabled()
	}
	o.Enabled = slices.DeleteFunc(o.Enabled, func(t organizationsapi.PolicyType) bool { return t == in.PolicyType })
	var changed []*node
	for e, err := range s.nodes.In(o.place()).All(ctx, "") {
		if err != nil {
			return nil, err
		}
		if n := e.Value; n.reset(in.PolicyType) {
			changed = append(changed, n)
		}
	}
	for _, n := range changed {
		if err := s.putNode(ctx, o, n); err != nil {
			return nil, err
		}
	}
	return &organizationsapi.DisablePolicyTypeResponse{Root: o.shownRoot()}, s.put(ctx, o)
}

// reset leaves of a type only what AWS attaches, and reports whether that is a change.
func (n *node) reset(t organizationsapi.PolicyType) bool {
	var want []string
	if full := fullOf(t); full != "" {
		want = []string{full}
	}
	if slices.Equal(n.attached(t), want) {
		return false
	}
	n.Attached = slices.DeleteFunc(n.Attached, func(a attachment) bool { return a.Type == t })
	for _, id := range want {
		n.Attached = append(n.Attached, attachment{id, t, now()})
	}
	return true
}
