// Package identitycenter is AWS IAM Identity Center.
//
// One service with several faces, each an AWS API of its own: Admin (sso-admin),
// IdentityStore (identitystore), Portal (sso), OIDC (sso-oidc) and Directory,
// which gives users of the built-in directory their passwords. What people see in
// a browser is in signin.go. Their Routes are the table of contents.
package identitycenter

import (
	"context"
	"time"

	"sumun.dev/aws"
	"sumun.dev/engine/oidc"
	"sumun.dev/policy"
	"sumun.dev/service"
	"sumun.dev/store"
)

// Principal is the service as it stands in policies and in the trail.
const Principal = "sso.amazonaws.com"

// Options are what Identity Center is told of the rest of the plane.
type Options struct {
	// Membership returns where an account stands in its organisation; nil in none.
	Membership func(ctx context.Context, account aws.Account) (*policy.Membership, error)

	// Account returns the name and the email address of an account of an organisation.
	Account func(ctx context.Context, account aws.Account) (name, email string, err error)

	// Link makes sure that the service-linked role AWSServiceRoleForSSO is in account.
	Link func(ctx context.Context, account aws.Account) error

	// ManagedPolicy reports whether AWS has a managed policy with this ARN.
	ManagedPolicy func(arn string) bool

	// Tokens verifies the tokens of OpenID Connect providers.
	Tokens *oidc.Verifier
}

// Service serves Identity Center.
type Service struct {
	env     service.Env
	options Options
	url     string // where browsers reach the plane, and providers answer
	from    []Source

	homes       *store.Table[home]     // of each account: where its instance is
	directories *store.Table[place]    // by identity store, in no place: whoever signs in names one
	instances   *store.Table[instance] // the rest lies in the instance's account and region
	users       *store.Table[user]
	groups      *store.Table[group]
	memberships *store.Table[membership]
	heads       *store.Table[heads]
	sets        *store.Table[permissionSet]
	assignments *store.Table[assignment]
	provisioned *store.Table[provision]
	requests    *store.Table[request]
	issuers     *store.Table[tokenIssuer]
	devices     *store.Table[device]
	codes       *store.Table[authorization]
	sessions    *store.Table[session]
	browsers    *store.Table[browser]
	passwords   *store.Table[password]
	syncs       *store.Table[syncState]

	hashing chan struct{} // bounds how many passwords are hashed at a time
	binding chan struct{} // and how many are checked by directories
}

// New returns an Identity Center.
func New(env service.Env, o Options) *Service {
	s := &Service{env: env, options: o, hashing: make(chan struct{}, hashesAtOnce), binding: make(chan struct{}, bindsAtOnce)}
	s.homes = store.NewTable(env.Store, "sso.homes", store.Global[home]())
	s.directories = store.NewTable(env.Store, "sso.directories", store.Global[place]()).In(store.Place{})
	s.instances = store.NewTable(env.Store, "sso.instances", store.Index("store", func(i *instance) []string { return []string{i.Store} }))
	s.users = store.NewTable(env.Store, "sso.users", store.Index("by", (*user).keys))
	s.groups = store.NewTable(env.Store, "sso.groups", store.Index("by", (*group).keys))
	s.memberships = store.NewTable(env.Store, "sso.memberships", store.Index("by", (*membership).keys))
	s.heads = store.NewTable[heads](env.Store, "sso.heads")
	s.sets = store.NewTable(env.Store, "sso.sets", store.Index("name", func(p *permissionSet) []string { return []string{p.Instance + "/" + p.Name} }))
	s.assignments = store.NewTable(env.Store, "sso.assignments", store.Index("by", (*assignment).keys))
	s.provisioned = store.NewTable(env.Store, "sso.provisioned", store.Index("by", (*provision).keys))
	s.requests = store.NewTable[request](env.Store, "sso.requests")
	s.issuers = store.NewTable[tokenIssuer](env.Store, "sso.issuers")
	s.devices = store.NewTable(env.Store, "sso.devices", store.Index("code", func(d *device) []string { return []string{d.Store + "/" + d.UserCode} }),
		store.Index("user", func(d *device) []string { return ofUser(d.Store, d.User) }))
	s.codes = store.NewTable(env.Store, "sso.codes", store.Index("user", func(a *authorization) []string { return ofUser(a.Store, a.User) }))
	s.sessions = store.NewTable(env.Store, "sso.sessions", store.Index("user", func(x *session) []string { return ofUser(x.Store, x.User) }))
	s.browsers = store.NewTable(env.Store, "sso.browsers", store.Index("user", func(b *browser) []string { return ofUser(b.Store, b.User) }))
	s.passwords = store.NewTable[password](env.Store, "sso.passwords")
	s.syncs = store.NewTable[syncState](env.Store, "sso.syncs")
	return s
}

// Use gives instances identity sources. url is where people's browsers reach the
// plane, and where identity providers answer; without it nobody signs in with
// them. It comes before the first call.
func (s *Service) Use(url string, sources ...Source) { s.url, s.from = url, sources }

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// caller is who makes the call, as CreatedBy and UpdatedBy have it.
func caller(ctx context.Context) *string {
	p := aws.CallOf(ctx).Principal
	if p.ARN.IsZero() {
		return new(p.Name)
	}
	return new(p.ARN.String())
}
