package iam

import (
	"context"
	"errors"

	"sumun.dev/api/iamapi"
	"sumun.dev/store"
)

// credentials are what a user, or the account's root user, has besides access
// keys. They stand under the user's unique id, so a new name does not part them.
type credentials struct {
	MFA []assigned `json:",omitempty"`
}

// empty reports whether nothing is left.
func (c *credentials) empty() bool { return len(c.MFA) == 0 }

// An owner is who holds credentials: a user, or the account's root user.
type owner struct {
	id, name string // the name is empty for root
	*credentials
}

// shown returns the name as answers have it.
func (o *owner) shown() string {
	if o.name == "" {
		return rootID
	}
	return o.name
}

// owner returns whose credentials an operation is about: the named user, else
// the caller.
func (s *Service) owner(ctx context.Context, name *string) (*owner, error) {
	who, err := nameOrCaller(ctx, name)
	if err != nil {
		return nil, err
	}
	if who == "" {
		return s.owned(ctx, rootID, "")
	}
	u, err := s.user(ctx, who)
	if err != nil {
		return nil, err
	}
	return s.owned(ctx, u.ID, u.Name)
}

func (s *Service) owned(ctx context.Context, id, name string) (*owner, error) {
	c, err := s.credentials.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		c, err = &credentials{}, nil
	}
	return &owner{id: id, name: name, credentials: c}, err
}

func (s *Service) putCredentials(ctx context.Context, o *owner) error {
	if !o.empty() {
		return s.credentials.Put(ctx, o.id, o.credentials)
	}
	err := s.credentials.Delete(ctx, o.id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// holding refuses to delete a user who still has credentials.
func (s *Service) holding(ctx context.Context, u *user) error {
	o, err := s.owned(ctx, u.ID, u.Name)
	if err != nil || o.empty() {
		return err
	}
	return o.conflict()
}

// conflict says what must go before the user can.
func (o *owner) conflict() error {
	return iamapi.DeleteConflictException.New("Cannot delete entity, must delete MFA device first.")
}
