package identitycenter

import (
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"sumun.dev/api/ssooidcapi"
	"sumun.dev/engine/saml"
	samlidp "sumun.dev/engine/saml/idp"
	"sumun.dev/store"
)

// A tab is a browser on the pages.
type tab struct {
	w       *world
	pages   http.Handler
	cookies map[string]string
	page    string
	status  int
	to      string // where it is sent
}

func here(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.7") }

func (w *world) tab() *tab {
	return &tab{w: w, cookies: map[string]string{}, pages: w.service.Pages(func(ctx context.Context, at store.Place) context.Context { return in(ctx, at.Account) }, here)}
}

func (b *tab) send(method, target string, form url.Values, header ...string) *tab {
	b.w.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for k, v := range b.cookies {
		r.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	rec := httptest.NewRecorder()
	b.pages.ServeHTTP(rec, r)
	resp := rec.Result()
	for _, c := range resp.Cookies() {
		b.cookies[c.Name] = c.Value
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			b.w.t.Errorf("the cookie is %+v", c)
		}
	}
	if resp.Header.Get("X-Frame-Options") != "DENY" || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		b.w.t.Errorf("%s %s lacks its headers: %v", method, target, resp.Header)
	}
	b.page, b.status, b.to = rec.Body.String(), rec.Code, resp.Header.Get("Location")
	return b
}

var field = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// form is the page's first form, with what is typed.
func (b *tab) form(typed ...string) url.Values {
	form := url.Values{}
	text, _, _ := strings.Cut(b.page, "</form>")
	for _, m := range field.FindAllStringSubmatch(text, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for i := 0; i < len(typed); i += 2 {
		form.Set(typed[i], typed[i+1])
	}
	return form
}

func (b *tab) path(page string) string { return pages + b.w.id + "/" + page }

// password gives a user one, and returns it.
func (w *world) password(name string) string {
	return *must(w, &UpdatePassword, &UpdatePasswordRequest{IdentityStoreId: w.id, UserId: w.named(name).ID, PasswordMode: "OTP"}).Password
}

// signIn signs somebody in who then has a password of their own.
func (b *tab) signIn(name string) *tab {
	b.w.t.Helper()
	otp := b.w.password(name)
	b.send("GET", b.path("signin"), nil)
	b.send("POST", b.path("signin"), b.form("username", name, "password", otp))
	b.send("POST", b.path("password"), b.form("password", "Correct-Horse-1"))
	if b.status != http.StatusSeeOther {
		b.w.t.Fatalf("signing in ends with %d:\n%s", b.status, b.page)
	}
	return b
}

func TestFormsAreBoundToTheBrowser(t *testing.T) {
	w := newWorld(t)
	w.person("alice")
	otp := w.password("alice")
	mine, theirs := w.tab(), w.tab()
	mine.send("GET", mine.path("signin"), nil)
	theirs.send("GET", theirs.path("signin"), nil)
	good := mine.form("username", "alice", "password", otp)
	for name, refused := range map[string]*tab{
		"without_form":    w.tab().send("POST", mine.path("signin"), url.Values{"username": {"alice"}, "password": {otp}}),
		"of_another":      theirs.send("POST", mine.path("signin"), good),
		"from_elsewhere":  mine.send("POST", mine.path("signin"), good, "Sec-Fetch-Site", "cross-site"),
		"forged_form":     mine.send("POST", mine.path("signin"), url.Values{"form": {"x"}, "username": {"alice"}, "password": {otp}}),
		"unknown_store":   w.tab().send("GET", pages+"d-0000000000/signin", nil),
		"no_store_at_all": w.tab().send("GET", pages+"x/signin", nil),
	} {
		if refused.status < 400 {
			t.Errorf("%s: %d", name, refused.status)
		}
	}
	if mine.send("POST", mine.path("signin"), good); mine.status != http.StatusOK || !strings.Contains(mine.page, "Choose a password") {
		t.Errorf("the right form: %d %s", mine.status, mine.page)
	}
}

// Signing in changes the cookie, and goes to a page of ours whatever is asked for.
func TestSigningInLeadsNowhereElse(t *testing.T) {
	w := newWorld(t)
	w.person("alice")
	b := w.tab().signIn("alice")
	was := b.cookies[cookieName]
	b.send("POST", b.path("signout"), url.Values{"form": {w.service.env.Store.NextToken([]string{"sso.form", was}, "form")}})
	if b.send("GET", b.path("start"), nil); b.status != http.StatusFound {
		t.Errorf("after signing out: %d", b.status)
	}
	stale := w.tab()
	stale.cookies[cookieName] = was
	if stale.send("GET", stale.path("start"), nil); stale.status != http.StatusFound {
		t.Errorf("the old cookie still shows %d", stale.status)
	}
	for _, next := range []string{"https://evil.example/", "//evil.example/device", "/_sso/" + w.id + "/../x", "/_sso/d-0000000000/device", "javascript:alert(1)", "/"} {
		c := w.tab()
		c.send("GET", c.path("signin")+"?next="+url.QueryEscape(next), nil)
		before := c.cookies[cookieName]
		c.send("POST", c.path("signin"), c.form("username", "alice", "password", "Correct-Horse-1"))
		if c.to != c.path("start") || c.cookies[cookieName] == before {
			t.Errorf("%s leads to %s", next, c.to)
		}
	}
}

func TestGuessingMakesWait(t *testing.T) {
	w := newWorld(t)
	w.person("alice")
	b := w.tab().signIn("alice")
	for range freeTries {
		b.send("GET", b.path("signin"), nil)
		b.send("POST", b.path("signin"), b.form("username", "alice", "password", "Guessed-1"))
	}
	b.send("POST", b.path("signin"), b.form("username", "alice", "password", "Correct-Horse-1"))
	if b.status != http.StatusOK || !strings.Contains(b.page, "wrong too often") {
		t.Errorf("after guessing: %s", b.page)
	}
	if why := weak("short", "x"); why == "" {
		t.Error("a short password is taken")
	}
	for _, bad := range []string{"alllowercase-1", "NOLOWERCASE-1", "No-Digits-At-All", "NoOther1234", "Alice-is-me-1"} {
		if weak(bad, "alice") == "" {
			t.Errorf("%s is taken", bad)
		}
	}
}

// pkce is RFC 7636's own example.
const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

func (w *world) client() *ssooidcapi.RegisterClientResponse {
	return must(w, &ssooidcapi.RegisterClient, &ssooidcapi.RegisterClientRequest{
		ClientName: "cli", ClientType: "public", GrantTypes: []string{byCode, byRefresh}, RedirectUris: []string{"http://127.0.0.1/oauth/callback"},
		Scopes: []string{grantScope}, IssuerUrl: new("http://plane.example/_sso/" + w.id + "/start"),
	})
}

func TestAuthorizationCodes(t *testing.T) {
	w := newWorld(t)
	w.person("alice")
	c := w.client()
	b := w.tab().signIn("alice")
	ask := url.Values{
		"response_type": {"code"}, "client_id": {*c.ClientId}, "redirect_uri": {"http://127.0.0.1:41000/oauth/callback"}, "state": {"s t"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	b.send("GET", "/authorize?"+ask.Encode(), nil)
	b.send("GET", b.to, nil)
	b.send("POST", b.path("client"), b.form("answer", "allow"))
	to, err := url.Parse(b.to)
	if err != nil || to.Host != "127.0.0.1:41000" || to.Query().Get("state") != "s t" {
		t.Fatalf("sent to %s", b.to)
	}
	token := func(change func(*ssooidcapi.CreateTokenRequest)) error {
		r := &ssooidcapi.CreateTokenRequest{
			ClientId: *c.ClientId, ClientSecret: *c.ClientSecret, GrantType: byCode, Code: new(to.Query().Get("code")), CodeVerifier: new(verifier),
			RedirectUri: new("http://127.0.0.1:41000/oauth/callback"),
		}
		change(r)
		_, err := call(w, owner, &ssooidcapi.CreateToken, r)
		return err
	}
	for name, change := range map[string]func(*ssooidcapi.CreateTokenRequest){
		"wrong_verifier": func(r *ssooidcapi.CreateTokenRequest) { r.CodeVerifier = new("x") },
		"other_redirect": func(r *ssooidcapi.CreateTokenRequest) { r.RedirectUri = new("http://127.0.0.1:1/oauth/callback") },
		"wrong_secret":   func(r *ssooidcapi.CreateTokenRequest) { r.ClientSecret = "x" },
		"forged_code":    func(r *ssooidcapi.CreateTokenRequest) { r.Code = new("x") },
		"other_client": func(r *ssooidcapi.CreateTokenRequest) {
			d := w.client()
			r.ClientId, r.ClientSecret = *d.ClientId, *d.ClientSecret
		},
	} {
		if token(change) == nil {
			t.Errorf("%s gets a token", name)
		}
	}
	if err := token(func(*ssooidcapi.CreateTokenRequest) {}); err != nil {
		t.Errorf("the right request: %v", err)
	}
	if token(func(*ssooidcapi.CreateTokenRequest) {}) == nil {
		t.Error("a code is good twice")
	}
	for name, wrong := range map[string][2]string{
		"elsewhere": {"redirect_uri", "https://evil.example/oauth/callback"}, "other_path": {"redirect_uri", "http://127.0.0.1/other"},
		"plain": {"code_challenge_method", "plain"}, "no_challenge": {"code_challenge", ""}, "token": {"response_type", "token"}, "client": {"client_id", "x"},
	} {
		bad := url.Values{}
		for k := range ask {
			bad.Set(k, ask.Get(k))
		}
		bad.Set(wrong[0], wrong[1])
		if b.send("GET", b.path("client")+"?"+bad.Encode(), nil); b.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, b.status)
		}
	}
}

func TestClientsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	for name, r := range map[string]*ssooidcapi.RegisterClientRequest{
		"confidential":   {ClientName: "x", ClientType: "confidential"},
		"web_redirect":   {ClientName: "x", ClientType: "public", RedirectUris: []string{"https://evil.example/"}},
		"unknown_grant":  {ClientName: "x", ClientType: "public", GrantTypes: []string{"password"}},
		"unknown_scope":  {ClientName: "x", ClientType: "public", Scopes: []string{"everything"}},
		"no_name":        {ClientType: "public"},
		"too_long":       {ClientName: strings.Repeat("x", 2000), ClientType: "public"},
		"another_issuer": {ClientName: "x", ClientType: "public", IssuerUrl: new("https://idp.example.com")},
	} {
		if _, err := call(w, owner, &ssooidcapi.RegisterClient, r); err == nil {
			t.Errorf("%s is registered", name)
		}
	}
}

// A person goes to a SAML provider and comes back.
func TestSigningInWithAProvider(t *testing.T) {
	provider, err := samlidp.New("https://idp.example.com/metadata")
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := saml.Parse(provider.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, Source{Name: "corp", Account: owner, SAML: &SAMLSource{Provider: trusted, URL: "https://idp.example.com/sso"}})
	w.person("alice")
	here := "http://plane.example" + pages + w.id + "/answer"
	b := w.tab()
	out := func() (string, url.Values) {
		b.send("GET", b.path("signin"), nil)
		_, second, _ := strings.Cut(b.page, "</form>")
		b.page = second
		b.send("POST", b.path("external"), b.form())
		to, err := url.Parse(b.to)
		if err != nil || to.Host != "idp.example.com" {
			t.Fatalf("sent to %s: %s", b.to, b.page)
		}
		text, err := w.store.OpenToken([]string{"sso.trip", b.cookies[cookieName]}, to.Query().Get("RelayState"))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(text, `"n":"`)
		id, _, _ := strings.Cut(rest, `"`)
		return id, to.Query()
	}
	answer := func(subject, audience, recipient, request string) string {
		a := provider.Login(subject, audience, recipient, map[string][]string{accessControl + "team": {"blue"}})
		a.Subject.SubjectConfirmations[0].SubjectConfirmationData.InResponseTo = request
		signed, err := provider.Sign(a.Element())
		if err != nil {
			t.Fatal(err)
		}
		envelope := provider.Envelope(signed)
		envelope.CreateAttr("InResponseTo", request)
		text, err := samlidp.Encode(envelope)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	// arrive posts the answer as the provider does, without a cookie, and goes on.
	arrive := func(b *tab, response, state string) int {
		back := w.tab().send("POST", b.path("answer"), url.Values{"SAMLResponse": {response}, "RelayState": {state}}, "Sec-Fetch-Site", "cross-site")
		b.page = back.page
		return b.send("POST", b.path("arrive"), b.form()).status
	}
	id, q := out()
	good := answer("alice", here, here, id)
	if got := arrive(w.tab(), good, q.Get("RelayState")); got != http.StatusForbidden {
		t.Errorf("another browser arrives: %d", got)
	}
	for name, response := range map[string]string{
		"other_audience":  answer("alice", "https://other.example", here, id),
		"other_recipient": answer("alice", here, "https://other.example", id),
		"other_request":   answer("alice", here, here, "id-other"),
		"nobody":          answer("mallory", here, here, id),
		"forged":          strings.Repeat("A", 100),
	} {
		if got := arrive(b, response, q.Get("RelayState")); got != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got)
		}
	}
	cookie := b.cookies[cookieName]
	if got := arrive(b, good, q.Get("RelayState")); got != http.StatusSeeOther {
		t.Fatalf("alice does not arrive: %d %s", got, b.page)
	}
	if b.send("GET", b.path("start"), nil); !strings.Contains(b.page, "Signed in as alice") {
		t.Errorf("she sees %s", b.page)
	}
	b.cookies[cookieName] = cookie
	if got := arrive(b, good, q.Get("RelayState")); got == http.StatusSeeOther {
		t.Error("an answer is accepted twice")
	}
}
