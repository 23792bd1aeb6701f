package identitycenter

import (
	"context"
	"errors"

	"sumun.dev/store"
)

const clearAtOnce = 200 // rows that one unit of work removes

// clear removes what a deleted instance has left: its roles first, in the accounts,
// then its rows, some at a time.
func (s *Service) clear(ctx context.Context, due store.Due) error {
	id, storeID := due.ID, string(due.Payload)
	roles, err := s.provisioned.Page(ctx, store.Range{Prefix: id + "/", Limit: 20})
	if err != nil {
		return err
	}
	for _, row := range roles {
		if err := s.removeRole(ctx, row.Value); err != nil {
			return err
		}
	}
	n, errs := len(roles), []error{}
	for _, remove := range []func(left int) (int, error){
		remover(ctx, s.assignments, id+"/"), remover(ctx, s.sets, id+"/"), remover(ctx, s.requests, id+"/"), remover(ctx, s.issuers, id+"/"),
		remover(ctx, s.memberships, storeID+"/"), remover(ctx, s.groups, storeID+"/"), remover(ctx, s.users, storeID+"/"),
		remover(ctx, s.passwords, storeID+"/"), remover(ctx, s.devices, storeID+"/"), remover(ctx, s.codes, storeID+"/"),
		remover(ctx, s.sessions, storeID+"/"), remover(ctx, s.browsers, storeID+"/"), remover(ctx, s.heads, storeID), remover(ctx, s.syncs, storeID),
	} {
		done, err := remove(clearAtOnce - n)
		n += done
		errs = append(errs, err)
	}
	if n >= clearAtOnce || len(roles) > 0 {
		due.At = now()
		store.Schedule(ctx, due)
	}
	return errors.Join(errs...)
}

// remover deletes at most so many rows whose ids begin with prefix.
func remover[T any](ctx context.Context, t *store.Table[T], prefix string) func(most int) (int, error) {
	return func(most int) (int, error) {
		if most <= 0 {
			return 0, nil
		}
		rows, err := t.Page(ctx, store.Range{Prefix: prefix, Limit: most})
		if err != nil {
			return 0, err
		}
		for _, row := range rows {
			if err := t.Delete(ctx, row.ID); err != nil {
				return 0, err
			}
		}
		return len(rows), nil
	}
}
