package iam

import (
	"context"
	"errors"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// identity is whom a unique id belongs to.
type identity struct {
	Account aws.Account
	Kind    string // userKind or roleKind
	Name    string // in lower case
}

const (
	userKind = "user"
	roleKind = "role"
)

// forgetID takes away what is kept under a unique id whose holder is deleted.
func (s *Service) forgetID(ctx context.Context, id string) error {
	if err := s.usages.Delete(ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	err := s.ids.Delete(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// UniqueID returns the unique id of the user or role with this ARN;
// store.ErrNotFound when there is none.
func (s *Service) UniqueID(ctx context.Context, arn aws.ARN) (string, error) {
	kind, rest, _ := strings.Cut(arn.Resource, "/")
	name := strings.ToLower(rest[strings.LastIndexByte(rest, '/')+1:])
	if arn.Service != "iam" || name == "" {
		return "", store.ErrNotFound
	}
	switch kind {
	case userKind:
		u, err := s.users.At(arn).Get(ctx, name)
		if err == nil && userARN(ownPartition, arn.Account, u) == arn {
			return u.ID, nil
		}
		return "", missing(err)
	case roleKind:
		r, err := s.roles.At(arn).Get(ctx, name)
		if err == nil && roleARN(ownPartition, arn.Account, r) == arn {
			return r.ID, nil
		}
		return "", missing(err)
	}
	return "", store.ErrNotFound
}

func missing(err error) error {
	if err == nil {
		return store.ErrNotFound // its path is another, or its name has another case
	}
	return err
}

// Named returns the ARN of the user or role with this unique id, in any account;
// store.ErrNotFound when there is none any more.
func (s *Service) Named(ctx context.Context, id string) (aws.ARN, error) {
	who, err := s.ids.Get(ctx, id)
	if err != nil {
		return aws.ARN{}, err
	}
	place := store.Place{Account: who.Account}
	if who.Kind == userKind {
		u, err := s.users.In(place).Get(ctx, who.Name)
		if err != nil {
			return aws.ARN{}, err
		}
		return userARN(partition(ctx), who.Account, u), nil
	}
	r, err := s.roles.In(place).Get(ctx, who.Name)
	if err != nil {
		return aws.ARN{}, err
	}
	return roleARN(partition(ctx), who.Account, r), nil
}
