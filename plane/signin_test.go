package plane

import (
	"encoding/base32"
	"encoding/json"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/engine/totp"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane/config"
	"sumun.dev/store/postgres/postgrestest"
)

// A tab is a browser on the sign-in pages of a plane.
type tab struct {
	t      *testing.T
	p      *Plane
	host   string
	from   string
	cookie *http.Cookie
	page   string
	status int
	to     string // where it is sent
}

func newTab(t *testing.T, p *Plane) *tab {
	return &tab{t: t, p: p, host: "127.0.0.1:4566", from: "192.0.2.7:50000"}
}

func (b *tab) send(method, target string, form url.Values, header ...string) *tab {
	b.t.Helper()
	r := httptest.NewRequest(method, "http://"+b.host+target, strings.NewReader(form.Encode()))
	r.RemoteAddr = b.from
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.p.API().ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookie = c
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure {
			b.t.Errorf("the cookie is %+v", c)
		}
	}
	b.page, b.status, b.to = w.Body.String(), w.Code, w.Header().Get("Location")
	if w.Header().Get("X-Frame-Options") != "DENY" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") || w.Header().Get("Cache-Control") != "no-store" {
		b.t.Errorf("%s %s lacks its headers: %v", method, target, w.Header())
	}
	return b
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// form is the page's form, with what is typed.
func (b *tab) form(typed ...string) url.Values {
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(b.page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for i := 0; i < len(typed); i += 2 {
		form.Set(typed[i], typed[i+1])
	}
	return form
}

// signIn fills in the form of a fresh page, and follows where it leads.
func (b *tab) signIn(name, password, code string) *tab {
	b.t.Helper()
	b.send("GET", "/_signin/console", nil)
	b.send("POST", "/_signin/authenticate", b.form("account", string(b.p.Account()), "username", name, "password", password, "mfacode", code))
	if b.status == http.StatusSeeOther {
		b.send("GET", b.to, nil)
	}
	return b
}

const (
	right         = "Correct-Horse-1"
	wrongSentence = "Your authentication information is incorrect. Please try again."
)

// numbered starts a plane whose account is that of sessionOf.
func numbered(t *testing.T, change ...func(*config.Config)) *Plane {
	t.Helper()
	cfg := config.Default()
	cfg.Data, cfg.AccountID = config.Memory, string(here)
	for _, f := range change {
		f(&cfg)
	}
	p, err := New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), NoUpstreams: true, NoNote: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, p) })
	return p
}

// withAnn starts a plane whose user ann has a password.
func withAnn(t *testing.T) *Plane {
	p := numbered(t)
	must(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "ann"})
	must(t, p, &iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileRequest{UserName: new("ann"), Password: new(right)})
	return p
}

func TestSignInFormsAreBoundToTheBrowser(t *testing.T) {
	p := withAnn(t)
	mine, theirs := newTab(t, p).send("GET", "/_signin/console", nil), newTab(t, p).send("GET", "/_signin/console", nil)
	good := mine.form("account", string(p.Account()), "username", "ann", "password", right)
	without := url.Values{"account": good["account"], "username": good["username"], "password": good["password"]}
	huge := url.Values{"form": good["form"], "username": {strings.Repeat("a", 64<<10)}}
	for name, c := range map[string]struct {
		b    *tab
		path string
		form url.Values
		head []string
	}{
		"without_a_cookie":    {newTab(t, p), "/_signin/authenticate", good, nil},
		"without_a_form":      {mine, "/_signin/authenticate", without, nil},
		"of_another_browser":  {theirs, "/_signin/authenticate", good, nil},
		"from_elsewhere":      {mine, "/_signin/authenticate", good, []string{"Sec-Fetch-Site", "cross-site"}},
		"from_a_sister_site":  {mine, "/_signin/authenticate", good, []string{"Sec-Fetch-Site", "same-site"}},
		"too_large":           {mine, "/_signin/authenticate", huge, nil},
		"password_of_nobody":  {newTab(t, p), "/_signin/password", good, nil},
		"sign_out_of_another": {theirs, "/_signin/logout", good, nil},
	} {
		if c.b.send("POST", c.path, c.form, c.head...); c.b.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, c.b.status)
		}
	}
	was := mine.cookie.Value
	if mine.send("POST", "/_signin/authenticate", good); mine.status != http.StatusSeeOther || mine.to != "/_signin/console" || mine.cookie.Value == was {
		t.Errorf("the right form: %d to %s", mine.status, mine.to)
	}
	if mine.send("POST", "/_signin/password", good); mine.status != http.StatusForbidden {
		t.Errorf("the form of before signing in still counts: %d", mine.status)
	}
	stale := newTab(t, p)
	stale.cookie = &http.Cookie{Name: mine.cookie.Name, Value: was}
	if stale.send("GET", "/_signin/console", nil); !strings.Contains(stale.page, "Sign in as IAM user") {
		t.Errorf("the cookie of before signing in is signed in:\n%s", stale.page)
	}
	for _, path := range []string{"/_signin/", "/_signin/nothing", "/_signin/authenticate"} {
		if b := newTab(t, p).send("GET", path, nil); b.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, b.status)
		}
	}
	if b := newTab(t, p).send("HEAD", "/_signin/federation?Action=login", nil); b.status != http.StatusNotFound {
		t.Errorf("HEAD: %d", b.status)
	}
}

// However something is wrong, the page is the same but for its form.
func TestWhatIsWrongIsNotTold(t *testing.T) {
	p := withAnn(t)
	must(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "machine"})
	must(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "bob"})
	must(t, p, &iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileRequest{UserName: new("bob"), Password: new(right), PasswordResetRequired: new(true)})
	enrolled(t, p, "bob")
	pages := map[string]bool{}
	for _, c := range []struct{ name, password, code string }{
		{"ann", "wrong", ""}, {"ann", "", ""}, {"ann", strings.Repeat("x", 1000), ""}, {"nobody", right, ""}, {"machine", right, ""}, {"machine", "", ""},
		{"bob", right, ""}, {"bob", right, "000000"}, {"bob", right, "0"}, {"bob", "wrong", "000000"}, {"root", right, ""}, {"administrator", right, ""},
		{"", "", ""}, {"\x00", "\xff", "\x00"}, {"ann/../bob", right, ""},
	} {
		b := newTab(t, p).signIn(c.name, c.password, c.code)
		if b.status != http.StatusOK || !strings.Contains(b.page, wrongSentence) {
			t.Errorf("%q: %d\n%s", c.name, b.status, b.page)
		}
		pages[hidden.ReplaceAllString(b.page, "")] = true
	}
	if len(pages) != 1 {
		t.Errorf("%d pages tell what is wrong", len(pages))
	}
	if b := newTab(t, p).signIn("ANN", right, ""); !strings.Contains(b.page, ":user/ann<") {
		t.Errorf("the right password: %s", b.page)
	}
}

// enrolled gives a user an MFA device, whose seed it returns.
func enrolled(t *testing.T, p *Plane, user string) (seed []byte, step int64) {
	t.Helper()
	device := must(t, p, &iamapi.CreateVirtualMFADevice, &iamapi.CreateVirtualMFADeviceRequest{VirtualMFADeviceName: user}).VirtualMFADevice
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(string(device.Base32StringSeed))
	if err != nil {
		t.Fatal(err)
	}
	step = totp.Step(time.Now())
	must(t, p, &iamapi.EnableMFADevice, &iamapi.EnableMFADeviceRequest{
		UserName: user, SerialNumber: device.SerialNumber, AuthenticationCode1: totp.Code(seed, step-1), AuthenticationCode2: totp.Code(seed, step),
	})
	return seed, step
}

// Sign-ins that come together with one code, and redemptions of one token, are one.
func TestWhatCountsOnceCountsOnceAtATime(t *testing.T) {
	p := withAnn(t)
	seed, step := enrolled(t, p, "ann")
	code := totp.Code(seed, step+1)
	link := linkOf(t, p, sessionWith(t, p))
	for name, try := range map[string]func(*tab) *tab{
		"code":  func(b *tab) *tab { return b.signIn("ann", right, code) },
		"token": func(b *tab) *tab { return b.send("GET", link, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			tabs := make([]*tab, 5)
			for i := range tabs {
				tabs[i] = newTab(t, p)
				all.Go(func() { try(tabs[i]) })
			}
			all.Wait()
			in := 0
			for _, b := range tabs {
				if strings.Contains(b.page, "You are signed in") {
					in++
				}
			}
			if in != 1 {
				t.Errorf("%d are signed in", in)
			}
		})
	}
}

// A token of one node is redeemed on another, once, and the session is one on both.
func TestASignInTokenIsRedeemedOnceOnAllNodes(t *testing.T) {
	database := postgrestest.Schema(t)
	one := node(t, database, nil)
	other := node(t, database, keyOf(t, one))
	link := linkOf(t, one, sessionWith(t, one))
	var all sync.WaitGroup
	tabs := []*tab{newTab(t, one), newTab(t, other), newTab(t, one), newTab(t, other)}
	for _, b := range tabs {
		all.Go(func() { b.send("GET", link, nil) })
	}
	all.Wait()
	var in []*tab
	for _, b := range tabs {
		if b.status == http.StatusOK {
			in = append(in, b)
		}
	}
	if len(in) != 1 {
		t.Fatalf("%d are signed in", len(in))
	}
	for _, p := range []*Plane{one, other} {
		in[0].p = p
		if in[0].send("GET", "/_signin/console", nil); !strings.Contains(in[0].page, "You are signed in") {
			t.Errorf("not signed in:\n%s", in[0].page)
		}
	}
}

// sessionWith returns temporary credentials of a role.
func sessionWith(t *testing.T, p *Plane) sigv4.Credentials {
	t.Helper()
	must(t, p, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: "app", AssumeRolePolicyDocument: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"test.amazonaws.com"},"Action":"sts:AssumeRole"}}`})
	return sessionOf(t, p)
}

func query(key sigv4.Credentials) url.Values {
	text, _ := json.Marshal(map[string]string{"sessionId": key.KeyID, "sessionKey": key.Secret, "sessionToken": key.Token}) // strings always marshal
	return url.Values{"Action": {"getSigninToken"}, "Session": {string(text)}}
}

// linkOf returns the path with which a browser signs in.
func linkOf(t *testing.T, p *Plane, key sigv4.Credentials) string {
	t.Helper()
	b := newTab(t, p).send("GET", "/_signin/federation?"+query(key).Encode(), nil)
	var out struct{ SigninToken string }
	if err := json.Unmarshal([]byte(b.page), &out); err != nil || b.status != http.StatusOK || out.SigninToken == "" {
		t.Fatalf("%d %s", b.status, b.page)
	}
	return "/_signin/federation?" + url.Values{"Action": {"login"}, "Issuer": {"broker"}, "Destination": {"https://console.aws.amazon.com/"}, "SigninToken": {out.SigninToken}}.Encode()
}

func TestFederationRefuses(t *testing.T) {
	p := numbered(t)
	key := sessionWith(t, p)
	own, _ := ownSession(t, p)
	link, err := url.Parse(linkOf(t, p, key))
	if err != nil {
		t.Fatal(err)
	}
	with := func(of url.Values, name string, values ...string) url.Values {
		q := url.Values{}
		for k, v := range of {
			q[k] = v
		}
		if q[name] = values; len(values) == 0 {
			delete(q, name)
		}
		return q
	}
	get, login := query(key), link.Query()
	forged, other := key, key
	forged.Secret = key.Secret[1:] + key.Secret[:1] + "x"
	other.KeyID = own.KeyID
	for name, c := range map[string]struct {
		q    url.Values
		says string
	}{
		"no_action":            {with(get, "Action"), "Action is"},
		"another_action":       {with(get, "Action", "logout"), "Action is"},
		"unknown_parameter":    {with(get, "Duration", "900"), "no parameter of this name"},
		"parameter_twice":      {with(get, "Session", "{}", "{}"), "not as often"},
		"no_session":           {with(get, "Session"), "Session is a JSON object"},
		"session_is_text":      {with(get, "Session", "x"), "Session is a JSON object"},
		"session_has_more":     {with(get, "Session", `{"sessionId":"a","sessionKey":"b","sessionToken":"c","x":1}`), "Session is a JSON object"},
		"session_twice":        {with(get, "Session", `{"sessionId":"a","sessionId":"a","sessionKey":"b","sessionToken":"c"}`), "Session is a JSON object"},
		"huge_session":         {with(get, "Session", strings.Repeat(" ", 33<<10)+"{}"), "Session is a JSON object"},
		"long_term_key":        {query(sigv4.Credentials{KeyID: "AKIAIOSFODNN7EXAMPLE", Secret: "x", Token: "x"}), "are not valid"},
		"no_token":             {query(sigv4.Credentials{KeyID: key.KeyID, Secret: key.Secret}), "Session is a JSON object"},
		"wrong_secret":         {query(forged), "are not valid"},
		"token_of_another_key": {query(other), "are not valid"},
		"own_session":          {query(own), "AssumeRole or GetFederationToken"},
		"too_short":            {with(get, "SessionDuration", "899"), "from 900 to 43200"},
		"too_long":             {with(get, "SessionDuration", "43201"), "from 900 to 43200"},
		"no_number":            {with(get, "SessionDuration", "1h"), "from 900 to 43200"},
		"of_federated_users":   {with(get, "DurationSeconds", "900"), "GetFederationToken only"},
		"session_type":         {with(get, "SessionType", "xml"), "SessionType is json"},
		"no_destination":       {with(login, "Destination"), "Destination is"},
		"no_signin_token":      {with(login, "SigninToken"), "is not valid"},
		"forged_signin_token":  {with(login, "SigninToken", "AAAA"), "is not valid"},
		"cookie_as_token":      {with(login, "SigninToken", newTab(t, p).send("GET", "/_signin/console", nil).cookie.Value), "is not valid"},
		"long_issuer":          {with(login, "Issuer", strings.Repeat("x", 2000)), "Issuer is too long"},
		"credentials_in_login": {with(login, "Session", "{}"), "no parameter of this name"},
	} {
		b := newTab(t, p).send("GET", "/_signin/federation?"+c.q.Encode(), nil)
		if b.status != http.StatusBadRequest || !strings.Contains(b.page, c.says) {
			t.Errorf("%s: %d %s", name, b.status, b.page)
		}
	}
	for _, to := range []string{
		"http://console.aws.amazon.com/", "https://evil.example/", "https://console.aws.amazon.com.evil.example/", "https://evil.example/.aws.amazon.com", "//console.aws.amazon.com/",
		"https://console.aws.amazon.com@evil.example/", "https://x@console.aws.amazon.com/", "javascript:alert(1)//.aws.amazon.com", "https:console.aws.amazon.com", "https://evilaws.amazon.com/",
		"https://console.aws.amazon.com:8443/", "https://console.aws.amazon.com\\@evil.example/", "",
	} {
		if b := newTab(t, p).send("GET", "/_signin/federation?"+with(login, "Destination", to).Encode(), nil); b.status != http.StatusBadRequest || b.to != "" {
			t.Errorf("%s: %d", to, b.status)
		}
	}
	if b := newTab(t, p).send("GET", link.String(), nil); b.status != http.StatusOK || b.to != "" {
		t.Errorf("after all that: %d %s", b.status, b.page)
	}
}

// Attempts are looked at so often from an address in a minute, whatever the names.
func TestAnAddressThatTriesTooOftenWaits(t *testing.T) {
	p := withAnn(t)
	b := newTab(t, p)
	for i := 0; b.status != http.StatusTooManyRequests; i++ {
		if b.signIn("name-"+string(rune('a'+i%26))+string(rune('a'+i/26)), "x", ""); i > 70 {
			t.Fatalf("after %d attempts: %d", i, b.status) // a minute may end meanwhile
		}
	}
	far := newTab(t, p)
	far.from = "198.51.100.9:50000"
	if far.signIn("ann", right, ""); !strings.Contains(far.page, "You are signed in") {
		t.Errorf("from elsewhere: %d %s", far.status, far.page)
	}
}

// The cookie of a browser that came over TLS, to the plane or to a proxy that it
// trusts, goes over nothing else.
func TestSignInCookiesOverTLS(t *testing.T) {
	p := numbered(t, func(cfg *config.Config) { cfg.Trusted = []string{"192.0.2.7"} })
	for from, want := range map[string]bool{"192.0.2.7:1": true, "192.0.2.8:1": false} {
		r := httptest.NewRequest("GET", "http://plane.example/_signin/console", nil)
		r.RemoteAddr = from
		r.Header.Set("X-Forwarded-Proto", "https")
		w := httptest.NewRecorder()
		p.API().ServeHTTP(w, r)
		if c := w.Result().Cookies(); len(c) != 1 || c[0].Secure != want {
			t.Errorf("from %s: %+v", from, c)
		}
	}
}

// Requests of the APIs are not taken for the pages, nor the other way round.
func TestSignInHosts(t *testing.T) {
	p := withAnn(t)
	for target, want := range map[string]bool{
		"signin.localhost:4566/console": true, "eu-west-1.signin.aws.amazon.com/console": true, "111122223333.signin.aws.amazon.com/console": true, "SIGNIN.plane.example/console": true,
		"127.0.0.1:4566/console": false, "signin/console": false, "signin.s3.amazonaws.com/console": false, "signin.s3-eu-west-1.amazonaws.com/console": false, "my.signin.bucket.s3.amazonaws.com/console": false,
		"a.b.signin.aws.amazon.com/console": false, "notsignin.aws.amazon.com/console": false, "signin.localhost/other": false, "[::1]:4566/console": false,
	} {
		r := httptest.NewRequest("GET", "http://"+target, nil)
		w := httptest.NewRecorder()
		p.API().ServeHTTP(w, r)
		if got := strings.Contains(w.Body.String(), "Sign in as IAM user"); got != want {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	r := httptest.NewRequest("GET", "http://signin.localhost/console", nil)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 x")
	w := httptest.NewRecorder()
	if p.API().ServeHTTP(w, r); strings.Contains(w.Body.String(), "Sign in as IAM user") {
		t.Error("a signed request is served as a page")
	}
}

// A user changes a password as calls of the console are made: in a session that has an
// MFA code, or none. The path of a user is no part of a policy.
func TestPasswordsAreChangedAsInTheConsole(t *testing.T) {
	p := numbered(t)
	must(t, p, &iamapi.UpdateAccountPasswordPolicy, &iamapi.UpdateAccountPasswordPolicyRequest{AllowUsersToChangePassword: new(true)})
	for name, c := range map[string]struct {
		path, policy string
		mfa, may     bool
	}{
		"quote":       {`/a"b/`, "", false, true},
		"star":        {`/*/`, "", false, true},
		"backslash":   {`/a\b/`, "", false, true},
		"code":        {"/", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}}`, true, true},
		"no_code":     {"/", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}}`, false, false},
		"code_is_new": {"/", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NumericGreaterThanIfExists":{"aws:MultiFactorAuthAge":"900"}}}}`, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: name, Path: &c.path})
			must(t, p, &iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileRequest{UserName: &name, Password: new(right), PasswordResetRequired: new(true)})
			if c.policy != "" {
				must(t, p, &iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: name, PolicyName: "p", PolicyDocument: c.policy})
			}
			code := ""
			if c.mfa {
				seed, step := enrolled(t, p, name)
				code = totp.Code(seed, step+1)
			}
			b := newTab(t, p).signIn(name, right, code)
			b.send("POST", "/_signin/password", b.form("password", right, "newpassword", "Battery-Staple-2"))
			if may := b.status == http.StatusSeeOther; may != c.may {
				t.Errorf("%d %s", b.status, b.page)
			}
		})
	}
}

// A reader is slow: what is written to it waits.
type slow struct {
	*httptest.ResponseRecorder
	writes, goes chan struct{}
}

func (s *slow) Write(b []byte) (int, error) {
	select {
	case s.writes <- struct{}{}:
		<-s.goes
	case <-s.goes:
	}
	return s.ResponseRecorder.Write(b)
}

// Browsers that do not read what they are told keep nobody else from signing in.
func TestSlowBrowsersTakeNoRoom(t *testing.T) {
	p := withAnn(t)
	many := newTab(t, p).send("GET", "/_signin/console", nil)
	body := many.form("account", string(p.Account()), "username", "nobody", "password", strings.Repeat("x", 600)).Encode()
	s := &slow{writes: make(chan struct{}), goes: make(chan struct{})}
	var all sync.WaitGroup
	for i := range 100 { // more than are looked at at once
		all.Go(func() {
			r := httptest.NewRequest("POST", "http://"+many.host+"/_signin/authenticate", strings.NewReader(body))
			r.RemoteAddr = "192.0.2." + strconv.Itoa(100+i/20) + ":1"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.AddCookie(many.cookie)
			w := *s
			w.ResponseRecorder = httptest.NewRecorder()
			p.API().ServeHTTP(&w, r)
		})
	}
	for range 100 {
		<-s.writes
	}
	if b := newTab(t, p).signIn("ann", right, ""); !strings.Contains(b.page, "You are signed in") {
		t.Errorf("%d %s", b.status, b.page)
	}
	close(s.goes)
	all.Wait()
}
