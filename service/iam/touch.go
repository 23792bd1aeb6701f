package iam

import (
	"context"
	"errors"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// touchUser makes the touch function of operations on one user: the named one,
// else the caller. A user that is not there is touched by its name without a
// path, so that refusals do not tell whether it exists.
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
	call := aws.CallOf(ctx)
	u, err := s.users.Get(ctx, strings.ToLower(name))
	if errors.Is(err, store.ErrNotFound) {
		return []wire.Touch{{Action: action, Resource: call.GlobalARN("iam", "user/"+name)}}, nil
	}
	if err != nil {
		return nil, err
	}
	return []wire.Touch{{Action: action, Resource: userARN(call.Partition, call.Account, u), Tags: tagMap(u.Tags)}}, nil
}

// touchRole makes the touch function of operations on one role.
func touchRole[In any](action string, s *Service, name func(*In) string) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		call := aws.CallOf(ctx)
		r, err := s.roles.Get(ctx, strings.ToLower(name(in)))
		if errors.Is(err, store.ErrNotFound) {
			return []wire.Touch{{Action: action, Resource: call.GlobalARN("iam", "role/"+name(in))}}, nil
		}
		if err != nil {
			return nil, err
		}
		return []wire.Touch{{Action: action, Resource: roleARN(call.Partition, call.Account, r), Tags: tagMap(r.Tags)}}, nil
	}
}

func (s *Service) newUser(ctx context.Context, in *iamapi.CreateUserRequest) ([]wire.Touch, error) {
	touch := wire.Touch{Action: "iam:CreateUser", Resource: aws.CallOf(ctx).GlobalARN("iam", "user"+pathOr(in.Path)+in.UserName), Conditions: requested(in.Tags)}
	if in.PermissionsBoundary != nil {
		touch.Conditions["iam:PermissionsBoundary"] = []string{*in.PermissionsBoundary}
	}
	return withTagging([]wire.Touch{touch}, "iam:TagUser", in.Tags), nil
}

func (s *Service) newRole(ctx context.Context, in *iamapi.CreateRoleRequest) ([]wire.Touch, error) {
	touch := wire.Touch{Action: "iam:CreateRole", Resource: aws.CallOf(ctx).GlobalARN("iam", "role"+pathOr(in.Path)+in.RoleName), Conditions: requested(in.Tags)}
	if in.PermissionsBoundary != nil {
		touch.Conditions["iam:PermissionsBoundary"] = []string{*in.PermissionsBoundary}
	}
	return withTagging([]wire.Touch{touch}, "iam:TagRole", in.Tags), nil
}

// withTagging adds the permission that tags on a new entity need besides its
// creation. IAM User Guide, "Tagging IAM resources".
func withTagging(touches []wire.Touch, action string, tags []iamapi.Tag) []wire.Touch {
	if len(tags) == 0 {
		return touches
	}
	t := touches[0]
	t.Action = action
	return append(touches, t)
}

func requested(tags []iamapi.Tag) map[string][]string {
	c := map[string][]string{}
	for _, t := range tags {
		c["aws:RequestTag/"+t.Key] = []string{t.Value}
		c["aws:TagKeys"] = append(c["aws:TagKeys"], t.Key)
	}
	return c
}

func (s *Service) usersBelow(ctx context.Context, in *iamapi.ListUsersRequest) ([]wire.Touch, error) {
	return []wire.Touch{{Action: "iam:ListUsers", Resource: aws.CallOf(ctx).GlobalARN("iam", "user"+pathPrefix(in.PathPrefix))}}, nil
}

func (s *Service) rolesBelow(ctx context.Context, in *iamapi.ListRolesRequest) ([]wire.Touch, error) {
	return []wire.Touch{{Action: "iam:ListRoles", Resource: aws.CallOf(ctx).GlobalARN("iam", "role"+pathPrefix(in.PathPrefix))}}, nil
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

func (s *Service) userAndPolicy(action string) func(context.Context, *iamapi.AttachUserPolicyRequest) ([]wire.Touch, error) {
	return func(ctx context.Context, in *iamapi.AttachUserPolicyRequest) ([]wire.Touch, error) {
		return s.touchedWithPolicy(ctx, action, in.UserName, in.PolicyArn)
	}
}

func (s *Service) userAndDetached(ctx context.Context, in *iamapi.DetachUserPolicyRequest) ([]wire.Touch, error) {
	return s.touchedWithPolicy(ctx, "iam:DetachUserPolicy", in.UserName, in.PolicyArn)
}

func (s *Service) touchedWithPolicy(ctx context.Context, action, name, policyARN string) ([]wire.Touch, error) {
	touches, err := s.touchedUser(ctx, action, name)
	if err != nil {
		return nil, err
	}
	touches[0].Conditions = map[string][]string{"iam:PolicyARN": {policyARN}}
	return touches, nil
}
