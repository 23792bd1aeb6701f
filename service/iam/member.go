package iam

import (
	"context"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// AddMember makes what an account that Organizations has created begins with: a
// root user without credentials, and a role with AdministratorAccess by which
// the principals of the management account enter. It answers store.ErrExists
// when there is such an account. The plane calls it within a unit of work.
// Organizations User Guide, "Accessing member accounts".
func (s *Service) AddMember(ctx context.Context, account aws.Account, roleName string, management aws.Account) error {
	at := store.Place{Account: account}
	if err := s.roots.In(at).Insert(ctx, rootID, &rootUser{Created: now()}); err != nil {
		return err
	}
	return s.AddEntrance(ctx, account, roleName, management)
}

// AddEntrance makes a role with AdministratorAccess that the principals of the
// account trusted may assume.
func (s *Service) AddEntrance(ctx context.Context, account aws.Account, roleName string, trusted aws.Account) error {
	r := &role{
		Name: roleName, Path: "/", ID: aws.UniqueID("AROA"), Created: now(), MaxSession: defaultSession, grants: grants{Attached: []string{AdministratorAccess}},
		Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + string(trusted) + `:root"},"Action":"sts:AssumeRole"}]}`,
	}
	return s.insertRole(ctx, account, r)
}
