package organizations

import (
	"context"

	"sumun.dev/aws"
)

// mine returns the organisation that the caller's account belongs to.
func (s *Service) mine(ctx context.Context) (*organization, error) {
	o, err := s.ownOrNone(ctx)
	if err == nil && o == nil {
		err = notInUse()
	}
	return o, err
}

// ownOrNone is mine, but answers nil when the account is in no organisation.
func (s *Service) ownOrNone(ctx context.Context) (*organization, error) {
	a, err := s.known(ctx, aws.CallOf(ctx).Account)
	if err != nil || a == nil {
		return nil, err
	}
	return s.at(ctx, a.Management)
}

// managed returns the caller's organisation, for what its management account may
// do and those to whom it has delegated the action. Whom the organisation's
// resource policy lets is the gate's decision: the touch carries the policy.
func (s *Service) managed(ctx context.Context) (*organization, error) {
	o, err := s.mine(ctx)
	if err != nil || o.Management == aws.CallOf(ctx).Account {
		return o, err
	}
	doc, err := s.delegated(ctx, o)
	if err == nil && doc == "" {
		err = forbidden()
	}
	return o, err
}

// ruled returns the caller's organisation, for what only its management account may do.
func (s *Service) ruled(ctx context.Context) (*organization, error) {
	o, err := s.mine(ctx)
	if err == nil && o.Management != aws.CallOf(ctx).Account {
		err = forbidden()
	}
	return o, err
}
