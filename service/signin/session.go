package signin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// expiring is the kind of due record that takes away a session or a token.
const expiring = "signin.expire"

// How long what signing in leaves is good for.
const (
	userSession = 12 * time.Hour   // IAM User Guide, "Sign-in sessions"
	changeLife  = 15 * time.Minute // for a password that must be changed
)

// A session is somebody who has signed in with a browser. Its id is in the cookie.
type session struct {
	Principal  aws.Principal
	Until      time.Time
	Region     aws.Region // where the trail shows it
	Device     aws.ARN    // of the MFA device that was used
	MustChange bool       `json:",omitempty"` // not signed in before the password is another
}

const cookieName = "sumun_signin"

// recognise finds out who has signed in with the browser. One that is not known gets a
// cookie, to which its forms are bound.
func (s *Service) recognise(v *visit) error {
	if c, err := v.r.Cookie(cookieName); err == nil {
		text, err := s.env.Store.OpenToken([]string{"signin.browser"}, c.Value)
		if account, id, ok := strings.Cut(text, "/"); err == nil && ok {
			v.cookie, v.account, v.id = c.Value, aws.Account(account), id
			return s.resume(v)
		}
	}
	if v.r.Method == http.MethodGet {
		s.setCookie(v, "", aws.UUID())
	}
	return nil
}

// resume finds the session that the cookie names. It is over when its time is, and when
// who has signed in is no longer there.
func (s *Service) resume(v *visit) error {
	if v.account == "" {
		return nil
	}
	ctx := s.enter(v.r.Context(), v.account)
	x, err := s.sessions.Get(ctx, v.id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !time.Now().Before(x.Until) {
		return nil
	}
	if err != nil {
		return err
	}
	var gone *aws.Error
	if err := s.options.Stands(ctx, &x.Principal); errors.As(err, &gone) {
		return nil
	} else if err != nil {
		return err
	}
	v.session = x
	return nil
}

func (s *Service) enter(ctx context.Context, account aws.Account) context.Context {
	return s.options.Enter(ctx, store.Place{Account: account, Region: "us-east-1"})
}

// setCookie makes the browser known by id, which nobody else can know.
func (s *Service) setCookie(v *visit, account aws.Account, id string) {
	v.cookie = s.env.Store.NextToken([]string{"signin.browser"}, string(account)+"/"+id)
	http.SetCookie(v, &http.Cookie{
		Name: cookieName, Value: v.cookie, Path: v.base + "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: v.tls != nil,
	})
}

// begin signs somebody in, within a unit of work: under a new id, so that nobody who
// knew the old cookie comes in with them. Who was signed in with the browser no longer is.
func (s *Service) begin(ctx context.Context, v *visit, id string, x *session) error {
	if err := s.end(ctx, v); err != nil {
		return err
	}
	schedule(ctx, "session", id, x.Until)
	return s.sessions.Insert(ctx, id, x)
}

// end forgets who has signed in with the browser, within a unit of work.
func (s *Service) end(ctx context.Context, v *visit) error {
	if v.account == "" {
		return nil
	}
	err := s.sessions.In(store.Place{Account: v.account}).Delete(ctx, v.id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func (s *Service) logOut(v *visit) error {
	if v.account != "" {
		if err := s.env.Store.Update(s.enter(v.r.Context(), v.account), func(ctx context.Context) error { return s.end(ctx, v) }); err != nil {
			return err
		}
	}
	v.session = nil
	s.setCookie(v, "", aws.UUID())
	http.Redirect(v, v.r, v.base+"/console", http.StatusSeeOther)
	return nil
}

// schedule has a row taken away at its time.
func schedule(ctx context.Context, table, id string, when time.Time) {
	store.Schedule(ctx, store.Due{Kind: expiring, ID: table + ":" + id, At: when})
}

// expire takes away what has run out.
func (s *Service) expire(ctx context.Context, due store.Due) error {
	table, id, _ := strings.Cut(due.ID, ":")
	var err error
	if table == "token" {
		err = s.tokens.Delete(ctx, id)
	} else {
		err = s.sessions.Delete(ctx, id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
