package route53resolver

import (
	"context"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

func (s *Service) createGroup(ctx context.Context, in *api.CreateFirewallRuleGroupRequest) (*api.CreateFirewallRuleGroupResponse, error) {
	id, g, err := created(ctx, s.groups, in.CreatorRequestId, func(g *group) bool { return g.Name == in.Name })
	if err != nil {
		return nil, err
	}
	if g == nil {
		if err := atMost(ctx, s.groups, maxGroups, "FirewallRuleGroup"); err != nil {
			return nil, err
		}
		c, err := newCommon(in.Name, in.CreatorRequestId, in.Tags)
		if err != nil {
			return nil, err
		}
		g, id = &group{common: c}, newID("rslvr-frg-")
		if err := s.groups.Insert(ctx, id, g); err != nil {
			return nil, err
		}
	}
	return &api.CreateFirewallRuleGroupResponse{FirewallRuleGroup: g.shown(ctx, id)}, nil
}

func (s *Service) getGroup(ctx context.Context, in *api.GetFirewallRuleGroupRequest) (*api.GetFirewallRuleGroupResponse, error) {
	g, err := s.group(ctx, in.FirewallRuleGroupId)
	if err != nil {
		return nil, err
	}
	return &api.GetFirewallRuleGroupResponse{FirewallRuleGroup: g.shown(ctx, in.FirewallRuleGroupId)}, nil
}

func (s *Service) listGroups(ctx context.Context, in *api.ListFirewallRuleGroupsRequest) (*api.ListFirewallRuleGroupsResponse, error) {
	out := &api.ListFirewallRuleGroupsResponse{FirewallRuleGroups: []api.FirewallRuleGroupMetadata{}}
	next, err := pages(ctx, s, s.groups, "ListFirewallRuleGroups", nil, in.NextToken, in.MaxResults, func(id string, g *group) bool {
		out.FirewallRuleGroups = append(out.FirewallRuleGroups, api.FirewallRuleGroupMetadata{
			Id: &id, Arn: new(arnOf(ctx, id).String()), Name: &g.Name, OwnerId: new(string(aws.CallOf(ctx).Account)),
			CreatorRequestId: &g.Creator, ShareStatus: new(api.ShareStatusNotShared),
		})
		return true
	})
	out.NextToken = next
	return out, err
}

func (s *Service) deleteGroup(ctx context.Context, in *api.DeleteFirewallRuleGroupRequest) (*api.DeleteFirewallRuleGroupResponse, error) {
	g, err := s.group(ctx, in.FirewallRuleGroupId)
	if err != nil {
		return nil, err
	}
	ties, err := s.ties.PageBy(ctx, "group", in.FirewallRuleGroupId, store.Range{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(ties) > 0 {
		return nil, api.ConflictException.New("[RSLVR-02017] The firewall rule group \"%s\" is associated with the VPC \"%s\"; disassociate it first.", in.FirewallRuleGroupId, ties[0].Value.VPC)
	}
	shown := g.shown(ctx, in.FirewallRuleGroupId)
	shown.Status = new(api.FirewallRuleGroupStatusDeleting)
	return &api.DeleteFirewallRuleGroupResponse{FirewallRuleGroup: shown}, s.groups.Delete(ctx, in.FirewallRuleGroupId)
}

func (s *Service) group(ctx context.Context, id string) (*group, error) {
	g, err := s.groups.Get(ctx, id)
	return found(g, err, id)
}

func (g *group) shown(ctx context.Context, id string) *api.FirewallRuleGroup {
	return &api.FirewallRuleGroup{
		Id: &id, Arn: new(arnOf(ctx, id).String()), Name: &g.Name, RuleCount: new(int32(len(g.Rules))), Status: new(api.FirewallRuleGroupStatusComplete),
		OwnerId: new(string(aws.CallOf(ctx).Account)), CreatorRequestId: &g.Creator, ShareStatus: new(api.ShareStatusNotShared),
		CreationTime: stamp(g.Created), ModificationTime: stamp(g.Modified),
	}
}
