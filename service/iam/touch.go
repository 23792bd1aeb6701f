package iam

import (
	"context"
	"errors"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// A target names what an action on one user, group, role, policy or instance
// profile touches, and the ARN of the boundary that it has. What is not there is
// touched by its name without a path, so that refusals do not tell whether it exists.
type target func(ctx context.Context, name string) (touch wire.Touch, boundary string, err error)

func (s *Service) atUser(ctx context.Context, name string) (wire.Touch, string, error) {
	u, err := s.users.Get(ctx, strings.ToLower(name))
	if err != nil {
		return unknown(ctx, "user/"+name, err)
	}
	return known(ctx, "user"+u.Path+u.Name, u.Tags), u.Boundary, nil
}

func (s *Service) atGroup(ctx context.Context, name string) (wire.Touch, string, error) {
	g, err := s.groups.Get(ctx, strings.ToLower(name))
	if err != nil {
		return unknown(ctx, "group/"+name, err)
	}
	return known(ctx, "group"+g.Path+g.Name, nil), "", nil
}

func (s *Service) atRole(ctx context.Context, name string) (wire.Touch, string, error) {
	r, err := s.roles.Get(ctx, strings.ToLower(name))
	if err != nil {
		return unknown(ctx, "role/"+name, err)
	}
	return known(ctx, "role"+r.Path+r.Name, r.Tags), r.Boundary, nil
}

func (s *Service) atProfile(ctx context.Context, name string) (wire.Touch, string, error) {
	p, err := s.profiles.Get(ctx, strings.ToLower(name))
	if err != nil {
		return unknown(ctx, "instance-profile/"+name, err)
	}
	return known(ctx, "instance-profile"+p.Path+p.Name, p.Tags), "", nil
}

// atPolicy names the policy that the caller named. A policy of another account
// stays what it is: nothing of it is read, and only that account's policies could
// allow it.
func (s *Service) atPolicy(ctx context.Context, arn string) (wire.Touch, string, error) {
	a, err := aws.ParseARN(arn)
	if err != nil || a.Service != "iam" {
		return wire.Touch{Resource: aws.CallOf(ctx).GlobalARN("iam", "policy/*")}, "", nil
	}
	touch := wire.Touch{Resource: a}
	if a.Account != aws.CallOf(ctx).Account {
		return touch, "", nil
	}
	p, err := customer(ctx, s.policies, a.Account, arn)
	if err == nil && p != nil {
		touch.Tags = tagMap(p.Tags)
	}
	return touch, "", err
}

func known(ctx context.Context, resource string, tags []tag) wire.Touch {
	return wire.Touch{Resource: aws.CallOf(ctx).GlobalARN("iam", resource), Tags: tagMap(tags)}
}

func unknown(ctx context.Context, resource string, err error) (wire.Touch, string, error) {
	if !errors.Is(err, store.ErrNotFound) {
		return wire.Touch{}, "", err
	}
	return wire.Touch{Resource: aws.CallOf(ctx).GlobalARN("iam", resource)}, "", nil
}

// on makes the touch function of an action on one target. more, if given, adds the
// condition keys that the action has besides; it is told the target's boundary.
func on[In any](action string, at target, name func(*In) string, more func(in *In, boundary string) map[string][]string) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		touch, boundary, err := at(ctx, name(in))
		if err != nil {
			return nil, err
		}
		touch.Action = action
		if more != nil {
			touch.Conditions = more(in, boundary)
		}
		return []wire.Touch{touch}, nil
	}
}

// touchUser makes the touch function of operations on one user: the named one,
// else the caller.
func touchUser[In any](action string, s *Service, name func(*In) *string) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		who, err := nameOrCaller(ctx, name(in))
		if err != nil {
			return nil, err
		}
		if who == "" {
			return []wire.Touch{{Action: action, Resource: aws.CallOf(ctx).Principal.ARN}}, nil
		}
		return s.touchedUser(ctx, action, who)
	}
}

func (s *Service) touchedUser(ctx context.Context, action, name string) ([]wire.Touch, error) {
	touch, _, err := s.atUser(ctx, name)
	touch.Action = action
	return []wire.Touch{touch}, err
}

// touchGroup makes the touch function of operations on one group.
func touchGroup[In any](action string, s *Service, name func(*In) string) func(context.Context, *In) ([]wire.Touch, error) {
	return on(action, s.atGroup, name, nil)
}

// touchRole makes the touch function of operations on one role.
func touchRole[In any](action string, s *Service, name func(*In) string) func(context.Context, *In) ([]wire.Touch, error) {
	return on(action, s.atRole, name, nil)
}

// touchProfile makes the touch function of operations on one instance profile.
func touchProfile[In any](action string, s *Service, name func(*In) string) func(context.Context, *In) ([]wire.Touch, error) {
	return on(action, s.atProfile, name, nil)
}

// touchPolicy makes the touch function of operations on one managed policy.
func touchPolicy[In any](action string, s *Service, arn func(*In) string) func(context.Context, *In) ([]wire.Touch, error) {
	return on(action, s.atPolicy, arn, nil)
}

// touchBounded is for what policies can tie to the boundary that the user or role
// has: iam:PermissionsBoundary. IAM User Guide, "Delegating responsibility to
// others using permissions boundaries".
func touchBounded[In any](action string, at target, name func(*In) string) func(context.Context, *In) ([]wire.Touch, error) {
	return on(action, at, name, func(_ *In, boundary string) map[string][]string { return boundedBy(nil, boundary) })
}

// touchBoundary is for what gives a boundary: the key has the new one.
func touchBoundary[In any](action string, at target, asked func(*In) (name, boundary string)) func(context.Context, *In) ([]wire.Touch, error) {
	name := func(in *In) string { name, _ := asked(in); return name }
	return on(action, at, name, func(in *In, _ string) map[string][]string {
		_, boundary := asked(in)
		return boundedBy(nil, boundary)
	})
}

// touchAttached is for attaching and detaching a managed policy: iam:PolicyARN.
func touchAttached[In any](action string, at target, asked func(*In) (name, arn string)) func(context.Context, *In) ([]wire.Touch, error) {
	name := func(in *In) string { name, _ := asked(in); return name }
	return on(action, at, name, func(in *In, boundary string) map[string][]string {
		_, arn := asked(in)
		return boundedBy(map[string][]string{"iam:PolicyARN": {arn}}, boundary)
	})
}

// touchTagging is for tags that are put on something.
func touchTagging[In any](action string, at target, asked func(*In) (name string, tags []iamapi.Tag)) func(context.Context, *In) ([]wire.Touch, error) {
	name := func(in *In) string { name, _ := asked(in); return name }
	return on(action, at, name, func(in *In, _ string) map[string][]string {
		_, tags := asked(in)
		return requested(tags)
	})
}

// touchUntagging is for tags that are taken away.
func touchUntagging[In any](action string, at target, asked func(*In) (name string, keys []string)) func(context.Context, *In) ([]wire.Touch, error) {
	name := func(in *In) string { name, _ := asked(in); return name }
	return on(action, at, name, func(in *In, _ string) map[string][]string {
		_, keys := asked(in)
		return keysOf(keys)
	})
}

func boundedBy(conditions map[string][]string, boundary string) map[string][]string {
	if boundary == "" {
		return conditions
	}
	if conditions == nil {
		conditions = map[string][]string{}
	}
	conditions["iam:PermissionsBoundary"] = []string{boundary}
	return conditions
}

// making is the touch of something new at a path.
func making(ctx context.Context, action, kind string, path *string, name string, tags []iamapi.Tag) wire.Touch {
	return wire.Touch{Action: action, Resource: aws.CallOf(ctx).GlobalARN("iam", kind+pathOr(path)+name), Conditions: requested(tags)}
}

func (s *Service) newUser(ctx context.Context, in *iamapi.CreateUserRequest) ([]wire.Touch, error) {
	touch := making(ctx, "iam:CreateUser", "user", in.Path, in.UserName, in.Tags)
	boundedBy(touch.Conditions, valueOf(in.PermissionsBoundary, ""))
	return service.WithTagging("iam:TagUser", touch), nil
}

func (s *Service) newRole(ctx context.Context, in *iamapi.CreateRoleRequest) ([]wire.Touch, error) {
	touch := making(ctx, "iam:CreateRole", "role", in.Path, in.RoleName, in.Tags)
	boundedBy(touch.Conditions, valueOf(in.PermissionsBoundary, ""))
	return service.WithTagging("iam:TagRole", touch), nil
}

func (s *Service) newGroup(ctx context.Context, in *iamapi.CreateGroupRequest) ([]wire.Touch, error) {
	return []wire.Touch{making(ctx, "iam:CreateGroup", "group", in.Path, in.GroupName, nil)}, nil
}

func (s *Service) newPolicy(ctx context.Context, in *iamapi.CreatePolicyRequest) ([]wire.Touch, error) {
	return service.WithTagging("iam:TagPolicy", making(ctx, "iam:CreatePolicy", "policy", in.Path, in.PolicyName, in.Tags)), nil
}

func (s *Service) newProfile(ctx context.Context, in *iamapi.CreateInstanceProfileRequest) ([]wire.Touch, error) {
	touch := making(ctx, "iam:CreateInstanceProfile", "instance-profile", in.Path, in.InstanceProfileName, in.Tags)
	return service.WithTagging("iam:TagInstanceProfile", touch), nil
}

func requested(tags []iamapi.Tag) map[string][]string {
	return service.RequestTags(nil, service.Pairs(tags, func(t iamapi.Tag) (string, string) { return t.Key, t.Value }))
}

// userAndNew touches the user as it is and as it is to be: a rename needs the right
// to both. IAM API Reference, UpdateUser.
func (s *Service) userAndNew(ctx context.Context, in *iamapi.UpdateUserRequest) ([]wire.Touch, error) {
	return s.renamed(ctx, "iam:UpdateUser", "user", s.atUser, in.UserName, in.NewPath, in.NewUserName)
}

func (s *Service) groupAndNew(ctx context.Context, in *iamapi.UpdateGroupRequest) ([]wire.Touch, error) {
	return s.renamed(ctx, "iam:UpdateGroup", "group", s.atGroup, in.GroupName, in.NewPath, in.NewGroupName)
}

func (s *Service) renamed(ctx context.Context, action, kind string, at target, name string, path, next *string) ([]wire.Touch, error) {
	now, _, err := at(ctx, name)
	if err != nil {
		return nil, err
	}
	now.Action = action
	if path == nil && next == nil {
		return []wire.Touch{now}, nil
	}
	was := strings.TrimPrefix(now.Resource.Resource, kind)
	end := strings.LastIndexByte(was, '/') + 1
	then := now
	then.Resource.Resource = kind + valueOf(path, was[:end]) + valueOf(next, was[end:])
	return []wire.Touch{now, then}, nil
}

// below touches what a list below a path is about.
func below(ctx context.Context, action, kind string, prefix *string) ([]wire.Touch, error) {
	return []wire.Touch{{Action: action, Resource: aws.CallOf(ctx).GlobalARN("iam", kind+pathPrefix(prefix))}}, nil
}

func (s *Service) usersBelow(ctx context.Context, in *iamapi.ListUsersRequest) ([]wire.Touch, error) {
	return below(ctx, "iam:ListUsers", "user", in.PathPrefix)
}

func (s *Service) groupsBelow(ctx context.Context, in *iamapi.ListGroupsRequest) ([]wire.Touch, error) {
	return below(ctx, "iam:ListGroups", "group", in.PathPrefix)
}

func (s *Service) rolesBelow(ctx context.Context, in *iamapi.ListRolesRequest) ([]wire.Touch, error) {
	return below(ctx, "iam:ListRoles", "role", in.PathPrefix)
}

func (s *Service) profilesBelow(ctx context.Context, in *iamapi.ListInstanceProfilesRequest) ([]wire.Touch, error) {
	return below(ctx, "iam:ListInstanceProfiles", "instance-profile", in.PathPrefix)
}

// profileAndRole touches the profile, and the role that is handed to EC2 with it.
func (s *Service) profileAndRole(ctx context.Context, in *iamapi.AddRoleToInstanceProfileRequest) ([]wire.Touch, error) {
	profile, _, err := s.atProfile(ctx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	profile.Action = "iam:AddRoleToInstanceProfile"
	role, _, err := s.atRole(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	pass := service.PassRole(role.Resource, "ec2.amazonaws.com", aws.ARN{})
	pass.Tags = role.Tags
	return []wire.Touch{profile, pass}, nil
}

// newLinkedRole touches the role that the service would get, by the name that it has.
func (s *Service) newLinkedRole(ctx context.Context, in *iamapi.CreateServiceLinkedRoleRequest) ([]wire.Touch, error) {
	name := "AWSServiceRoleFor*" // of a service that is not known
	if l, ok := linkedServices()[in.AWSServiceName]; ok {
		name = l.roleName(in.CustomSuffix)
	}
	touch := wire.Touch{Action: "iam:CreateServiceLinkedRole", Resource: aws.CallOf(ctx).GlobalARN("iam", "role"+linkedPath+in.AWSServiceName+"/"+name)}
	touch.Conditions = map[string][]string{"iam:AWSServiceName": {in.AWSServiceName}}
	return []wire.Touch{touch}, nil
}

// linkedTask touches the role that a deletion task is about, whether there is such
// a task or not.
func (s *Service) linkedTask(ctx context.Context, in *iamapi.GetServiceLinkedRoleDeletionStatusRequest) ([]wire.Touch, error) {
	resource := "role" + linkedPath + "*"
	if path, _, ok := taskOf(in.DeletionTaskId); ok {
		resource = "role/" + path
	}
	return []wire.Touch{{Action: "iam:GetServiceLinkedRoleDeletionStatus", Resource: aws.CallOf(ctx).GlobalARN("iam", resource)}}, nil
}

// holderOf touches the user whose key it is. A key of another account is
// touched like one that does not exist.
func (s *Service) holderOf(ctx context.Context, in *iamapi.GetAccessKeyLastUsedRequest) ([]wire.Touch, error) {
	call := aws.CallOf(ctx)
	k, err := s.keys.Get(ctx, in.AccessKeyId)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err == nil && k.Account == call.Account && k.User != "" {
		return s.touchedUser(ctx, "iam:GetAccessKeyLastUsed", k.User)
	}
	return []wire.Touch{{Action: "iam:GetAccessKeyLastUsed", Resource: call.GlobalARN("iam", "user/*")}}, nil
}
