// Package iam is AWS Identity and Access Management.
//
// Routes is its table of contents. identity.go is what the gate asks on every
// call: whose key is this, and what may its holder do.
package iam

import (
	"context"
	"slices"
	"time"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/service"
	"sumun.dev/service/iam/managed"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves IAM.
type Service struct {
	env    service.Env
	users  *store.Table[user]
	roles  *store.Table[role]
	keys   *store.Table[accessKey] // of all accounts, in no place: a key is looked up before its account is known
	roots  *store.Table[rootUser]
	totals *store.Table[total] // of each account, by what is counted
	known  *cache

	credentials *store.Table[credentials] // by the unique ids of users
	devices     *store.Table[mfaDevice]
	guesses     guesses
	passwords   *store.Table[passwordPolicy]
	hashing     hashing

	wrongPasswords guesses
	signingIn      hashing // strangers' passwords: they do not hold up those who change theirs
	signIns        guesses // of users
	strangers      guesses // of nobody, so that names made up do not make a user's guesses forgotten
	certificates   *store.Table[serverCertificate]
	oidc           *store.Table[oidcProvider]
	membership     func(context.Context, aws.Account) (*policy.Membership, error) // nil: there are no organisations
	saml           *store.Table[samlProvider]
	administration Administration // nil: there are no organisations
	rootAccesses   *store.Table[rootAccess]
	usages         *store.Table[usage]        // by the unique ids of users and roles
	reports        *store.Table[lastAccessed] // of Access Advisor
	entity         Entity                     // nil: there are no organisations
	noted          noted

	credentialReports *store.Table[credentialReport]
	preferences       *store.Table[preferences]

	organizationReports *store.Table[organizationReport]

	groups    *store.Table[group]
	policies  *store.Table[managedPolicy] // of customers, by their names
	profiles  *store.Table[profile]
	aliases   *store.Table[alias]    // of all accounts, since none is given twice
	ids       *store.Table[identity] // users and roles of all accounts, by unique id
	deletions *store.Table[deletion] // of service-linked roles
	aws       *managed.Policies
	compiled  policy.Cache // of all holders: most have the same managed policies
}

// New returns an IAM.
func New(env service.Env) *Service {
	s := &Service{
		env:    env,
		users:  store.NewTable(env.Store, "iam.users", store.Global[user](), store.Index("uses", usesOfUser), store.Index("group", func(u *user) []string { return u.Groups })),
		roles:  store.NewTable(env.Store, "iam.roles", store.Global[role](), store.Index("uses", usesOfRole)),
		keys:   store.NewTable(env.Store, "iam.keys", store.Global[accessKey]()).In(store.Place{}),
		roots:  store.NewTable(env.Store, "iam.roots", store.Global[rootUser]()),
		totals: store.NewTable(env.Store, "iam.totals", store.Global[total]()),

		credentials:  store.NewTable(env.Store, "iam.credentials", store.Global[credentials](), store.Index("certificate", (*credentials).prints)),
		passwords:    store.NewTable(env.Store, "iam.passwordpolicy", store.Global[passwordPolicy]()),
		hashing:      make(hashing, hashesMost),
		signingIn:    make(hashing, hashesMost),
		certificates: store.NewTable(env.Store, "iam.certificates", store.Global[serverCertificate]()),
		devices:      store.NewTable(env.Store, "iam.mfa", store.Global[mfaDevice]()),
		oidc:         store.NewTable(env.Store, "iam.oidc", store.Global[oidcProvider]()),
		saml:         store.NewTable(env.Store, "iam.saml", store.Global[samlProvider]()),
		rootAccesses: store.NewTable(env.Store, "iam.rootaccess", store.Global[rootAccess]()),
		usages:       store.NewTable(env.Store, "iam.usages", store.Global[usage]()),
		reports:      store.NewTable(env.Store, "iam.reports", store.Global[lastAccessed]()),

		credentialReports: store.NewTable(env.Store, "iam.credentialreport", store.Global[credentialReport]()),
		preferences:       store.NewTable(env.Store, "iam.preferences", store.Global[preferences]()),

		organizationReports: store.NewTable(env.Store, "iam.organizationreports", store.Global[organizationReport]()),

		groups:    store.NewTable(env.Store, "iam.groups", store.Global[group](), store.Index("uses", usesOfGroup), store.Index("id", func(g *group) []string { return []string{g.ID} })),
		policies:  store.NewTable(env.Store, "iam.policies", store.Global[managedPolicy]()),
		profiles:  store.NewTable(env.Store, "iam.profiles", store.Global[profile](), store.Index("role", func(p *profile) []string { return p.Roles })),
		aliases:   store.NewTable(env.Store, "iam.aliases", store.Global[alias](), store.Index("account", func(a *alias) []string { return []string{string(a.Account)} })).In(store.Place{}),
		ids:       store.NewTable(env.Store, "iam.ids", store.Global[identity]()).In(store.Place{}),
		deletions: store.NewTable(env.Store, "iam.deletions", store.Global[deletion]()),
		aws:       managed.New(),
	}
	s.known = newCache(env.Store)
	return s
}

// Routes lists what IAM serves.
func (s *Service) Routes() []wire.Route {
	return slices.Concat(s.entityRoutes(), s.mfaRoutes(), s.oidcRoutes(), s.samlRoutes(), s.credentialRoutes(), s.serverCertificateRoutes(), s.simulatorRoutes(), s.lastAccessedRoutes(), s.organizationReportRoutes(), s.credentialReportRoutes(), s.preferenceRoutes(), s.rootAccessRoutes())
}

// entityRoutes lists what is served for users, groups, roles and policies.
func (s *Service) entityRoutes() []wire.Route {
	return slices.Concat(s.userRoutes(), s.keyRoutes(), s.groupRoutes(), s.roleRoutes(), s.linkedRoutes(), s.profileRoutes(),
		s.inlineRoutes(), s.attachmentRoutes(), s.boundaryRoutes(), s.policyRoutes(), s.versionRoutes(), s.tagRoutes(), s.accountRoutes())
}

// Consumers keeps when each access key and role was last used, from the trail.
func (s *Service) Consumers() []service.Consumer {
	return []service.Consumer{{Name: "iam-last-used", Stream: aws.TrailStream, Handle: s.noteUse, MaxBatch: 2048, Linger: 200 * time.Millisecond}}
}
