package plane

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/gateway"
	"sumun.dev/policy"
	"sumun.dev/service"
	"sumun.dev/service/iam"
	"sumun.dev/service/organizations"
	"sumun.dev/service/sts"
)

// identities tells the gate who calls, from IAM's users and roles and STS's sessions.
type identities struct {
	iam           *iam.Service
	sts           *sts.Service
	organizations *organizations.Service
	passed        *passed
}

// membership says where an account stands in its organisation.
func (i *identities) membership(ctx context.Context, account aws.Account) (*policy.Membership, error) {
	return i.organizations.Membership(ctx, account)
}

// administration says how an account stands to IAM's administration in its organisation.
func (i *identities) administration(ctx context.Context, account aws.Account) (*service.Administration, error) {
	return i.organizations.Administration(ctx, account, iam.Principal)
}

// entity is what IAM reports on in an organisation, its refusals in IAM's words.
func (i *identities) entity(ctx context.Context, account aws.Account, path, scp string) (*service.OrganizationEntity, error) {
	e, err := i.organizations.Entity(ctx, account, path, scp)
	if why := organizations.NoEntity(""); errors.As(err, &why) {
		return nil, iam.NoEntity(why.Error())
	}
	return e, err
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
	// A session ends with its role, user or key, also for what needs no permission.
	if err := i.alive(ctx, p); err != nil {
		return nil, err
	}
	return i.credential(ctx, p, secret)
}

// Policies returns what the caller's own policies are. A user or role that is
// gone, or was made anew under its old name, has no key any more.
func (i identities) Policies(ctx context.Context, p *aws.Principal) (*policy.Policies, error) {
	if err := limited(aws.CallOf(ctx), p); err != nil {
		return nil, err
	}
	own, err := i.own(ctx, p)
	if err != nil || p.Session == nil {
		return own, err
	}
	return i.withSession(ctx, p, own)
}
