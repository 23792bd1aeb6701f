package identitycenter

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
)

// Pages serves what people see in a browser: signing in, approving a device or a
// client, and the list of their accounts. There are no scripts. enter returns a
// context in which the service acts of its own accord at a place; the pages then
// do what the signed-in person may. from tells where a request comes from.
func (s *Service) Pages(enter func(context.Context, store.Place) context.Context, from func(*http.Request) netip.Addr) http.Handler {
	mux := http.NewServeMux()
	for pattern, serve := range map[string]func(*Service, *visit) error{
		"GET /_sso/{store}/start":     (*Service).showStart,
		"GET /_sso/{store}/signin":    (*Service).showSignIn,
		"POST /_sso/{store}/signin":   (*Service).signIn,
		"POST /_sso/{store}/password": (*Service).changePassword,
		"POST /_sso/{store}/external": (*Service).setOut,
		"POST /_sso/{store}/answer":   (*Service).comeBack,
		"POST /_sso/{store}/arrive":   (*Service).arrive,
		"POST /_sso/{store}/signout":  (*Service).signOut,
		"GET /_sso/{store}/device":    (*Service).showDevice,
		"POST /_sso/{store}/device":   (*Service).approveDevice,
		"GET /_sso/{store}/client":    (*Service).showClient,
		"POST /_sso/{store}/client":   (*Service).approveClient,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.page(w, r, enter, from, serve) })
	}
	// Where the AWS CLI sends people: the client's id names the identity store.
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		secure(w)
		c, ok := s.clientOf(r.URL.Query().Get("client_id"))
		if !ok || c.Start == "" {
			refuse(w, http.StatusBadRequest, "The client is not known, or has not said which identity store it is for.")
			return
		}
		http.Redirect(w, r, pages+c.Start+"/client?"+r.URL.RawQuery, http.StatusFound)
	})
	return mux
}

// Mine reports whether a request is for the pages and not for an API.
func Mine(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, pages) ||
		r.Method == http.MethodGet && r.URL.Path == "/authorize" && r.Header.Get("Authorization") == "" && r.URL.Query().Has("client_id")
}

// A visit is one request for a page.
type visit struct {
	http.ResponseWriter
	r     *http.Request
	from  netip.Addr
	ctx   context.Context
	store string
	place *place

	cookie  string   // what the browser is known by
	browser *browser // who has signed in; nil when nobody has
	attempt string   // what the trail's events of one attempt to sign in have in common
}

const (
	cookieName = "sumun_sso"
	maxForm    = 200 << 10 // bytes: a SAML response is the largest
)

func (s *Service) page(w http.ResponseWriter, r *http.Request, enter func(context.Context, store.Place) context.Context, from func(*http.Request) netip.Addr, serve func(*Service, *visit) error) {
	secure(w)
	v := &visit{ResponseWriter: w, r: r, from: from(r), store: r.PathValue("store")}
	p, err := s.at(r.Context(), storeIn(v.store))
	if err != nil || storeIn(v.store) != v.store {
		refuse(w, http.StatusNotFound, "There is no such identity store.")
		return
	}
	v.place, v.ctx = p, enter(r.Context(), p.of())
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := s.recognise(v); err != nil {
		s.fail(v, err)
		return
	}
	if r.Method == http.MethodPost && !isAnswer(r) && !s.fromOurPage(v) {
		refuse(w, http.StatusForbidden, "The form is too old or from somewhere else. Go back and load the page again.")
		return
	}
	if err := serve(s, v); err != nil {
		s.fail(v, err)
	}
}

// isAnswer reports whether a request is what an identity provider has the browser
// post: it comes from elsewhere, and does nothing by itself.
func isAnswer(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/answer") }

// fail shows what people may know of an error, and logs the rest.
func (s *Service) fail(v *visit, err error) {
	var sayable *aws.Error
	if errors.As(err, &sayable) {
		refuse(v, http.StatusBadRequest, sayable.Message)
		return
	}
	s.env.Log.ErrorContext(v.ctx, "a sign-in page failed", "path", v.r.URL.Path, "error", err)
	refuse(v, http.StatusInternalServerError, "Something went wrong.")
}

// secure sets the headers of every page. form-action is set where a form leads to
// a client.
func secure(w http.ResponseWriter) { service.SecurePage(w.Header()) }

// recognise finds out who has signed in with the browser. One that is not known
// gets a cookie, to which its forms are bound.
func (s *Service) recognise(v *visit) error {
	if c, err := v.r.Cookie(cookieName); err == nil {
		id, err := s.env.Store.OpenToken([]string{"sso.browser", v.store}, c.Value)
		if err == nil && id != "" {
			v.cookie = c.Value
			b, err := s.browsers.Get(v.ctx, v.store+"/"+digest(id))
			if errors.Is(err, store.ErrNotFound) || err == nil && !time.Now().Before(b.Expires) {
				return nil
			}
			if err != nil {
				return err
			}
			if _, err := s.signedIn(v.ctx, v.place, v.store, b.User); err != nil {
				return known(err, errToken, nil)
			}
			v.browser = b
			return nil
		}
	}
	if v.r.Method == http.MethodGet {
		s.setCookie(v, secret())
	}
	return nil
}

// setCookie makes the browser known by id.
func (s *Service) setCookie(v *visit, id string) {
	v.cookie = s.env.Store.NextToken([]string{"sso.browser", v.store}, id)
	http.SetCookie(v, &http.Cookie{
		Name: cookieName, Value: v.cookie, Path: pages + v.store + "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: v.r.TLS != nil || strings.HasPrefix(s.url, "https:"),
		MaxAge: int(sessionLife / time.Second),
	})
}

// forms are bound to the browser that they are shown in.
func (s *Service) forms() service.Forms {
	return service.Forms{Store: s.env.Store, Name: "sso.form"}
}

// The page that brings a provider's answer back was made without the cookie: it is
// bound to the browser by the state of the trip.
func (s *Service) fromOurPage(v *visit) bool {
	if v.cookie == "" || v.r.ParseForm() != nil || !service.SameSite(v.r) {
		return false
	}
	if strings.HasSuffix(v.r.URL.Path, "/arrive") {
		_, err := s.env.Store.OpenToken([]string{"sso.trip", v.cookie}, v.r.PostForm.Get("state"))
		return err == nil
	}
	return s.forms().Holds(v.cookie, v.r.PostForm.Get("form"))
}

// next is where to go after signing in: a page of this identity store, or its start.
func (v *visit) next(to string) string {
	base := pages + v.store + "/"
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || !slices.Contains([]string{base + "device", base + "client"}, u.Path) {
		return base + "start"
	}
	return u.Path + "?" + u.RawQuery
}

// mustSignIn sends who has not signed in to do so, and then back.
func (s *Service) mustSignIn(v *visit) bool {
	if v.browser != nil && !v.browser.MustChange {
		return false
	}
	http.Redirect(v, v.r, pages+v.store+"/signin?next="+url.QueryEscape(v.r.URL.RequestURI()), http.StatusFound)
	return true
}

func (s *Service) showSignIn(v *visit) error {
	next := v.next(v.r.URL.Query().Get("next"))
	if v.browser != nil && v.browser.MustChange {
		return s.show(v, passwordPage, view{Next: next})
	}
	return s.showSignInWith(v, next, "")
}

// showSignInWith shows the page to sign in on, whose forms may lead to providers.
func (s *Service) showSignInWith(v *visit, next, wrong string) error {
	var names, targets []string
	for _, x := range s.sources(v.place.Account) {
		switch {
		case s.url == "" || x.LDAP != nil:
			continue
		case x.OIDC != nil:
			targets = append(targets, x.OIDC.AuthorizeURL)
		default:
			targets = append(targets, x.SAML.URL)
		}
		names = append(names, x.Name)
	}
	allowRedirect(v, targets...)
	return s.show(v, signInPage, view{Next: next, Wrong: wrong, Sources: names})
}

func (s *Service) signIn(v *visit) error {
	next := v.next(v.r.PostForm.Get("next"))
	u, p, err := s.login(v.ctx, v.store, v.r.PostForm.Get("username"), v.r.PostForm.Get("password"))
	if u != nil {
		if err := s.tellVerified(v, u, err == nil); err != nil {
			return err
		}
	}
	if errors.Is(err, errWrong) || errors.Is(err, errWait) {
		// The words are the same for who must wait, so that they do not tell whether
		// there is such a user.
		return s.showSignInWith(v, next, "The user name or the password is wrong, or was wrong too often. Try again in a while.")
	}
	if err != nil {
		return err
	}
	if err := s.enter(v, u, byPassword, p.OneTime != nil, nil); err != nil {
		return err
	}
	if p.OneTime != nil {
		return s.show(v, passwordPage, view{Next: next})
	}
	http.Redirect(v, v.r, next, http.StatusSeeOther)
	return nil
}

// enter signs a user in, under a new cookie, so that nobody who knew the old one
// comes in with them. Who was signed in with the browser no longer is.
func (s *Service) enter(v *visit, u *user, by credentialType, mustChange bool, asserted map[string]string) error {
	if err := s.leave(v); err != nil {
		return err
	}
	id := secret()
	b := &browser{Store: v.store, User: u.ID, Asserted: asserted, MustChange: mustChange, Expires: now().Add(sessionLife)}
	err := s.env.Store.Update(v.ctx, func(ctx context.Context) error {
		row := v.store + "/" + digest(id)
		end(ctx, v.place, "browser", row, b.Expires)
		if !mustChange {
			if err := s.tell(ctx, v, u, "UserAuthentication", by, true); err != nil {
				return err
			}
		}
		return s.browsers.Insert(ctx, row, b)
	})
	if err != nil {
		return err
	}
	v.browser = b
	s.setCookie(v, id)
	return nil
}

func (s *Service) changePassword(v *visit) error {
	if v.browser == nil {
		return s.showSignInWith(v, v.next(""), "")
	}
	next := v.next(v.r.PostForm.Get("next"))
	if !v.browser.MustChange {
		http.Redirect(v, v.r, next, http.StatusSeeOther)
		return nil
	}
	u, err := s.signedIn(v.ctx, v.place, v.store, v.browser.User)
	if err != nil {
		return err
	}
	why, err := s.setPassword(v.ctx, u, v.r.PostForm.Get("password"))
	if err != nil {
		return err
	}
	if why != "" {
		return s.show(v, passwordPage, view{Next: next, Wrong: why})
	}
	if err := s.enter(v, u, byPassword, false, nil); err != nil {
		return err
	}
	http.Redirect(v, v.r, next, http.StatusSeeOther)
	return nil
}

// leave forgets who has signed in.
func (s *Service) leave(v *visit) error {
	id, err := s.env.Store.OpenToken([]string{"sso.browser", v.store}, v.cookie)
	if err != nil {
		return nil
	}
	err = s.env.Store.Update(v.ctx, func(ctx context.Context) error { return s.browsers.Delete(ctx, v.store+"/"+digest(id)) })
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func (s *Service) signOut(v *visit) error {
	if err := s.leave(v); err != nil {
		return err
	}
	s.setCookie(v, secret())
	http.Redirect(v, v.r, pages+v.store+"/signin", http.StatusSeeOther)
	return nil
}
