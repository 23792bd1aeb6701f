package identitycenter

import (
	"context"

	"sumun.dev/api/ssoadminapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

const defaultPage = 100

// list returns a page of what next reads in the order of ids, of which keep wants
// some, and the token of the page after it. The token is bound to the call's
// account, region and operation and to filters.
func list[T any](ctx context.Context, s *Service, filters []string, most *int32, token *string, wrong aws.ErrorKind,
	next func(store.Range) ([]store.Entry[T], error), keep func(*T) bool) ([]store.Entry[T], *string, error) {
	c := aws.CallOf(ctx)
	bind := append([]string{c.Service + ":" + c.Operation, string(c.Account), string(c.Region)}, filters...)
	limit, after := defaultPage, ""
	if most != nil {
		limit = int(*most)
	}
	if token != nil {
		var err error
		if after, err = s.env.Store.OpenToken(bind, *token); err != nil {
			return nil, nil, wrong.New("The provided NextToken is not valid.")
		}
	}
	var page []store.Entry[T]
	for {
		rows, err := next(store.Range{After: after, Limit: limit + 1})
		if err != nil {
			return nil, nil, err
		}
		for _, row := range rows {
			if keep != nil && !keep(row.Value) {
				continue
			}
			if len(page) == limit {
				return page, new(s.env.Store.NextToken(bind, page[limit-1].ID)), nil
			}
			page = append(page, row)
		}
		if len(rows) <= limit {
			return page, nil, nil
		}
		after = rows[len(rows)-1].ID
	}
}

// under reads a table's rows whose ids begin with prefix.
func under[T any](ctx context.Context, t *store.Table[T], prefix string) func(store.Range) ([]store.Entry[T], error) {
	return func(r store.Range) ([]store.Entry[T], error) {
		r.Prefix = prefix
		return t.Page(ctx, r)
	}
}

// indexed reads a table's rows by an index.
func indexed[T any](ctx context.Context, t *store.Table[T], index, value string) func(store.Range) ([]store.Entry[T], error) {
	return func(r store.Range) ([]store.Entry[T], error) { return t.PageBy(ctx, index, value, r) }
}

// every calls f for each row that next reads, until f is done or fails. It reads a
// page at a time, so f may write the table.
func every[T any](next func(store.Range) ([]store.Entry[T], error), f func(store.Entry[T]) error) error {
	after := ""
	for {
		rows, err := next(store.Range{After: after, Limit: 500})
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := f(row); err != nil {
				return err
			}
			after = row.ID
		}
		if len(rows) < 500 {
			return nil
		}
	}
}

// one returns the first row under an index value; nil when there is none.
func one[T any](ctx context.Context, t *store.Table[T], index, value string) (*store.Entry[T], error) {
	rows, err := t.PageBy(ctx, index, value, store.Range{Limit: 1})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// slice is list for sorted texts that are all there already.
func slice(ctx context.Context, s *Service, of string, all []string, most *int32, token *string) ([]string, *string, error) {
	rows, next, err := list(ctx, s, []string{of}, most, token, ssoadminapi.ValidationException, func(r store.Range) ([]store.Entry[string], error) {
		var page []store.Entry[string]
		for _, text := range all {
			if text > r.After && len(page) < r.Limit {
				page = append(page, store.Entry[string]{ID: text, Value: &text})
			}
		}
		return page, nil
	}, nil)
	var out []string
	for _, row := range rows {
		out = append(out, row.ID)
	}
	return out, next, err
}
