package iam

import (
	"context"
	"errors"

	"sumun.dev/api/iamapi"
	"sumun.dev/store"
)

const policyID = "policy"

// passwordPolicy returns the account's policy; nil when it has none of its own.
func (s *Service) passwordPolicy(ctx context.Context) (*passwordPolicy, error) {
	p, err := s.passwords.Get(ctx, policyID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return p, err
}

func (s *Service) getAccountPasswordPolicy(ctx context.Context, _ *iamapi.GetAccountPasswordPolicyRequest) (*iamapi.GetAccountPasswordPolicyResponse, error) {
	p, err := s.passwordPolicy(ctx)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, noPasswordPolicy(ctx)
	}
	shown := &iamapi.PasswordPolicy{
		MinimumPasswordLength: &p.Length, RequireSymbols: &p.Symbols, RequireNumbers: &p.Numbers, RequireUppercaseCharacters: &p.Uppercase, RequireLowercaseCharacters: &p.Lower,
		AllowUsersToChangePassword: &p.UsersMayChange, ExpirePasswords: new(p.MaxAge > 0), HardExpiry: &p.HardExpiry,
	}
	if p.MaxAge > 0 {
		shown.MaxPasswordAge = &p.MaxAge
	}
	if p.Remembered > 0 {
		shown.PasswordReusePrevention = &p.Remembered
	}
	return &iamapi.GetAccountPasswordPolicyResponse{PasswordPolicy: shown}, nil
}

// updateAccountPasswordPolicy makes the policy anew: what is not given falls back
// to its default. IAM API Reference, UpdateAccountPasswordPolicy.
func (s *Service) updateAccountPasswordPolicy(ctx context.Context, in *iamapi.UpdateAccountPasswordPolicyRequest) (*iamapi.UpdateAccountPasswordPolicyResponse, error) {
	p := &passwordPolicy{
		Length: or(in.MinimumPasswordLength, customLength), Symbols: or(in.RequireSymbols, false), Numbers: or(in.RequireNumbers, false),
		Uppercase: or(in.RequireUppercaseCharacters, false), Lower: or(in.RequireLowercaseCharacters, false),
		UsersMayChange: or(in.AllowUsersToChangePassword, false), HardExpiry: or(in.HardExpiry, false),
		MaxAge: or(in.MaxPasswordAge, 0), Remembered: or(in.PasswordReusePrevention, 0),
	}
	return &iamapi.UpdateAccountPasswordPolicyResponse{}, s.passwords.Put(ctx, policyID, p)
}

func (s *Service) deleteAccountPasswordPolicy(ctx context.Context, _ *iamapi.DeleteAccountPasswordPolicyRequest) (*iamapi.DeleteAccountPasswordPolicyResponse, error) {
	err := s.passwords.Delete(ctx, policyID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noPasswordPolicy(ctx)
	}
	return &iamapi.DeleteAccountPasswordPolicyResponse{}, err
}

func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}
