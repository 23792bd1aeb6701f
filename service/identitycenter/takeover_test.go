package identitycenter

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sumun.dev/api/ssooidcapi"
	"sumun.dev/engine/ldap"
	"sumun.dev/store"
)

// Whoever has a user's browser, or a device that the user was made to approve, has
// nothing any more after the password was replaced.
func TestANewPasswordEndsWhatTheOldOneBegan(t *testing.T) {
	w := newWorld(t)
	w.person("alice")
	b := w.tab().signIn("alice")
	c := must(w, &ssooidcapi.RegisterClient, &ssooidcapi.RegisterClientRequest{ClientName: "cli", ClientType: "public"})
	d := must(w, &ssooidcapi.StartDeviceAuthorization, &ssooidcapi.StartDeviceAuthorizationRequest{
		ClientId: *c.ClientId, ClientSecret: *c.ClientSecret, StartUrl: "https://" + w.id + ".awsapps.com/start",
	})
	b.send("GET", *d.VerificationUriComplete, nil)
	if b.send("POST", b.path("device"), b.form("answer", "allow")); !strings.Contains(b.page, "was approved") {
		t.Fatal(b.page)
	}
	w.password("alice")
	if b.send("GET", b.path("start"), nil); b.status != http.StatusFound {
		t.Errorf("the browser still sees %d %s", b.status, b.page)
	}
	_, err := call(w, owner, &ssooidcapi.CreateToken, &ssooidcapi.CreateTokenRequest{ClientId: *c.ClientId, ClientSecret: *c.ClientSecret, GrantType: byDevice, DeviceCode: d.DeviceCode})
	if !ssooidcapi.ExpiredTokenException.Is(err) {
		t.Errorf("the device gets %v", err)
	}
}

// Who guesses with many requests at a time has as many tries as one after another.
func TestGuessesAtATimeAreNoMore(t *testing.T) {
	w := newWorld(t)
	w.person("alice")
	w.password("alice")
	var looked atomic.Int32
	var all sync.WaitGroup
	for range 6 * freeTries {
		all.Go(func() {
			if _, _, err := w.service.login(in(t.Context(), owner), w.id, "alice", "Guessed-1"); errors.Is(err, errWrong) {
				looked.Add(1)
			}
		})
	}
	all.Wait()
	if got := looked.Load(); got == 0 || got > freeTries {
		t.Errorf("%d guesses were looked at", got)
	}
	if _, _, err := w.service.login(in(t.Context(), owner), w.id, "alice", "Guessed-1"); !errors.Is(err, errWait) {
		t.Errorf("then: %v", err)
	}
}

// A directory that cannot be asked neither lets anybody in nor counts a try.
func TestADirectoryThatIsAway(t *testing.T) {
	source := Source{Name: "corp", Account: owner, LDAP: &LDAPSource{Server: ldap.Server{URL: "ldap://127.0.0.1:1"}}}
	w := newWorld(t, source)
	follow(w, &source, ldap.Person{DN: "cn=a", ID: "1", Name: "alice"})
	for range 2 * freeTries {
		if _, _, err := w.service.login(in(t.Context(), owner), w.id, "alice", "x"); !errors.Is(err, errWrong) {
			t.Fatal(err)
		}
	}
}

// follow makes the identity store follow a directory that has people.
func follow(w *world, source *Source, people ...ldap.Person) {
	w.t.Helper()
	err := w.store.Update(in(w.t.Context(), owner), func(ctx context.Context) error {
		return w.service.follow(ctx, w.id, source, &ldap.Directory{People: people}, &syncState{})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// Somebody whose new name is another's is disabled with the directory all the same.
func TestAConflictKeepsNobodyEnabled(t *testing.T) {
	source := Source{Name: "corp", Account: owner, LDAP: &LDAPSource{}}
	w := newWorld(t, source)
	w.person("bob")
	follow(w, &source, ldap.Person{DN: "cn=a", ID: "1", Name: "alice"})
	follow(w, &source, ldap.Person{DN: "cn=b", ID: "1", Name: "bob"})
	if u := w.named("alice"); u == nil || u.Disabled || u.DN != "cn=b" {
		t.Errorf("renamed to a name that is taken: %+v", u)
	}
	follow(w, &source, ldap.Person{DN: "cn=b", ID: "1", Name: "bob", Disabled: true})
	if u := w.named("alice"); u == nil || !u.Disabled {
		t.Errorf("disabled in the directory: %+v", u)
	}
	if u := w.named("bob"); u.Disabled || u.Source != "" {
		t.Errorf("bob is %+v", u)
	}
}

// A name can change hands at a provider: whom it has made is known by its id.
func TestNamesOfAProviderAreNotIdentities(t *testing.T) {
	corp, other := Source{Name: "corp", Account: owner, Create: true}, Source{Name: "other", Account: owner, Create: true}
	w := newWorld(t)
	mine := w.person("ours")
	p, err := w.service.at(t.Context(), w.id)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	arrive := func(source *Source, name, id string) (string, error) {
		n++
		v := &visit{ctx: in(t.Context(), owner), store: w.id, place: p}
		u, err := w.service.arrived(v, source, &vouched{name: name, id: id, once: string(rune('a' + n)), until: time.Now().Add(time.Hour)})
		if err != nil {
			return "", err
		}
		return u.ID, nil
	}
	alice, err := arrive(&corp, "alice", "1")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		source   *Source
		name, id string
		want     string
	}{
		"again":                {&corp, "alice", "1", alice},
		"renamed":              {&corp, "alicia", "1", alice},
		"another_has_the_name": {&corp, "alice", "2", ""},
		"another_provider":     {&other, "alice", "1", ""},
		"who_was_here_before":  {&corp, "ours", "3", mine},
		"known_by_name_so_far": {&other, "ours", "4", mine},
	} {
		got, err := arrive(c.source, c.name, c.id)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// Where people reach the plane by https, the cookie never goes over http, also
// behind a proxy that ends TLS.
func TestTheCookieIsSecure(t *testing.T) {
	w := newWorld(t)
	for url, direct := range map[string]*tls.ConnectionState{"https://plane.example": nil, "http://plane.example": {}} {
		w.service.Use(url)
		r := httptest.NewRequest("GET", pages+w.id+"/signin", nil)
		r.TLS = direct
		rec := httptest.NewRecorder()
		w.service.Pages(func(ctx context.Context, at store.Place) context.Context { return in(ctx, at.Account) }, here).ServeHTTP(rec, r)
		if c := rec.Result().Cookies(); len(c) != 1 || !c[0].Secure {
			t.Errorf("%s: %v", url, c)
		}
	}
}
