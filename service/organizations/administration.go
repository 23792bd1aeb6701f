package organizations

import (
	"context"
	"errors"

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
