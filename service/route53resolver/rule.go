package route53resolver

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/engine/dns"
	"sumun.dev/engine/dns/zone"
)

func (s *Service) createRule(ctx context.Context, in *api.CreateFirewallRuleRequest) (*api.CreateFirewallRuleResponse, error) {
	if in.DnsThreatProtection != nil || in.ConfidenceThreshold != nil {
		return nil, api.ValidationException.New("Sumun does not serve DNS Firewall Advanced rules (DnsThreatProtection) yet.")
	}
	if in.FirewallDomainListId == nil {
		return nil, api.ValidationException.New("[RSLVR-02026] A firewall rule needs a FirewallDomainListId.")
	}
	g, err := s.group(ctx, in.FirewallRuleGroupId)
	if err != nil {
		return nil, err
	}
	if _, err := s.list(ctx, *in.FirewallDomainListId); err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	r := rule{
		Name: in.Name, Creator: in.CreatorRequestId, List: *in.FirewallDomainListId, Priority: in.Priority, Action: string(in.Action), Created: now, Modified: now,
		BlockResponse: text(in.BlockResponse), OverrideDomain: text(in.BlockOverrideDomain), Redirection: text(in.FirewallDomainRedirectionAction), Qtype: text(in.Qtype),
	}
	if r.BlockResponse == string(api.BlockResponseOverride) && (in.BlockOverrideDnsType == nil || in.BlockOverrideTtl == nil) {
		return nil, errOverride()
	}
	if err := r.setOverride(in.BlockOverrideDnsType, in.BlockOverrideTtl); err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(g.Rules, func(have rule) bool { return have.Creator == r.Creator }); i >= 0 && g.Rules[i].List == r.List && g.Rules[i].Qtype == r.Qtype {
		return &api.CreateFirewallRuleResponse{FirewallRule: g.Rules[i].shown(in.FirewallRuleGroupId)}, nil
	}
	if len(g.Rules) >= maxRules {
		return nil, tooMany("FirewallRule", maxRules)
	}
	if g.find(r.List, r.Qtype) >= 0 {
		return nil, api.ConflictException.New("[RSLVR-02014] The rule group \"%s\" has a rule for the domain list \"%s\" already.", in.FirewallRuleGroupId, r.List)
	}
	g.Rules = append(g.Rules, r)
	if err := s.putRules(ctx, in.FirewallRuleGroupId, g, len(g.Rules)-1); err != nil {
		return nil, err
	}
	return &api.CreateFirewallRuleResponse{FirewallRule: g.Rules[len(g.Rules)-1].shown(in.FirewallRuleGroupId)}, nil
}

func (s *Service) updateRule(ctx context.Context, in *api.UpdateFirewallRuleRequest) (*api.UpdateFirewallRuleResponse, error) {
	if in.DnsThreatProtection != nil || in.ConfidenceThreshold != nil || in.FirewallThreatProtectionId != nil {
		return nil, api.ValidationException.New("Sumun does not serve DNS Firewall Advanced rules (DnsThreatProtection) yet.")
	}
	g, i, err := s.rule(ctx, in.FirewallRuleGroupId, in.FirewallDomainListId, in.Qtype)
	if err != nil {
		return nil, err
	}
	r := &g.Rules[i]
	if in.Priority != nil {
		r.Priority = *in.Priority
	}
	if in.Name != nil {
		r.Name = *in.Name
	}
	if in.Action != nil && string(*in.Action) != r.Action {
		r.Action, r.BlockResponse, r.OverrideDomain, r.OverrideTTL = string(*in.Action), "", "", 0
	}
	if in.BlockResponse != nil {
		r.BlockResponse, r.OverrideDomain, r.OverrideTTL = string(*in.BlockResponse), "", 0
	}
	if in.BlockOverrideDomain != nil {
		r.OverrideDomain = *in.BlockOverrideDomain
	}
	if in.FirewallDomainRedirectionAction != nil {
		r.Redirection = string(*in.FirewallDomainRedirectionAction)
	}
	if err := r.setOverride(in.BlockOverrideDnsType, in.BlockOverrideTtl); err != nil {
		return nil, err
	}
	r.Modified = time.Now().UTC()
	if err := s.putRules(ctx, in.FirewallRuleGroupId, g, i); err != nil {
		return nil, err
	}
	return &api.UpdateFirewallRuleResponse{FirewallRule: r.shown(in.FirewallRuleGroupId)}, nil
}

func (s *Service) deleteRule(ctx context.Context, in *api.DeleteFirewallRuleRequest) (*api.DeleteFirewallRuleResponse, error) {
	g, i, err := s.rule(ctx, in.FirewallRuleGroupId, in.FirewallDomainListId, in.Qtype)
	if err != nil {
		return nil, err
	}
	gone := g.Rules[i]
	g.Rules = slices.Delete(g.Rules, i, i+1)
	g.Modified = time.Now().UTC()
	return &api.DeleteFirewallRuleResponse{FirewallRule: gone.shown(in.FirewallRuleGroupId)}, s.groups.Put(ctx, in.FirewallRuleGroupId, g)
}

func (s *Service) listRules(ctx context.Context, in *api.ListFirewallRulesRequest) (*api.ListFirewallRulesResponse, error) {
	g, err := s.group(ctx, in.FirewallRuleGroupId)
	if err != nil {
		return nil, err
	}
	rules := slices.DeleteFunc(slices.Clone(g.Rules), func(r rule) bool {
		return in.Priority != nil && r.Priority != *in.Priority || in.Action != nil && r.Action != string(*in.Action)
	})
	slices.SortFunc(rules, func(a, b rule) int { return int(a.Priority - b.Priority) })
	bind := []string{"route53resolver:ListFirewallRules", place(ctx).String(), in.FirewallRuleGroupId, text(in.Action), number(in.Priority)}
	last, err := s.open(bind, in.NextToken)
	if err != nil {
		return nil, err
	}
	left := defaultPage
	if in.MaxResults != nil {
		left = int(*in.MaxResults)
	}
	out := &api.ListFirewallRulesResponse{FirewallRules: []api.FirewallRule{}}
	for _, r := range rules {
		if at, err := strconv.Atoi(last); err == nil && int(r.Priority) <= at {
			continue
		}
		if len(out.FirewallRules) == left {
			out.NextToken = new(s.env.Store.NextToken(bind, number(out.FirewallRules[left-1].Priority)))
			break
		}
		out.FirewallRules = append(out.FirewallRules, *r.shown(in.FirewallRuleGroupId))
	}
	return out, nil
}

// rule returns the group and where in it the rule for a list stands.
func (s *Service) rule(ctx context.Context, groupID string, listID, qtype *string) (*group, int, error) {
	g, err := s.group(ctx, groupID)
	if err != nil {
		return nil, 0, err
	}
	i := g.find(text(listID), text(qtype))
	if i < 0 {
		return nil, 0, notFound(text(listID))
	}
	return g, i, nil
}

func (g *group) find(listID, qtype string) int {
	return slices.IndexFunc(g.Rules, func(r rule) bool { return r.List == listID && r.Qtype == qtype })
}

// putRules keeps the group after the rule at i has been made or changed.
func (s *Service) putRules(ctx context.Context, id string, g *group, i int) error {
	r := &g.Rules[i]
	if err := r.check(); err != nil {
		return err
	}
	for j, other := range g.Rules {
		if j != i && other.Priority == r.Priority {
			return api.ConflictException.New("[RSLVR-02015] The priority %d is used already in the rule group \"%s\".", r.Priority, id)
		}
	}
	g.Modified = time.Now().UTC()
	return s.groups.Put(ctx, id, g)
}

// setOverride sets what only a rule that answers OVERRIDE has.
func (r *rule) setOverride(kind *api.BlockOverrideDnsType, ttl *int32) error {
	if ttl != nil {
		r.OverrideTTL = *ttl
	}
	if r.BlockResponse != "OVERRIDE" {
		if kind != nil || ttl != nil || r.OverrideDomain != "" {
			return api.ValidationException.New("[RSLVR-02008] BlockOverrideDomain, BlockOverrideDnsType and BlockOverrideTtl go with the BlockResponse OVERRIDE only.")
		}
		return nil
	}
	if r.OverrideDomain == "" {
		return errOverride()
	}
	return nil
}

func errOverride() error {
	return api.ValidationException.New("[RSLVR-02009] The BlockResponse OVERRIDE needs BlockOverrideDomain, BlockOverrideDnsType and BlockOverrideTtl.")
}

// check refuses a rule that no resolver could apply.
func (r *rule) check() error {
	if r.Action == string(api.ActionBlock) && r.BlockResponse == "" {
		return api.ValidationException.New("[RSLVR-02007] The action BLOCK needs a BlockResponse.")
	}
	if r.Action != string(api.ActionBlock) && r.BlockResponse != "" {
		return api.ValidationException.New("[RSLVR-02008] BlockResponse goes with the action BLOCK only.")
	}
	if r.OverrideDomain != "" {
		if _, err := dns.ParseName(strings.TrimSuffix(r.OverrideDomain, ".")); err != nil {
			return api.ValidationException.New("[RSLVR-02021] The domain \"%s\" is not valid.", r.OverrideDomain)
		}
	}
	if r.Qtype != "" {
		if _, err := zone.ParseType(r.Qtype); err != nil {
			return api.ValidationException.New("[RSLVR-02027] \"%s\" is not a query type: a name such as AAAA, or TYPE and a number.", r.Qtype)
		}
	}
	if r.Redirection == "" {
		r.Redirection = string(api.FirewallDomainRedirectionActionInspectRedirectionDomain)
	}
	return nil
}

func (r *rule) shown(groupID string) *api.FirewallRule {
	out := &api.FirewallRule{
		FirewallRuleGroupId: &groupID, FirewallDomainListId: new(r.List), Name: new(r.Name), Priority: new(r.Priority), Action: new(api.Action(r.Action)),
		CreatorRequestId: new(r.Creator), CreationTime: stamp(r.Created), ModificationTime: stamp(r.Modified),
		FirewallDomainRedirectionAction: new(api.FirewallDomainRedirectionAction(r.Redirection)),
	}
	if r.Qtype != "" {
		out.Qtype = new(r.Qtype)
	}
	if r.BlockResponse != "" {
		out.BlockResponse = new(api.BlockResponse(r.BlockResponse))
	}
	if r.OverrideDomain != "" {
		out.BlockOverrideDomain, out.BlockOverrideDnsType, out.BlockOverrideTtl = new(r.OverrideDomain), new(api.BlockOverrideDnsTypeCname), new(r.OverrideTTL)
	}
	return out
}

func text[S ~string](s *S) string {
	if s == nil {
		return ""
	}
	return string(*s)
}

func number(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n))
}
