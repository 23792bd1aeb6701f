package identitycenter

import (
	"time"

	"sumun.dev/aws"
	"sumun.dev/engine/ldap"
	"sumun.dev/engine/saml"
)

// A Source is where the users of an account's instance come from, or sign in,
// besides its own directory. One of LDAP, OIDC and SAML is set.
type Source struct {
	Name    string      // as people see it, and the issuer in external ids
	Account aws.Account // who owns the instance
	Create  bool        // who signs in with a provider and is not known becomes a user

	LDAP *LDAPSource
	OIDC *OIDCSource
	SAML *SAMLSource
}

// LDAPSource is a directory that is read again and again.
type LDAPSource struct {
	Server ldap.Server
	Query  ldap.Query
	Every  time.Duration
	Delete bool // who is gone from it is deleted; else disabled
}

// OIDCSource is an OpenID Connect provider with which people sign in.
type OIDCSource struct {
	Issuer, ClientID string
	AuthorizeURL     string // where people are sent
	UserClaim        string // the claim that is the user's name here
}

// SAMLSource is a SAML provider with which people sign in.
type SAMLSource struct {
	Provider *saml.Provider
	URL      string // where people are sent: the provider's HTTP-Redirect binding
}

// sources returns the sources of an account's instance.
func (s *Service) sources(account aws.Account) []*Source {
	var out []*Source
	for i := range s.from {
		if s.from[i].Account == account {
			out = append(out, &s.from[i])
		}
	}
	return out
}

// source returns the source of that name; nil when there is none any more.
func (s *Service) source(account aws.Account, name string) *Source {
	for _, x := range s.sources(account) {
		if x.Name == name {
			return x
		}
	}
	return nil
}
