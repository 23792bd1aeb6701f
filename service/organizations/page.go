package organizations

import (
	"context"
	"strings"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// mostListed is how many items a page has when MaxResults is absent, and at most.
const mostListed = 20

// A query is what a list operation asks of a table.
type query struct {
	operation    string
	filters      []string // what the token is bound to, besides operation and account
	index, value string   // empty: the whole table
	prefix       string   // of the ids
	token        *string
	most         *int32
}

func (q *query) bind(ctx context.Context) []string {
	return append([]string{"organizations:" + q.operation, string(aws.CallOf(ctx).Account), q.index, q.value, q.prefix}, q.filters...)
}

func (q *query) limit() int {
	if q.most == nil {
		return mostListed
	}
	return int(*q.most)
}

func (s *Service) after(ctx context.Context, q *query) (string, error) {
	if q.token == nil {
		return "", nil
	}
	after, err := s.env.Store.OpenToken(q.bind(ctx), *q.token)
	if err != nil {
		return "", invalid(organizationsapi.InvalidInputExceptionReasonInvalidNextToken, "You specified an invalid value for NextToken.")
	}
	return after, nil
}

func (s *Service) next(ctx context.Context, q *query, after string) *string {
	return new(s.env.Store.NextToken(q.bind(ctx), after))
}

// pageOf returns the rows that q asks for and keep takes, and the next page's token.
func pageOf[T any](ctx context.Context, s *Service, table *store.Table[T], q query, keep func(*T) bool) ([]*T, *string, error) {
	after, err := s.after(ctx, &q)
	if err != nil {
		return nil, nil, err
	}
	var page []*T
	for {
		r := store.Range{Prefix: q.prefix, After: after, Limit: q.limit() + 1}
		var rows []store.Entry[T]
		if q.index == "" {
			rows, err = table.Page(ctx, r)
		} else {
			rows, err = table.PageBy(ctx, q.index, q.value, r)
		}
		if err != nil {
			return nil, nil, err
		}
		for _, row := range rows {
			if keep != nil && !keep(row.Value) {
				after = row.ID
				continue
			}
			if len(page) == q.limit() {
				return page, s.next(ctx, &q, after), nil
			}
			page = append(page, row.Value)
			after = row.ID
		}
		if len(rows) < r.Limit {
			return page, nil, nil
		}
	}
}

// slice pages through a list that is sorted by key.
func slice[T any](ctx context.Context, s *Service, q query, all []T, key func(T) string) ([]T, *string, error) {
	after, err := s.after(ctx, &q)
	if err != nil {
		return nil, nil, err
	}
	page := []T{}
	for _, item := range all {
		if q.token != nil && strings.Compare(key(item), after) <= 0 {
			continue
		}
		if len(page) == q.limit() {
			return page, s.next(ctx, &q, key(page[len(page)-1])), nil
		}
		page = append(page, item)
	}
	return page, nil, nil
}

// shown maps what is kept to what is answered.
func shown[T, S any](all []T, show func(T) S) []S {
	out := make([]S, 0, len(all))
	for _, item := range all {
		out = append(out, show(item))
	}
	return out
}

// atLeast reports whether n rows or more have the value in the index.
func atLeast[T any](ctx context.Context, table *store.Table[T], index, value string, n int) (bool, error) {
	after := ""
	for n > 0 {
		r := store.Range{After: after, Limit: min(n, store.MaxPage)}
		rows, err := table.PageBy(ctx, index, value, r)
		if err != nil || len(rows) < r.Limit {
			return false, err
		}
		n -= len(rows)
		after = rows[len(rows)-1].ID
	}
	return true, nil
}
