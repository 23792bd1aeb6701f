package identitycenter

import (
	"context"

	api "sumun.dev/api/identitystoreapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/wire"
)

// IdentityStore is the face that keeps users and groups.
func (s *Service) IdentityStore() service.Service { return face(s.identityStoreRoutes) }

func (s *Service) identityStoreRoutes() []wire.Route {
	const users, groups, memberships = "user/*", "group/*", "membership/*"
	return []wire.Route{
		api.CreateUser.To(s.createUser, directory("CreateUser", func(in *api.CreateUserRequest) []string { return []string{in.IdentityStoreId} })),
		api.DescribeUser.To(s.describeUser, directory("DescribeUser", func(in *api.DescribeUserRequest) []string { return []string{in.IdentityStoreId, "user/" + in.UserId} })),
		api.ListUsers.To(s.listUsers, directory("ListUsers", func(in *api.ListUsersRequest) []string { return []string{in.IdentityStoreId, users} })),
		api.UpdateUser.To(s.updateUser, directory("UpdateUser", func(in *api.UpdateUserRequest) []string { return []string{in.IdentityStoreId, "user/" + in.UserId} })),
		api.DeleteUser.To(s.deleteUser, directory("DeleteUser", func(in *api.DeleteUserRequest) []string { return []string{in.IdentityStoreId, "user/" + in.UserId} })),
		api.GetUserId.To(s.getUserID, directory("GetUserId", func(in *api.GetUserIdRequest) []string { return []string{in.IdentityStoreId, users} })),

		api.CreateGroup.To(s.createGroup, directory("CreateGroup", func(in *api.CreateGroupRequest) []string { return []string{in.IdentityStoreId} })),
		api.DescribeGroup.To(s.describeGroup, directory("DescribeGroup", func(in *api.DescribeGroupRequest) []string {
			return []string{in.IdentityStoreId, "group/" + in.GroupId}
		})),
		api.ListGroups.To(s.listGroups, directory("ListGroups", func(in *api.ListGroupsRequest) []string { return []string{in.IdentityStoreId, groups} })),
		api.UpdateGroup.To(s.updateGroup, directory("UpdateGroup", func(in *api.UpdateGroupRequest) []string { return []string{in.IdentityStoreId, "group/" + in.GroupId} })),
		api.DeleteGroup.To(s.deleteGroup, directory("DeleteGroup", func(in *api.DeleteGroupRequest) []string { return []string{in.IdentityStoreId, "group/" + in.GroupId} })),
		api.GetGroupId.To(s.getGroupID, directory("GetGroupId", func(in *api.GetGroupIdRequest) []string { return []string{in.IdentityStoreId, groups} })),

		api.CreateGroupMembership.To(s.createGroupMembership, directory("CreateGroupMembership", func(in *api.CreateGroupMembershipRequest) []string {
			return []string{in.IdentityStoreId, "group/" + in.GroupId, "user/" + userOf(in.MemberId)}
		})),
		api.DescribeGroupMembership.To(s.describeGroupMembership, ofMembership(s, "DescribeGroupMembership", func(in *api.DescribeGroupMembershipRequest) (string, string) {
			return in.IdentityStoreId, in.MembershipId
		})),
		api.DeleteGroupMembership.To(s.deleteGroupMembership, ofMembership(s, "DeleteGroupMembership", func(in *api.DeleteGroupMembershipRequest) (string, string) {
			return in.IdentityStoreId, in.MembershipId
		})),
		api.GetGroupMembershipId.To(s.getGroupMembershipID, directory("GetGroupMembershipId", func(in *api.GetGroupMembershipIdRequest) []string {
			return []string{in.IdentityStoreId, "group/" + in.GroupId, "user/" + userOf(in.MemberId), memberships}
		})),
		api.ListGroupMemberships.To(s.listGroupMemberships, directory("ListGroupMemberships", func(in *api.ListGroupMembershipsRequest) []string {
			return []string{in.IdentityStoreId, "group/" + in.GroupId, memberships}
		})),
		api.ListGroupMembershipsForMember.To(s.listGroupMembershipsForMember, directory("ListGroupMembershipsForMember", func(in *api.ListGroupMembershipsForMemberRequest) []string {
			return []string{in.IdentityStoreId, "user/" + userOf(in.MemberId), memberships}
		})),
		api.IsMemberInGroups.To(s.isMemberInGroups, directory("IsMemberInGroups", func(in *api.IsMemberInGroupsRequest) []string {
			out := []string{in.IdentityStoreId, "user/" + userOf(in.MemberId), memberships}
			for _, g := range in.GroupIds {
				out = append(out, "group/"+g)
			}
			return out
		})),
	}
}

func userOf(m *api.MemberId) string {
	if m == nil || m.UserId == nil {
		return ""
	}
	return *m.UserId
}

// directory touches an identity store and what in it the request names. The ARNs
// of users, groups and memberships have no account.
// Service Authorization Reference, "AWS Identity Store".
func directory[In any](operation string, named func(In) []string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		names := named(in)
		return touchDirectory(ctx, operation, names[0], names[1:]...), nil
	}
}

func touchDirectory(ctx context.Context, operation, storeID string, within ...string) []wire.Touch {
	c := aws.CallOf(ctx)
	action := "identitystore:" + operation
	out := []wire.Touch{{Action: action, Resource: c.GlobalARN("identitystore", "identitystore/"+storeID)}}
	for _, name := range within {
		out = append(out, wire.Touch{Action: action, Resource: aws.ARN{Partition: c.Partition, Service: "identitystore", Resource: name}})
	}
	return out
}

// ofMembership touches the group and the user of a membership too; where there is
// no such membership, all of them.
func ofMembership[In any](s *Service, operation string, named func(In) (storeID, id string)) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		storeID, id := named(in)
		group, user := "*", "*"
		if m, err := s.memberships.Get(ctx, storeID+"/"+id); err == nil {
			group, user = m.Group, m.User
		}
		return touchDirectory(ctx, operation, storeID, "membership/"+id, "group/"+group, "user/"+user), nil
	}
}
