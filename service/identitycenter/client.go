package identitycenter

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	api "sumun.dev/api/ssooidcapi"
	"sumun.dev/aws"
)

// client is a program that has registered. All of it is in its id, sealed, so that
// strangers who register leave nothing behind.
type client struct {
	Name      string    `json:"n"`
	Redirects []string  `json:"r,omitempty"`
	Grants    []string  `json:"g,omitempty"`
	Scopes    []string  `json:"s,omitempty"`
	Start     string    `json:"u,omitempty"` // its identity store, when it has said so
	Expires   time.Time `json:"x"`
}

// maxClient bounds a client's registration in bytes, names and URIs together.
const maxClient = 1500

// grantScope is the one scope that the portal has.
const grantScope = "sso:account:access"

const (
	byDevice  = "urn:ietf:params:oauth:grant-type:device_code"
	byCode    = "authorization_code"
	byRefresh = "refresh_token"
)

// oauth is an error with the members that OAuth asks for. RFC 6749, section 5.2.
func oauth(kind aws.ErrorKind, code, description string) *aws.Error {
	return kind.New("%s", description).With("error", code).With("error_description", description)
}

func invalidRequest(description string) *aws.Error {
	return oauth(api.InvalidRequestException, "invalid_request", description)
}

func (s *Service) registerClient(ctx context.Context, in *api.RegisterClientRequest) (*api.RegisterClientResponse, error) {
	if in.ClientType != "public" {
		return nil, oauth(api.InvalidClientMetadataException, "invalid_client_metadata", "The client type must be public.")
	}
	if in.EntitledApplicationArn != nil {
		return nil, aws.UnsupportedOperation.New("Sumun does not serve the parameter entitledApplicationArn of RegisterClient yet.")
	}
	for _, grant := range in.GrantTypes {
		if !slices.Contains([]string{byDevice, byCode, byRefresh}, grant) {
			return nil, oauth(api.UnsupportedGrantTypeException, "unsupported_grant_type", "The grant type "+grant+" is not supported.")
		}
	}
	for _, scope := range in.Scopes {
		if scope != grantScope {
			return nil, oauth(api.InvalidScopeException, "invalid_scope", "The scope "+scope+" is not known; "+grantScope+" is.")
		}
	}
	for _, uri := range in.RedirectUris {
		if !loopbackURI(uri) {
			return nil, oauth(api.InvalidRedirectUriException, "invalid_redirect_uri", "The redirect URI "+uri+" does not lead to the user's own machine.")
		}
	}
	c := client{Name: in.ClientName, Redirects: in.RedirectUris, Grants: in.GrantTypes, Scopes: in.Scopes, Expires: now().Add(clientLife)}
	if in.IssuerUrl != nil {
		if c.Start = storeIn(*in.IssuerUrl); c.Start == "" {
			return nil, invalidRequest("The issuer URL names no identity store.")
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	if len(text) > maxClient || c.Name == "" {
		return nil, oauth(api.InvalidClientMetadataException, "invalid_client_metadata", "The client's name is missing, or its name and redirect URIs are too long.")
	}
	id := s.env.Store.NextToken([]string{"sso.client"}, string(text))
	base := baseURL(aws.CallOf(ctx))
	return &api.RegisterClientResponse{
		ClientId: &id, ClientSecret: new(s.env.Store.NextToken([]string{"sso.client.secret", id}, "1")),
		ClientIdIssuedAt: new(time.Now().Unix()), ClientSecretExpiresAt: new(c.Expires.Unix()),
		AuthorizationEndpoint: new(base + "/authorize"), TokenEndpoint: new(base + "/token"),
	}, nil
}

// loopbackURI reports whether a redirect stays on the user's machine, where native
// clients listen. RFC 8252, section 7.3.
func loopbackURI(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "http" && u.User == nil && u.Fragment == "" && slices.Contains([]string{"127.0.0.1", "::1", "localhost"}, u.Hostname())
}

// redirects reports whether the client may be sent to uri: one that it has
// registered, at any port.
func (c *client) redirects(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || !loopbackURI(uri) {
		return false
	}
	return slices.ContainsFunc(c.Redirects, func(registered string) bool {
		r, err := url.Parse(registered)
		return err == nil && r.Hostname() == u.Hostname() && r.Path == u.Path && r.RawQuery == u.RawQuery
	})
}

// grants reports whether the client may use a grant; one that has named none may
// use the device's.
func (c *client) grants(grant string) bool {
	return slices.Contains(c.Grants, grant) || len(c.Grants) == 0 && grant != byCode
}

// clientOf reads a client's id.
func (s *Service) clientOf(id string) (*client, bool) {
	text, err := s.env.Store.OpenToken([]string{"sso.client"}, id)
	var c client
	if err != nil || json.Unmarshal([]byte(text), &c) != nil || !time.Now().Before(c.Expires) {
		return nil, false
	}
	return &c, true
}

// proven returns the client that knows its secret.
func (s *Service) proven(id, secret string) (*client, error) {
	c, ok := s.clientOf(id)
	if one, err := s.env.Store.OpenToken([]string{"sso.client.secret", id}, secret); !ok || err != nil || one != "1" {
		return nil, oauth(api.InvalidClientException, "invalid_client", "The client is not known, its registration has expired, or its secret is wrong.")
	}
	return c, nil
}

// baseURL is where the caller has reached the plane.
func baseURL(c *aws.Call) string {
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.Host
}

// pages is where people's pages are. No bucket can have that name.
const pages = "/_sso/"

// start is the URL of an identity store's first page.
func start(base, storeID string) string {
	return strings.TrimSuffix(base, "/") + pages + storeID + "/start"
}
