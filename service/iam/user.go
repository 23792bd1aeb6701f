package iam

import (
	"context"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

func (s *Service) userRoutes() []wire.Route {
	return []wire.Route{
		iamapi.CreateUser.To(s.createUser, s.newUser),
		iamapi.GetUser.To(s.getUser, touchUser("iam:GetUser", s, func(in *iamapi.GetUserRequest) *string { return in.UserName })),
		iamapi.ListUsers.To(s.listUsers, s.usersBelow),
		iamapi.UpdateUser.To(s.updateUser, s.userAndNew),
		iamapi.DeleteUser.To(s.deleteUser, touchUser("iam:DeleteUser", s, func(in *iamapi.DeleteUserRequest) *string { return &in.UserName })),
	}
}

func (s *Service) createUser(ctx context.Context, in *iamapi.CreateUserRequest) (*iamapi.CreateUserResponse, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	boundary, err := s.checkBoundary(ctx, in.PermissionsBoundary)
	if err != nil {
		return nil, err
	}
	u := &user{Name: in.UserName, Path: pathOr(in.Path), ID: aws.UniqueID("AIDA"), Created: now(), Tags: tagsOf(in.Tags), Boundary: boundary}
	if err := s.insertUser(ctx, aws.CallOf(ctx).Account, u); err != nil {
		return nil, err
	}
	return &iamapi.CreateUserResponse{User: shownUser(ctx, u)}, count(ctx, s.totals, usersQuota, u.Name, 1)
}

// insertUser puts a user under a name that nobody has.
func (s *Service) insertUser(ctx context.Context, account aws.Account, u *user) error {
	name := strings.ToLower(u.Name)
	err := s.users.In(store.Place{Account: account}).Insert(ctx, name, u)
	if errors.Is(err, store.ErrExists) {
		return iamapi.EntityAlreadyExistsException.New("User with name %s already exists.", u.Name)
	}
	if err != nil {
		return err
	}
	return s.ids.Put(ctx, u.ID, &identity{Account: account, Kind: userKind, Name: name})
}

// updateUser gives a user another name or path. Keys, groups and unique id stay.
func (s *Service) updateUser(ctx context.Context, in *iamapi.UpdateUserRequest) (*iamapi.UpdateUserResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	was := u.Name
	u.Path, u.Name = valueOf(in.NewPath, u.Path), valueOf(in.NewUserName, u.Name)
	if strings.EqualFold(was, u.Name) {
		return &iamapi.UpdateUserResponse{}, s.putUser(ctx, u)
	}
	if err := s.users.Delete(ctx, strings.ToLower(was)); err != nil {
		return nil, err
	}
	if err := s.insertUser(ctx, aws.CallOf(ctx).Account, u); err != nil {
		return nil, err
	}
	for _, id := range u.Keys {
		k, err := s.keys.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		k.User = u.Name
		if err := s.keys.Put(ctx, id, k); err != nil {
			return nil, err
		}
	}
	return &iamapi.UpdateUserResponse{}, recount(ctx, s.totals, usersQuota, was, u.Name)
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
	shown := shownUser(ctx, u)
	shown.PasswordLastUsed, err = s.passwordUsed(ctx, u.ID)
	return &iamapi.GetUserResponse{User: shown}, err
}

// passwordUsed returns when the user with this unique id last signed in with the password; nil when never.
func (s *Service) passwordUsed(ctx context.Context, id string) (*time.Time, error) {
	c, err := s.credentials.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && c.Login == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return c.Login.Used, nil
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
		shown.Tags, shown.PermissionsBoundary = nil, nil // neither is listed (IAM API Reference, ListUsers)
		out.Users = append(out.Users, *shown)
		return true
	})
	if err != nil {
		return nil, err
	}
	for i := range out.Users {
		u := &out.Users[i]
		if u.PasswordLastUsed, err = s.passwordUsed(ctx, u.UserId); err != nil {
			return nil, err
		}
	}
	out.Marker, out.IsTruncated = next, new(next != nil)
	return out, nil
}

func (s *Service) deleteUser(ctx context.Context, in *iamapi.DeleteUserRequest) (*iamapi.DeleteUserResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if len(u.Keys) > 0 {
		return nil, iamapi.DeleteConflictException.New("Cannot delete entity, must delete access keys first.")
	}
	if err := u.conflict(); err != nil {
		return nil, err
	}
	if len(u.Groups) > 0 {
		return nil, iamapi.DeleteConflictException.New("Cannot delete entity, must remove users from group first.")
	}
	if err := s.holding(ctx, u); err != nil {
		return nil, err
	}
	if err := s.forgetID(ctx, u.ID); err != nil {
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
		Tags: tagsTo(u.Tags), PermissionsBoundary: shownBoundary(u.Boundary),
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

func notYet(what string) error {
	return aws.UnsupportedOperation.New("Sumun does not serve %s yet.", what)
}
