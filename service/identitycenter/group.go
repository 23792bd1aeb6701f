package identitycenter

import (
	"context"
	"errors"

	"sumun.dev/api/identitystoreapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

func (s *Service) createGroup(ctx context.Context, in *identitystoreapi.CreateGroupRequest) (*identitystoreapi.CreateGroupResponse, error) {
	if err := s.identityStore(ctx, in.IdentityStoreId); err != nil {
		return nil, err
	}
	if in.DisplayName == nil {
		return nil, identitystoreapi.ValidationException.New("The attribute displayName is required.")
	}
	g := &group{Store: in.IdentityStoreId, ID: aws.UUID(), Name: *in.DisplayName, Description: in.Description, stamps: stamped(ctx)}
	if err := s.addGroup(ctx, g); err != nil {
		return nil, err
	}
	return &identitystoreapi.CreateGroupResponse{IdentityStoreId: g.Store, GroupId: g.ID}, nil
}

func (s *Service) addGroup(ctx context.Context, g *group) error {
	if err := s.uniqueGroup(ctx, g); err != nil {
		return err
	}
	if err := s.countHead(ctx, g.Store, 0, 1); err != nil {
		return err
	}
	return s.groups.Insert(ctx, g.Store+"/"+g.ID, g)
}

func (s *Service) uniqueGroup(ctx context.Context, g *group) error {
	row, err := one(ctx, s.groups, "by", byName(g.Store, g.Name))
	if err != nil {
		return err
	}
	if row != nil && row.Value.ID != g.ID {
		return duplicate("GroupDisplayName")
	}
	return nil
}

func (s *Service) group(ctx context.Context, storeID, id string) (*group, error) {
	if err := s.identityStore(ctx, storeID); err != nil {
		return nil, err
	}
	g, err := s.groups.Get(ctx, storeID+"/"+id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing(identitystoreapi.ResourceTypeGroup, id)
	}
	return g, err
}

func (g *group) shown() *identitystoreapi.Group {
	return &identitystoreapi.Group{
		IdentityStoreId: g.Store, GroupId: g.ID, DisplayName: &g.Name, Description: g.Description, ExternalIds: g.External,
		CreatedAt: &g.Created, CreatedBy: &g.CreatedBy, UpdatedAt: &g.Updated, UpdatedBy: &g.UpdatedBy,
	}
}

func (s *Service) describeGroup(ctx context.Context, in *identitystoreapi.DescribeGroupRequest) (*identitystoreapi.DescribeGroupResponse, error) {
	g, err := s.group(ctx, in.IdentityStoreId, in.GroupId)
	if err != nil {
		return nil, err
	}
	return new(identitystoreapi.DescribeGroupResponse(*g.shown())), nil
}

func (s *Service) listGroups(ctx context.Context, in *identitystoreapi.ListGroupsRequest) (*identitystoreapi.ListGroupsResponse, error) {
	if err := s.identityStore(ctx, in.IdentityStoreId); err != nil {
		return nil, err
	}
	read, filters := under(ctx, s.groups, in.IdentityStoreId+"/"), []string{in.IdentityStoreId}
	for _, f := range in.Filters {
		if !sameFold(f.AttributePath, "DisplayName") {
			return nil, identitystoreapi.ValidationException.New("The filter attribute path %s is not supported; DisplayName is.", f.AttributePath)
		}
		read, filters = indexed(ctx, s.groups, "by", byName(in.IdentityStoreId, f.AttributeValue)), append(filters, f.AttributeValue)
	}
	rows, next, err := list(ctx, s, filters, in.MaxResults, in.NextToken, identitystoreapi.ValidationException, read, nil)
	if err != nil {
		return nil, err
	}
	out := &identitystoreapi.ListGroupsResponse{Groups: []identitystoreapi.Group{}, NextToken: next}
	for _, row := range rows {
		out.Groups = append(out.Groups, *row.Value.shown())
	}
	return out, nil
}

func (s *Service) updateGroup(ctx context.Context, in *identitystoreapi.UpdateGroupRequest) (*identitystoreapi.UpdateGroupResponse, error) {
	g, err := s.group(ctx, in.IdentityStoreId, in.GroupId)
	if err != nil {
		return nil, err
	}
	if err := readOnly(g.Source); err != nil {
		return nil, err
	}
	doc := map[string]any{"IdentityStoreId": g.Store, "DisplayName": g.Name}
	if g.Description != nil {
		doc["Description"] = *g.Description
	}
	for _, op := range in.Operations {
		if !sameFold(op.AttributePath, "displayName") && !sameFold(op.AttributePath, "description") {
			return nil, identitystoreapi.ValidationException.New("The attribute path %s cannot be updated.", op.AttributePath)
		}
		if err := set(doc, []string{op.AttributePath}, op.AttributeValue); err != nil {
			return nil, err
		}
	}
	next, err := wire.DecodeJSONDocument(&identitystoreapi.CreateGroup, doc)
	if err != nil {
		return nil, err
	}
	to := next.(*identitystoreapi.CreateGroupRequest)
	if to.DisplayName == nil {
		return nil, identitystoreapi.ValidationException.New("The attribute displayName is required.")
	}
	g.Name, g.Description = *to.DisplayName, to.Description
	if err := s.uniqueGroup(ctx, g); err != nil {
		return nil, err
	}
	g.touched(ctx)
	return &identitystoreapi.UpdateGroupResponse{}, s.groups.Put(ctx, g.Store+"/"+g.ID, g)
}

func (s *Service) deleteGroup(ctx context.Context, in *identitystoreapi.DeleteGroupRequest) (*identitystoreapi.DeleteGroupResponse, error) {
	g, err := s.group(ctx, in.IdentityStoreId, in.GroupId)
	if err != nil {
		return nil, err
	}
	if err := readOnly(g.Source); err != nil {
		return nil, err
	}
	return &identitystoreapi.DeleteGroupResponse{}, s.removeGroup(ctx, g)
}

func (s *Service) removeGroup(ctx context.Context, g *group) error {
	err := every(indexed(ctx, s.memberships, "by", g.Store+"/g/"+g.ID), func(m store.Entry[membership]) error { return s.memberships.Delete(ctx, m.ID) })
	if err != nil {
		return err
	}
	if err := s.countHead(ctx, g.Store, 0, -1); err != nil {
		return err
	}
	return s.groups.Delete(ctx, g.Store+"/"+g.ID)
}

func (s *Service) getGroupID(ctx context.Context, in *identitystoreapi.GetGroupIdRequest) (*identitystoreapi.GetGroupIdResponse, error) {
	if err := s.identityStore(ctx, in.IdentityStoreId); err != nil {
		return nil, err
	}
	key, err := alternate(in.IdentityStoreId, in.AlternateIdentifier, map[string]func(store, value string) string{"displayname": byName})
	if err != nil {
		return nil, err
	}
	row, err := one(ctx, s.groups, "by", key)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, missing(identitystoreapi.ResourceTypeGroup, "")
	}
	return &identitystoreapi.GetGroupIdResponse{IdentityStoreId: in.IdentityStoreId, GroupId: row.Value.ID}, nil
}
