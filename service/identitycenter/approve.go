package identitycenter

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// showStart lists what the person may use.
func (s *Service) showStart(v *visit) error {
	if s.mustSignIn(v) {
		return nil
	}
	u, err := s.signedIn(v.ctx, v.place, v.store, v.browser.User)
	if err != nil {
		return err
	}
	i, err := s.instances.Get(v.ctx, v.place.Instance)
	if err != nil {
		return err
	}
	usable, err := s.usable(v.ctx, &visitor{place: v.place, instance: i, user: u})
	if err != nil {
		return err
	}
	var rows []string
	for account, sets := range usable {
		for name := range sets {
			rows = append(rows, string(account)+" "+name)
		}
	}
	return s.show(v, startPage, view{Name: u.name(), Rows: sorted(rows)})
}

var codeForm = regexp.MustCompile(`^[A-Z]{4}-[A-Z]{4}$`)

// waiting finds the device that waits with a user's code; nil when none does.
func (s *Service) waiting(ctx context.Context, v *visit, code string) (*store.Entry[device], error) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if !codeForm.MatchString(code) {
		return nil, nil
	}
	row, err := one(ctx, s.devices, "code", v.store+"/"+code)
	if err != nil || row == nil || row.Value.Approved || row.Value.Refused || !time.Now().Before(row.Value.Expires) {
		return nil, err
	}
	return row, nil
}

func (s *Service) showDevice(v *visit) error {
	if s.mustSignIn(v) {
		return nil
	}
	code := v.r.URL.Query().Get("user_code")
	row, err := s.waiting(v.ctx, v, code)
	if err != nil {
		return err
	}
	if row == nil {
		wrong := ""
		if code != "" {
			wrong = "No device waits with this code."
		}
		return s.show(v, codePage, view{Wrong: wrong})
	}
	return s.show(v, devicePage, view{Code: row.Value.UserCode, Name: s.clientName(row.Value.Client)})
}

func (s *Service) clientName(id string) string {
	if c, ok := s.clientOf(id); ok {
		return c.Name
	}
	return "a client"
}

func (s *Service) approveDevice(v *visit) error {
	if v.browser == nil || v.browser.MustChange {
		return s.showSignInWith(v, v.next(""), "")
	}
	found := false
	err := s.env.Store.Update(v.ctx, func(ctx context.Context) error {
		row, err := s.waiting(ctx, v, v.r.PostForm.Get("user_code"))
		if found = row != nil; err != nil || row == nil {
			return err
		}
		d := row.Value
		if v.r.PostForm.Get("answer") == "allow" {
			d.Approved, d.User, d.Asserted = true, v.browser.User, v.browser.Asserted
		} else {
			d.Refused = true
		}
		return s.devices.Put(ctx, row.ID, d)
	})
	if err != nil {
		return err
	}
	if !found {
		return s.show(v, codePage, view{Wrong: "No device waits with this code."})
	}
	if v.r.PostForm.Get("answer") != "allow" {
		return s.show(v, donePage, view{Wrong: "You have refused. The device gets nothing."})
	}
	return s.show(v, donePage, view{})
}

// an ask is what a client asks for with the authorization code grant.
// RFC 6749, section 4.1.1; RFC 7636, section 4.3.
type ask struct{ client, redirect, state, challenge string }

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// readAsk reads a client's request. What is wrong with the client or its redirect is
// told to the person and nobody else.
func (s *Service) readAsk(v *visit, q url.Values) (*ask, *client, error) {
	a := &ask{q.Get("client_id"), q.Get("redirect_uri"), q.Get("state"), q.Get("code_challenge")}
	c, ok := s.clientOf(a.client)
	wrong := aws.ErrorKind{Code: "InvalidRequestException", Status: http.StatusBadRequest}
	switch {
	case !ok || c.Start != v.store:
		return nil, nil, wrong.New("The client is not known here.")
	case !c.redirects(a.redirect):
		return nil, nil, wrong.New("The client has not registered the redirect URI.")
	case !c.grants(byCode) || q.Get("response_type") != "code":
		return nil, nil, wrong.New("The client may not use the authorization code grant.")
	case q.Get("code_challenge_method") != "S256" || !challengeForm.MatchString(a.challenge):
		return nil, nil, wrong.New("The client has sent no code challenge (S256).")
	case len(a.state) > 1024:
		return nil, nil, wrong.New("The client's state is too long.")
	}
	return a, c, nil
}

func (s *Service) showClient(v *visit) error {
	a, c, err := s.readAsk(v, v.r.URL.Query())
	if err != nil {
		return err
	}
	if s.mustSignIn(v) {
		return nil
	}
	allowRedirect(v, a.redirect)
	return s.show(v, clientPage, view{Name: c.Name, Ask: v.r.URL.RawQuery})
}

// allowRedirect lets the page's forms lead to where a client or a provider is.
func allowRedirect(v *visit, targets ...string) {
	origins := ""
	for _, to := range targets {
		if u, err := url.Parse(to); err == nil {
			origins += " " + u.Scheme + "://" + u.Host
		}
	}
	v.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'"+origins+"; frame-ancestors 'none'; base-uri 'none'")
}

func (s *Service) approveClient(v *visit) error {
	q, err := url.ParseQuery(v.r.PostForm.Get("ask"))
	if err != nil {
		return err
	}
	a, c, err := s.readAsk(v, q)
	if err != nil {
		return err
	}
	if v.browser == nil || v.browser.MustChange {
		return s.showSignInWith(v, v.next(""), "")
	}
	back := url.Values{}
	if a.state != "" {
		back.Set("state", a.state)
	}
	if v.r.PostForm.Get("answer") == "allow" {
		code := secret()
		row := &authorization{
			Store: v.store, Client: a.client, Redirect: a.redirect, Challenge: a.challenge, User: v.browser.User, Asserted: v.browser.Asserted,
			Scopes: c.Scopes, Expires: now().Add(codeLife),
		}
		err := s.env.Store.Update(v.ctx, func(ctx context.Context) error {
			id := v.store + "/" + digest(code)
			end(ctx, v.place, "code", id, row.Expires)
			return s.codes.Insert(ctx, id, row)
		})
		if err != nil {
			return err
		}
		back.Set("code", s.env.Store.NextToken([]string{"sso.code", a.client}, v.store+"/"+code))
	} else {
		back.Set("error", "access_denied")
	}
	to, err := url.Parse(a.redirect)
	if err != nil {
		return err
	}
	query := to.Query()
	for k := range back {
		query.Set(k, back.Get(k))
	}
	to.RawQuery = query.Encode()
	allowRedirect(v, a.redirect)
	http.Redirect(v, v.r, to.String(), http.StatusSeeOther)
	return nil
}
