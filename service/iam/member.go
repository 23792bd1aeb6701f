package iam

import (
	"context"
	"errors"

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
	r := &role{
		Name: roleName, Path: "/", ID: aws.UniqueID("AROA"), Created: now(), MaxSession: defaultSession, grants: grants{Attached: []string{AdministratorAccess}},
		Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + string(management) + `:root"},"Action":"sts:AssumeRole"}]}`,
	}
	return s.insertRole(ctx, account, r)
}

// AddLinkedRole makes sure that the service-linked role of a service is in an
// account. The plane calls it within a unit of work, for services to which the
// account's organisation gives access. Organizations User Guide, "Using AWS
// Organizations with other AWS services".
func (s *Service) AddLinkedRole(ctx context.Context, account aws.Account, service string) error {
	l, ok := linkedServices()[service]
	if !ok {
		return errors.New("iam: the service-linked role of " + service + " is not known")
	}
	r, err := newLinkedRole(service, l, nil)
	if err != nil {
		return err
	}
	if err := s.insertRole(ctx, account, r); !errors.Is(err, store.ErrExists) {
		return err
	}
	return nil
}
