package route53resolver

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	api "sumun.dev/api/route53resolverapi"
)

// threat makes an Advanced rule that answers without data.
func threat(group string, kind api.DnsThreatProtection, sure api.ConfidenceThreshold, priority int32) *api.CreateFirewallRuleRequest {
	return &api.CreateFirewallRuleRequest{
		CreatorRequestId: "t" + number(&priority), FirewallRuleGroupId: group, DnsThreatProtection: &kind, ConfidenceThreshold: &sure, Priority: priority,
		Action: api.ActionBlock, BlockResponse: new(api.BlockResponseNodata), Name: "threat",
	}
}

func TestAdvancedRulesAreChecked(t *testing.T) {
	w := newWorld(t)
	group := w.group("g")
	for _, c := range []struct {
		name    string
		change  func(*api.CreateFirewallRuleRequest)
		message string // after "ValidationException: "; empty: allowed
	}{
		{"nodata", func(*api.CreateFirewallRuleRequest) {}, ""},
		{"nxdomain", func(in *api.CreateFirewallRuleRequest) { in.BlockResponse = new(api.BlockResponseNxdomain) }, ""},
		{"override", func(in *api.CreateFirewallRuleRequest) {
			in.BlockResponse, in.BlockOverrideDomain = new(api.BlockResponseOverride), new("safe.test")
			in.BlockOverrideDnsType, in.BlockOverrideTtl = new(api.BlockOverrideDnsTypeCname), new(int32(60))
		}, ""},
		{"tunneling", func(in *api.CreateFirewallRuleRequest) {
			in.DnsThreatProtection = new(api.DnsThreatProtectionDnsTunneling)
		}, ""},
		{"dictionary", func(in *api.CreateFirewallRuleRequest) {
			in.DnsThreatProtection = new(api.DnsThreatProtectionDictionaryDga)
		}, ""},
		{"alert", func(in *api.CreateFirewallRuleRequest) { in.Action, in.BlockResponse = api.ActionAlert, nil }, ""},
		{"inspect", func(in *api.CreateFirewallRuleRequest) {
			in.FirewallDomainRedirectionAction = new(api.FirewallDomainRedirectionActionInspectRedirectionDomain)
		}, ""},
		{"allow", func(in *api.CreateFirewallRuleRequest) { in.Action, in.BlockResponse = api.ActionAllow, nil }, "[RSLVR-02030] The action ALLOW is not available for DNS Firewall Advanced rules."},
		{"block_needs_a_response", func(in *api.CreateFirewallRuleRequest) { in.BlockResponse = nil }, "[RSLVR-02007] The action BLOCK needs a BlockResponse."},
		{"needs_confidence", func(in *api.CreateFirewallRuleRequest) { in.ConfidenceThreshold = nil }, "[RSLVR-02029] A rule with a DnsThreatProtection needs a ConfidenceThreshold."},
		{"confidence_alone", func(in *api.CreateFirewallRuleRequest) { in.DnsThreatProtection = nil }, "[RSLVR-02026] A firewall rule needs a FirewallDomainListId or a DnsThreatProtection."},
		{"with_a_list", func(in *api.CreateFirewallRuleRequest) { in.FirewallDomainListId = new("rslvr-fdl-1") }, "[RSLVR-02026] A firewall rule has a FirewallDomainListId or a DnsThreatProtection, not both."},
		{"query_type", func(in *api.CreateFirewallRuleRequest) { in.Qtype = new("TXT") }, "[RSLVR-02027] A DNS Firewall Advanced rule is for all query types; Qtype goes with domain lists only."},
		{"trust", func(in *api.CreateFirewallRuleRequest) {
			in.FirewallDomainRedirectionAction = new(api.FirewallDomainRedirectionActionTrustRedirectionDomain)
		}, "[RSLVR-02030] A DNS Firewall Advanced rule looks at the name asked for; TRUST_REDIRECTION_DOMAIN goes with domain lists only."},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := threat(group, api.DnsThreatProtectionDga, api.ConfidenceThresholdHigh, 10)
			c.change(in)
			if c.message != "" {
				refused(w, &api.CreateFirewallRule, in, "ValidationException", c.message)
				return
			}
			r := must(w, &api.CreateFirewallRule, in).FirewallRule
			if r.FirewallThreatProtectionId == nil || !strings.HasPrefix(*r.FirewallThreatProtectionId, "rslvr-ftp-") || r.FirewallDomainListId != nil ||
				*r.DnsThreatProtection != *in.DnsThreatProtection || *r.ConfidenceThreshold != "HIGH" {
				t.Errorf("made is %+v", r)
			}
			if again := must(w, &api.CreateFirewallRule, in).FirewallRule; *again.FirewallThreatProtectionId != *r.FirewallThreatProtectionId {
				t.Error("the same creator request id makes a second rule")
			}
			gone := must(w, &api.DeleteFirewallRule, &api.DeleteFirewallRuleRequest{FirewallRuleGroupId: group, FirewallThreatProtectionId: r.FirewallThreatProtectionId}).FirewallRule
			if !reflect.DeepEqual(gone, r) {
				t.Errorf("gone is %+v", gone)
			}
		})
	}
}

func TestAdvancedRulesAreNamedByTheirID(t *testing.T) {
	w := newWorld(t)
	list, group := w.blocked("bad.test")
	low := must(w, &api.CreateFirewallRule, threat(group, api.DnsThreatProtectionDga, api.ConfidenceThresholdLow, 20)).FirewallRule
	sure := must(w, &api.CreateFirewallRule, threat(group, api.DnsThreatProtectionDga, api.ConfidenceThresholdHigh, 30)).FirewallRule
	id := low.FirewallThreatProtectionId
	if *id == *sure.FirewallThreatProtectionId {
		t.Error("two rules have one id")
	}
	same := threat(group, api.DnsThreatProtectionDga, api.ConfidenceThresholdLow, 10)
	refused(w, &api.CreateFirewallRule, same, "ConflictException", fmt.Sprintf("[RSLVR-02015] The priority 10 is used already in the rule group \"%s\".", group))

	update := func(change func(*api.UpdateFirewallRuleRequest)) *api.UpdateFirewallRuleRequest {
		in := &api.UpdateFirewallRuleRequest{FirewallRuleGroupId: group, FirewallThreatProtectionId: id}
		change(in)
		return in
	}
	for _, c := range []struct {
		name    string
		change  func(*api.UpdateFirewallRuleRequest)
		code    string
		message string
	}{
		{"both_ids", func(in *api.UpdateFirewallRuleRequest) { in.FirewallDomainListId = &list }, "ValidationException", "[RSLVR-02026] A firewall rule is named by its FirewallDomainListId or by its FirewallThreatProtectionId, not by both."},
		{"no_id", func(in *api.UpdateFirewallRuleRequest) { in.FirewallThreatProtectionId = nil }, "ValidationException", "[RSLVR-02026] A firewall rule is named by its FirewallDomainListId or by its FirewallThreatProtectionId."},
		{"a_type", func(in *api.UpdateFirewallRuleRequest) { in.Qtype = new("A") }, "ValidationException", "[RSLVR-02027] A DNS Firewall Advanced rule is for all query types; Qtype goes with domain lists only."},
		{"allow", func(in *api.UpdateFirewallRuleRequest) { in.Action = new(api.ActionAllow) }, "ValidationException", "[RSLVR-02030] The action ALLOW is not available for DNS Firewall Advanced rules."},
		{"unknown", func(in *api.UpdateFirewallRuleRequest) { in.FirewallThreatProtectionId = new("rslvr-ftp-1") }, "ResourceNotFoundException", "[RSLVR-02025] Can't find the resource with ID \"rslvr-ftp-1\"."},
		{"empty", func(in *api.UpdateFirewallRuleRequest) { in.FirewallThreatProtectionId = new("") }, "ResourceNotFoundException", "[RSLVR-02025] Can't find the resource with ID \"\"."},
		{"confidence_of_a_list", func(in *api.UpdateFirewallRuleRequest) {
			in.FirewallThreatProtectionId, in.FirewallDomainListId, in.ConfidenceThreshold = nil, &list, new(api.ConfidenceThresholdLow)
		}, "ValidationException", "[RSLVR-02029] DnsThreatProtection and ConfidenceThreshold go with DNS Firewall Advanced rules only, not with a domain list."},
		{"taken_priority", func(in *api.UpdateFirewallRuleRequest) { in.Priority = new(int32(30)) }, "ConflictException", fmt.Sprintf("[RSLVR-02015] The priority 30 is used already in the rule group \"%s\".", group)},
	} {
		t.Run(c.name, func(t *testing.T) { refused(w, &api.UpdateFirewallRule, update(c.change), c.code, c.message) })
	}
	up := must(w, &api.UpdateFirewallRule, update(func(in *api.UpdateFirewallRuleRequest) {
		in.ConfidenceThreshold, in.DnsThreatProtection, in.Action = new(api.ConfidenceThresholdMedium), new(api.DnsThreatProtectionDictionaryDga), new(api.ActionAlert)
	})).FirewallRule
	if *up.ConfidenceThreshold != "MEDIUM" || *up.DnsThreatProtection != "DICTIONARY_DGA" || *up.Action != "ALERT" || up.BlockResponse != nil || *up.FirewallThreatProtectionId != *id {
		t.Errorf("updated is %+v", up)
	}

	// What the resolver is told, here, on another node, and after a restart.
	want := "[10 BLOCK   true][20 ALERT DICTIONARY_DGA MEDIUM false][30 BLOCK DGA HIGH false]"
	told := func(s *Service) (out string) {
		for _, r := range rules(s) {
			out += fmt.Sprintf("[%d %s %s %s %v]", r.Priority, r.Action, r.Threat, r.Confidence, r.List != nil)
		}
		return out
	}
	if got := told(w.service); got != want {
		t.Errorf("the resolver is told %s", got)
	}
	if got := told(w.node()); got != want {
		t.Errorf("another node tells %s", got)
	}
	var seen []string
	for _, r := range must(w, &api.ListFirewallRules, &api.ListFirewallRulesRequest{FirewallRuleGroupId: group}).FirewallRules {
		seen = append(seen, text(r.FirewallThreatProtectionId)+text(r.FirewallDomainListId))
	}
	if want := []string{list, *id, *sure.FirewallThreatProtectionId}; !reflect.DeepEqual(seen, want) {
		t.Errorf("listed are %v, want %v", seen, want)
	}
	// The list is not held by rules about threats.
	must(w, &api.DeleteFirewallRule, &api.DeleteFirewallRuleRequest{FirewallRuleGroupId: group, FirewallDomainListId: &list})
	must(w, &api.DeleteFirewallDomainList, &api.DeleteFirewallDomainListRequest{FirewallDomainListId: list})
	refused(w, &api.DeleteFirewallRule, &api.DeleteFirewallRuleRequest{FirewallRuleGroupId: group}, "ValidationException", "[RSLVR-02026] A firewall rule is named by its FirewallDomainListId or by its FirewallThreatProtectionId.")
	missing := func(id string) (string, string) {
		return "ResourceNotFoundException", "[RSLVR-02025] Can't find the resource with ID \"" + id + "\"."
	}
	check(w.in(other), &api.DeleteFirewallRule, &api.DeleteFirewallRuleRequest{FirewallRuleGroupId: group, FirewallThreatProtectionId: id}, missing, group)
}
