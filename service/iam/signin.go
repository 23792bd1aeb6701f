package iam

import (
	"context"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
)

// AccountNamed returns the account with this number or alias; store.ErrNotFound when
// there is none. IAM User Guide, "How IAM users sign in to AWS".
func (s *Service) AccountNamed(ctx context.Context, text string) (aws.Account, error) {
	account, err := aws.ParseAccount(text)
	if err != nil {
		a, err := s.aliases.Get(ctx, text)
		if err != nil {
			return "", err
		}
		account = a.Account
	}
	_, err = s.roots.In(store.Place{Account: account}).Get(ctx, rootID)
	return account, err
}

// longestPassword bounds, in bytes, what is hashed: 128 characters of four.
// IAM API Reference, CreateLoginProfile, Password.
const longestPassword = 4 * 128

// longestName bounds, in bytes, the names that users have. IAM API Reference, CreateUser.
const longestName = 64

// TrySignIn looks at what somebody has typed, in the account of the call. It changes
// nothing but the count of guesses, five a minute for each name. A name that nobody
// has takes as long as any, and so does a wrong code. ctx carries no unit of work:
// hashing must not hold one open.
func (s *Service) TrySignIn(ctx context.Context, name, text, code string) (*service.SignIn, error) {
	in, nobody := &service.SignIn{Code: code}, &password{Salt: make([]byte, saltLength), Hash: make([]byte, hashLength)}
	name = name[:min(len(name), longestName+1)] // which nobody has, however it goes on
	o, guesses, key := &owner{credentials: &credentials{}}, &s.strangers, string(aws.CallOf(ctx).Account)+"/"+strings.ToLower(name)
	u, err := s.users.Get(ctx, strings.ToLower(name))
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		if o, err = s.owned(ctx, u.ID, u.Name); err != nil {
			return nil, err
		}
		call := aws.CallOf(ctx)
		in.User = &aws.Principal{Kind: aws.User, Account: call.Account, ARN: userARN(call.Partition, call.Account, u), ID: u.ID, Name: u.Name, Tags: tagMap(u.Tags)}
		in.MFA, guesses, key = len(o.MFA) > 0, &s.signIns, u.ID
	}
	at := minute()
	if len(text) > longestPassword || !guesses.may(key, at) {
		return in, nil
	}
	device, err := s.shows(ctx, o, code)
	if err != nil {
		return nil, err
	}
	has := nobody
	if o.Login != nil && o.Login.Password != nil {
		has = o.Login.Password
	}
	known, err := s.signingIn.is(ctx, has, text)
	if err != nil || !known || has == nobody {
		return in, err
	}
	if in.Password = true; in.MFA && device == nil {
		return in, nil
	}
	guesses.right(key, at)
	in.Right, in.Hash, in.MustChange = true, string(has.Hash), o.Login.Reset
	if device != nil {
		in.Device = device.arn(aws.CallOf(ctx).Partition, aws.CallOf(ctx).Account)
	}
	rules, err := s.passwordPolicy(ctx)
	if err != nil {
		return nil, err
	}
	if until := rules.expires(has.Set); until != nil && !time.Now().Before(*until) {
		in.MustChange, in.Expired = !rules.HardExpiry, rules.HardExpiry
	}
	return in, nil
}

// shows returns the device of o that shows a code now; nil when none does.
func (s *Service) shows(ctx context.Context, o *owner, code string) (found *mfaDevice, err error) {
	for _, a := range o.MFA {
		d, err := s.devices.Get(ctx, a.Device)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if shown := *d; shown.take(code, time.Now()) {
			found = d
		}
	}
	return found, nil
}

// usedAgain is how much later a password must be used to be written down. IAM User
// Guide, "Get credential reports for your AWS account", password_last_used.
const usedAgain = 5 * time.Minute

// SignIn completes an attempt that was right, within a unit of work: the code is taken,
// once, and the use of the password noted. It reports whether the attempt still is right.
func (s *Service) SignIn(ctx context.Context, in *service.SignIn) (bool, error) {
	u, err := s.user(ctx, in.User.Name)
	if iamapi.NoSuchEntityException.Is(err) || err == nil && u.ID != in.User.ID {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	o, err := s.owned(ctx, u.ID, u.Name)
	if err != nil || o.Login == nil || o.Login.Password == nil || string(o.Login.Password.Hash) != in.Hash {
		return false, err
	}
	if len(o.MFA) > 0 {
		d, err := s.shows(ctx, o, in.Code)
		if err != nil || d == nil || !d.take(in.Code, time.Now()) {
			return false, err
		}
		if err := s.devices.Put(ctx, d.id(), d); err != nil {
			return false, err
		}
	}
	if at := now(); o.Login.Used == nil || at.Sub(*o.Login.Used) >= usedAgain {
		o.Login.Used = &at
	}
	return true, s.putCredentials(ctx, o)
}
