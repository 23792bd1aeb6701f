package iam

import (
	"context"
	"errors"

	"sumun.dev/store"
)

// Start writes down the unique ids of users and roles that a version before ids
// were kept has made, and their index entries.
func (s *Service) Start(ctx context.Context) error {
	for row, err := range s.users.Everywhere(ctx) {
		if err != nil {
			return err
		}
		err := s.remember(ctx, row.Value.ID, &identity{row.Place.Account, userKind, row.ID}, func(ctx context.Context) error {
			u, err := s.users.In(row.Place).Get(ctx, row.ID)
			if err != nil {
				return err
			}
			return s.users.In(row.Place).Put(ctx, row.ID, u)
		})
		if err != nil {
			return err
		}
	}
	for row, err := range s.roles.Everywhere(ctx) {
		if err != nil {
			return err
		}
		err := s.remember(ctx, row.Value.ID, &identity{row.Place.Account, roleKind, row.ID}, func(ctx context.Context) error {
			r, err := s.roles.In(row.Place).Get(ctx, row.ID)
			if err != nil {
				return err
			}
			return s.roles.In(row.Place).Put(ctx, row.ID, r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// remember writes down whom a unique id belongs to, and the row again, unless it
// stands there already.
func (s *Service) remember(ctx context.Context, id string, who *identity, again func(context.Context) error) error {
	_, err := s.ids.Get(ctx, id)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return s.env.Store.Update(ctx, func(ctx context.Context) error {
		err := again(ctx)
		if errors.Is(err, store.ErrNotFound) {
			return nil // deleted meanwhile, on another node
		}
		if err != nil {
			return err
		}
		return s.ids.Put(ctx, id, who)
	})
}
