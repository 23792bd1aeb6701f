package organizations

import (
	"context"
	"errors"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// Named returns the name and the email address of an account; both empty when
// none of that number is known.
func (s *Service) Named(ctx context.Context, id aws.Account) (name, email string, err error) {
	a, err := s.accounts.Get(ctx, string(id))
	if errors.Is(err, store.ErrNotFound) {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	return a.Name, a.Email, nil
}
