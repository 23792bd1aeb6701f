package iam

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// group is an IAM group, kept under its name in lower case. Who belongs to it
// stands with the users, by its unique id.
type group struct {
	Name, Path, ID string
	Created        time.Time
	grants
}

// groupsPerUser is IAM's limit. IAM User Guide, "IAM and AWS STS quotas".
const groupsPerUser = 10

func (s *Service) groupRoutes() []wire.Route {
	return []wire.Route{
		iamapi.CreateGroup.To(s.createGroup, s.newGroup),
		iamapi.GetGroup.To(s.getGroup, touchGroup("iam:GetGroup", s, func(in *iamapi.GetGroupRequest) string { return in.GroupName })),
		iamapi.ListGroups.To(s.listGroups, s.groupsBelow),
		iamapi.UpdateGroup.To(s.updateGroup, s.groupAndNew),
		iamapi.DeleteGroup.To(s.deleteGroup, touchGroup("iam:DeleteGroup", s, func(in *iamapi.DeleteGroupRequest) string { return in.GroupName })),
		iamapi.AddUserToGroup.To(s.addUserToGroup, touchGroup("iam:AddUserToGroup", s, func(in *iamapi.AddUserToGroupRequest) string { return in.GroupName })),
		iamapi.RemoveUserFromGroup.To(s.removeUserFromGroup, touchGroup("iam:RemoveUserFromGroup", s, func(in *iamapi.RemoveUserFromGroupRequest) string { return in.GroupName })),
		iamapi.ListGroupsForUser.To(s.listGroupsForUser, touchUser("iam:ListGroupsForUser", s, func(in *iamapi.ListGroupsForUserRequest) *string { return &in.UserName })),
	}
}

// group returns the group with this name in any case.
func (s *Service) group(ctx context.Context, name string) (*group, error) {
	g, err := s.groups.Get(ctx, strings.ToLower(name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, iamapi.NoSuchEntityException.New("The group with name %s cannot be found.", name)
	}
	return g, err
}

// groupByID returns the group of an account with this unique id; nil when there is none.
func groupByID(ctx context.Context, groups *store.Table[group], id string) (*group, error) {
	found, err := groups.PageBy(ctx, "id", id, store.Range{Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0].Value, nil
}

func (s *Service) putGroup(ctx context.Context, g *group) error {
	return fits(s.groups.Put(ctx, strings.ToLower(g.Name), g))
}

func groupARN(partition string, account aws.Account, g *group) aws.ARN {
	return aws.ARN{Partition: partition, Service: "iam", Account: account, Resource: "group" + g.Path + g.Name}
}

func (s *Service) createGroup(ctx context.Context, in *iamapi.CreateGroupRequest) (*iamapi.CreateGroupResponse, error) {
	g := &group{Name: in.GroupName, Path: pathOr(in.Path), ID: aws.UniqueID("AGPA"), Created: now()}
	if err := s.insertGroup(ctx, g); err != nil {
		return nil, err
	}
	return &iamapi.CreateGroupResponse{Group: shownGroup(ctx, g)}, count(ctx, s.totals, groupsQuota, g.Name, 1)
}

func (s *Service) insertGroup(ctx context.Context, g *group) error {
	err := s.groups.Insert(ctx, strings.ToLower(g.Name), g)
	if errors.Is(err, store.ErrExists) {
		return iamapi.EntityAlreadyExistsException.New("Group with name %s already exists.", g.Name)
	}
	return err
}

func (s *Service) getGroup(ctx context.Context, in *iamapi.GetGroupRequest) (*iamapi.GetGroupResponse, error) {
	g, err := s.group(ctx, in.GroupName)
	if err != nil {
		return nil, err
	}
	out := &iamapi.GetGroupResponse{Group: shownGroup(ctx, g), Users: []iamapi.User{}}
	members := rows(func(ctx context.Context, r store.Range) ([]store.Entry[user], error) {
		return s.users.PageBy(ctx, "group", g.ID, r)
	}, func(u *user) bool {
		shown := shownUser(ctx, u)
		shown.Tags, shown.PermissionsBoundary = nil, nil // neither is listed
		out.Users = append(out.Users, *shown)
		return true
	})
	out.Marker, err = pages(ctx, s, []string{"GetGroup", g.ID}, in.Marker, in.MaxItems, members)
	out.IsTruncated = new(out.Marker != nil)
	return out, err
}

func (s *Service) listGroups(ctx context.Context, in *iamapi.ListGroupsRequest) (*iamapi.ListGroupsResponse, error) {
	out := &iamapi.ListGroupsResponse{Groups: []iamapi.Group{}}
	next, err := pageOf(ctx, s, s.groups, "ListGroups", in.PathPrefix, in.Marker, in.MaxItems, func(g *group) bool {
		if !strings.HasPrefix(g.Path, pathPrefix(in.PathPrefix)) {
			return false
		}
		out.Groups = append(out.Groups, *shownGroup(ctx, g))
		return true
	})
	out.Marker, out.IsTruncated = next, new(next != nil)
	return out, err
}

func (s *Service) updateGroup(ctx context.Context, in *iamapi.UpdateGroupRequest) (*iamapi.UpdateGroupResponse, error) {
	g, err := s.group(ctx, in.GroupName)
	if err != nil {
		return nil, err
	}
	was := g.Name
	if in.NewPath != nil {
		g.Path = *in.NewPath
	}
	if in.NewGroupName == nil || strings.EqualFold(*in.NewGroupName, was) {
		if in.NewGroupName != nil {
			g.Name = *in.NewGroupName
		}
		return &iamapi.UpdateGroupResponse{}, s.putGroup(ctx, g)
	}
	g.Name = *in.NewGroupName
	if err := s.groups.Delete(ctx, strings.ToLower(was)); err != nil {
		return nil, err
	}
	if err := s.insertGroup(ctx, g); err != nil {
		return nil, err
	}
	return &iamapi.UpdateGroupResponse{}, recount(ctx, s.totals, groupsQuota, was, g.Name)
}

func (s *Service) deleteGroup(ctx context.Context, in *iamapi.DeleteGroupRequest) (*iamapi.DeleteGroupResponse, error) {
	g, err := s.group(ctx, in.GroupName)
	if err != nil {
		return nil, err
	}
	if err := g.conflict(); err != nil {
		return nil, err
	}
	members, err := s.users.PageBy(ctx, "group", g.ID, store.Range{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(members) > 0 {
		return nil, iamapi.DeleteConflictException.New("Cannot delete entity, must remove users from group first.")
	}
	if err := count(ctx, s.totals, groupsQuota, g.Name, -1); err != nil {
		return nil, err
	}
	return &iamapi.DeleteGroupResponse{}, s.groups.Delete(ctx, strings.ToLower(g.Name))
}

func (s *Service) addUserToGroup(ctx context.Context, in *iamapi.AddUserToGroupRequest) (*iamapi.AddUserToGroupResponse, error) {
	g, err := s.group(ctx, in.GroupName)
	if err != nil {
		return nil, err
	}
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if slices.Contains(u.Groups, g.ID) {
		return &iamapi.AddUserToGroupResponse{}, nil
	}
	if len(u.Groups) >= groupsPerUser {
		return nil, iamapi.LimitExceededException.New("Cannot exceed quota for GroupsPerUser: %d", groupsPerUser)
	}
	u.Groups = append(u.Groups, g.ID)
	return &iamapi.AddUserToGroupResponse{}, s.putUser(ctx, u)
}

func (s *Service) removeUserFromGroup(ctx context.Context, in *iamapi.RemoveUserFromGroupRequest) (*iamapi.RemoveUserFromGroupResponse, error) {
	g, err := s.group(ctx, in.GroupName)
	if err != nil {
		return nil, err
	}
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(u.Groups, g.ID) {
		return nil, iamapi.NoSuchEntityException.New("The user with name %s cannot be found in the group %s.", u.Name, g.Name)
	}
	u.Groups = slices.DeleteFunc(u.Groups, func(id string) bool { return id == g.ID })
	return &iamapi.RemoveUserFromGroupResponse{}, s.putUser(ctx, u)
}

func (s *Service) listGroupsForUser(ctx context.Context, in *iamapi.ListGroupsForUserRequest) (*iamapi.ListGroupsForUserResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	byName := map[string]*group{}
	var all []string
	for _, id := range u.Groups {
		g, err := groupByID(ctx, s.groups, id)
		if err != nil {
			return nil, err
		}
		if g != nil {
			byName[g.Name] = g
			all = append(all, g.Name)
		}
	}
	slices.Sort(all)
	page, next, err := names(ctx, s, "ListGroupsForUser", u.ID, all, in.Marker, in.MaxItems)
	out := &iamapi.ListGroupsForUserResponse{Groups: []iamapi.Group{}, Marker: next, IsTruncated: new(next != nil)}
	for _, name := range page {
		out.Groups = append(out.Groups, *shownGroup(ctx, byName[name]))
	}
	return out, err
}

func shownGroup(ctx context.Context, g *group) *iamapi.Group {
	call := aws.CallOf(ctx)
	return &iamapi.Group{Path: g.Path, GroupName: g.Name, GroupId: g.ID, Arn: groupARN(call.Partition, call.Account, g).String(), CreateDate: g.Created}
}
