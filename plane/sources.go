package plane

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/engine/ldap"
	"sumun.dev/engine/saml"
	"sumun.dev/plane/config"
	"sumun.dev/service/identitycenter"
)

// ldapPassword is the variable that gives the password of a directory for which
// the settings name no file.
const ldapPassword = "SUMUN_LDAP_PASSWORD"

// usualAttributes are read of every person, by the paths of the identity store.
var usualAttributes = [...]string{"displayName=displayName", "name.givenName=givenName", "name.familyName=sn", "emails.value=mail", "title=title"}

// sources reads the identity sources that the settings name.
func sources(cfg *config.Config, management aws.Account) ([]identitycenter.Source, error) {
	var all []identitycenter.Source
	for i := range cfg.IdentityCenter.Sources {
		from := &cfg.IdentityCenter.Sources[i]
		to := identitycenter.Source{Name: from.Name, Create: from.Create, Account: aws.Account(cmp.Or(from.Account, string(management)))}
		if slices.ContainsFunc(all, func(x identitycenter.Source) bool { return x.Name == to.Name && x.Account == to.Account }) {
			return nil, fmt.Errorf("identity-center.sources[%d].name: %q is listed twice for the account %s", i, to.Name, to.Account)
		}
		var err error
		switch {
		case from.LDAP.URL != "":
			to.LDAP, err = directory(&from.LDAP)
		case from.SAML.Metadata != "":
			to.SAML, err = samlSource(&from.SAML)
		default:
			o := &from.OIDC
			to.OIDC = &identitycenter.OIDCSource{Issuer: o.Issuer, ClientID: o.ClientID, AuthorizeURL: o.AuthorizeURL, UserClaim: cmp.Or(o.UserClaim, "preferred_username")}
		}
		if err != nil {
			return nil, fmt.Errorf("identity-center.sources[%d] (%s): %w", i, from.Name, err)
		}
		all = append(all, to)
	}
	return all, nil
}

func samlSource(from *config.SAMLSource) (*identitycenter.SAMLSource, error) {
	text, err := os.ReadFile(from.Metadata)
	if err != nil {
		return nil, err
	}
	p, err := saml.Parse(string(text))
	if err != nil {
		return nil, err
	}
	return &identitycenter.SAMLSource{Provider: p, URL: from.URL}, nil
}

func directory(from *config.LDAPSource) (*identitycenter.LDAPSource, error) {
	to := &identitycenter.LDAPSource{
		Server: ldap.Server{URL: from.URL, StartTLS: from.StartTLS, BindDN: from.BindDN},
		Query: ldap.Query{
			UserBase: from.UserBase, UserFilter: from.UserFilter, GroupBase: from.GroupBase, GroupFilter: from.GroupFilter,
			UserName: from.UserName, Attributes: map[string]string{},
		},
		Every: cmp.Or(from.Every, 15*time.Minute), Delete: from.Removed == "delete",
	}
	for _, a := range append(usualAttributes[:], from.Attributes...) {
		path, attribute, _ := strings.Cut(a, "=")
		to.Query.Attributes[path] = attribute
	}
	if from.BindDN != "" {
		to.Server.Password = os.Getenv(ldapPassword)
		if from.PasswordFile != "" {
			text, err := os.ReadFile(from.PasswordFile)
			if err != nil {
				return nil, err
			}
			to.Server.Password = strings.TrimRight(string(text), "\r\n")
		}
	}
	if from.CA != "" {
		text, err := os.ReadFile(from.CA)
		if err != nil {
			return nil, err
		}
		to.Server.Roots = x509.NewCertPool()
		if !to.Server.Roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", from.CA)
		}
	}
	if err := to.Server.Check(); err != nil {
		return nil, err
	}
	return to, to.Query.Check()
}
