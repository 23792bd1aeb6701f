package sts

import (
	"context"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// How long sessions of users last. STS API Reference, GetSessionToken, GetFederationToken.
const (
	ownDefault = 12 * time.Hour
	ownOfRoot  = time.Hour
)

func (s *Service) ownSession(ctx context.Context, in *stsapi.GetSessionTokenRequest) ([]wire.Touch, error) {
	// "No permissions are required for users to perform this operation": STS API Reference.
	return []wire.Touch{{Action: "sts:GetSessionToken", Open: "everybody may get a session of their own"}}, nil
}

// longTerm refuses all but users and root with a long-term access key.
func longTerm(ctx context.Context, operation string) (*aws.Principal, error) {
	p := aws.CallOf(ctx).Principal
	if p.Session != nil || p.Kind != aws.User && p.Kind != aws.Root {
		return nil, accessDenied.New("Cannot call %s with session credentials", operation)
	}
	return p, nil
}

func (s *Service) getSessionToken(ctx context.Context, in *stsapi.GetSessionTokenRequest) (*stsapi.GetSessionTokenResponse, error) {
	p, err := longTerm(ctx, "GetSessionToken")
	if err != nil {
		return nil, err
	}
	if (in.SerialNumber == nil) != (in.TokenCode == nil) {
		return nil, validationError.New("Both SerialNumber and TokenCode must be provided for MFA.")
	}
	if in.SerialNumber != nil {
		if err := s.known.MFA.VerifyMFA(ctx, p, *in.SerialNumber, *in.TokenCode); err != nil {
			return nil, err
		}
	}
	c := s.ofUser(ctx, kindUser, in.DurationSeconds)
	c.MFA = in.SerialNumber != nil
	made, err := s.hand(c)
	return &stsapi.GetSessionTokenResponse{Credentials: made}, err
}

// ofUser begins a session that comes from the caller's long-term key: it is over
// when the key is.
func (s *Service) ofUser(ctx context.Context, kind string, duration *int32) *claims {
	call := aws.CallOf(ctx)
	p, lasts := call.Principal, ownDefault
	if duration != nil {
		lasts = time.Duration(*duration) * time.Second
	}
	if p.Kind == aws.Root {
		lasts = min(lasts, ownOfRoot)
		if kind == kindUser {
			kind = kindRoot
		}
	}
	c := newClaims(kind, call.Partition, p.Account, lasts)
	c.Issuer, c.IssuerID, c.IssuerName, c.IssuedBy = p.ARN.Resource, p.ID, p.Name, p.AccessKeyID
	return c
}
