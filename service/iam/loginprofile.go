package iam

import (
	"context"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
)

// A login is a user's way into the console: a password and those before it.
type login struct {
	Created  time.Time
	Password *password   // nil for root, whose password is not made through the API
	Before   []*password `json:",omitempty"` // newest first
	Reset    bool        // it must be changed at the next sign-in
	Used     *time.Time  `json:",omitempty"` // when the password was last signed in with
}

// rememberedMost is how many passwords are kept: more than a policy can ask for.
const rememberedMost = 24

func noLogin(name string) error {
	return iamapi.NoSuchEntityException.New("Login Profile for User %s cannot be found.", name)
}

func noPasswordPolicy(ctx context.Context) error {
	return iamapi.NoSuchEntityException.New("The Password Policy with domain name %s cannot be found.", aws.CallOf(ctx).Account)
}

func (s *Service) createLoginProfile(ctx context.Context, in *iamapi.CreateLoginProfileRequest) (*iamapi.CreateLoginProfileResponse, error) {
	o, err := s.owner(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if o.Login != nil {
		return nil, iamapi.EntityAlreadyExistsException.New("Login Profile for user %s already exists.", o.shown())
	}
	o.Login = &login{Created: now(), Reset: or(in.PasswordResetRequired, false)}
	switch {
	case o.id == rootID && in.Password != nil, o.id == rootID && aws.CallOf(ctx).Principal.Session == nil:
		// A session of AssumeRoot lets root set its password again; it does not choose it.
		// IAM User Guide, "Perform a privileged task on a member account".
		return nil, iamapi.InvalidUserTypeException.New("The root user's password cannot be set with this operation.")
	case o.id == rootID:
	case in.Password == nil:
		return nil, invalidParameter.New("Must specify password when creating a login profile for a user")
	default:
		if err := s.setPassword(ctx, o, *in.Password); err != nil {
			return nil, err
		}
	}
	return &iamapi.CreateLoginProfileResponse{LoginProfile: o.shownLogin()}, s.putCredentials(ctx, o)
}

// setPassword gives o a password that the account's policy allows.
func (s *Service) setPassword(ctx context.Context, o *owner, text string) error {
	rules, err := s.passwordPolicy(ctx)
	if err != nil {
		return err
	}
	if err := rules.check(text); err != nil {
		return err
	}
	l := o.Login
	before := l.Before
	if l.Password != nil {
		before = append([]*password{l.Password}, before...)
	}
	for i, old := range before {
		if i >= rules.remembered() {
			break
		}
		same, err := s.hashing.is(ctx, old, text)
		if err != nil {
			return err
		}
		if same {
			return iamapi.PasswordPolicyViolationException.New("Password cannot be one of the last %d passwords", rules.remembered())
		}
	}
	l.Before = before[:min(len(before), rememberedMost)]
	l.Password, err = s.hashing.make(ctx, text)
	return err
}

func (o *owner) shownLogin() *iamapi.LoginProfile {
	return &iamapi.LoginProfile{UserName: o.shown(), CreateDate: o.Login.Created, PasswordResetRequired: &o.Login.Reset}
}

// signsIn returns the owner, who has a login profile.
func (s *Service) signsIn(ctx context.Context, name *string) (*owner, error) {
	o, err := s.owner(ctx, name)
	if err == nil && o.Login == nil {
		return nil, noLogin(o.shown())
	}
	return o, err
}

func (s *Service) getLoginProfile(ctx context.Context, in *iamapi.GetLoginProfileRequest) (*iamapi.GetLoginProfileResponse, error) {
	o, err := s.signsIn(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetLoginProfileResponse{LoginProfile: o.shownLogin()}, nil
}

func (s *Service) updateLoginProfile(ctx context.Context, in *iamapi.UpdateLoginProfileRequest) (*iamapi.UpdateLoginProfileResponse, error) {
	o, err := s.signsIn(ctx, &in.UserName)
	if err != nil {
		return nil, err
	}
	if in.Password != nil {
		if err := s.setPassword(ctx, o, *in.Password); err != nil {
			return nil, err
		}
	}
	o.Login.Reset = or(in.PasswordResetRequired, o.Login.Reset)
	return &iamapi.UpdateLoginProfileResponse{}, s.putCredentials(ctx, o)
}

func (s *Service) deleteLoginProfile(ctx context.Context, in *iamapi.DeleteLoginProfileRequest) (*iamapi.DeleteLoginProfileResponse, error) {
	o, err := s.signsIn(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	o.Login = nil
	return &iamapi.DeleteLoginProfileResponse{}, s.putCredentials(ctx, o)
}

func (s *Service) changePassword(ctx context.Context, in *iamapi.ChangePasswordRequest) (*iamapi.ChangePasswordResponse, error) {
	if aws.CallOf(ctx).Principal.Kind != aws.User {
		return nil, iamapi.InvalidUserTypeException.New("Only IAM Users can change their own password")
	}
	o, err := s.signsIn(ctx, nil)
	if err != nil {
		return nil, err
	}
	at := minute()
	if !s.wrongPasswords.may(o.id, at) {
		return nil, iamapi.EntityTemporarilyUnmodifiableException.New("The old password was given wrongly too often. Try again in a minute.")
	}
	known, err := s.hashing.is(ctx, o.Login.Password, in.OldPassword)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, accessDenied.New("The old password was incorrect.")
	}
	s.wrongPasswords.right(o.id, at)
	rules, err := s.passwordPolicy(ctx)
	if err != nil {
		return nil, err
	}
	if until := rules.expires(o.Login.Password.Set); until != nil && rules.HardExpiry && !time.Now().Before(*until) {
		return nil, accessDenied.New("The password has expired. An administrator has to set a new one.")
	}
	if err := s.setPassword(ctx, o, in.NewPassword); err != nil {
		return nil, err
	}
	o.Login.Reset = false
	return &iamapi.ChangePasswordResponse{}, s.putCredentials(ctx, o)
}

// minute is the turn in which wrong passwords are counted.
func minute() int64 { return time.Now().Unix() / 60 }
