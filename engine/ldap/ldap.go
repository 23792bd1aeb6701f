// Package ldap reads the people and groups of an LDAP directory, such as Active
// Directory or OpenLDAP.
//
// Read ldap.go (what is asked and answered), read.go (the searches), dial.go
// (connections, and passwords checked). RFC 4511; RFC 2696, paged results.
package ldap

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Bounds.
const (
	pageSize   = 500
	maxEntries = 100_000 // of people, and of groups
	maxValue   = 1024    // bytes of a value that is kept
	maxMembers = 100_000 // of one group
	maxDepth   = 16      // of groups within groups
)

// What can go wrong, besides the directory's own errors.
var (
	ErrWrong    = errors.New("ldap: the name or the password is wrong")
	ErrTooLarge = errors.New("ldap: the directory has more entries than are read")
	ErrPlain    = errors.New("ldap: a password is not sent without TLS: use ldaps://, start-tls, or a loopback address")
)

// A Server is where a directory is, and who asks it.
type Server struct {
	URL      string // "ldaps://dc1.example.com" or "ldap://dc1.example.com:389"
	StartTLS bool
	Roots    *x509.CertPool // authorities of the server's certificate; nil: the system's
	BindDN   string         // empty: anonymous
	Password string
	Timeout  time.Duration // of one operation; 0: ten seconds
}

// Format keeps the password out of logs, whatever the verb.
func (s Server) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.URL) }

// A Query says who of a directory is wanted, and how it names what is known of
// them. Empty names are those of Active Directory and OpenLDAP, found out by what
// entries have.
type Query struct {
	UserBase, UserFilter   string
	GroupBase, GroupFilter string // an empty GroupBase: groups are not read

	UserName   string            // attribute of the name to sign in with; empty: sAMAccountName, then uid
	Attributes map[string]string // what else to read of people: the caller's name for it → the attribute
}

// A Directory is what was read.
type Directory struct {
	People []Person
	Groups []Group
}

// A Person is one who can sign in.
type Person struct {
	DN, ID     string            // ID does not change when the person is renamed: entryUUID or objectGUID
	Name       string            // to sign in with
	Attributes map[string]string // by the caller's names; those that the entry has
	Disabled   bool
}

// A Group is a group with its members, those of groups within it too.
type Group struct {
	DN, ID, Name, Description string
	Members                   []string // DNs of people, in the order of the DNs
}

// Check says what is wrong with a server or a query.
func (s *Server) Check() error {
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "ldap" && u.Scheme != "ldaps" || u.Host == "" {
		return fmt.Errorf("%q is not an ldap or ldaps URL", s.URL)
	}
	if u.User != nil {
		return errors.New("the URL has a user or a password, which would be seen in logs: use the bind DN")
	}
	if u.Scheme == "ldaps" && s.StartTLS {
		return errors.New("start-tls is for ldap URLs: an ldaps URL begins with TLS")
	}
	if s.BindDN != "" && s.Password == "" {
		return errors.New("a bind DN has no password")
	}
	if s.BindDN != "" && !s.safe(u) {
		return ErrPlain
	}
	return nil
}

// Check says what is wrong with a query.
func (q *Query) Check() error {
	if _, err := ldap.ParseDN(q.UserBase); err != nil || q.UserBase == "" {
		return fmt.Errorf("user-base: %q is not a distinguished name", q.UserBase)
	}
	if _, err := ldap.ParseDN(q.GroupBase); err != nil {
		return fmt.Errorf("group-base: %q is not a distinguished name", q.GroupBase)
	}
	for name, filter := range map[string]string{"user-filter": q.userFilter(), "group-filter": q.groupFilter()} {
		if _, err := ldap.CompileFilter(filter); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// Read reads a whole directory.
func Read(ctx context.Context, s *Server, q *Query) (*Directory, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	c, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.bind(); err != nil {
		return nil, err
	}
	d := &Directory{}
	if d.People, err = c.people(q); err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	if q.GroupBase == "" {
		return d, nil
	}
	if d.Groups, err = c.groups(q, d.People); err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	return d, nil
}

// Verify checks a person's password by binding as them: ErrWrong when the
// directory refuses.
func Verify(ctx context.Context, s *Server, dn, password string) error {
	// A bind without a password is one without a person: the directory lets it in.
	// RFC 4513, section 5.1.2.
	if dn == "" || password == "" {
		return ErrWrong
	}
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	if !c.secure {
		return ErrPlain
	}
	err = c.conn.Bind(dn, password)
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultInappropriateAuthentication) {
		return ErrWrong
	}
	return err
}
