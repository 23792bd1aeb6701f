// Package kms is AWS Key Management Service: keys that never leave, and the policies and grants that guard them.
//
// Routes is its table of contents. A key (key.go, state.go) holds its material
// (engine/material does the cryptography with it); what a call needs of a key is
// found in one place (find.go), which touch.go asks before the gate decides and
// serving asks again.
package kms

import (
	"slices"

	"sumun.dev/engine/xks"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves KMS.
type Service struct {
	env     service.Env
	keys    *store.Table[key]
	aliases *store.Table[alias]
	grants  *store.Table[grant]
	counts  *store.Table[grantCount]
	retire  *store.Table[retirable]
	imports *store.Table[importToken]
	places  *store.Table[keyStore]
	outside *xks.Client
	usages  *store.Table[keyUsage]
	known   *known
	used    usageNote

	wrapping wrappings // keys of imports under way
}

// New returns KMS.
func New(env service.Env) *Service {
	return &Service{
		env:     env,
		keys:    store.NewTable(env.Store, "kms.keys", store.Index(byMaterial, (*key).materialIDs), store.Index(byStore, (*key).stores)),
		aliases: store.NewTable(env.Store, "kms.aliases", store.Index(byTarget, (*alias).targets)),
		grants:  store.NewTable(env.Store, "kms.grants", store.Index(byGrantee, (*grant).grantees), store.Index(byName, (*grant).names)),
		counts:  store.NewTable[grantCount](env.Store, "kms.grantcounts"),
		retire:  store.NewTable(env.Store, "kms.retirables", store.Index(byRetiring, (*retirable).principals)),
		imports: store.NewTable[importToken](env.Store, "kms.imports"),
		places:  store.NewTable[keyStore](env.Store, "kms.stores"),
		outside: xks.New(xks.Options{}),
		usages:  store.NewTable[keyUsage](env.Store, "kms.usages"),
		known:   newKnown(env.Store),
	}
}

// Routes lists what KMS serves, noun by noun.
func (s *Service) Routes() []wire.Route {
	return slices.Concat(s.keyRoutes(), s.cryptoRoutes(), s.grantRoutes(), s.importRoutes(), s.rotationRoutes(), s.storeRoutes())
}

// Jobs lists what falls due.
func (s *Service) Jobs() []service.Job {
	return slices.Concat(s.keyJobs(), s.importJobs(), s.rotationJobs(), s.storeJobs())
}
