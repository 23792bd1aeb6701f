package identitycenter

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"sumun.dev/engine/oidc"
	"sumun.dev/engine/oidc/oidctest"
)

// A person goes to an OpenID Connect provider, comes back, and becomes a user.
func TestSigningInWithOpenIDConnect(t *testing.T) {
	issuer := &oidctest.Issuer{}
	server := httptest.NewTLSServer(issuer)
	t.Cleanup(server.Close)
	issuer.URL = server.URL
	key, err := oidctest.NewKey("k1")
	if err != nil {
		t.Fatal(err)
	}
	issuer.Publish(key.Public())
	w := newWorld(t, Source{Name: "idp", Account: owner, Create: true, OIDC: &OIDCSource{
		Issuer: server.URL, ClientID: "app", AuthorizeURL: "https://idp.example.com/authorize?tenant=1", UserClaim: "preferred_username",
	}})
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	w.service.options.Tokens = oidc.New(oidc.Options{Roots: roots, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})

	b := w.tab()
	b.send("GET", b.path("signin"), nil)
	_, b.page, _ = strings.Cut(b.page, "</form>")
	b.send("POST", b.path("external"), b.form())
	to, err := url.Parse(b.to)
	q := to.Query()
	if err != nil || to.Host != "idp.example.com" || q.Get("tenant") != "1" || q.Get("response_mode") != "form_post" || q.Get("redirect_uri") != "http://plane.example"+b.path("answer") {
		t.Fatalf("sent to %s", b.to)
	}
	arrive := func(change map[string]any) int {
		claims := oidctest.Claims(server.URL, map[string]any{
			"nonce": q.Get("nonce"), "preferred_username": "dora", "name": "Dora Example", "email": "dora@example.com",
			"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"team": []string{"green"}, "two": []string{"a", "b"}}},
		})
		for k, v := range change {
			claims[k] = v
		}
		token, err := key.Sign(jose.ES256, claims, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.page = w.tab().send("POST", b.path("answer"), url.Values{"id_token": {token}, "state": {q.Get("state")}}, "Sec-Fetch-Site", "cross-site").page
		return b.send("POST", b.path("arrive"), b.form()).status
	}
	for name, change := range map[string]map[string]any{
		"another_nonce": {"nonce": "x"}, "another_audience": {"aud": "other"}, "expired": {"exp": 1}, "another_issuer": {"iss": "https://evil.example"}, "no_name": {"preferred_username": ""},
	} {
		if got := arrive(change); got != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := arrive(nil); got != http.StatusSeeOther {
		t.Fatalf("dora does not arrive: %d %s", got, b.page)
	}
	if u := w.named("dora"); u == nil || u.email() != "dora@example.com" || u.Source != "idp" || *u.Profile.Name.FamilyName != "Example" {
		t.Errorf("dora is %+v", u)
	}
	id, err := w.store.OpenToken([]string{"sso.browser", w.id}, b.cookies[cookieName])
	if err != nil {
		t.Fatal(err)
	}
	row, err := w.service.browsers.Get(in(t.Context(), owner), w.id+"/"+digest(id))
	if err != nil || len(row.Asserted) != 1 || row.Asserted["team"] != "green" {
		t.Errorf("%+v, %v", row, err)
	}
}
