package plane

import (
	"context"
	"net/http"
	"net/netip"

	"sumun.dev/api/identitystoreapi"
	"sumun.dev/api/ssoadminapi"
	"sumun.dev/api/ssoapi"
	"sumun.dev/api/ssooidcapi"
	"sumun.dev/aws"
	"sumun.dev/plane/config"
	"sumun.dev/policy"
	"sumun.dev/service/iam/managed"
	"sumun.dev/service/identitycenter"
	"sumun.dev/store"
)

// mountIdentityCenter mounts the faces of IAM Identity Center, and keeps its pages
// for people's browsers.
func (c *core) mountIdentityCenter(cfg *config.Config, o Options, who *identities) (*identitycenter.Service, error) {
	tokens, err := verifier(cfg, o)
	if err != nil {
		return nil, err
	}
	policies := managed.New()
	s := identitycenter.New(c.env(cfg, o, "sso", (*identitycenter.Service).Needs(nil)...), identitycenter.Options{
		Membership: func(ctx context.Context, account aws.Account) (*policy.Membership, error) {
			return who.membership(store.Outside(ctx), account)
		},
		Account: who.organizations.Named,
		Link: func(ctx context.Context, account aws.Account) error {
			return who.iam.AddLinkedRole(ctx, account, identitycenter.Principal)
		},
		ManagedPolicy: func(arn string) bool { p := policies.Find(arn); return p != nil && p.Attachable() },
		Tokens:        tokens,
	})
	c.mount(&ssoadminapi.Service, s.Admin())
	c.mount(&identitystoreapi.Service, s.IdentityStore())
	c.mount(&ssooidcapi.Service, s.OIDC())
	c.mount(&ssoapi.Service, s.Portal())
	c.mount(&identitycenter.DirectoryAPI, s.Directory())
	c.pages = s.Pages(func(ctx context.Context, at store.Place) context.Context {
		return asService(ctx, identitycenter.Principal, at)
	}, func(r *http.Request) netip.Addr { return c.gate.ClientAddress(r) })
	return s, nil
}
