package iam

import (
	"context"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// defaultPage is how many items IAM lists when MaxItems is absent.
const defaultPage = 100

var errMarker = aws.ErrorKind{Code: "ValidationError", Status: 400}

// pageOf calls show for the rows after marker until it has shown as many as
// asked for, and returns the marker of the next page. show reports whether it
// took the row.
func pageOf[T any](ctx context.Context, s *Service, table *store.Table[T], operation string, filter, marker *string, most *int32, show func(*T) bool) (*string, error) {
	bind := []string{"iam:" + operation, string(aws.CallOf(ctx).Account), pathPrefix(filter)}
	after := ""
	if marker != nil {
		var err error
		if after, err = s.env.Store.OpenToken(bind, *marker); err != nil {
			return nil, errMarker.New("Invalid Marker.")
		}
	}
	left := defaultPage
	if most != nil {
		left = int(*most)
	}
	for {
		rows, err := table.Page(ctx, store.Range{After: after, Limit: left + 1})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if left == 0 {
				return new(s.env.Store.NextToken(bind, after)), nil
			}
			if show(row.Value) {
				left--
			}
			after = row.ID
		}
		if len(rows) == 0 {
			return nil, nil
		}
	}
}

// names pages through a sorted list of names, for what a user or role holds.
func names(ctx context.Context, s *Service, operation, holder string, all []string, marker *string, most *int32) ([]string, *string, error) {
	bind := []string{"iam:" + operation, string(aws.CallOf(ctx).Account), holder}
	after := ""
	if marker != nil {
		var err error
		if after, err = s.env.Store.OpenToken(bind, *marker); err != nil {
			return nil, nil, errMarker.New("Invalid Marker.")
		}
	}
	left := defaultPage
	if most != nil {
		left = int(*most)
	}
	page := []string{}
	for _, name := range all {
		if name <= after && after != "" {
			continue
		}
		if len(page) == left {
			return page, new(s.env.Store.NextToken(bind, page[left-1])), nil
		}
		page = append(page, name)
	}
	return page, nil, nil
}
