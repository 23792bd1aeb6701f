// Package sts is AWS Security Token Service.
//
// Read role.go (what a role is and who may assume it), assume.go, web.go, saml.go,
// user.go, federation.go, root.go (the ways to a session), passed.go and tags.go
// (what a session is given), session.go and token.go (what it is and how it
// travels).
package sts

import (
	"context"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/oidc"
	"sumun.dev/policy"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves STS.
type Service struct {
	env   service.Env
	known Known
	used  *store.Table[assertion]

	metadata parsed // of SAML providers
	open     opened // sessions
}

// Known is all that STS knows of what other services keep.
type Known struct {
	Roles     Roles
	MFA       MFA
	Providers Providers
	Managed   Managed
	Tokens    *oidc.Verifier // of OpenID Connect providers

	// Membership returns where an account stands in its organisation; nil in none.
	Membership func(ctx context.Context, account aws.Account) (*policy.Membership, error)
	// RootAccess returns the organisation for whose members an account may do root's
	// tasks, and the features of centralised root access that are enabled there. It is
	// empty for an account that administers IAM for none.
	RootAccess func(ctx context.Context, account aws.Account) (organization string, features []string, err error)
	// Holder returns the account of a long-term access key, when it is known.
	Holder func(ctx context.Context, keyID string) (aws.Account, bool)
}

// MFA knows the MFA devices of users.
type MFA interface {
	// VerifyMFA checks the code that p's device shows. Its errors are in AWS's words.
	VerifyMFA(ctx context.Context, p *aws.Principal, serial, code string) error
}

// Managed knows the managed policies.
type Managed interface {
	// ManagedPolicy returns the document of a policy that principals of account can
	// have; store.ErrNotFound when there is none.
	ManagedPolicy(ctx context.Context, account aws.Account, arn string) (string, error)
}

// New returns an STS that hands out sessions.
func New(env service.Env, known Known) *Service {
	return &Service{env: env, known: known, used: store.NewTable(env.Store, "sts.assertions", store.Global[assertion]())}
}

// Routes lists what STS serves.
func (s *Service) Routes() []wire.Route {
	return []wire.Route{
		stsapi.GetCallerIdentity.To(s.getCallerIdentity, s.oneself),
		stsapi.AssumeRole.To(s.assumeRole, s.roleToAssume),
		stsapi.AssumeRoleWithWebIdentity.To(s.assumeWithWebIdentity, s.roleForToken),
		stsapi.AssumeRoleWithSAML.To(s.assumeWithSAML, s.roleForAssertion),
		stsapi.AssumeRoot.To(s.assumeRoot, s.rootToAssume),
		stsapi.GetSessionToken.To(s.getSessionToken, s.ownSession),
		stsapi.GetFederationToken.To(s.getFederationToken, s.userToFederate),
		stsapi.GetAccessKeyInfo.To(s.getAccessKeyInfo, touchAny[stsapi.GetAccessKeyInfoRequest]("sts:GetAccessKeyInfo")),
		stsapi.DecodeAuthorizationMessage.To(s.decodeMessage, touchAny[stsapi.DecodeAuthorizationMessageRequest]("sts:DecodeAuthorizationMessage")),
	}
}

func (s *Service) oneself(context.Context, *stsapi.GetCallerIdentityRequest) ([]wire.Touch, error) {
	// "No permissions are required to perform this operation": STS API Reference.
	return []wire.Touch{{Action: "sts:GetCallerIdentity", Open: "everybody may ask who they are"}}, nil
}

func (s *Service) getCallerIdentity(ctx context.Context, _ *stsapi.GetCallerIdentityRequest) (*stsapi.GetCallerIdentityResponse, error) {
	p := aws.CallOf(ctx).Principal
	return &stsapi.GetCallerIdentityResponse{UserId: &p.ID, Account: new(string(p.Account)), Arn: new(p.ARN.String())}, nil
}

// touchAny makes the touch function of an operation on no resource in particular.
func touchAny[In any](action string) func(context.Context, *In) ([]wire.Touch, error) {
	return func(context.Context, *In) ([]wire.Touch, error) { return []wire.Touch{{Action: action}}, nil }
}
