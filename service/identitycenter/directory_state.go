package identitycenter

import (
	"strings"
	"time"

	"sumun.dev/api/identitystoreapi"
)

// user is a person of an identity store. Rows lie under "STORE/ID".
type user struct {
	Store, ID string
	Profile   identitystoreapi.CreateUserRequest // what people may set
	External  []identitystoreapi.ExternalId      `json:",omitempty"`
	Disabled  bool                               `json:",omitempty"`
	Source    string                             `json:",omitempty"` // the identity source that keeps it; empty: the directory
	DN        string                             `json:",omitempty"` // in an LDAP source
	stamps
}

type group struct {
	Store, ID   string
	Name        string
	Description *string                       `json:",omitempty"`
	External    []identitystoreapi.ExternalId `json:",omitempty"`
	Source      string                        `json:",omitempty"`
	stamps
}

type membership struct {
	Store, ID   string
	Group, User string
	stamps
}

// stamps say who made and last changed something.
type stamps struct {
	Created, Updated     time.Time
	CreatedBy, UpdatedBy string
}

func (u *user) name() string {
	if u.Profile.UserName == nil {
		return ""
	}
	return *u.Profile.UserName
}

// email is the user's address; empty when there is none.
func (u *user) email() string {
	if len(u.Profile.Emails) == 0 || u.Profile.Emails[0].Value == nil {
		return ""
	}
	return *u.Profile.Emails[0].Value
}

// Values of the index "by". What people choose is in the clear in an index, so
// only a digest stands there.
func byName(store, name string) string   { return digest("name", store, strings.ToLower(name)) }
func byEmail(store, email string) string { return digest("email", store, strings.ToLower(email)) }
func byExternal(store string, e identitystoreapi.ExternalId) string {
	return digest("external", store, e.Issuer, e.Id)
}
func bySource(store, source string) string { return digest("source", store, source) }

func (u *user) keys() []string {
	k := []string{byName(u.Store, u.name())}
	if e := u.email(); e != "" {
		k = append(k, byEmail(u.Store, e))
	}
	return append(k, fromElsewhere(u.Store, u.Source, u.External)...)
}

func (g *group) keys() []string {
	return append([]string{byName(g.Store, g.Name)}, fromElsewhere(g.Store, g.Source, g.External)...)
}

func fromElsewhere(store, source string, ids []identitystoreapi.ExternalId) (k []string) {
	for _, e := range ids {
		k = append(k, byExternal(store, e))
	}
	if source != "" {
		k = append(k, bySource(store, source))
	}
	return k
}

func (m *membership) keys() []string {
	return []string{m.Store + "/g/" + m.Group, m.Store + "/u/" + m.User, m.Store + "/p/" + m.Group + "/" + m.User}
}
