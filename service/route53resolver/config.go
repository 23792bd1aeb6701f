package route53resolver

import (
	"context"
	"errors"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

func (s *Service) getConfig(ctx context.Context, in *api.GetFirewallConfigRequest) (*api.GetFirewallConfigResponse, error) {
	if err := checkVPC(in.ResourceId); err != nil {
		return nil, err
	}
	c, err := s.configs.Get(ctx, in.ResourceId)
	if errors.Is(err, store.ErrNotFound) {
		// AWS has one for every VPC; its id is given once it is changed.
		c = &vpcConfig{ID: "rslvr-fc-" + in.ResourceId[len("vpc-"):]}
	} else if err != nil {
		return nil, err
	}
	return &api.GetFirewallConfigResponse{FirewallConfig: c.shown(ctx, in.ResourceId)}, nil
}

func (s *Service) updateConfig(ctx context.Context, in *api.UpdateFirewallConfigRequest) (*api.UpdateFirewallConfigResponse, error) {
	if err := checkVPC(in.ResourceId); err != nil {
		return nil, err
	}
	c := &vpcConfig{ID: "rslvr-fc-" + in.ResourceId[len("vpc-"):]}
	switch in.FirewallFailOpen {
	case api.FirewallFailOpenStatusEnabled:
		c.FailOpen = true
	case api.FirewallFailOpenStatusDisabled:
	default:
		return nil, api.ValidationException.New("Sumun does not serve Route 53 Profiles yet, so there is no profile to prefer a VPC's own setting to.")
	}
	return &api.UpdateFirewallConfigResponse{FirewallConfig: c.shown(ctx, in.ResourceId)}, s.configs.Put(ctx, in.ResourceId, c)
}

func (s *Service) listConfigs(ctx context.Context, in *api.ListFirewallConfigsRequest) (*api.ListFirewallConfigsResponse, error) {
	out := &api.ListFirewallConfigsResponse{FirewallConfigs: []api.FirewallConfig{}}
	next, err := pages(ctx, s, s.configs, "ListFirewallConfigs", nil, in.NextToken, in.MaxResults, func(vpc string, c *vpcConfig) bool {
		out.FirewallConfigs = append(out.FirewallConfigs, *c.shown(ctx, vpc))
		return true
	})
	out.NextToken = next
	return out, err
}

func (c *vpcConfig) shown(ctx context.Context, vpc string) *api.FirewallConfig {
	open := api.FirewallFailOpenStatusDisabled
	if c.FailOpen {
		open = api.FirewallFailOpenStatusEnabled
	}
	return &api.FirewallConfig{Id: &c.ID, ResourceId: &vpc, OwnerId: new(string(aws.CallOf(ctx).Account)), FirewallFailOpen: &open}
}
