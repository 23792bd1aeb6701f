package identitycenter

import (
	"context"
	"errors"

	"sumun.dev/api/identitystoreapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// maxUsers and maxGroups are of one identity store.
// IAM Identity Center User Guide, "IAM Identity Center quotas".
const (
	maxUsers  = 100_000
	maxGroups = 100_000
)

// identityStore refuses an identity store that is not the caller's own.
func (s *Service) identityStore(ctx context.Context, id string) error {
	row, err := one(ctx, s.instances, "store", id)
	if err != nil {
		return err
	}
	if row == nil {
		return missing(identitystoreapi.ResourceTypeIdentityStore, id)
	}
	return nil
}

func missing(kind identitystoreapi.ResourceType, id string) error {
	return identitystoreapi.ResourceNotFoundException.New("%s not found.", kind).With("ResourceType", string(kind)).With("ResourceId", id)
}

func duplicate(what string) error {
	return identitystoreapi.ConflictException.New("Duplicate %s", what).
		With("Reason", string(identitystoreapi.ConflictExceptionReasonUniquenessConstraintViolation))
}

func (s *Service) createUser(ctx context.Context, in *identitystoreapi.CreateUserRequest) (*identitystoreapi.CreateUserResponse, error) {
	if err := s.identityStore(ctx, in.IdentityStoreId); err != nil {
		return nil, err
	}
	u := &user{Store: in.IdentityStoreId, ID: aws.UUID(), Profile: *in, stamps: stamped(ctx)}
	if err := s.addUser(ctx, u); err != nil {
		return nil, err
	}
	return &identitystoreapi.CreateUserResponse{IdentityStoreId: u.Store, UserId: u.ID}, nil
}

// addUser puts a new user into its store.
func (s *Service) addUser(ctx context.Context, u *user) error {
	if err := complete(&u.Profile); err != nil {
		return err
	}
	if err := s.unique(ctx, u); err != nil {
		return err
	}
	if err := s.countHead(ctx, u.Store, 1, 0); err != nil {
		return err
	}
	return s.users.Insert(ctx, u.Store+"/"+u.ID, u)
}

// complete refuses a profile without what every user has.
// IAM Identity Center User Guide, "Add users to your Identity Center directory".
func complete(p *identitystoreapi.CreateUserRequest) error {
	lacks := ""
	switch {
	case p.UserName == nil:
		lacks = "userName"
	case p.DisplayName == nil:
		lacks = "displayName"
	case p.Name == nil || p.Name.GivenName == nil:
		lacks = "name.givenName"
	case p.Name.FamilyName == nil:
		lacks = "name.familyName"
	default:
		return nil
	}
	return identitystoreapi.ValidationException.New("The attribute %s is required.", lacks)
}

// unique refuses a user whose name or address is another's.
func (s *Service) unique(ctx context.Context, u *user) error {
	for _, k := range []struct{ value, what string }{{byName(u.Store, u.name()), "UserName"}, {byEmail(u.Store, u.email()), "Emails"}} {
		if k.what == "Emails" && u.email() == "" {
			continue
		}
		row, err := one(ctx, s.users, "by", k.value)
		if err != nil {
			return err
		}
		if row != nil && row.Value.ID != u.ID {
			return duplicate(k.what)
		}
	}
	return nil
}

func (s *Service) user(ctx context.Context, storeID, id string) (*user, error) {
	if err := s.identityStore(ctx, storeID); err != nil {
		return nil, err
	}
	u, err := s.users.Get(ctx, storeID+"/"+id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing(identitystoreapi.ResourceTypeUser, id)
	}
	return u, err
}

func (s *Service) describeUser(ctx context.Context, in *identitystoreapi.DescribeUserRequest) (*identitystoreapi.DescribeUserResponse, error) {
	u, err := s.user(ctx, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	return new(identitystoreapi.DescribeUserResponse(*u.shown(in.Extensions))), nil
}

// shown is the user as lists have it, with those extensions that are asked for.
func (u *user) shown(extensions []string) *identitystoreapi.User {
	p, status := &u.Profile, identitystoreapi.UserStatusEnabled
	if u.Disabled {
		status = identitystoreapi.UserStatusDisabled
	}
	out := &identitystoreapi.User{
		IdentityStoreId: u.Store, UserId: u.ID, UserName: p.UserName, ExternalIds: u.External, Name: p.Name, DisplayName: p.DisplayName,
		NickName: p.NickName, ProfileUrl: p.ProfileUrl, Emails: p.Emails, Addresses: p.Addresses, PhoneNumbers: p.PhoneNumbers,
		UserType: p.UserType, Title: p.Title, PreferredLanguage: p.PreferredLanguage, Locale: p.Locale, Timezone: p.Timezone,
		UserStatus: &status, Photos: p.Photos, Website: p.Website, Birthdate: p.Birthdate, Roles: p.Roles,
		CreatedAt: &u.Created, CreatedBy: &u.CreatedBy, UpdatedAt: &u.Updated, UpdatedBy: &u.UpdatedBy,
	}
	for _, name := range extensions {
		if x, ok := p.Extensions[name]; ok {
			if out.Extensions == nil {
				out.Extensions = map[string]any{}
			}
			out.Extensions[name] = x
		}
	}
	return out
}

func (s *Service) listUsers(ctx context.Context, in *identitystoreapi.ListUsersRequest) (*identitystoreapi.ListUsersResponse, error) {
	if err := s.identityStore(ctx, in.IdentityStoreId); err != nil {
		return nil, err
	}
	read, filters := under(ctx, s.users, in.IdentityStoreId+"/"), []string{in.IdentityStoreId}
	for _, f := range in.Filters {
		if !sameFold(f.AttributePath, "UserName") {
			return nil, identitystoreapi.ValidationException.New("The filter attribute path %s is not supported; UserName is.", f.AttributePath)
		}
		read, filters = indexed(ctx, s.users, "by", byName(in.IdentityStoreId, f.AttributeValue)), append(filters, f.AttributeValue)
	}
	rows, next, err := list(ctx, s, filters, in.MaxResults, in.NextToken, identitystoreapi.ValidationException, read, nil)
	if err != nil {
		return nil, err
	}
	out := &identitystoreapi.ListUsersResponse{Users: []identitystoreapi.User{}, NextToken: next}
	for _, row := range rows {
		out.Users = append(out.Users, *row.Value.shown(in.Extensions))
	}
	return out, nil
}

func (s *Service) updateUser(ctx context.Context, in *identitystoreapi.UpdateUserRequest) (*identitystoreapi.UpdateUserResponse, error) {
	u, err := s.user(ctx, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	if err := readOnly(u.Source); err != nil {
		return nil, err
	}
	p, err := changed(&u.Profile, in.Operations)
	if err != nil {
		return nil, err
	}
	u.Profile = *p
	if err := complete(p); err != nil {
		return nil, err
	}
	if err := s.unique(ctx, u); err != nil {
		return nil, err
	}
	u.touched(ctx)
	return &identitystoreapi.UpdateUserResponse{}, s.users.Put(ctx, u.Store+"/"+u.ID, u)
}

// readOnly refuses to change by hand what an identity source keeps.
func readOnly(source string) error {
	if source == "" {
		return nil
	}
	return identitystoreapi.ValidationException.New("The operation is not supported: the identity source %s manages this resource.", source)
}

func (s *Service) deleteUser(ctx context.Context, in *identitystoreapi.DeleteUserRequest) (*identitystoreapi.DeleteUserResponse, error) {
	u, err := s.user(ctx, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	if err := readOnly(u.Source); err != nil {
		return nil, err
	}
	return &identitystoreapi.DeleteUserResponse{}, s.removeUser(ctx, u)
}

// removeUser deletes a user with its memberships, its password and its sessions.
// Assignments stay, as in AWS: they name somebody who is no more.
func (s *Service) removeUser(ctx context.Context, u *user) error {
	err := every(indexed(ctx, s.memberships, "by", u.Store+"/u/"+u.ID), func(m store.Entry[membership]) error { return s.memberships.Delete(ctx, m.ID) })
	if err != nil {
		return err
	}
	if err := s.endSessions(ctx, u.Store, u.ID); err != nil {
		return err
	}
	if err := s.passwords.Delete(ctx, u.Store+"/"+u.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := s.countHead(ctx, u.Store, -1, 0); err != nil {
		return err
	}
	return s.users.Delete(ctx, u.Store+"/"+u.ID)
}

func (s *Service) getUserID(ctx context.Context, in *identitystoreapi.GetUserIdRequest) (*identitystoreapi.GetUserIdResponse, error) {
	if err := s.identityStore(ctx, in.IdentityStoreId); err != nil {
		return nil, err
	}
	key, err := alternate(in.IdentityStoreId, in.AlternateIdentifier, map[string]func(store, value string) string{"username": byName, "emails.value": byEmail})
	if err != nil {
		return nil, err
	}
	row, err := one(ctx, s.users, "by", key)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, missing(identitystoreapi.ResourceTypeUser, "")
	}
	return &identitystoreapi.GetUserIdResponse{IdentityStoreId: in.IdentityStoreId, UserId: row.Value.ID}, nil
}

func stamped(ctx context.Context) stamps {
	at, by := now(), *caller(ctx)
	return stamps{Created: at, Updated: at, CreatedBy: by, UpdatedBy: by}
}

func (t *stamps) touched(ctx context.Context) { t.Updated, t.UpdatedBy = now(), *caller(ctx) }
