package iam

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/engine/totp"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

const goodPassword = "Correct-Horse-1"

// withLogin makes a user with a password.
func (w *world) withLogin(name string) {
	w.t.Helper()
	w.user(name)
	must(w, &iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileRequest{UserName: &name, Password: new(goodPassword)})
}

func (w *world) try(name, password, code string) *service.SignIn {
	w.t.Helper()
	in, err := w.service.TrySignIn(w.ctx(), name, password, code)
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

func (w *world) signIn(in *service.SignIn) (still bool) {
	w.t.Helper()
	err := w.store.Update(w.ctx(), func(ctx context.Context) (err error) {
		still, err = w.service.SignIn(ctx, in)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return still
}

func TestSignInsThatAreRightAndWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.withLogin("ann")
		w.withLogin("bob")
		w.user("machine")
		w.enrol("bob", "bob")
		seed, step := w.seedOf("bob"), totp.Step(time.Now())
		fresh := totp.Code(seed, step+1)
		for _, c := range []struct {
			name, password, code       string
			user, known, right, device bool
		}{
			{"ann", goodPassword, "", true, true, true, false},
			{"ANN", goodPassword, "", true, true, true, false},
			{"ann", goodPassword, "123456", true, true, true, false}, // who has no device needs no code
			{"ann", "wrong", "", true, false, false, false},
			{"machine", goodPassword, "", true, false, false, false},
			{"nobody", goodPassword, "", false, false, false, false},
			{"", "", "", false, false, false, false},
			{"bob", goodPassword, "", true, true, false, false},
			{"bob", goodPassword, totp.Code(seed, step), true, true, false, false}, // enrolled it
			{"bob", "wrong", fresh, true, false, false, false},
			{"bob", goodPassword, fresh, true, true, true, true},
		} {
			in := w.try(c.name, c.password, c.code)
			if (in.User != nil) != c.user || in.Password != c.known || in.Right != c.right || !in.Device.IsZero() != c.device || in.MustChange || in.Expired {
				t.Errorf("%s %q: %+v", c.name, c.code, in)
			}
		}
		in := w.try("bob", goodPassword, fresh)
		if !w.signIn(in) || w.signIn(in) {
			t.Error("a code is not taken once")
		}
		if used := must(w, &iamapi.GetUser, &iamapi.GetUserRequest{UserName: new("bob")}).User.PasswordLastUsed; used == nil || !used.Equal(now()) {
			t.Errorf("the password was used at %v", used)
		}
	})
}

// Between looking at a password and signing in with it, it can be changed or taken away.
func TestSignInsThatAreRightNoLonger(t *testing.T) {
	for name, change := range map[string]func(*world){
		"password_changed": func(w *world) {
			must(w, &iamapi.UpdateLoginProfile, &iamapi.UpdateLoginProfileRequest{UserName: "ann", Password: new("Battery-Staple-2")})
		},
		"profile_deleted": func(w *world) {
			must(w, &iamapi.DeleteLoginProfile, &iamapi.DeleteLoginProfileRequest{UserName: new("ann")})
		},
		"made_anew": func(w *world) {
			must(w, &iamapi.DeleteLoginProfile, &iamapi.DeleteLoginProfileRequest{UserName: new("ann")})
			must(w, &iamapi.DeleteUser, &iamapi.DeleteUserRequest{UserName: "ann"})
			w.withLogin("ann")
		},
		"device_enrolled": func(w *world) { w.enrol("ann", "ann") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.withLogin("ann")
				in := w.try("ann", goodPassword, "")
				if !in.Right {
					t.Fatal("the password is wrong")
				}
				change(w)
				if w.signIn(in) {
					t.Error("it still is right")
				}
			})
		})
	}
}

// Five wrong attempts a minute for each name, however many come together; names that
// nobody has do not make a user's forgotten.
func TestSignInsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.withLogin("ann")
		w.withLogin("bob")
		var all sync.WaitGroup
		var looked atomic.Int32
		for range 20 {
			all.Go(func() {
				if in := w.try("ann", goodPassword+"x", ""); in.Password {
					looked.Add(1)
				}
			})
		}
		all.Wait()
		if in := w.try("ann", goodPassword, ""); in.Right || looked.Load() != 0 {
			t.Error("who guesses is looked at")
		}
		for range 2 * guessesMost { // right ones do not count
			if in := w.try("bob", goodPassword, ""); !in.Right {
				t.Fatal("another user has to wait")
			}
		}
		w.service.strangers.by = map[string]int{}
		for i := range guessedMost {
			w.service.strangers.by[string(rune(i))] = 1
		}
		w.try("nobody", "x", "")
		if in := w.try("ann", goodPassword, ""); in.Right {
			t.Error("names made up free a user")
		}
		w.try(strings.Repeat("x", 10_000), "x", "")
		for key := range w.service.strangers.by {
			if len(key) > 100 {
				t.Errorf("a name of %d bytes is kept", len(key))
			}
		}
		time.Sleep(time.Minute)
		if in := w.try("ann", goodPassword, ""); !in.Right {
			t.Error("a minute later the user still waits")
		}
	})
}

// A password is noted as used every five minutes at most.
func TestPasswordLastUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.withLogin("ann")
		w.user("machine")
		first := now()
		for range 5 {
			if !w.signIn(w.try("ann", goodPassword, "")) {
				t.Fatal("not signed in")
			}
			time.Sleep(time.Minute)
		}
		for _, u := range must(w, &iamapi.ListUsers, &iamapi.ListUsersRequest{}).Users {
			if (u.UserName == "ann") != (u.PasswordLastUsed != nil) || u.PasswordLastUsed != nil && !u.PasswordLastUsed.Equal(first) {
				t.Errorf("%s: %v", u.UserName, u.PasswordLastUsed)
			}
		}
		if !w.signIn(w.try("ann", goodPassword, "")) {
			t.Fatal("not signed in")
		}
		if used := must(w, &iamapi.GetUser, &iamapi.GetUserRequest{UserName: new("ann")}).User.PasswordLastUsed; !used.Equal(first.Add(5 * time.Minute)) {
			t.Errorf("after five minutes: %v", used)
		}
		must(w, &iamapi.DeleteLoginProfile, &iamapi.DeleteLoginProfileRequest{UserName: new("ann")})
		if used := must(w, &iamapi.GetUser, &iamapi.GetUserRequest{UserName: new("ann")}).User.PasswordLastUsed; used != nil {
			t.Errorf("without a password: %v", used)
		}
	})
}

// Accounts are those that there are, by number or alias.
func TestAccountsByName(t *testing.T) {
	w := newWorld(t)
	err := w.store.Update(w.ctx(), func(ctx context.Context) error { return w.service.AddRoot(ctx, account, NewKey(account)) })
	if err != nil {
		t.Fatal(err)
	}
	must(w, &iamapi.CreateAccountAlias, &iamapi.CreateAccountAliasRequest{AccountAlias: "acme"})
	for text, want := range map[string]aws.Account{string(account): account, "acme": account, string(other): "", "umbrella": "", "": "", "1": "", "\x00": ""} {
		got, err := w.service.AccountNamed(w.ctx(), text)
		if want == "" && !errors.Is(err, store.ErrNotFound) || want != "" && (err != nil || got != want) {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
}

// The account's password policy lets users change their own password, and no other's.
func TestPasswordPolicyLetsUsersChange(t *testing.T) {
	w := newWorld(t)
	u := w.user("ann")
	arn, err := aws.ParseARN(u.Arn)
	if err != nil {
		t.Fatal(err)
	}
	ann := w.as(&aws.Principal{Kind: aws.User, Account: account, ARN: arn, ID: u.UserId, Name: "ann"})
	change := func() []wire.Grant {
		return ann.touched(&iamapi.ChangePassword, &iamapi.ChangePasswordRequest{})[0].Grants
	}
	if got := change(); len(got) != 0 {
		t.Errorf("AWS's own policy grants %v", got)
	}
	for _, may := range []bool{false, true} {
		must(w, &iamapi.UpdateAccountPasswordPolicy, &iamapi.UpdateAccountPasswordPolicyRequest{AllowUsersToChangePassword: &may})
		if got := change(); (len(got) == 1) != may {
			t.Errorf("%v grants %v", may, got)
		}
		if got := w.touched(&iamapi.ChangePassword, &iamapi.ChangePasswordRequest{})[0].Grants; len(got) != 0 {
			t.Errorf("root is granted %v", got)
		}
	}
}
