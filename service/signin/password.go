package signin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
)

// wrong is all that people learn of an attempt that failed, whatever was wrong with it.
const wrong = "Your authentication information is incorrect. Please try again."

func (s *Service) showConsole(v *visit) error {
	q := v.r.URL.Query()
	switch {
	case v.session == nil:
		account := v.at.account
		if account == "" {
			account = q.Get("account")
		}
		return s.show(v, http.StatusOK, signInPage, view{Account: account, Region: q.Get("region")})
	case v.session.MustChange:
		return s.show(v, http.StatusOK, passwordPage, view{})
	}
	return s.showSession(v, v.session, "")
}

// authenticate signs an IAM user in.
func (s *Service) authenticate(v *visit) error {
	form := v.r.PostForm
	again := view{Account: form.Get("account"), Region: form.Get("region"), Wrong: wrong}
	var account aws.Account
	var in *service.SignIn
	err := s.try(v, func() (err error) {
		account, err = s.options.Account(v.r.Context(), strings.ToLower(strings.TrimSpace(form.Get("account"))))
		if errors.Is(err, store.ErrNotFound) {
			account, err = nowhere, nil // in which nobody is found, as slowly as anywhere
		}
		if err != nil {
			return err
		}
		in, err = s.options.Users.TrySignIn(s.enter(v.r.Context(), account), form.Get("username"), form.Get("password"), strings.TrimSpace(form.Get("mfacode")))
		return err
	})
	if err != nil {
		return err
	}
	region := v.at.in(form.Get("region"))
	switch {
	case account == nowhere:
		return s.show(v, http.StatusOK, signInPage, again)
	case in.Expired:
		again.Wrong = "Your password has expired. Ask your administrator to set a new one."
	}
	if !in.Right || in.Expired {
		if err := s.tellFailure(v, account, region, in); err != nil {
			return err
		}
		return s.show(v, http.StatusOK, signInPage, again)
	}
	x := &session{Principal: *in.User, Until: now().Add(userSession), Region: region, Device: in.Device, MustChange: in.MustChange}
	if x.MustChange {
		x.Until = now().Add(changeLife)
	}
	id := aws.UUID()
	err = s.env.Store.Update(s.enter(v.r.Context(), account), func(ctx context.Context) error {
		if still, err := s.options.Users.SignIn(ctx, in); err != nil {
			return err
		} else if !still {
			return errStale
		}
		if err := s.tellCheck(ctx, v, account, region, in); err != nil {
			return err
		}
		if !x.MustChange {
			if err := s.tellUser(ctx, v, &x.Principal, region, x.Device); err != nil {
				return err
			}
		}
		return s.begin(ctx, v, id, x)
	})
	if errors.Is(err, errStale) {
		if err := s.tellFailure(v, account, region, in); err != nil {
			return err
		}
		return s.show(v, http.StatusOK, signInPage, again)
	}
	if err != nil {
		return err
	}
	s.setCookie(v, account, id)
	http.Redirect(v, v.r, v.base+"/console", http.StatusSeeOther)
	return nil
}

// nowhere is no account: it is no number that one can have.
const nowhere = aws.Account("no account")

// errStale means that a password or a code was right when it was looked at, and no
// longer when the sign-in was to be written down: the code was taken meanwhile.
var errStale = errors.New("signin: what was right is no longer")

// try makes an attempt, unless they come too often, or too many at once. What is shown
// of it is written afterwards: who reads slowly must not take room from others.
func (s *Service) try(v *visit, attempt func() error) error {
	if !s.tries.may(v.from, time.Now().Unix()/60) {
		return aws.ErrorKind{Code: "TooManyRequests", Status: http.StatusTooManyRequests}.New("There were too many attempts from your address. Please try again in a minute.")
	}
	select {
	case s.room <- struct{}{}:
		defer func() { <-s.room }()
		return attempt()
	default:
		return aws.ErrorKind{Code: "ServiceUnavailable", Status: http.StatusServiceUnavailable}.New("Too many people sign in at once. Please try again.")
	}
}

// changePassword lets a user who must do so choose another password, by iam:ChangePassword,
// for which they need the right. IAM User Guide, "How IAM users change their own password".
func (s *Service) changePassword(v *visit) error {
	was := v.session
	if was == nil || !was.MustChange {
		http.Redirect(v, v.r, v.base+"/console", http.StatusSeeOther)
		return nil
	}
	old, chosen := v.r.PostForm.Get("password"), v.r.PostForm.Get("newpassword")
	if !isPassword(old) || !isPassword(chosen) {
		return s.show(v, http.StatusOK, passwordPage, view{Wrong: "A password has 1 to 128 characters of Latin-1."})
	}
	x, id := *was, aws.UUID()
	x.MustChange, x.Until = false, now().Add(userSession)
	var refused *aws.Error
	err := s.try(v, func() error {
		err := s.env.Store.Update(s.enter(v.r.Context(), v.account), func(ctx context.Context) error {
			as := s.options.As(ctx, was.acting(), v.from)
			if _, err := iamapi.ChangePassword.Call(as, s.env.AWS, &iamapi.ChangePasswordRequest{OldPassword: old, NewPassword: chosen}); err != nil {
				return err
			}
			if err := s.tellUser(ctx, v, &x.Principal, x.Region, x.Device); err != nil {
				return err
			}
			return s.begin(ctx, v, id, &x)
		})
		if errors.As(err, &refused) {
			return nil
		}
		return err
	})
	if refused != nil {
		return s.show(v, http.StatusOK, passwordPage, view{Wrong: refused.Message})
	}
	if err != nil {
		return err
	}
	s.setCookie(v, v.account, id)
	http.Redirect(v, v.r, v.base+"/console", http.StatusSeeOther)
	return nil
}

// acting is the user as calls of the console have it: in a session, with or without a code.
func (x *session) acting() *aws.Principal {
	p := x.Principal
	p.Session = &aws.Session{Created: x.Until.Add(-changeLife), Expires: x.Until, MFA: !x.Device.IsZero(), InvokedBy: aws.SignInSource}
	return &p
}

// isPassword reports whether a text may be a password at all. IAM API Reference,
// ChangePassword.
func isPassword(text string) bool {
	return utf8.ValidString(text) && text != "" && utf8.RuneCountInString(text) <= 128 && strings.IndexFunc(text, func(r rune) bool {
		return r > 0xff || r < 0x20 && r != '\t' && r != '\n' && r != '\r'
	}) < 0
}
