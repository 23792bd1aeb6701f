package iam

import (
	"context"
	"errors"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

func (s *Service) createUser(ctx context.Context, in *iamapi.CreateUserRequest) (*iamapi.CreateUserResponse, error) {
	if in.PermissionsBoundary != nil {
		return nil, notYet("permissions boundaries")
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	u := &user{Name: in.UserName, Path: pathOr(in.Path), ID: aws.UniqueID("AIDA"), Created: now(), Tags: tagsOf(in.Tags)}
	err := s.users.Insert(ctx, strings.ToLower(u.Name), u)
	if errors.Is(err, store.ErrExists) {
		return nil, iamapi.EntityAlreadyExistsException.New("User with name %s already exists.", in.UserName)
	}
	if err != nil {
		return nil, err
	}
	return &iamapi.CreateUserResponse{User: shownUser(ctx, u)}, count(ctx, s.totals, usersQuota, u.Name, 1)
}

func (s *Service) getUser(ctx context.Context, in *iamapi.GetUserRequest) (*iamapi.GetUserResponse, error) {
	name, err := nameOrCaller(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return s.getRoot(ctx)
	}
	u, err := s.user(ctx, name)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetUserResponse{User: shownUser(ctx, u)}, nil
}

func (s *Service) getRoot(ctx context.Context) (*iamapi.GetUserResponse, error) {
	r, err := s.root(ctx)
	if err != nil {
		return nil, err
	}
	p := aws.CallOf(ctx).Principal
	return &iamapi.GetUserResponse{User: &iamapi.User{UserId: p.ID, Arn: p.ARN.String(), UserName: rootID, Path: "/", CreateDate: r.Created}}, nil
}

func (s *Service) listUsers(ctx context.Context, in *iamapi.ListUsersRequest) (*iamapi.ListUsersResponse, error) {
	out := &iamapi.ListUsersResponse{Users: []iamapi.User{}}
	next, err := pageOf(ctx, s, s.users, "ListUsers", in.PathPrefix, in.Marker, in.MaxItems, func(u *user) bool {
		if !strings.HasPrefix(u.Path, pathPrefix(in.PathPrefix)) {
			return false
		}
		shown := shownUser(ctx, u)
		shown.Tags = nil // ListUsers does not return tags (IAM API Reference, ListUsers)
		out.Users = append(out.Users, *shown)
		return true
	})
	out.Marker, out.IsTruncated = next, new(next != nil)
	return out, err
}

func (s *Service) deleteUser(ctx context.Context, in *iamapi.DeleteUserRequest) (*iamapi.DeleteUserResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	switch {
	case len(u.Keys) > 0:
		return nil, iamapi.DeleteConflictException.New("Cannot delete entity, must delete access keys first.")
	case len(u.Inline) > 0:
		return nil, iamapi.DeleteConflictException.New("Cannot delete entity, must delete policies first.")
	case len(u.Attached) > 0:
		return nil, iamapi.DeleteConflictException.New("Cannot delete entity, must detach all policies first.")
	}
	if err := s.holding(ctx, u); err != nil {
		return nil, err
	}
	if err := count(ctx, s.totals, usersQuota, u.Name, -1); err != nil {
		return nil, err
	}
	return &iamapi.DeleteUserResponse{}, s.users.Delete(ctx, strings.ToLower(u.Name))
}

func shownUser(ctx context.Context, u *user) *iamapi.User {
	call := aws.CallOf(ctx)
	return &iamapi.User{
		Path: u.Path, UserName: u.Name, UserId: u.ID, CreateDate: u.Created,
		Arn:  userARN(call.Partition, call.Account, u).String(),
		Tags: tagsTo(u.Tags),
	}
}

// nameOrCaller returns the named user or, as AWS does when none is named, the
// user who signed; empty for the root user.
func nameOrCaller(ctx context.Context, name *string) (string, error) {
	if name != nil {
		return *name, nil
	}
	switch p := aws.CallOf(ctx).Principal; p.Kind {
	case aws.User:
		return p.Name, nil
	case aws.Root:
		return "", nil
	}
	return "", aws.ErrorKind{Code: "ValidationError", Status: 400}.New("Must specify userName when calling with non-User credentials")
}

func notYet(what string) error {
	return aws.UnsupportedOperation.New("Sumun does not serve %s yet.", what)
}

func pathOr(path *string) string {
	if path == nil {
		return "/"
	}
	return *path
}

func pathPrefix(prefix *string) string {
	if prefix == nil {
		return "/"
	}
	return *prefix
}

// checkTags refuses tag keys that differ only by case. IAM User Guide, "Rules for
// tagging in IAM and AWS STS".
func checkTags(tags []iamapi.Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		key := strings.ToLower(t.Key)
		if seen[key] {
			return iamapi.InvalidInputException.New("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if strings.HasPrefix(key, "aws:") {
			return iamapi.InvalidInputException.New("aws: prefixed tag key names are not allowed for external use.")
		}
		seen[key] = true
	}
	return nil
}
