package ldap

import (
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"sumun.dev/engine/ldap/ldaptest"
)

func pool(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(text) {
		t.Fatalf("%s holds no certificate", file)
	}
	return p
}

// Both ways to TLS are taken only with a server for whom an authority vouches, by
// the name that was asked for; nothing is sent to any other.
func TestTLSWithADirectory(t *testing.T) {
	at, elsewhere := ldaptest.Start(t, people), ldaptest.Start(t, "")
	ours, theirs := pool(t, at.CA), pool(t, elsewhere.CA)
	otherName := func(u string) string { return strings.Replace(u, "127.0.0.1", "localhost", 1) }
	for _, c := range []struct {
		name string
		s    Server
		want string // of the error; empty: it reads
	}{
		{"ldaps", Server{URL: at.SecureURL, Roots: ours}, ""},
		{"start_tls", Server{URL: at.URL, StartTLS: true, Roots: ours}, ""},
		{"ldaps_of_another_authority", Server{URL: at.SecureURL, Roots: theirs}, "certificate"},
		{"start_tls_of_another_authority", Server{URL: at.URL, StartTLS: true, Roots: theirs}, "certificate"},
		{"ldaps_without_authority", Server{URL: at.SecureURL}, "certificate"},
		{"start_tls_without_authority", Server{URL: at.URL, StartTLS: true}, "certificate"},
		{"ldaps_by_another_name", Server{URL: otherName(at.SecureURL), Roots: ours}, "certificate"},
		{"start_tls_by_another_name", Server{URL: otherName(at.URL), StartTLS: true, Roots: ours}, "certificate"},
		{"ldaps_to_the_plain_port", Server{URL: strings.Replace(at.URL, "ldap:", "ldaps:", 1), Roots: ours}, "start TLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.s.BindDN, c.s.Password = at.AdminDN, at.Password
			d, err := Read(t.Context(), &c.s, &everything)
			signIn := Verify(t.Context(), &c.s, "uid=alice,ou=people,dc=example,dc=com", "alices-password")
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("reading: %v, want %q", err, c.want)
				}
				if signIn == nil || errors.Is(signIn, ErrWrong) || !strings.Contains(signIn.Error(), c.want) {
					t.Errorf("signing in: %v, want %q", signIn, c.want)
				}
				return
			}
			if err != nil || len(d.People) != 2 {
				t.Errorf("%+v, %v", d, err)
			}
			if signIn != nil {
				t.Errorf("signing in: %v", signIn)
			}
		})
	}
}

// A server that takes connections and says nothing does not hold who waits.
func TestASilentDirectoryIsGivenUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, s := range map[string]Server{
		"ldaps":     {URL: "ldaps://" + l.Addr().String()},
		"start_tls": {URL: "ldap://" + l.Addr().String(), StartTLS: true},
		"plain":     {URL: "ldap://" + l.Addr().String()},
	} {
		t.Run(name, func(t *testing.T) {
			s.Timeout = 50 * time.Millisecond
			if err := Verify(t.Context(), &s, "cn=a", "b"); err == nil || errors.Is(err, ErrWrong) {
				t.Errorf("%v", err)
			}
		})
	}
}
