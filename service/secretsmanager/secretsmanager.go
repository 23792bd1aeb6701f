// Package secretsmanager is AWS Secrets Manager: secrets with versions, stages, replicas and rotation, encrypted under KMS keys.
//
// Routes is its table of contents.
package secretsmanager

import (
	"slices"

	"sumun.dev/api/kmsapi"
	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves Secrets Manager.
type Service struct {
	env      service.Env
	secrets  *store.Table[secret]
	versions *store.Table[version]
	order    *store.Table[place] // secrets by date and name: order.go
	known    known

	functions Functions // run rotations; UseFunctions
}

// New returns Secrets Manager.
func New(env service.Env) *Service {
	return &Service{
		env:      env,
		secrets:  store.NewTable(env.Store, "secretsmanager.secrets", store.Hot[secret](), store.Index(byName, (*secret).names)),
		versions: store.NewTable(env.Store, "secretsmanager.versions", store.Hot[version]()),
		order:    store.NewTable[place](env.Store, "secretsmanager.order"),
	}
}

// Routes lists what Secrets Manager serves.
func (s *Service) Routes() []wire.Route { return slices.Concat(s.secretRoutes(), s.rotationRoutes()) }

// Needs lists what it calls: a reader must be allowed to decrypt by the key.
func (s *Service) Needs() []wire.AnyOperation {
	return []wire.AnyOperation{&kmsapi.GenerateDataKey, &kmsapi.Decrypt}
}

// Own lists what it calls of its own, in the same call's name: a batch reads each
// of its secrets, and rotation does what a rotation function would.
func (s *Service) Own() []wire.AnyOperation {
	return []wire.AnyOperation{&api.DescribeSecret, &api.GetSecretValue, &api.PutSecretValue, &api.UpdateSecretVersionStage}
}

// Jobs lists what falls due.
func (s *Service) Jobs() []service.Job { return slices.Concat(s.secretJobs(), s.rotationJobs()) }
