package identitycenter

import (
	"context"
	"errors"

	"sumun.dev/api/identitystoreapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

func (s *Service) createGroupMembership(ctx context.Context, in *identitystoreapi.CreateGroupMembershipRequest) (*identitystoreapi.CreateGroupMembershipResponse, error) {
	g, err := s.group(ctx, in.IdentityStoreId, in.GroupId)
	if err != nil {
		return nil, err
	}
	if err := readOnly(g.Source); err != nil {
		return nil, err
	}
	u, err := s.user(ctx, in.IdentityStoreId, *in.MemberId.UserId)
	if err != nil {
		return nil, err
	}
	m, err := s.join(ctx, g, u)
	if err != nil {
		return nil, err
	}
	return &identitystoreapi.CreateGroupMembershipResponse{IdentityStoreId: m.Store, MembershipId: m.ID}, nil
}

// join makes a user a member of a group that it is not in yet.
func (s *Service) join(ctx context.Context, g *group, u *user) (*membership, error) {
	have, err := s.membership(ctx, g.Store, g.ID, u.ID)
	if err != nil {
		return nil, err
	}
	if have != nil {
		return nil, identitystoreapi.ConflictException.New("Member and Group relationship already exists.").
			With("Reason", string(identitystoreapi.ConflictExceptionReasonUniquenessConstraintViolation))
	}
	m := &membership{Store: g.Store, ID: aws.UUID(), Group: g.ID, User: u.ID, stamps: stamped(ctx)}
	return m, s.memberships.Insert(ctx, m.Store+"/"+m.ID, m)
}

// membership returns what makes a user a member of a group; nil when it is none.
func (s *Service) membership(ctx context.Context, storeID, group, user string) (*membership, error) {
	row, err := one(ctx, s.memberships, "by", storeID+"/p/"+group+"/"+user)
	if err != nil || row == nil {
		return nil, err
	}
	return row.Value, nil
}

func (s *Service) theMembership(ctx context.Context, storeID, id string) (*membership, error) {
	if err := s.identityStore(ctx, storeID); err != nil {
		return nil, err
	}
	m, err := s.memberships.Get(ctx, storeID+"/"+id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing(identitystoreapi.ResourceTypeGroupMembership, id)
	}
	return m, err
}

func (m *membership) shown() *identitystoreapi.GroupMembership {
	return &identitystoreapi.GroupMembership{
		IdentityStoreId: m.Store, MembershipId: &m.ID, GroupId: &m.Group, MemberId: &identitystoreapi.MemberId{UserId: &m.User},
		CreatedAt: &m.Created, CreatedBy: &m.CreatedBy, UpdatedAt: &m.Updated, UpdatedBy: &m.UpdatedBy,
	}
}

func (s *Service) describeGroupMembership(ctx context.Context, in *identitystoreapi.DescribeGroupMembershipRequest) (*identitystoreapi.DescribeGroupMembershipResponse, error) {
	m, err := s.theMembership(ctx, in.IdentityStoreId, in.MembershipId)
	if err != nil {
		return nil, err
	}
	return &identitystoreapi.DescribeGroupMembershipResponse{
		IdentityStoreId: m.Store, MembershipId: m.ID, GroupId: m.Group, MemberId: &identitystoreapi.MemberId{UserId: &m.User},
		CreatedAt: &m.Created, CreatedBy: &m.CreatedBy, UpdatedAt: &m.Updated, UpdatedBy: &m.UpdatedBy,
	}, nil
}

func (s *Service) deleteGroupMembership(ctx context.Context, in *identitystoreapi.DeleteGroupMembershipRequest) (*identitystoreapi.DeleteGroupMembershipResponse, error) {
	m, err := s.theMembership(ctx, in.IdentityStoreId, in.MembershipId)
	if err != nil {
		return nil, err
	}
	g, err := s.group(ctx, m.Store, m.Group)
	if err != nil {
		return nil, err
	}
	if err := readOnly(g.Source); err != nil {
		return nil, err
	}
	return &identitystoreapi.DeleteGroupMembershipResponse{}, s.memberships.Delete(ctx, m.Store+"/"+m.ID)
}

func (s *Service) getGroupMembershipID(ctx context.Context, in *identitystoreapi.GetGroupMembershipIdRequest) (*identitystoreapi.GetGroupMembershipIdResponse, error) {
	if err := s.identityStore(ctx, in.IdentityStoreId); err != nil {
		return nil, err
	}
	m, err := s.membership(ctx, in.IdentityStoreId, in.GroupId, *in.MemberId.UserId)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, missing(identitystoreapi.ResourceTypeGroupMembership, "")
	}
	return &identitystoreapi.GetGroupMembershipIdResponse{IdentityStoreId: m.Store, MembershipId: m.ID}, nil
}

func (s *Service) listGroupMemberships(ctx context.Context, in *identitystoreapi.ListGroupMembershipsRequest) (*identitystoreapi.ListGroupMembershipsResponse, error) {
	g, err := s.group(ctx, in.IdentityStoreId, in.GroupId)
	if err != nil {
		return nil, err
	}
	by := g.Store + "/g/" + g.ID
	rows, next, err := list(ctx, s, []string{by}, in.MaxResults, in.NextToken, identitystoreapi.ValidationException, indexed(ctx, s.memberships, "by", by), nil)
	if err != nil {
		return nil, err
	}
	return &identitystoreapi.ListGroupMembershipsResponse{GroupMemberships: membershipsOf(rows), NextToken: next}, nil
}

func (s *Service) listGroupMembershipsForMember(ctx context.Context, in *identitystoreapi.ListGroupMembershipsForMemberRequest) (*identitystoreapi.ListGroupMembershipsForMemberResponse, error) {
	u, err := s.user(ctx, in.IdentityStoreId, *in.MemberId.UserId)
	if err != nil {
		return nil, err
	}
	by := u.Store + "/u/" + u.ID
	rows, next, err := list(ctx, s, []string{by}, in.MaxResults, in.NextToken, identitystoreapi.ValidationException, indexed(ctx, s.memberships, "by", by), nil)
	if err != nil {
		return nil, err
	}
	return &identitystoreapi.ListGroupMembershipsForMemberResponse{GroupMemberships: membershipsOf(rows), NextToken: next}, nil
}

func membershipsOf(rows []store.Entry[membership]) []identitystoreapi.GroupMembership {
	out := []identitystoreapi.GroupMembership{}
	for _, row := range rows {
		out = append(out, *row.Value.shown())
	}
	return out
}

func (s *Service) isMemberInGroups(ctx context.Context, in *identitystoreapi.IsMemberInGroupsRequest) (*identitystoreapi.IsMemberInGroupsResponse, error) {
	u, err := s.user(ctx, in.IdentityStoreId, *in.MemberId.UserId)
	if err != nil {
		return nil, err
	}
	out := &identitystoreapi.IsMemberInGroupsResponse{Results: []identitystoreapi.GroupMembershipExistenceResult{}}
	for _, id := range in.GroupIds {
		if _, err := s.group(ctx, u.Store, id); err != nil {
			return nil, err
		}
		m, err := s.membership(ctx, u.Store, id, u.ID)
		if err != nil {
			return nil, err
		}
		out.Results = append(out.Results, identitystoreapi.GroupMembershipExistenceResult{
			GroupId: new(id), MemberId: &identitystoreapi.MemberId{UserId: &u.ID}, MembershipExists: new(m != nil),
		})
	}
	return out, nil
}
