package config

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"sumun.dev/aws"
)

// IdentityCenter says where people of Identity Center come from.
type IdentityCenter struct {
	URL     string           `yaml:"url" doc:"URL at which people's browsers reach the APIs, such as 'https://sumun.example.com'. Identity providers answer there, so signing in with them needs it."`
	Sources []IdentitySource `yaml:"sources" doc:"Identity sources besides the built-in directory. Each has one of ldap, oidc and saml."`
}

// IdentitySource is one of them.
type IdentitySource struct {
	Name    string     `yaml:"name" doc:"What people see, and the issuer in the external ids of users."`
	Account string     `yaml:"account" doc:"Number of the account whose instance uses the source." default:"the management account"`
	Create  bool       `yaml:"create" doc:"Who signs in with the provider and is not known becomes a user. Else a user of that name must be there." default:"false"`
	LDAP    LDAPSource `yaml:"ldap" doc:"A directory whose people and groups become users and groups, and whose passwords they sign in with."`
	OIDC    OIDCSource `yaml:"oidc" doc:"An OpenID Connect provider with which people sign in."`
	SAML    SAMLSource `yaml:"saml" doc:"A SAML 2.0 provider with which people sign in."`
}

// LDAPSource is an LDAP directory.
type LDAPSource struct {
	URL          string        `yaml:"url" doc:"'ldaps://host' or 'ldap://host'. A password is sent over TLS or to a loopback address only."`
	StartTLS     bool          `yaml:"start-tls" doc:"Begin TLS on an ldap connection." default:"false"`
	CA           string        `yaml:"ca" doc:"PEM file of the authorities that may vouch for the directory." default:"the system's"`
	BindDN       string        `yaml:"bind-dn" doc:"Who reads the directory; empty reads without a name."`
	PasswordFile string        `yaml:"bind-password-file" doc:"File with the password of bind-dn. Without it the variable SUMUN_LDAP_PASSWORD gives the password."`
	UserBase     string        `yaml:"user-base" doc:"Below which entry people are."`
	UserFilter   string        `yaml:"user-filter" doc:"Which entries are people." default:"users of Active Directory, inetOrgPerson"`
	UserName     string        `yaml:"user-name" doc:"Attribute of the name with which people sign in." default:"sAMAccountName, else uid"`
	GroupBase    string        `yaml:"group-base" doc:"Below which entry groups are; empty reads none."`
	GroupFilter  string        `yaml:"group-filter" doc:"Which entries are groups." default:"group, groupOfNames, groupOfUniqueNames"`
	Attributes   []string      `yaml:"attributes" doc:"What else is read of people, as 'PATH=ATTRIBUTE': 'enterprise.department=department'. They add to displayName, name.givenName (givenName), name.familyName (sn), emails.value (mail) and title."`
	Every        time.Duration `yaml:"every" doc:"Time between two readings; at least 1m." default:"15m"`
	Removed      string        `yaml:"removed" doc:"What becomes of users who are gone from the directory: 'disable' or 'delete'." default:"disable"`
}

// OIDCSource is an OpenID Connect provider.
type OIDCSource struct {
	Issuer       string `yaml:"issuer" doc:"The provider, as its tokens name it."`
	ClientID     string `yaml:"client-id" doc:"What the provider calls this plane. It must allow the implicit flow with form_post (response_type id_token), and URL/_sso/IDENTITY-STORE/answer as a redirect."`
	AuthorizeURL string `yaml:"authorize-url" doc:"Where people are sent to log in."`
	UserClaim    string `yaml:"user-claim" doc:"Claim that is the user name here." default:"preferred_username"`
}

// SAMLSource is a SAML provider.
type SAMLSource struct {
	Metadata string `yaml:"metadata-file" doc:"XML file of the provider's metadata."`
	URL      string `yaml:"url" doc:"Where people are sent to log in: the provider's single sign-on service with the HTTP-Redirect binding. Entity id and assertion consumer service of this plane are URL/_sso/IDENTITY-STORE/answer. The subject of an assertion is the user name here."`
}

func (c *Config) checkIdentityCenter() error {
	if c.IdentityCenter.URL != "" && !webURL(c.IdentityCenter.URL) {
		return fmt.Errorf("identity-center.url: %q is not an http or https URL", c.IdentityCenter.URL)
	}
	seen := map[string]bool{}
	for i := range c.IdentityCenter.Sources {
		s := &c.IdentityCenter.Sources[i]
		at := fmt.Sprintf("identity-center.sources[%d]", i)
		key := s.Account + "/" + s.Name
		switch {
		case s.Name == "" || len(s.Name) > 100:
			return fmt.Errorf("%s.name: has between 1 and 100 characters", at)
		case seen[key]:
			return fmt.Errorf("%s.name: %q is listed twice", at, s.Name)
		}
		seen[key] = true
		if s.Account != "" {
			if _, err := aws.ParseAccount(s.Account); err != nil {
				return fmt.Errorf("%s.account: %w", at, err)
			}
		}
		if err := s.check(c.IdentityCenter.URL); err != nil {
			return fmt.Errorf("%s.%w", at, err)
		}
	}
	return nil
}

func (s *IdentitySource) check(here string) error {
	n := 0
	for _, given := range []bool{s.LDAP.URL != "", s.OIDC.Issuer != "", s.SAML.Metadata != ""} {
		if given {
			n++
		}
	}
	l := &s.LDAP
	switch {
	case n != 1:
		return fmt.Errorf("name: %q needs one of ldap.url, oidc.issuer and saml.metadata-file", s.Name)
	case l.URL == "" && here == "":
		return fmt.Errorf("name: %q needs identity-center.url, where the provider answers", s.Name)
	case s.OIDC.Issuer != "" && (s.OIDC.ClientID == "" || !webURL(s.OIDC.AuthorizeURL)):
		return fmt.Errorf("oidc: needs client-id, and an http or https URL as authorize-url")
	case s.SAML.Metadata != "" && !webURL(s.SAML.URL):
		return fmt.Errorf("saml.url: %q is not an http or https URL", s.SAML.URL)
	case l.Every != 0 && l.Every < time.Minute:
		return fmt.Errorf("ldap.every: %s is under a minute", l.Every)
	case l.Removed != "" && l.Removed != "disable" && l.Removed != "delete":
		return fmt.Errorf("ldap.removed: %q is neither 'disable' nor 'delete'", l.Removed)
	case l.URL != "" && l.UserBase == "":
		return fmt.Errorf("ldap.user-base: is missing")
	}
	for _, a := range l.Attributes {
		if path, attribute, ok := strings.Cut(a, "="); !ok || path == "" || attribute == "" {
			return fmt.Errorf("ldap.attributes: %q is not 'PATH=ATTRIBUTE'", a)
		}
	}
	return nil
}

func webURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}
