package route53resolver

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/store"
	"sumun.dev/wire"
)

func TestRulesAreChecked(t *testing.T) {
	w := newWorld(t)
	list, group := w.list("l"), w.group("g")
	override := func(in *api.CreateFirewallRuleRequest) {
		in.BlockResponse, in.BlockOverrideDomain = new(api.BlockResponseOverride), new("safe.test")
		in.BlockOverrideDnsType, in.BlockOverrideTtl = new(api.BlockOverrideDnsTypeCname), new(int32(60))
	}
	for _, c := range []struct {
		name    string
		change  func(*api.CreateFirewallRuleRequest)
		message string // after "ValidationException: "; empty: allowed
	}{
		{"nxdomain", func(*api.CreateFirewallRuleRequest) {}, ""},
		{"block_needs_a_response", func(in *api.CreateFirewallRuleRequest) { in.BlockResponse = nil }, "[RSLVR-02007] The action BLOCK needs a BlockResponse."},
		{"alert_has_none", func(in *api.CreateFirewallRuleRequest) { in.Action = api.ActionAlert }, "[RSLVR-02008] BlockResponse goes with the action BLOCK only."},
		{"override", override, ""},
		{"override_needs_a_domain", func(in *api.CreateFirewallRuleRequest) { override(in); in.BlockOverrideDomain = nil }, "[RSLVR-02009] The BlockResponse OVERRIDE needs BlockOverrideDomain, BlockOverrideDnsType and BlockOverrideTtl."},
		{"override_needs_a_ttl", func(in *api.CreateFirewallRuleRequest) { override(in); in.BlockOverrideTtl = nil }, "[RSLVR-02009] The BlockResponse OVERRIDE needs BlockOverrideDomain, BlockOverrideDnsType and BlockOverrideTtl."},
		{"nothing_else_has_a_ttl", func(in *api.CreateFirewallRuleRequest) { in.BlockOverrideTtl = new(int32(1)) }, "[RSLVR-02008] BlockOverrideDomain, BlockOverrideDnsType and BlockOverrideTtl go with the BlockResponse OVERRIDE only."},
		{"override_to_a_name", func(in *api.CreateFirewallRuleRequest) { override(in); in.BlockOverrideDomain = new("a..b") }, `[RSLVR-02021] The domain "a..b" is not valid.`},
		{"query_type", func(in *api.CreateFirewallRuleRequest) { in.Qtype = new("AAAA") }, ""},
		{"query_type_by_number", func(in *api.CreateFirewallRuleRequest) { in.Qtype = new("TYPE65") }, ""},
		{"no_query_type", func(in *api.CreateFirewallRuleRequest) { in.Qtype = new("NOSUCH") }, `[RSLVR-02027] "NOSUCH" is not a query type: a name such as AAAA, or TYPE and a number.`},
		{"list_and_threat", func(in *api.CreateFirewallRuleRequest) { in.DnsThreatProtection = new(api.DnsThreatProtectionDga) }, "[RSLVR-02026] A firewall rule has a FirewallDomainListId or a DnsThreatProtection, not both."},
		{"no_list", func(in *api.CreateFirewallRuleRequest) { in.FirewallDomainListId = nil }, "[RSLVR-02026] A firewall rule needs a FirewallDomainListId or a DnsThreatProtection."},
		{"list_with_confidence", func(in *api.CreateFirewallRuleRequest) { in.ConfidenceThreshold = new(api.ConfidenceThresholdLow) }, "[RSLVR-02029] DnsThreatProtection and ConfidenceThreshold go with DNS Firewall Advanced rules only, not with a domain list."},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := block(group, list, 10)
			c.change(in)
			if c.message != "" {
				refused(w, &api.CreateFirewallRule, in, "ValidationException", c.message)
				return
			}
			r := must(w, &api.CreateFirewallRule, in).FirewallRule
			if *r.FirewallDomainRedirectionAction != "INSPECT_REDIRECTION_DOMAIN" || *r.BlockResponse != *in.BlockResponse {
				t.Errorf("made is %+v", r)
			}
			must(w, &api.DeleteFirewallRule, &api.DeleteFirewallRuleRequest{FirewallRuleGroupId: group, FirewallDomainListId: &list, Qtype: in.Qtype})
		})
	}
}

func TestPrioritiesAndLimitsOfRules(t *testing.T) {
	w := newWorld(t)
	group, list := w.group("g"), w.list("l0")
	made := must(w, &api.CreateFirewallRule, block(group, list, 10)).FirewallRule
	again := must(w, &api.CreateFirewallRule, block(group, list, 10)).FirewallRule
	if *made.CreationTime != *again.CreationTime {
		t.Error("the same creator request id makes a second rule")
	}
	twice := block(group, list, 20)
	refused(w, &api.CreateFirewallRule, twice, "ConflictException", fmt.Sprintf("[RSLVR-02014] The rule group \"%s\" has a rule for the domain list \"%s\" already.", group, list))
	same := block(group, w.list("l1"), 10)
	same.CreatorRequestId = "another"
	refused(w, &api.CreateFirewallRule, same, "ConflictException", fmt.Sprintf("[RSLVR-02015] The priority 10 is used already in the rule group \"%s\".", group))
	for n := int32(1); n < maxRules; n++ {
		must(w, &api.CreateFirewallRule, block(group, w.list(fmt.Sprint("x", n)), 100+n))
	}
	refused(w, &api.CreateFirewallRule, block(group, w.list("y"), 5), "LimitExceededException", "[RSLVR-02011] You can have at most 100 resources of the type FirewallRule.")

	var seen []int32
	in := &api.ListFirewallRulesRequest{FirewallRuleGroupId: group, MaxResults: new(int32(30))}
	for {
		out := must(w, &api.ListFirewallRules, in)
		for _, r := range out.FirewallRules {
			seen = append(seen, *r.Priority)
		}
		if out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
	}
	if len(seen) != maxRules || !slices.IsSorted(seen) {
		t.Errorf("pages show %v", seen)
	}
	refused(w, &api.UpdateFirewallRule, &api.UpdateFirewallRuleRequest{FirewallRuleGroupId: group, FirewallDomainListId: &list, Priority: new(int32(101))},
		"ConflictException", fmt.Sprintf("[RSLVR-02015] The priority 101 is used already in the rule group \"%s\".", group))
	up := must(w, &api.UpdateFirewallRule, &api.UpdateFirewallRuleRequest{FirewallRuleGroupId: group, FirewallDomainListId: &list, Action: new(api.ActionAllow)}).FirewallRule
	if up.BlockResponse != nil || *up.Action != "ALLOW" {
		t.Errorf("a rule that allows has %+v", up)
	}
}

func TestAssociations(t *testing.T) {
	w := newWorld(t)
	var groups []string
	for n := range maxGroupsOfVPC + 1 {
		groups = append(groups, w.group(fmt.Sprint("g", n)))
	}
	for _, p := range []int32{99, 9901, 0, -1} {
		refused(w, &api.AssociateFirewallRuleGroup, tie(groups[0], vpc, p), "ValidationException", "[RSLVR-02010] The priority must be between 100 and 9900.")
	}
	refused(w, &api.AssociateFirewallRuleGroup, tie(groups[0], "vpc-1", 101), "ValidationException", `[RSLVR-02028] "vpc-1" is not the id of a VPC.`)
	one := must(w, &api.AssociateFirewallRuleGroup, tie(groups[0], vpc, 101)).FirewallRuleGroupAssociation
	if again := must(w, &api.AssociateFirewallRuleGroup, tie(groups[0], vpc, 101)).FirewallRuleGroupAssociation; *again.Id != *one.Id {
		t.Error("the same creator request id makes a second association")
	}
	refused(w, &api.AssociateFirewallRuleGroup, tie(groups[1], vpc, 101), "ConflictException", "[RSLVR-02015] The priority 101 is used already by another association of the VPC \""+vpc+"\".")
	for n := 1; n < maxGroupsOfVPC; n++ {
		must(w, &api.AssociateFirewallRuleGroup, tie(groups[n], vpc, int32(101+n)))
	}
	refused(w, &api.AssociateFirewallRuleGroup, tie(groups[5], vpc, 200), "LimitExceededException", "[RSLVR-02011] You can have at most 5 resources of the type FirewallRuleGroupAssociation.")
	must(w, &api.AssociateFirewallRuleGroup, tie(groups[0], "vpc-00000001", 101))

	id := *one.Id
	refused(w, &api.DeleteFirewallRuleGroup, &api.DeleteFirewallRuleGroupRequest{FirewallRuleGroupId: groups[1]}, "ConflictException",
		"[RSLVR-02017] The firewall rule group \""+groups[1]+"\" is associated with the VPC \""+vpc+"\"; disassociate it first.")
	must(w, &api.UpdateFirewallRuleGroupAssociation, &api.UpdateFirewallRuleGroupAssociationRequest{FirewallRuleGroupAssociationId: id, MutationProtection: new(api.MutationProtectionStatusEnabled)})
	gone := &api.DisassociateFirewallRuleGroupRequest{FirewallRuleGroupAssociationId: id}
	refused(w, &api.DisassociateFirewallRuleGroup, gone, "ConflictException", "[RSLVR-02019] The association \""+id+"\" is protected against mutation; disable MutationProtection first.")
	must(w, &api.UpdateFirewallRuleGroupAssociation, &api.UpdateFirewallRuleGroupAssociationRequest{FirewallRuleGroupAssociationId: id, MutationProtection: new(api.MutationProtectionStatusDisabled)})
	if out := must(w, &api.DisassociateFirewallRuleGroup, gone); *out.FirewallRuleGroupAssociation.Status != "DELETING" {
		t.Errorf("gone is %+v", out)
	}
	if all := must(w, &api.ListFirewallRuleGroupAssociations, &api.ListFirewallRuleGroupAssociationsRequest{VpcId: new(vpc)}); len(all.FirewallRuleGroupAssociations) != maxGroupsOfVPC-1 {
		t.Errorf("left are %+v", all)
	}
}

func TestLimitsOfObjects(t *testing.T) {
	w := newWorld(t)
	for n := range maxLogConfigs {
		must(w, &api.CreateResolverQueryLogConfig, &api.CreateResolverQueryLogConfigRequest{Name: fmt.Sprint(n), CreatorRequestId: fmt.Sprint(n), DestinationArn: "arn:aws:s3:::logs"})
	}
	refused(w, &api.CreateResolverQueryLogConfig, &api.CreateResolverQueryLogConfigRequest{Name: "x", CreatorRequestId: "x", DestinationArn: "arn:aws:s3:::logs"},
		"LimitExceededException", "[RSLVR-02011] You can have at most 20 resources of the type ResolverQueryLogConfig.")
	refused(w, &api.CreateResolverQueryLogConfig, &api.CreateResolverQueryLogConfigRequest{Name: "x", CreatorRequestId: "x", DestinationArn: "arn:aws:sqs:us-east-1:111122223333:q"},
		"InvalidParameterException", "The destination \"arn:aws:sqs:us-east-1:111122223333:q\" is not the ARN of an S3 bucket, a CloudWatch Logs log group or a Firehose delivery stream.")
	refused(w, &api.CreateResolverQueryLogConfig, &api.CreateResolverQueryLogConfigRequest{Name: "x", CreatorRequestId: "1", DestinationArn: "arn:aws:s3:::logs"},
		"ResourceExistsException", "[RSLVR-02012] The CreatorRequestId \"1\" has been used already with other parameters.")
	id := w.list("l")
	if again := w.list("l"); again != id {
		t.Error("the same creator request id makes a second list")
	}
}

func TestListInUseIsKept(t *testing.T) {
	w := newWorld(t)
	list, group := w.blocked("bad.test")
	refused(w, &api.DeleteFirewallDomainList, &api.DeleteFirewallDomainListRequest{FirewallDomainListId: list}, "ConflictException",
		"[RSLVR-02018] The firewall domain list \""+list+"\" is used by a rule of the rule group \""+group+"\"; delete the rule first.")
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	made := must(w, &api.CreateFirewallDomainList, &api.CreateFirewallDomainListRequest{Name: "l", CreatorRequestId: "l", Tags: []api.Tag{{Key: "a", Value: "1"}}}).FirewallDomainList
	must(w, &api.TagResource, &api.TagResourceRequest{ResourceArn: *made.Arn, Tags: []api.Tag{{Key: "b", Value: "2"}, {Key: "a", Value: "3"}}})
	must(w, &api.UntagResource, &api.UntagResourceRequest{ResourceArn: *made.Arn, TagKeys: []string{"b", "c"}})
	out := must(w, &api.ListTagsForResource, &api.ListTagsForResourceRequest{ResourceArn: *made.Arn})
	if fmt.Sprint(out.Tags) != "[{a 3}]" {
		t.Errorf("tags are %v", out.Tags)
	}
	if _, err := call(w, &api.TagResource, &api.TagResourceRequest{ResourceArn: *made.Arn, Tags: []api.Tag{{Key: "aws:x"}}}); !api.InvalidTagException.Is(err) {
		t.Errorf("a reserved key: %v", err)
	}
	var many []api.Tag
	for n := range maxTags {
		many = append(many, api.Tag{Key: fmt.Sprint("k", n)})
	}
	refused(w, &api.TagResource, &api.TagResourceRequest{ResourceArn: *made.Arn, Tags: many}, "LimitExceededException", "A resource can have at most 50 tags.")
	at := store.Place{Account: account, Region: "us-east-1"}
	if l, err := w.service.lists.In(at).Get(t.Context(), *made.Id); err != nil || l.Version != 0 {
		t.Errorf("tags make a new version of the domains: %+v, %v", l, err)
	}
}

// For every operation that names something, a caller of another account who uses
// its id gets the answer for what does not exist.
func TestOtherAccountsFindNothing(t *testing.T) {
	w := newWorld(t)
	list, group := w.blocked("bad.test")
	assoc := *must(w, &api.ListFirewallRuleGroupAssociations, &api.ListFirewallRuleGroupAssociationsRequest{}).FirewallRuleGroupAssociations[0].Id
	q := *must(w, &api.CreateResolverQueryLogConfig, &api.CreateResolverQueryLogConfigRequest{Name: "q", CreatorRequestId: "q", DestinationArn: "arn:aws:s3:::logs"}).ResolverQueryLogConfig.Id
	qa := *must(w, &api.AssociateResolverQueryLogConfig, &api.AssociateResolverQueryLogConfigRequest{ResolverQueryLogConfigId: q, ResourceId: vpc}).ResolverQueryLogConfigAssociation.Id
	arn := "arn:aws:route53resolver:us-east-1:111122223333:firewall-domain-list/" + list
	s := w.in(other)
	missing := func(id string) (string, string) {
		return "ResourceNotFoundException", "[RSLVR-02025] Can't find the resource with ID \"" + id + "\"."
	}
	check(s, &api.GetFirewallDomainList, &api.GetFirewallDomainListRequest{FirewallDomainListId: list}, missing, list)
	check(s, &api.DeleteFirewallDomainList, &api.DeleteFirewallDomainListRequest{FirewallDomainListId: list}, missing, list)
	check(s, &api.ListFirewallDomains, &api.ListFirewallDomainsRequest{FirewallDomainListId: list}, missing, list)
	check(s, &api.UpdateFirewallDomains, &api.UpdateFirewallDomainsRequest{FirewallDomainListId: list, Operation: "ADD", Domains: []string{"a.test"}}, missing, list)
	check(s, &api.GetFirewallRuleGroup, &api.GetFirewallRuleGroupRequest{FirewallRuleGroupId: group}, missing, group)
	check(s, &api.DeleteFirewallRuleGroup, &api.DeleteFirewallRuleGroupRequest{FirewallRuleGroupId: group}, missing, group)
	check(s, &api.CreateFirewallRule, block(group, list, 20), missing, group)
	check(s, &api.CreateFirewallRule, block(s.group("own"), list, 20), missing, list)
	check(s, &api.UpdateFirewallRule, &api.UpdateFirewallRuleRequest{FirewallRuleGroupId: group, FirewallDomainListId: &list}, missing, group)
	check(s, &api.DeleteFirewallRule, &api.DeleteFirewallRuleRequest{FirewallRuleGroupId: group, FirewallDomainListId: &list}, missing, group)
	check(s, &api.ListFirewallRules, &api.ListFirewallRulesRequest{FirewallRuleGroupId: group}, missing, group)
	check(s, &api.AssociateFirewallRuleGroup, tie(group, vpc, 101), missing, group)
	check(s, &api.GetFirewallRuleGroupAssociation, &api.GetFirewallRuleGroupAssociationRequest{FirewallRuleGroupAssociationId: assoc}, missing, assoc)
	check(s, &api.UpdateFirewallRuleGroupAssociation, &api.UpdateFirewallRuleGroupAssociationRequest{FirewallRuleGroupAssociationId: assoc}, missing, assoc)
	check(s, &api.DisassociateFirewallRuleGroup, &api.DisassociateFirewallRuleGroupRequest{FirewallRuleGroupAssociationId: assoc}, missing, assoc)
	check(s, &api.GetResolverQueryLogConfig, &api.GetResolverQueryLogConfigRequest{ResolverQueryLogConfigId: q}, missing, q)
	check(s, &api.DeleteResolverQueryLogConfig, &api.DeleteResolverQueryLogConfigRequest{ResolverQueryLogConfigId: q}, missing, q)
	check(s, &api.AssociateResolverQueryLogConfig, &api.AssociateResolverQueryLogConfigRequest{ResolverQueryLogConfigId: q, ResourceId: vpc}, missing, q)
	check(s, &api.DisassociateResolverQueryLogConfig, &api.DisassociateResolverQueryLogConfigRequest{ResolverQueryLogConfigId: q, ResourceId: vpc}, missing, q)
	check(s, &api.GetResolverQueryLogConfigAssociation, &api.GetResolverQueryLogConfigAssociationRequest{ResolverQueryLogConfigAssociationId: qa}, missing, qa)
	check(s, &api.TagResource, &api.TagResourceRequest{ResourceArn: arn, Tags: []api.Tag{{Key: "a"}}}, missing, list)
	check(s, &api.UntagResource, &api.UntagResourceRequest{ResourceArn: arn, TagKeys: []string{"a"}}, missing, list)
	check(s, &api.ListTagsForResource, &api.ListTagsForResourceRequest{ResourceArn: arn}, missing, list)
	for name, n := range map[string]int{
		"lists": len(must(s, &api.ListFirewallDomainLists, &api.ListFirewallDomainListsRequest{}).FirewallDomainLists),
		"ties":  len(must(s, &api.ListFirewallRuleGroupAssociations, &api.ListFirewallRuleGroupAssociationsRequest{}).FirewallRuleGroupAssociations),
		"confs": len(must(s, &api.ListFirewallConfigs, &api.ListFirewallConfigsRequest{}).FirewallConfigs),
		"logs":  len(must(s, &api.ListResolverQueryLogConfigs, &api.ListResolverQueryLogConfigsRequest{}).ResolverQueryLogConfigs),
		"lties": len(must(s, &api.ListResolverQueryLogConfigAssociations, &api.ListResolverQueryLogConfigAssociationsRequest{}).ResolverQueryLogConfigAssociations),
	} {
		if n != 0 {
			t.Errorf("a stranger sees %d %s", n, name)
		}
	}
	for _, r := range w.service.Routes() {
		if !strings.HasPrefix(r.Meta().String(), "route53resolver:") {
			t.Errorf("Route 53 Resolver serves %s", r.Meta())
		}
	}
}

func check[In, Out any](w *world, op *wire.Operation[In, Out], in In, want func(string) (string, string), id string) {
	w.t.Helper()
	code, message := want(id)
	refused(w, op, in, code, message)
}
