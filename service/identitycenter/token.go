package identitycenter

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"time"

	api "sumun.dev/api/ssooidcapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// codeLetters has no vowels and nothing that looks like something else.
// RFC 8628, section 6.1.
const codeLetters = "BCDFGHJKLMNPQRSTVWXZ"

// userCode is what people compare: "BDWP-HQTS".
func userCode() string {
	var out strings.Builder
	b := make([]byte, 1)
	for out.Len() < 9 {
		if out.Len() == 4 {
			out.WriteByte('-')
		}
		_, _ = rand.Read(b) // never fails: crypto/rand ends the program first
		if int(b[0]) < 256/len(codeLetters)*len(codeLetters) {
			out.WriteByte(codeLetters[int(b[0])%len(codeLetters)])
		}
	}
	return out.String()
}

func (s *Service) startDeviceAuthorization(ctx context.Context, in *api.StartDeviceAuthorizationRequest) (*api.StartDeviceAuthorizationResponse, error) {
	c, err := s.proven(in.ClientId, in.ClientSecret)
	if err != nil {
		return nil, err
	}
	if !c.grants(byDevice) {
		return nil, oauth(api.UnauthorizedClientException, "unauthorized_client", "The client has not registered for the device authorization grant.")
	}
	storeID := storeIn(in.StartUrl)
	p, err := s.at(ctx, storeID)
	if errors.Is(err, errNowhere) {
		return nil, invalidRequest("The start URL names no identity store of this plane.")
	}
	if err != nil {
		return nil, err
	}
	waiting, err := s.devices.In(p.of()).Page(ctx, store.Range{Prefix: storeID + "/", Limit: maxWaiting})
	if err != nil {
		return nil, err
	}
	if len(waiting) == maxWaiting {
		return nil, oauth(api.SlowDownException, "slow_down", "Too many devices wait for approval.")
	}
	d := &device{Store: storeID, UserCode: userCode(), Client: in.ClientId, Scopes: c.Scopes, Expires: now().Add(deviceLife)}
	code := secret()
	id := storeID + "/" + digest(code)
	if err := s.devices.In(p.of()).Insert(ctx, id, d); err != nil {
		return nil, err
	}
	end(ctx, p, "device", id, d.Expires)
	verification := strings.TrimSuffix(start(baseURL(aws.CallOf(ctx)), storeID), "start") + "device"
	return &api.StartDeviceAuthorizationResponse{
		DeviceCode: new(s.env.Store.NextToken([]string{"sso.device", in.ClientId}, storeID+"/"+code)), UserCode: &d.UserCode,
		VerificationUri: &verification, VerificationUriComplete: new(verification + "?user_code=" + url.QueryEscape(d.UserCode)),
		ExpiresIn: new(int32(deviceLife / time.Second)), Interval: new(int32(1)),
	}, nil
}

func (s *Service) createToken(ctx context.Context, in *api.CreateTokenRequest) (*api.CreateTokenResponse, error) {
	c, err := s.proven(in.ClientId, in.ClientSecret)
	if err != nil {
		return nil, err
	}
	switch in.GrantType {
	case byDevice, byCode, byRefresh:
	default:
		return nil, oauth(api.UnsupportedGrantTypeException, "unsupported_grant_type", "The grant type is not supported.")
	}
	if !c.grants(in.GrantType) {
		return nil, oauth(api.UnauthorizedClientException, "unauthorized_client", "The client has not registered for this grant type.")
	}
	switch in.GrantType {
	case byDevice:
		return s.tokenForDevice(ctx, in)
	case byCode:
		return s.tokenForCode(ctx, in)
	}
	return s.tokenRefreshed(ctx, in)
}

func errGrant() error {
	return oauth(api.InvalidGrantException, "invalid_grant", "The grant is not valid, was used before, or belongs to another client.")
}

// grantedBy tells who has approved what a token is asked for, as far as can be seen.
func (s *Service) grantedBy(ctx context.Context, in *api.CreateTokenRequest) ([]wire.Touch, error) {
	t := wire.Touch{Action: "sso-oauth:CreateToken", Open: "a client proves itself by its secret and by what a user has approved"}
	partition := aws.CallOf(ctx).Partition
	switch {
	case in.DeviceCode != nil:
		if p, _, d, err := s.deviceOf(ctx, in.ClientId, *in.DeviceCode); err == nil && d.User != "" {
			t.Principal = p.principal(partition, d.Store, d.User)
		}
	case in.Code != nil:
		if p, _, a, err := s.authorizationOf(ctx, in.ClientId, *in.Code); err == nil {
			t.Principal = p.principal(partition, a.Store, a.User)
		}
	case in.RefreshToken != nil:
		if x, p, err := s.opened(ctx, refreshToken, *in.RefreshToken); err == nil {
			t.Principal = p.principal(partition, x.Store, x.User)
		}
	}
	return []wire.Touch{t}, nil
}

// deviceOf returns the device that a client's device code stands for, where it is,
// and its row's id.
func (s *Service) deviceOf(ctx context.Context, clientID, text string) (*place, string, *device, error) {
	storeID, code, p, err := s.codeAt(ctx, "sso.device", clientID, text)
	if err != nil {
		return nil, "", nil, err
	}
	id := storeID + "/" + digest(code)
	d, err := s.devices.In(p.of()).Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !time.Now().Before(d.Expires) {
		return nil, "", nil, oauth(api.ExpiredTokenException, "expired_token", "The device code has expired.")
	}
	return p, id, d, err
}

// authorizationOf is deviceOf for an authorization code.
func (s *Service) authorizationOf(ctx context.Context, clientID, text string) (*place, string, *authorization, error) {
	storeID, code, p, err := s.codeAt(ctx, "sso.code", clientID, text)
	if err != nil {
		return nil, "", nil, err
	}
	id := storeID + "/" + digest(code)
	a, err := s.codes.In(p.of()).Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !time.Now().Before(a.Expires) {
		return nil, "", nil, errGrant()
	}
	return p, id, a, err
}

// codeAt opens a code that was made for a client.
func (s *Service) codeAt(ctx context.Context, kind, clientID, text string) (storeID, code string, p *place, err error) {
	opened, err := s.env.Store.OpenToken([]string{kind, clientID}, text)
	storeID, code, ok := strings.Cut(opened, "/")
	if err != nil || !ok {
		return "", "", nil, errGrant()
	}
	p, err = s.at(ctx, storeID)
	return storeID, code, p, known(err, errNowhere, errGrant())
}

func (s *Service) tokenForDevice(ctx context.Context, in *api.CreateTokenRequest) (*api.CreateTokenResponse, error) {
	if in.DeviceCode == nil {
		return nil, invalidRequest("deviceCode is missing.")
	}
	p, id, d, err := s.deviceOf(ctx, in.ClientId, *in.DeviceCode)
	switch {
	case err != nil:
		return nil, err
	case d.Refused:
		return nil, oauth(api.AccessDeniedException, "access_denied", "The user has refused.")
	case !d.Approved:
		return nil, oauth(api.AuthorizationPendingException, "authorization_pending", "The user has not approved the device yet.")
	}
	if err := s.devices.In(p.of()).Delete(ctx, id); err != nil {
		return nil, err
	}
	return s.open(ctx, p, &session{Store: d.Store, User: d.User, Client: in.ClientId, Asserted: d.Asserted, Scopes: d.Scopes})
}

func (s *Service) tokenForCode(ctx context.Context, in *api.CreateTokenRequest) (*api.CreateTokenResponse, error) {
	if in.Code == nil || in.CodeVerifier == nil || in.RedirectUri == nil {
		return nil, invalidRequest("code, codeVerifier and redirectUri are needed.")
	}
	p, id, a, err := s.authorizationOf(ctx, in.ClientId, *in.Code)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(*in.CodeVerifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(challenge), []byte(a.Challenge)) != 1 || a.Redirect != *in.RedirectUri {
		return nil, errGrant()
	}
	if err := s.codes.In(p.of()).Delete(ctx, id); err != nil {
		return nil, err
	}
	return s.open(ctx, p, &session{Store: a.Store, User: a.User, Client: in.ClientId, Asserted: a.Asserted, Scopes: a.Scopes})
}

// open begins a session for a user who has approved a client.
func (s *Service) open(ctx context.Context, p *place, x *session) (*api.CreateTokenResponse, error) {
	if _, err := s.signedIn(ctx, p, x.Store, x.User); err != nil {
		return nil, known(err, errToken, errGrant())
	}
	x.ID, x.Expires = secret(), now().Add(sessionLife)
	if err := s.sessions.In(p.of()).Insert(ctx, x.Store+"/"+x.ID, x); err != nil {
		return nil, err
	}
	end(ctx, p, "session", x.Store+"/"+x.ID, x.Expires)
	return s.tokens(x), nil
}

// tokens are those of a session: with a scope a short one that can be refreshed,
// else one for the whole session.
func (s *Service) tokens(x *session) *api.CreateTokenResponse {
	expires, out := x.Expires, &api.CreateTokenResponse{TokenType: new("Bearer")}
	if len(x.Scopes) > 0 {
		if soon := now().Add(tokenLife); soon.Before(expires) {
			expires = soon
		}
		out.RefreshToken = new(s.token(refreshToken, x, x.Expires))
	}
	out.AccessToken = new(s.token(accessToken, x, expires))
	out.ExpiresIn = new(int32(time.Until(expires).Round(time.Second) / time.Second))
	return out
}

func (s *Service) tokenRefreshed(ctx context.Context, in *api.CreateTokenRequest) (*api.CreateTokenResponse, error) {
	if in.RefreshToken == nil {
		return nil, invalidRequest("refreshToken is missing.")
	}
	x, p, err := s.opened(ctx, refreshToken, *in.RefreshToken)
	if err != nil {
		return nil, s.refused(ctx, x, p, err)
	}
	if x.Client != in.ClientId {
		return nil, errGrant()
	}
	if _, err := s.signedIn(ctx, p, x.Store, x.User); err != nil {
		return nil, known(err, errToken, errGrant())
	}
	x.Refreshed++
	return s.tokens(x), s.sessions.In(p.of()).Put(ctx, x.Store+"/"+x.ID, x)
}

// refused is an error of a refresh token in OAuth's words. One that was used before
// ends the session, although the call fails.
func (s *Service) refused(ctx context.Context, x *session, p *place, err error) error {
	if !errors.Is(err, errUsedAgain) {
		return known(err, errToken, errGrant())
	}
	err = s.env.Store.Update(store.Outside(ctx), func(ctx context.Context) error { return s.sessions.In(p.of()).Delete(ctx, x.Store+"/"+x.ID) })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return errGrant()
}
