package route53resolver

import (
	"context"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// Limits of DNS Firewall. Route 53 Developer Guide, "Quotas on Route 53 Resolver".
const (
	maxLists       = 1000
	maxGroups      = 1000
	maxRules       = 100 // in a group
	maxGroupsOfVPC = 5
	maxLogConfigs  = 20
)

func (s *Service) createList(ctx context.Context, in *api.CreateFirewallDomainListRequest) (*api.CreateFirewallDomainListResponse, error) {
	id, l, err := created(ctx, s.lists, in.CreatorRequestId, func(l *list) bool { return l.Name == in.Name })
	if err != nil {
		return nil, err
	}
	if l == nil {
		if l, id, err = s.addList(ctx, in); err != nil {
			return nil, err
		}
	}
	return &api.CreateFirewallDomainListResponse{FirewallDomainList: l.shown(ctx, id)}, nil
}

func (s *Service) addList(ctx context.Context, in *api.CreateFirewallDomainListRequest) (*list, string, error) {
	if err := atMost(ctx, s.lists, maxLists, "FirewallDomainList"); err != nil {
		return nil, "", err
	}
	c, err := newCommon(in.Name, in.CreatorRequestId, in.Tags)
	if err != nil {
		return nil, "", err
	}
	l, id := &list{common: c, Node: s.node}, newID("rslvr-fdl-")
	s.mirror.expectList(ctx, place(ctx), id, l.Version, nil, nil, true)
	return l, id, s.lists.Insert(ctx, id, l)
}

func (s *Service) getList(ctx context.Context, in *api.GetFirewallDomainListRequest) (*api.GetFirewallDomainListResponse, error) {
	l, err := s.list(ctx, in.FirewallDomainListId)
	if err != nil {
		return nil, err
	}
	return &api.GetFirewallDomainListResponse{FirewallDomainList: l.shown(ctx, in.FirewallDomainListId)}, nil
}

func (s *Service) listLists(ctx context.Context, in *api.ListFirewallDomainListsRequest) (*api.ListFirewallDomainListsResponse, error) {
	out := &api.ListFirewallDomainListsResponse{FirewallDomainLists: []api.FirewallDomainListMetadata{}}
	next, err := pages(ctx, s, s.lists, "ListFirewallDomainLists", nil, in.NextToken, in.MaxResults, func(id string, l *list) bool {
		out.FirewallDomainLists = append(out.FirewallDomainLists, api.FirewallDomainListMetadata{Id: &id, Arn: new(arnOf(ctx, id).String()), Name: &l.Name, CreatorRequestId: &l.Creator})
		return true
	})
	out.NextToken = next
	return out, err
}

func (s *Service) deleteList(ctx context.Context, in *api.DeleteFirewallDomainListRequest) (*api.DeleteFirewallDomainListResponse, error) {
	id := in.FirewallDomainListId
	l, err := s.list(ctx, id)
	if err != nil {
		return nil, err
	}
	users, err := s.groups.PageBy(ctx, "list", id, store.Range{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(users) > 0 {
		return nil, api.ConflictException.New("[RSLVR-02018] The firewall domain list \"%s\" is used by a rule of the rule group \"%s\"; delete the rule first.", id, users[0].ID)
	}
	for b, err := range s.buckets.All(ctx, id+"/") {
		if err != nil {
			return nil, err
		}
		if err := s.buckets.Delete(ctx, b.ID); err != nil {
			return nil, err
		}
	}
	if err := s.addTotal(ctx, -l.Count); err != nil {
		return nil, err
	}
	shown := l.shown(ctx, id)
	shown.Status = new(api.FirewallDomainListStatusDeleting)
	return &api.DeleteFirewallDomainListResponse{FirewallDomainList: shown}, s.lists.Delete(ctx, id)
}

func (s *Service) list(ctx context.Context, id string) (*list, error) {
	l, err := s.lists.Get(ctx, id)
	return found(l, err, id)
}

func (l *list) shown(ctx context.Context, id string) *api.FirewallDomainList {
	return &api.FirewallDomainList{
		Id: &id, Arn: new(arnOf(ctx, id).String()), Name: &l.Name, DomainCount: new(int32(l.Count)),
		Status: new(api.FirewallDomainListStatusComplete), CreatorRequestId: &l.Creator,
		CreationTime: stamp(l.Created), ModificationTime: stamp(l.Modified),
	}
}

// atMost refuses one more row when a table has limit already.
func atMost[T any](ctx context.Context, t *store.Table[T], limit int, what string) error {
	rows, err := t.Page(ctx, store.Range{Limit: limit})
	if err != nil {
		return err
	}
	if len(rows) >= limit {
		return tooMany(what, limit)
	}
	return nil
}

func tooMany(what string, limit int) error {
	return api.LimitExceededException.New("[RSLVR-02011] You can have at most %d resources of the type %s.", limit, what).With("ResourceType", what)
}

func place(ctx context.Context) store.Place {
	call := aws.CallOf(ctx)
	return store.Place{Account: call.Account, Region: call.Region}
}
