package ldap

import (
	"errors"
	"strings"
	"testing"

	"sumun.dev/engine/ldap/ldaptest"
)

const people = `
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
mail: alice@example.com
departmentNumber: blue
userPassword: alices-password

dn: uid=bob,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: bob
cn: Bob Example
sn: Example
userPassword: bobs-password

dn: cn=printer,ou=people,dc=example,dc=com
objectClass: device
cn: printer

dn: cn=blue,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: blue
description: the blue team
member: uid=alice,ou=people,dc=example,dc=com

dn: cn=all,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: all
member: cn=blue,ou=groups,dc=example,dc=com
member: UID=Bob,ou=people,dc=example,dc=com
member: cn=all,ou=groups,dc=example,dc=com
member: uid=nobody,ou=people,dc=example,dc=com
`

var everything = Query{
	UserBase: "ou=people,dc=example,dc=com", GroupBase: "ou=groups,dc=example,dc=com",
	Attributes: map[string]string{"emails.value": "mail", "enterprise.department": "departmentNumber"},
}

func TestADirectoryIsRead(t *testing.T) {
	at := ldaptest.Start(t, people)
	s := &Server{URL: at.URL, BindDN: at.AdminDN, Password: at.Password}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	d, err := Read(t.Context(), s, &everything)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.People) != 2 || d.People[0].Name != "alice" || d.People[1].Name != "bob" {
		t.Fatalf("people: %+v", d.People)
	}
	alice := d.People[0]
	if alice.Attributes["emails.value"] != "alice@example.com" || alice.Attributes["enterprise.department"] != "blue" || len(alice.ID) != 36 || alice.Disabled {
		t.Errorf("alice is %+v", alice)
	}
	if _, has := d.People[1].Attributes["emails.value"]; has {
		t.Error("bob has an address that nobody gave him")
	}
	// Groups within groups count, also in a circle; who is not there does not.
	want := map[string]string{"blue": alice.DN, "all": alice.DN + ";" + d.People[1].DN}
	for _, g := range d.Groups {
		if got := strings.Join(g.Members, ";"); got != want[g.Name] {
			t.Errorf("%s has %q, want %q", g.Name, got, want[g.Name])
		}
		delete(want, g.Name)
	}
	if len(want) > 0 {
		t.Errorf("groups are missing: %v", want)
	}
	q := everything
	q.UserFilter = "(uid=b*)"
	if d, err := Read(t.Context(), s, &q); err != nil || len(d.People) != 1 || d.People[0].Name != "bob" {
		t.Errorf("with a filter: %+v, %v", d, err)
	}
}

func TestPagesOfADirectoryAreJoined(t *testing.T) {
	var many strings.Builder
	many.WriteString(people)
	for i := range 1203 {
		name := "u" + strings.Repeat("x", i/400) + string(rune('a'+i%20)) + strings.Repeat("y", i%400/20)
		many.WriteString("\ndn: uid=" + name + ",ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: " + name + "\ncn: x\nsn: x\n")
	}
	at := ldaptest.Start(t, many.String())
	d, err := Read(t.Context(), &Server{URL: at.URL, BindDN: at.AdminDN, Password: at.Password}, &everything)
	if err != nil || len(d.People) != 1205 {
		t.Errorf("%d people, %v", len(d.People), err)
	}
}

func TestPasswordsAreCheckedByTheDirectory(t *testing.T) {
	at := ldaptest.Start(t, people)
	s := &Server{URL: at.URL}
	alice := "uid=alice,ou=people,dc=example,dc=com"
	for _, c := range []struct {
		name, dn, password string
		want               error
	}{
		{"right", alice, "alices-password", nil},
		{"wrong", alice, "bobs-password", ErrWrong},
		{"empty_is_no_password", alice, "", ErrWrong},
		{"nobody", "", "", ErrWrong},
		{"who_is_not_there", "uid=eve,ou=people,dc=example,dc=com", "x", ErrWrong},
		{"no_name", "no name", "x", ErrWrong},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := Verify(t.Context(), s, c.dn, c.password); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	if _, err := Read(t.Context(), &Server{URL: at.URL, BindDN: at.AdminDN, Password: "wrong"}, &everything); err == nil {
		t.Error("a wrong bind password reads")
	}
}

// What cannot be right is refused before anything is sent.
func TestServersAndQueriesAreChecked(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Server
		want string
	}{
		{"plain_password", Server{URL: "ldap://directory.example.com", BindDN: "cn=a", Password: "b"}, "not sent without TLS"},
		{"start_tls", Server{URL: "ldap://directory.example.com", StartTLS: true, BindDN: "cn=a", Password: "b"}, ""},
		{"ldaps", Server{URL: "ldaps://directory.example.com", BindDN: "cn=a", Password: "b"}, ""},
		{"loopback", Server{URL: "ldap://127.0.0.1:389", BindDN: "cn=a", Password: "b"}, ""},
		{"tls_twice", Server{URL: "ldaps://directory.example.com", StartTLS: true}, "start-tls is for ldap URLs"},
		{"password_in_url", Server{URL: "ldaps://a:b@directory.example.com"}, "would be seen in logs"},
		{"no_password", Server{URL: "ldaps://directory.example.com", BindDN: "cn=a"}, "has no password"},
		{"http", Server{URL: "http://directory.example.com"}, "not an ldap or ldaps URL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.s.Check()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	for _, q := range []Query{{}, {UserBase: "no dn"}, {UserBase: "dc=a", UserFilter: "(uid=*"}, {UserBase: "dc=a", GroupBase: "x"}} {
		if q.Check() == nil {
			t.Errorf("%+v is taken", q)
		}
	}
	if err := Verify(t.Context(), &Server{URL: "ldap://192.0.2.1", Timeout: 1}, "cn=a", "b"); err == nil {
		t.Error("a password is sent in the clear")
	}
}

// Active Directory writes the first parts of a GUID backwards.
func TestObjectGUID(t *testing.T) {
	raw := []byte{0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde, 1, 2, 3, 4, 5, 6, 7, 8}
	if got := guid(raw); got != "12345678-9abc-def0-0102-030405060708" {
		t.Error(got)
	}
	if guid(raw[:3]) != "" {
		t.Error("three bytes are an id")
	}
}
