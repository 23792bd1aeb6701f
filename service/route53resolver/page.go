package route53resolver

import (
	"context"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/store"
)

// defaultPage is how many resources are listed when MaxResults is absent.
const defaultPage = 100

func (s *Service) open(bind []string, token *string) (string, error) {
	if token == nil {
		return "", nil
	}
	after, err := s.env.Store.OpenToken(bind, *token)
	if err != nil {
		return "", api.InvalidNextTokenException.New("The value of NextToken is not one that an earlier call with the same parameters has returned.")
	}
	return after, nil
}

// pages calls show for the rows after the token until it has taken as many as
// asked for, and returns the token of the next page.
func pages[T any](ctx context.Context, s *Service, t *store.Table[T], operation string, filters []string, token *string, most *int32, show func(string, *T) bool) (*string, error) {
	bind := append([]string{"route53resolver:" + operation, place(ctx).String()}, filters...)
	after, err := s.open(bind, token)
	if err != nil {
		return nil, err
	}
	left := defaultPage
	if most != nil {
		left = int(*most)
	}
	for {
		rows, err := t.Page(ctx, store.Range{After: after, Limit: left + 1})
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		for _, row := range rows {
			if left == 0 {
				return new(s.env.Store.NextToken(bind, after)), nil
			}
			if show(row.ID, row.Value) {
				left--
			}
			after = row.ID
		}
	}
}
