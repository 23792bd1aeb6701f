package iam

import (
	"context"
	"strconv"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// defaultPage is how many items IAM lists when MaxItems is absent.
const defaultPage = 100

var errMarker = aws.ErrorKind{Code: "ValidationError", Status: 400}

// A section is one kind of thing in a list. It shows up to most things behind the
// one called after, and returns how many it has shown, which was the last, and
// whether there are more. With most 0 it only looks whether there are any.
type section func(ctx context.Context, after string, most int) (shown int, last string, more bool, err error)

// rows is a section of a table's rows; show reports whether it took the row.
func rows[T any](page func(context.Context, store.Range) ([]store.Entry[T], error), show func(*T) bool) section {
	return func(ctx context.Context, after string, most int) (int, string, bool, error) {
		shown := 0
		for {
			all, err := page(ctx, store.Range{After: after, Limit: most - shown + 1})
			if err != nil {
				return 0, "", false, err
			}
			for _, row := range all {
				if shown == most {
					return shown, after, true, nil
				}
				if show(row.Value) {
					shown++
				}
				after = row.ID
			}
			if len(all) == 0 {
				return shown, after, false, nil
			}
		}
	}
}

// pages shows one page of a list that has several sections, and returns the marker
// of the next. A marker belongs to one list: what list says, operation first.
func pages(ctx context.Context, s *Service, list []string, marker *string, most *int32, sections ...section) (*string, error) {
	bind := append([]string{"iam:" + list[0], string(aws.CallOf(ctx).Account)}, list[1:]...)
	at, after := 0, ""
	if marker != nil {
		text, err := s.env.Store.OpenToken(bind, *marker)
		if err != nil {
			return nil, errMarker.New("Invalid Marker.")
		}
		number, rest, _ := strings.Cut(text, ":")
		if at, err = strconv.Atoi(number); err != nil || at >= len(sections) {
			return nil, errMarker.New("Invalid Marker.")
		}
		after = rest
	}
	left := pageSize(most)
	for ; at < len(sections); at++ {
		shown, last, more, err := sections[at](ctx, after, left)
		if err != nil {
			return nil, err
		}
		if more {
			return new(s.env.Store.NextToken(bind, strconv.Itoa(at)+":"+last)), nil
		}
		left -= shown
		after = ""
	}
	return nil, nil
}

func pageSize(most *int32) int {
	if most == nil {
		return defaultPage
	}
	return int(*most)
}

// pageOf shows a page of a table.
func pageOf[T any](ctx context.Context, s *Service, table *store.Table[T], operation string, filter, marker *string, most *int32, show func(*T) bool) (*string, error) {
	return pages(ctx, s, []string{operation, pathPrefix(filter)}, marker, most, rows(table.Page, show))
}

// names pages through a sorted list of names, for what a user or role holds.
func names(ctx context.Context, s *Service, operation, holder string, all []string, marker *string, most *int32) ([]string, *string, error) {
	page := []string{}
	next, err := pages(ctx, s, []string{operation, holder}, marker, most, sorted(all, func(name string) string { return name }, func(name string) bool {
		page = append(page, name)
		return true
	}))
	return page, next, err
}

// sorted is a section of a list in memory that is sorted by id; show reports
// whether it took the element.
func sorted[T any](all []T, id func(T) string, show func(T) bool) section {
	return func(_ context.Context, after string, most int) (shown int, last string, more bool, err error) {
		last = after
		for _, e := range all {
			if id(e) <= after && after != "" {
				continue
			}
			if shown == most {
				return shown, last, true, nil
			}
			if show(e) {
				shown++
			}
			last = id(e)
		}
		return shown, last, false, nil
	}
}
