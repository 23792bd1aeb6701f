package identitycenter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	api "sumun.dev/api/identitystoreapi"
	"sumun.dev/api/ssoadminapi"
	"sumun.dev/engine/ldap"
	"sumun.dev/engine/ldap/ldaptest"
)

const staff = `
dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups

dn: uid=alice,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: alice
cn: Alice Example
sn: Example
givenName: Alice
displayName: Alice E.
mail: alice@example.com
departmentNumber: blue
userPassword: alices-password

dn: uid=bob,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: bob
cn: Bob Example
sn: Example
departmentNumber: red

dn: cn=blue,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: blue
member: uid=alice,ou=people,dc=example,dc=com
member: uid=bob,ou=people,dc=example,dc=com
`

func corporate(at *ldaptest.Directory) Source {
	return Source{Name: "corp", Account: owner, LDAP: &LDAPSource{
		Server: ldap.Server{URL: at.URL, BindDN: at.AdminDN, Password: at.Password}, Every: time.Minute,
		Query: ldap.Query{UserBase: "ou=people,dc=example,dc=com", GroupBase: "ou=groups,dc=example,dc=com", Attributes: map[string]string{
			"displayName": "displayName", "name.givenName": "givenName", "name.familyName": "sn", "emails.value": "mail", "enterprise.department": "departmentNumber",
		}},
	}}
}

func (w *world) members(name string) string {
	w.t.Helper()
	row, err := one(in(w.t.Context(), owner), w.service.groups, "by", byName(w.id, name))
	if err != nil || row == nil {
		w.t.Fatalf("group %s: %v", name, err)
	}
	var names []string
	for _, m := range must(w, &api.ListGroupMemberships, &api.ListGroupMembershipsRequest{IdentityStoreId: w.id, GroupId: row.Value.ID}).GroupMemberships {
		u := must(w, &api.DescribeUser, &api.DescribeUserRequest{IdentityStoreId: w.id, UserId: *m.MemberId.UserId})
		names = append(names, *u.UserName)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestUsersFollowTheirDirectory(t *testing.T) {
	at := ldaptest.Start(t, staff)
	w := newWorld(t, corporate(at))
	w.due(syncing)
	alice := w.named("alice")
	if alice == nil || alice.email() != "alice@example.com" || *alice.Profile.DisplayName != "Alice E." || w.named("bob") == nil {
		t.Fatalf("alice is %+v", alice)
	}
	if got := w.members("blue"); got != "alice bob" {
		t.Errorf("blue has %s", got)
	}
	if _, err := call(w, owner, &api.DeleteUser, &api.DeleteUserRequest{IdentityStoreId: w.id, UserId: alice.ID}); !api.ValidationException.Is(err) {
		t.Errorf("deleted by hand: %v", err)
	}
	if d := must(w, &api.DescribeUser, &api.DescribeUserRequest{IdentityStoreId: w.id, UserId: alice.ID}); len(d.ExternalIds) != 1 || d.ExternalIds[0].Issuer != "corp" {
		t.Errorf("external ids are %+v", d.ExternalIds)
	}

	// Nothing has changed: nothing is written.
	before := *alice
	w.due(syncing)
	if after := w.named("alice"); !after.Updated.Equal(before.Updated) {
		t.Error("an unchanged user is written again")
	}

	// Somebody is renamed, somebody leaves, somebody comes.
	at.Modify(t, "dn: uid=alice,ou=people,dc=example,dc=com\nchangetype: modrdn\nnewrdn: uid=alicia\ndeleteoldrdn: 1\n\n"+
		"dn: uid=bob,ou=people,dc=example,dc=com\nchangetype: delete\n\n"+
		"dn: cn=blue,ou=groups,dc=example,dc=com\nchangetype: modify\nreplace: member\nmember: uid=alicia,ou=people,dc=example,dc=com\n")
	at.Add(t, "dn: uid=carol,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: carol\ncn: Carol\nsn: Example\n")
	w.due(syncing)
	if now := w.named("alicia"); now == nil || now.ID != alice.ID || w.named("alice") != nil {
		t.Errorf("after the renaming: %+v", now)
	}
	if bob := w.named("bob"); bob == nil || !bob.Disabled {
		t.Errorf("who has left is %+v", bob)
	}
	if w.named("carol") == nil || w.members("blue") != "alicia" {
		t.Errorf("carol %v, blue %s", w.named("carol"), w.members("blue"))
	}
}

func TestNamesOfOthersStayTheirs(t *testing.T) {
	at := ldaptest.Start(t, staff)
	w := newWorld(t, corporate(at))
	mine := w.person("Alice")
	w.due(syncing)
	if u := w.named("alice"); u.ID != mine || u.Source != "" {
		t.Errorf("the directory has taken over %+v", u)
	}
	if got := w.members("blue"); got != "bob" {
		t.Errorf("blue has %s", got)
	}
	state, err := w.service.syncs.Get(in(t.Context(), owner), w.id+"/corp")
	if err != nil || state.Conflicts != 1 || state.Users != 2 || state.Problem != "" {
		t.Errorf("%+v, %v", state, err)
	}
}

// A directory that shows nobody any more is more likely broken than empty.
func TestAnEmptyDirectoryRemovesNobody(t *testing.T) {
	var many strings.Builder
	many.WriteString(staff)
	for i := range 12 {
		fmt.Fprintf(&many, "\ndn: uid=u%d,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: u%d\ncn: x\nsn: x\n", i, i)
	}
	at := ldaptest.Start(t, many.String())
	source := corporate(at)
	w := newWorld(t, source)
	w.due(syncing)
	source.LDAP.Query.UserFilter = "(uid=nobody)"
	w.service.Use("", source)
	w.due(syncing)
	if w.named("u3").Disabled {
		t.Error("everybody was disabled")
	}
	state, err := w.service.syncs.Get(in(t.Context(), owner), w.id+"/corp")
	if err != nil || !strings.Contains(state.Problem, "nothing is removed") {
		t.Errorf("%+v, %v", state, err)
	}
}

func TestTheDirectoryChecksItsPasswords(t *testing.T) {
	at := ldaptest.Start(t, staff)
	w := newWorld(t, corporate(at))
	w.due(syncing)
	ctx := in(t.Context(), owner)
	if u, _, err := w.service.login(ctx, w.id, "alice", "alices-password"); err != nil || u.name() != "alice" {
		t.Errorf("%v, %v", u, err)
	}
	for _, wrong := range []string{"", "bobs-password"} {
		if _, _, err := w.service.login(ctx, w.id, "alice", wrong); !errors.Is(err, errWrong) {
			t.Errorf("with %q: %v", wrong, err)
		}
	}
	for range freeTries {
		_, _, _ = w.service.login(ctx, w.id, "alice", "guessed") // each is wrong
	}
	if _, _, err := w.service.login(ctx, w.id, "alice", "alices-password"); !errors.Is(err, errWait) {
		t.Errorf("after guessing: %v", err)
	}
}

// The seed's case, for users of a directory: what the directory says of somebody
// becomes the tag of their sessions.
func TestAttributesOfADirectoryBecomeSessionTags(t *testing.T) {
	at := ldaptest.Start(t, staff)
	w := newWorld(t, corporate(at))
	must(w, &ssoadminapi.CreateInstanceAccessControlAttributeConfiguration, &ssoadminapi.CreateInstanceAccessControlAttributeConfigurationRequest{
		InstanceArn: w.instance, InstanceAccessControlAttributeConfiguration: &ssoadminapi.InstanceAccessControlAttributeConfiguration{
			AccessControlAttributes: []ssoadminapi.AccessControlAttribute{{Key: "team", Value: &ssoadminapi.AccessControlAttributeValue{Source: []string{"${path:enterprise.department}"}}}},
		},
	})
	w.due(syncing)
	i, err := w.service.instances.Get(in(t.Context(), owner), w.instance[len("arn:aws:sso:::instance/"):])
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"alice": "blue", "bob": "red"} {
		tags, err := i.sessionTags(w.named(name), map[string]string{"Team": "forged", "site": "berlin"})
		if err != nil || fmt.Sprint(tags) != "map[site:berlin team:"+want+"]" {
			t.Errorf("%s has %v, %v", name, tags, err)
		}
	}
}
