package identitycenter

import (
	"context"
	"errors"

	"sumun.dev/api/ssoadminapi"
	api "sumun.dev/api/ssoapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Portal is the face by which people's clients get credentials of roles.
func (s *Service) Portal() service.Service { return face(s.portalRoutes) }

func (s *Service) portalRoutes() []wire.Route {
	return []wire.Route{
		api.ListAccounts.To(s.listAccounts, byToken(s, "sso:ListAccounts", func(in *api.ListAccountsRequest) string { return in.AccessToken })),
		api.ListAccountRoles.To(s.listAccountRoles, byToken(s, "sso:ListAccountRoles", func(in *api.ListAccountRolesRequest) string { return in.AccessToken })),
		api.GetRoleCredentials.To(s.getRoleCredentials, byToken(s, "sso:GetRoleCredentials", func(in *api.GetRoleCredentialsRequest) string { return in.AccessToken })),
		api.Logout.To(s.logout, byToken(s, "sso:Logout", func(in *api.LogoutRequest) string { return in.AccessToken })),
	}
}

// byToken is for operations of whoever has a token: the call then is of the user
// for whom it was made, and belongs to the account of the instance.
func byToken[In any](s *Service, action string, token func(In) string) touches[In] {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		v, err := s.visitor(ctx, token(in))
		if err != nil {
			return nil, err
		}
		who := v.place.principal(aws.CallOf(ctx).Partition, v.session.Store, v.user.ID)
		return []wire.Touch{{Action: action, Open: "the access token says who asks", Principal: who}}, nil
	}
}

// principal is a user of an identity store, as the trail shows who asks.
func (p *place) principal(partition, storeID, userID string) *aws.Principal {
	return &aws.Principal{
		Kind: aws.IdentityCenterUser, Account: p.Account, ID: userID,
		ARN: aws.ARN{Partition: partition, Service: "identitystore", Account: p.Account, Resource: "identitystore/" + storeID},
	}
}

// visitor is somebody who has a token, and what they may use.
type visitor struct {
	place    *place
	session  *session
	instance *instance
	user     *user
}

// visitor returns whose token it is.
func (s *Service) visitor(ctx context.Context, token string) (*visitor, error) {
	unauthorized := api.UnauthorizedException.New("Session token not found or invalid")
	x, p, err := s.opened(ctx, accessToken, token)
	if err != nil {
		return nil, known(err, errToken, unauthorized)
	}
	v := &visitor{place: p, session: x}
	if v.user, err = s.signedIn(ctx, p, x.Store, x.User); err != nil {
		return nil, known(err, errToken, unauthorized)
	}
	if v.instance, err = s.instances.In(p.of()).Get(ctx, p.Instance); err != nil {
		return nil, known(err, store.ErrNotFound, unauthorized)
	}
	return v, nil
}

// in returns the service as seen from the place of an instance.
func (s *Service) in(p *place) *Service {
	at, there := *s, p.of()
	at.instances, at.users, at.groups, at.memberships = s.instances.In(there), s.users.In(there), s.groups.In(there), s.memberships.In(there)
	at.sets, at.assignments, at.provisioned = s.sets.In(there), s.assignments.In(there), s.provisioned.In(there)
	at.sessions, at.browsers, at.devices, at.codes, at.passwords = s.sessions.In(there), s.browsers.In(there), s.devices.In(there), s.codes.In(there), s.passwords.In(there)
	at.heads, at.syncs = s.heads.In(there), s.syncs.In(there)
	return &at
}

// usable returns the provisioned roles that the visitor is assigned, by account and
// the name of the permission set. An account that has left the organisation is no
// longer entered, whatever roles it has kept.
func (s *Service) usable(ctx context.Context, v *visitor) (map[aws.Account]map[string]*permissionSet, error) {
	there := s.in(v.place)
	all, err := there.assigned(ctx, v.instance, ssoadminapi.PrincipalTypeUser, v.user.ID)
	if err != nil {
		return nil, err
	}
	mine, err := s.options.Membership(ctx, v.place.Account)
	if err != nil {
		return nil, err
	}
	out, inside := map[aws.Account]map[string]*permissionSet{}, map[aws.Account]bool{}
	for _, a := range all {
		if _, known := inside[a.Account]; !known {
			theirs, err := s.options.Membership(ctx, a.Account)
			if err != nil {
				return nil, err
			}
			inside[a.Account] = mine != nil && theirs != nil && theirs.Organization == mine.Organization
		}
		if !inside[a.Account] {
			continue
		}
		p, err := there.sets.Get(ctx, a.Instance+"/"+a.Set)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if out[a.Account] == nil {
			out[a.Account] = map[string]*permissionSet{}
		}
		out[a.Account][p.Name] = p
	}
	return out, nil
}

func (s *Service) listAccounts(ctx context.Context, in *api.ListAccountsRequest) (*api.ListAccountsResponse, error) {
	v, err := s.visitor(ctx, in.AccessToken)
	if err != nil {
		return nil, err
	}
	usable, err := s.usable(ctx, v)
	if err != nil {
		return nil, err
	}
	var ids []string
	for id := range usable {
		ids = append(ids, string(id))
	}
	page, next, err := slice(ctx, s, v.session.ID, sorted(ids), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, requestError(err)
	}
	out := &api.ListAccountsResponse{AccountList: []api.AccountInfo{}, NextToken: next}
	for _, id := range page {
		name, email, err := s.options.Account(ctx, aws.Account(id))
		if err != nil {
			return nil, err
		}
		out.AccountList = append(out.AccountList, api.AccountInfo{AccountId: new(id), AccountName: &name, EmailAddress: &email})
	}
	return out, nil
}

// requestError is a token that is not valid, in the portal's words.
func requestError(err error) error {
	if ssoadminapi.ValidationException.Is(err) {
		return api.InvalidRequestException.New("The provided NextToken is not valid.")
	}
	return err
}

func (s *Service) listAccountRoles(ctx context.Context, in *api.ListAccountRolesRequest) (*api.ListAccountRolesResponse, error) {
	v, err := s.visitor(ctx, in.AccessToken)
	if err != nil {
		return nil, err
	}
	usable, err := s.usable(ctx, v)
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range usable[aws.Account(in.AccountId)] {
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, api.ResourceNotFoundException.New("No access")
	}
	page, next, err := slice(ctx, s, v.session.ID+"/"+in.AccountId, sorted(names), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, requestError(err)
	}
	out := &api.ListAccountRolesResponse{RoleList: []api.RoleInfo{}, NextToken: next}
	for _, name := range page {
		out.RoleList = append(out.RoleList, api.RoleInfo{RoleName: new(name), AccountId: &in.AccountId})
	}
	return out, nil
}

func (s *Service) getRoleCredentials(ctx context.Context, in *api.GetRoleCredentialsRequest) (*api.GetRoleCredentialsResponse, error) {
	v, err := s.visitor(ctx, in.AccessToken)
	if err != nil {
		return nil, err
	}
	usable, err := s.usable(ctx, v)
	if err != nil {
		return nil, err
	}
	// The words are the same for a role that is not there and for one that is not
	// theirs.
	noAccess := aws.ErrorKind{Code: "ForbiddenException", Status: 403}.New("No access")
	p := usable[aws.Account(in.AccountId)][in.RoleName]
	if p == nil {
		return nil, noAccess
	}
	row, err := s.provisioned.In(v.place.of()).Get(ctx, p.Instance+"/"+p.ID+"/"+in.AccountId)
	if err != nil {
		return nil, known(err, store.ErrNotFound, noAccess)
	}
	c, err := s.assume(ctx, v, p, row)
	if err != nil {
		return nil, err
	}
	return &api.GetRoleCredentialsResponse{RoleCredentials: &api.RoleCredentials{
		AccessKeyId: &c.AccessKeyId, SecretAccessKey: &c.SecretAccessKey, SessionToken: &c.SessionToken, Expiration: new(c.Expiration.UnixMilli()),
	}}, nil
}

func (s *Service) logout(ctx context.Context, in *api.LogoutRequest) (*api.LogoutResponse, error) {
	v, err := s.visitor(ctx, in.AccessToken)
	if err != nil {
		return nil, err
	}
	return &api.LogoutResponse{}, s.sessions.In(v.place.of()).Delete(ctx, v.session.Store+"/"+v.session.ID)
}
