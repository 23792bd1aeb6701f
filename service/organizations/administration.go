package organizations

import (
	"context"
	"errors"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
)

// Administration returns how account stands to the administration of the service
// with that principal in its organisation; nil when it is in none.
func (s *Service) Administration(ctx context.Context, account aws.Account, principal string) (*service.Administration, error) {
	a, err := s.known(ctx, account)
	if err != nil || a == nil {
		return nil, err
	}
	o, err := s.at(ctx, a.Management)
	if err != nil || o == nil {
		return nil, err
	}
	_, trusted := o.Services[principal]
	d := delegation{Account: account, Service: principal}
	_, err = s.delegations.In(o.place()).Get(ctx, d.id())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &service.Administration{Organization: o.ID, Management: o.Management, AllFeatures: o.all(), Trusted: trusted, Delegated: err == nil}, nil
}

// Account returns an account of the organisation that management manages; nil when it
// is not of it.
func (s *Service) Account(ctx context.Context, management, id aws.Account) (*service.OrganizationAccount, error) {
	o, err := s.at(ctx, management)
	if err != nil || o == nil {
		return nil, err
	}
	n, err := s.node(ctx, o, string(id))
	if err != nil || n == nil || n.Kind != isAccount {
		return nil, err
	}
	return s.belonging(ctx, n)
}

// Accounts returns up to n accounts of the organisation that management manages, in
// the order of their ids, from the one after that id on; none when there is no
// organisation.
func (s *Service) Accounts(ctx context.Context, management, after aws.Account, n int) ([]service.OrganizationAccount, error) {
	o, err := s.at(ctx, management)
	if err != nil || o == nil {
		return nil, err
	}
	page, err := s.nodes.In(o.place()).PageBy(ctx, byKind, isAccount, store.Range{After: string(after), Limit: n})
	if err != nil {
		return nil, err
	}
	var all []service.OrganizationAccount
	for _, row := range page {
		a, err := s.belonging(ctx, row.Value)
		if err != nil {
			return nil, err
		}
		all = append(all, *a)
	}
	return all, nil
}

func (s *Service) belonging(ctx context.Context, n *node) (*service.OrganizationAccount, error) {
	a, err := s.account(ctx, aws.Account(n.ID))
	if err != nil {
		return nil, err
	}
	return &service.OrganizationAccount{ID: a.ID, Email: a.Email, Joined: n.Joined, Active: a.State == organizationsapi.AccountStateActive}, nil
}
