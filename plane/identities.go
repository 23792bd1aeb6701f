package plane

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/gateway"
	"sumun.dev/policy"
	"sumun.dev/service/iam"
	"sumun.dev/service/organizations"
	"sumun.dev/service/sts"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// identities tells the gate who calls, from IAM's users and roles and STS's sessions.
type identities struct {
	iam           *iam.Service
	sts           *sts.Service
	organizations *organizations.Service
}

// membership says where an account stands in its organisation.
func (i *identities) membership(ctx context.Context, account aws.Account) (*policy.Membership, error) {
	return i.organizations.Membership(ctx, account)
}

// credential refuses the credentials of an account that has been closed.
func (i identities) credential(ctx context.Context, p *aws.Principal, secret []byte) (*gateway.Credential, error) {
	closed, err := i.organizations.Closed(ctx, p.Account)
	if err != nil {
		return nil, err
	}
	if closed {
		return nil, errUnknownToken
	}
	return &gateway.Credential{Principal: p, Secret: secret}, nil
}

var errUnknownToken = aws.ErrorKind{Code: "InvalidClientTokenId", Status: http.StatusForbidden}.New("The security token included in the request is invalid.")

// Credential returns who holds an access key.
func (i identities) Credential(ctx context.Context, keyID, token string) (*gateway.Credential, error) {
	if token == "" {
		p, secret, err := i.iam.LongTerm(ctx, keyID)
		if errors.Is(err, iam.ErrUnknownKey) {
			return nil, errUnknownToken
		}
		if err != nil {
			return nil, err
		}
		return i.credential(ctx, p, secret)
	}
	if !strings.HasPrefix(keyID, "ASIA") {
		return nil, errUnknownToken
	}
	p, secret, err := i.sts.Temporary(keyID, token)
	if err != nil {
		return nil, err
	}
	// A session ends with its role, also for what needs no permission.
	if _, err := i.Policies(ctx, p); err != nil {
		return nil, err
	}
	return i.credential(ctx, p, secret)
}

// Policies returns what the caller's own policies are. A user or role that is
// gone, or was made anew under its old name, has no key any more.
func (i identities) Policies(ctx context.Context, p *aws.Principal) (*policy.Policies, error) {
	ps, err := i.iam.Policies(ctx, p)
	if errors.Is(err, iam.ErrUnknownKey) {
		return nil, errUnknownToken
	}
	return ps, err
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
