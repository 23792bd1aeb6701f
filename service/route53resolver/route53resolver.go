// Package route53resolver is Route 53 Resolver's DNS Firewall with its query logging.
//
// Routes is its table of contents. firewall.go is what the resolver is handed:
// everything here, compiled.
package route53resolver

import (
	"crypto/rand"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves Route 53 Resolver.
type Service struct {
	env     service.Env
	node    string // tells this process's writes from those of other nodes
	lists   *store.Table[list]
	buckets *store.Table[bucket]
	groups  *store.Table[group]
	ties    *store.Table[association]
	configs *store.Table[vpcConfig]
	logs    *store.Table[logConfig]
	logTies *store.Table[logTie]
	mirror  *mirror
}

// New returns a Route 53 Resolver.
func New(env service.Env) *Service {
	s := &Service{
		env: env, node: rand.Text(),
		lists:   store.NewTable(env.Store, "route53resolver.lists", store.Index("creator", func(l *list) []string { return []string{l.Creator} })),
		buckets: store.NewTable[bucket](env.Store, "route53resolver.domains"),
		groups:  store.NewTable(env.Store, "route53resolver.groups", store.Index("creator", func(g *group) []string { return []string{g.Creator} }), store.Index("list", (*group).lists)),
		ties: store.NewTable(env.Store, "route53resolver.associations",
			store.Index("vpc", func(a *association) []string { return []string{a.VPC} }), store.Index("group", func(a *association) []string { return []string{a.Group} })),
		configs: store.NewTable[vpcConfig](env.Store, "route53resolver.configs"),
		logs:    store.NewTable(env.Store, "route53resolver.logs", store.Index("creator", func(l *logConfig) []string { return []string{l.Creator} })),
		logTies: store.NewTable(env.Store, "route53resolver.logassociations",
			store.Index("config", func(a *logTie) []string { return []string{a.Config} }), store.Index("vpc", func(a *logTie) []string { return []string{a.VPC} })),
	}
	s.mirror = newMirror(s)
	return s
}

// Routes lists what Route 53 Resolver serves.
func (s *Service) Routes() []wire.Route {
	return []wire.Route{
		api.CreateFirewallDomainList.To(s.createList, touchNew("CreateFirewallDomainList", "firewall-domain-list", func(in *api.CreateFirewallDomainListRequest) []api.Tag { return in.Tags })),
		api.GetFirewallDomainList.To(s.getList, touchListOf(s, "GetFirewallDomainList", func(in *api.GetFirewallDomainListRequest) string { return in.FirewallDomainListId })),
		api.ListFirewallDomainLists.To(s.listLists, touchAll[*api.ListFirewallDomainListsRequest]("ListFirewallDomainLists")),
		api.DeleteFirewallDomainList.To(s.deleteList, touchListOf(s, "DeleteFirewallDomainList", func(in *api.DeleteFirewallDomainListRequest) string { return in.FirewallDomainListId })),
		api.ListFirewallDomains.To(s.listDomains, touchListOf(s, "ListFirewallDomains", func(in *api.ListFirewallDomainsRequest) string { return in.FirewallDomainListId })),
		api.UpdateFirewallDomains.To(s.updateDomains, touchListOf(s, "UpdateFirewallDomains", func(in *api.UpdateFirewallDomainsRequest) string { return in.FirewallDomainListId })),
		api.ImportFirewallDomains.To(s.importDomains, touchListOf(s, "ImportFirewallDomains", func(in *api.ImportFirewallDomainsRequest) string { return in.FirewallDomainListId })),

		api.CreateFirewallRuleGroup.To(s.createGroup, touchNew("CreateFirewallRuleGroup", "firewall-rule-group", func(in *api.CreateFirewallRuleGroupRequest) []api.Tag { return in.Tags })),
		api.GetFirewallRuleGroup.To(s.getGroup, touchGroupOf(s, "GetFirewallRuleGroup", func(in *api.GetFirewallRuleGroupRequest) string { return in.FirewallRuleGroupId })),
		api.ListFirewallRuleGroups.To(s.listGroups, touchAll[*api.ListFirewallRuleGroupsRequest]("ListFirewallRuleGroups")),
		api.DeleteFirewallRuleGroup.To(s.deleteGroup, touchGroupOf(s, "DeleteFirewallRuleGroup", func(in *api.DeleteFirewallRuleGroupRequest) string { return in.FirewallRuleGroupId })),

		api.CreateFirewallRule.To(s.createRule, touchRuleOf(s, "CreateFirewallRule", func(in *api.CreateFirewallRuleRequest) (string, *string) {
			return in.FirewallRuleGroupId, in.FirewallDomainListId
		})),
		api.UpdateFirewallRule.To(s.updateRule, touchRuleOf(s, "UpdateFirewallRule", func(in *api.UpdateFirewallRuleRequest) (string, *string) {
			return in.FirewallRuleGroupId, in.FirewallDomainListId
		})),
		api.DeleteFirewallRule.To(s.deleteRule, touchRuleOf(s, "DeleteFirewallRule", func(in *api.DeleteFirewallRuleRequest) (string, *string) {
			return in.FirewallRuleGroupId, in.FirewallDomainListId
		})),
		api.ListFirewallRules.To(s.listRules, touchGroupOf(s, "ListFirewallRules", func(in *api.ListFirewallRulesRequest) string { return in.FirewallRuleGroupId })),

		api.AssociateFirewallRuleGroup.To(s.associate, touchNewTie),
		api.GetFirewallRuleGroupAssociation.To(s.getAssociation, touchTieOf(s, "GetFirewallRuleGroupAssociation", func(in *api.GetFirewallRuleGroupAssociationRequest) string { return in.FirewallRuleGroupAssociationId })),
		api.ListFirewallRuleGroupAssociations.To(s.listAssociations, touchAll[*api.ListFirewallRuleGroupAssociationsRequest]("ListFirewallRuleGroupAssociations")),
		api.UpdateFirewallRuleGroupAssociation.To(s.updateAssociation, touchTieOf(s, "UpdateFirewallRuleGroupAssociation", func(in *api.UpdateFirewallRuleGroupAssociationRequest) string {
			return in.FirewallRuleGroupAssociationId
		})),
		api.DisassociateFirewallRuleGroup.To(s.disassociate, touchTieOf(s, "DisassociateFirewallRuleGroup", func(in *api.DisassociateFirewallRuleGroupRequest) string { return in.FirewallRuleGroupAssociationId })),

		api.GetFirewallConfig.To(s.getConfig, touchConfigOf("GetFirewallConfig", func(in *api.GetFirewallConfigRequest) string { return in.ResourceId })),
		api.UpdateFirewallConfig.To(s.updateConfig, touchConfigOf("UpdateFirewallConfig", func(in *api.UpdateFirewallConfigRequest) string { return in.ResourceId })),
		api.ListFirewallConfigs.To(s.listConfigs, touchAll[*api.ListFirewallConfigsRequest]("ListFirewallConfigs")),

		api.CreateResolverQueryLogConfig.To(s.createLog, touchNew("CreateResolverQueryLogConfig", "resolver-query-log-config", func(in *api.CreateResolverQueryLogConfigRequest) []api.Tag { return in.Tags })),
		api.GetResolverQueryLogConfig.To(s.getLog, touchLogOf(s, "GetResolverQueryLogConfig", func(in *api.GetResolverQueryLogConfigRequest) string { return in.ResolverQueryLogConfigId })),
		api.ListResolverQueryLogConfigs.To(s.listLogs, touchAll[*api.ListResolverQueryLogConfigsRequest]("ListResolverQueryLogConfigs")),
		api.DeleteResolverQueryLogConfig.To(s.deleteLog, touchLogOf(s, "DeleteResolverQueryLogConfig", func(in *api.DeleteResolverQueryLogConfigRequest) string { return in.ResolverQueryLogConfigId })),
		api.AssociateResolverQueryLogConfig.To(s.associateLog, touchLogOf(s, "AssociateResolverQueryLogConfig", func(in *api.AssociateResolverQueryLogConfigRequest) string { return in.ResolverQueryLogConfigId })),
		api.DisassociateResolverQueryLogConfig.To(s.disassociateLog, touchLogOf(s, "DisassociateResolverQueryLogConfig", func(in *api.DisassociateResolverQueryLogConfigRequest) string { return in.ResolverQueryLogConfigId })),
		api.GetResolverQueryLogConfigAssociation.To(s.getLogAssociation, touchAll[*api.GetResolverQueryLogConfigAssociationRequest]("GetResolverQueryLogConfigAssociation")),
		api.ListResolverQueryLogConfigAssociations.To(s.listLogAssociations, touchAll[*api.ListResolverQueryLogConfigAssociationsRequest]("ListResolverQueryLogConfigAssociations")),

		api.TagResource.To(s.tagResource, s.touchTagging),
		api.UntagResource.To(s.untagResource, s.touchUntagging),
		api.ListTagsForResource.To(s.listTags, s.touchTagged),
	}
}
