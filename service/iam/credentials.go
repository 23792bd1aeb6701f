package iam

import (
	"context"
	"errors"
	"slices"

	"sumun.dev/api/iamapi"
	"sumun.dev/store"
)

// credentials are what a user, or the account's root user, has besides access
// keys. They stand under the user's unique id, so a new name does not part them.
type credentials struct {
	MFA      []assigned           `json:",omitempty"`
	Login    *login               `json:",omitempty"`
	SSHKeys  []sshKey             `json:",omitempty"`
	Signing  []signingCertificate `json:",omitempty"`
	Services []serviceCredential  `json:",omitempty"`
}

// empty reports whether nothing is left.
func (c *credentials) empty() bool { return c.first() == "" }

// first names the first thing that is left, as refusals to delete a user do.
func (c *credentials) first() string {
	switch {
	case c.Login != nil:
		return "login profile"
	case len(c.MFA) > 0:
		return "MFA device"
	case len(c.Signing) > 0:
		return "signing certificates"
	case len(c.SSHKeys) > 0:
		return "SSH public keys"
	case len(c.Services) > 0:
		return "service specific credentials"
	}
	return ""
}

// prints are the fingerprints of the signing certificates: an index, since a
// certificate is one user's.
func (c *credentials) prints() []string {
	var all []string
	for _, k := range c.Signing {
		all = append(all, k.Print)
	}
	return all
}

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
	return iamapi.DeleteConflictException.New("Cannot delete entity, must delete %s first.", o.first())
}

// named pages through what an owner has, in the order of the ids.
func named[T any](ctx context.Context, s *Service, operation, holder string, all []T, id func(T) string, marker *string, most *int32) ([]T, *string, error) {
	by := map[string]T{}
	var ids []string
	for _, v := range all {
		ids = append(ids, id(v))
		by[id(v)] = v
	}
	slices.Sort(ids)
	page, next, err := names(ctx, s, operation, holder, ids, marker, most)
	shown := make([]T, 0, len(page))
	for _, id := range page {
		shown = append(shown, by[id])
	}
	return shown, next, err
}

// active reads the status that a client sets.
func active(status iamapi.StatusType) (bool, error) {
	if status != iamapi.StatusTypeActive && status != iamapi.StatusTypeInactive {
		return false, iamapi.InvalidInputException.New("Status can be Active or Inactive only.")
	}
	return status == iamapi.StatusTypeActive, nil
}

func status(active bool) iamapi.StatusType {
	if active {
		return iamapi.StatusTypeActive
	}
	return iamapi.StatusTypeInactive
}
