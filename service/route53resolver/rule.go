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
	if err := checkSubject(in); err != nil {
		return nil, err
	}
	g, err := s.group(ctx, in.FirewallRuleGroupId)
	if err != nil {
		return nil, err
	}
	if in.FirewallDomainListId != nil {
		if _, err := s.list(ctx, *in.FirewallDomainListId); err != nil {
			return nil, err
		}
	}
	now := time.Now().UTC()
	r := rule{
		Name: in.Name, Creator: in.CreatorRequestId, List: text(in.FirewallDomainListId), Threat: text(in.DnsThreatProtection), Confidence: text(in.ConfidenceThreshold), Priority: in.Priority, Action: string(in.Action), Created: now, Modified: now,
		BlockResponse: text(in.BlockResponse), OverrideDomain: text(in.BlockOverrideDomain), Redirection: text(in.FirewallDomainRedirectionAction), Qtype: text(in.Qtype),
	}
	if r.BlockResponse == string(api.BlockResponseOverride) && (in.BlockOverrideDnsType == nil || in.BlockOverrideTtl == nil) {
		return nil, errOverride()
	}
	if err := r.setOverride(in.BlockOverrideDnsType, in.BlockOverrideTtl); err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(g.Rules, func(have rule) bool { return have.Creator == r.Creator }); i >= 0 && g.Rules[i].about(&r) {
		return &api.CreateFirewallRuleResponse{FirewallRule: g.Rules[i].shown(in.FirewallRuleGroupId)}, nil
	}
	if len(g.Rules) >= maxRules {
		return nil, tooMany("FirewallRule", maxRules)
	}
	if r.advanced() {
		r.Protection = newID("rslvr-ftp-")
	} else if g.find(r.List, r.Qtype) >= 0 {
		return nil, api.ConflictException.New("[RSLVR-02014] The rule group \"%s\" has a rule for the domain list \"%s\" already.", in.FirewallRuleGroupId, r.List)
	}
	g.Rules = append(g.Rules, r)
	if err := s.putRules(ctx, in.FirewallRuleGroupId, g, len(g.Rules)-1); err != nil {
		return nil, err
	}
	return &api.CreateFirewallRuleResponse{FirewallRule: g.Rules[len(g.Rules)-1].shown(in.FirewallRuleGroupId)}, nil
}

// checkSubject refuses a rule that is not about either a domain list or a threat.
func checkSubject(in *api.CreateFirewallRuleRequest) error {
	switch {
	case in.FirewallDomainListId != nil && in.DnsThreatProtection != nil:
		return api.ValidationException.New("[RSLVR-02026] A firewall rule has a FirewallDomainListId or a DnsThreatProtection, not both.")
	case in.FirewallDomainListId == nil && in.DnsThreatProtection == nil:
		return api.ValidationException.New("[RSLVR-02026] A firewall rule needs a FirewallDomainListId or a DnsThreatProtection.")
	case in.DnsThreatProtection != nil && in.ConfidenceThreshold == nil:
		return api.ValidationException.New("[RSLVR-02029] A rule with a DnsThreatProtection needs a ConfidenceThreshold.")
	case in.DnsThreatProtection == nil && in.ConfidenceThreshold != nil:
		return errNotAdvanced()
	}
	return nil
}

func errNotAdvanced() error {
	return api.ValidationException.New("[RSLVR-02029] DnsThreatProtection and ConfidenceThreshold go with DNS Firewall Advanced rules only, not with a domain list.")
}

func (s *Service) updateRule(ctx context.Context, in *api.UpdateFirewallRuleRequest) (*api.UpdateFirewallRuleResponse, error) {
	if in.FirewallDomainListId != nil && (in.DnsThreatProtection != nil || in.ConfidenceThreshold != nil) {
		return nil, errNotAdvanced()
	}
	g, i, err := s.rule(ctx, in.FirewallRuleGroupId, in.FirewallDomainListId, in.FirewallThreatProtectionId, in.Qtype)
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
	if in.DnsThreatProtection != nil {
		r.Threat = string(*in.DnsThreatProtection)
	}
	if in.ConfidenceThreshold != nil {
		r.Confidence = string(*in.ConfidenceThreshold)
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
	g, i, err := s.rule(ctx, in.FirewallRuleGroupId, in.FirewallDomainListId, in.FirewallThreatProtectionId, in.Qtype)
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

// rule returns the group and where in it stands the rule for a list and a query type,
// or the DNS Firewall Advanced rule with an id.
func (s *Service) rule(ctx context.Context, groupID string, listID, protectionID, qtype *string) (*group, int, error) {
	switch {
	case listID != nil && protectionID != nil:
		return nil, 0, api.ValidationException.New("[RSLVR-02026] A firewall rule is named by its FirewallDomainListId or by its FirewallThreatProtectionId, not by both.")
	case listID == nil && protectionID == nil:
		return nil, 0, api.ValidationException.New("[RSLVR-02026] A firewall rule is named by its FirewallDomainListId or by its FirewallThreatProtectionId.")
	case protectionID != nil && qtype != nil:
		return nil, 0, errAdvancedType()
	}
	g, err := s.group(ctx, groupID)
	if err != nil {
		return nil, 0, err
	}
	if protectionID != nil {
		i := slices.IndexFunc(g.Rules, func(r rule) bool { return r.advanced() && r.Protection == *protectionID })
		if i < 0 {
			return nil, 0, notFound(*protectionID)
		}
		return g, i, nil
	}
	i := g.find(*listID, text(qtype))
	if i < 0 {
		return nil, 0, notFound(*listID)
	}
	return g, i, nil
}

func errAdvancedType() error {
	return api.ValidationException.New("[RSLVR-02027] A DNS Firewall Advanced rule is for all query types; Qtype goes with domain lists only.")
}

func (g *group) find(listID, qtype string) int {
	return slices.IndexFunc(g.Rules, func(r rule) bool { return !r.advanced() && r.List == listID && r.Qtype == qtype })
}

// advanced reports whether the rule is about a threat instead of a domain list.
func (r *rule) advanced() bool { return r.Threat != "" }

// about reports whether rules are about the same.
func (r *rule) about(other *rule) bool {
	return r.List == other.List && r.Qtype == other.Qtype && r.Threat == other.Threat && r.Confidence == other.Confidence
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

// check refuses a rule that no resolver could apply. What DNS Firewall Advanced rules
// have not: Route 53 Developer Guide, "Rule settings in DNS Firewall".
func (r *rule) check() error {
	if r.advanced() {
		switch {
		case r.Action == string(api.ActionAllow):
			return api.ValidationException.New("[RSLVR-02030] The action ALLOW is not available for DNS Firewall Advanced rules.")
		case r.Qtype != "":
			return errAdvancedType()
		case r.Redirection == string(api.FirewallDomainRedirectionActionTrustRedirectionDomain):
			return api.ValidationException.New("[RSLVR-02030] A DNS Firewall Advanced rule looks at the name asked for; TRUST_REDIRECTION_DOMAIN goes with domain lists only.")
		}
	}
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
		FirewallRuleGroupId: &groupID, Name: new(r.Name), Priority: new(r.Priority), Action: new(api.Action(r.Action)),
		CreatorRequestId: new(r.Creator), CreationTime: stamp(r.Created), ModificationTime: stamp(r.Modified),
		FirewallDomainRedirectionAction: new(api.FirewallDomainRedirectionAction(r.Redirection)),
	}
	if r.advanced() {
		out.FirewallThreatProtectionId = new(r.Protection)
		out.DnsThreatProtection, out.ConfidenceThreshold = new(api.DnsThreatProtection(r.Threat)), new(api.ConfidenceThreshold(r.Confidence))
	} else {
		out.FirewallDomainListId = new(r.List)
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
