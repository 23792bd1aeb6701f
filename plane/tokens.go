package plane

import (
	"context"
	"errors"
	"fmt"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/oidc"
	"sumun.dev/plane/config"
	"sumun.dev/policy"
	"sumun.dev/service/iam"
	"sumun.dev/service/sts"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// known is what STS is shown of IAM and of organisations.
func (i *identities) known(cfg *config.Config, o Options) (sts.Known, error) {
	tokens, err := verifier(cfg, o)
	return sts.Known{
		Roles: roles{i}, MFA: i.iam, Providers: providers{i.iam}, Managed: i.passed.policies, Tokens: tokens,
		Membership: func(ctx context.Context, account aws.Account) (*policy.Membership, error) {
			return i.membership(store.Outside(ctx), account)
		},
		RootAccess: i.iam.RootAccess,
		Holder: func(ctx context.Context, keyID string) (aws.Account, bool) {
			p, _, err := i.iam.LongTerm(store.Outside(ctx), keyID)
			if err != nil {
				return "", false
			}
			return p.Account, true
		},
	}, err
}

// verifier reaches identity providers where the settings say that it may.
func verifier(cfg *config.Config, o Options) (*oidc.Verifier, error) {
	options := oidc.Options{Dial: o.DialProviders}
	var err error
	if options.Networks, err = networks(cfg.Providers.Networks); err != nil {
		return nil, fmt.Errorf("identity-providers: networks: %w", err)
	}
	if options.Roots, err = authorities(cfg.Providers.CA); err != nil {
		return nil, fmt.Errorf("identity-providers: ca: %w", err)
	}
	return oidc.New(options), nil
}

// roles shows IAM's roles to STS. Those of an account that has been closed are not there.
type roles struct{ *identities }

func (r roles) Role(ctx context.Context, arn aws.ARN) (*sts.Role, error) {
	closed, err := r.organizations.Closed(store.Outside(ctx), arn.Account)
	if err != nil {
		return nil, err
	}
	role, err := r.iam.RoleOf(ctx, arn)
	if closed || errors.Is(err, store.ErrNotFound) {
		return nil, sts.ErrNoRole
	}
	if err != nil {
		return nil, err
	}
	return &sts.Role{ARN: role.ARN, ID: role.ID, Name: role.Name, Trust: role.Trust, MaxSession: role.MaxSession, Tags: role.Tags}, nil
}

// providers shows IAM's identity providers to STS.
type providers struct{ iam *iam.Service }

func (p providers) OIDC(ctx context.Context, arn aws.ARN) (*oidc.Provider, error) {
	known, err := p.iam.OIDCProviderOf(ctx, arn)
	if errors.Is(err, store.ErrNotFound) {
		return nil, sts.ErrNoProvider
	}
	if err != nil {
		return nil, err
	}
	return &oidc.Provider{URL: known.URL, ClientIDs: known.ClientIDs, Thumbprints: known.Thumbprints}, nil
}

func (p providers) SAML(ctx context.Context, arn aws.ARN) (string, error) {
	known, err := p.iam.SAMLProviderOf(ctx, arn)
	if errors.Is(err, store.ErrNotFound) {
		return "", sts.ErrNoProvider
	}
	if err != nil {
		return "", err
	}
	return known.Metadata, nil
}

// assume makes a session of a role for the service that ctx's call belongs to,
// by a call of sts:AssumeRole that stands in the trail like any other.
func assume(caller wire.Caller, s *sts.Service) func(context.Context, aws.ARN, string) (*aws.Principal, error) {
	return func(ctx context.Context, role aws.ARN, session string) (*aws.Principal, error) {
		out, err := stsapi.AssumeRole.Call(ctx, caller, &stsapi.AssumeRoleRequest{RoleArn: role.String(), RoleSessionName: session})
		if err != nil {
			return nil, err
		}
		p, _, err := s.Temporary(out.Credentials.AccessKeyId, out.Credentials.SessionToken)
		return p, err
	}
}
