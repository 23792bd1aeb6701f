package kms

import (
	"context"

	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"

	"sumun.dev/api/kmsapi"
)

// onKey is the touch function of an operation that manages the key it names. extra
// tells the operation's own condition values.
func onKey[In any](s *Service, operation string, keyID func(In) string, extra func(In) map[string][]string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		t, err := s.identify(ctx, keyID(in), false)
		if err != nil {
			return nil, err
		}
		var values map[string][]string
		if extra != nil {
			values = extra(in)
		}
		touch, err := s.touchKey(ctx, t, "kms:"+operation, values)
		return []wire.Touch{touch}, err
	}
}

// onAll is the touch function of an operation on no one key.
func onAll[In any](operation string) func(context.Context, In) ([]wire.Touch, error) {
	return func(context.Context, In) ([]wire.Touch, error) {
		return []wire.Touch{{Action: "kms:" + operation}}, nil
	}
}

// A page is what of a list a call asks for.
type page struct {
	bind  []string
	after string
	limit int
}

// pageOf reads marker and limit; parts tell lists of one operation apart.
func (s *Service) pageOf(ctx context.Context, marker *string, limit *int32, most int, parts ...string) (page, error) {
	call := aws.CallOf(ctx)
	p := page{bind: append([]string{"kms:" + call.Operation, string(call.Account), string(call.Region)}, parts...), limit: most}
	if limit != nil {
		p.limit = int(*limit)
	}
	var err error
	if p.after, err = s.env.Store.OpenToken(p.bind, value(marker)); err != nil {
		return p, kmsapi.InvalidMarkerException.New("The marker is not valid.")
	}
	return p, nil
}

// cut cuts what was found, one more than the limit, to the page, and says how the next begins.
func cut[T any](s *Service, p page, found []store.Entry[T]) ([]store.Entry[T], *string, *bool) {
	if len(found) <= p.limit {
		return found, nil, new(false)
	}
	found = found[:p.limit]
	return found, new(s.env.Store.NextToken(p.bind, found[p.limit-1].ID)), new(true)
}

func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}
