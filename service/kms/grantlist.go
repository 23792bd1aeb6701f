package kms

import (
	"context"
	"errors"
	"slices"
	"strings"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// grantPage is how many grants a list shows unless told otherwise. KMS API
// Reference, ListGrants, Limit.
const grantPage = 50

func (s *Service) keyWithGrants(ctx context.Context, in *kmsapi.ListGrantsRequest) ([]wire.Touch, error) {
	return s.touchForGrants(ctx, in.KeyId, "kms:ListGrants")
}

// touchForGrants is about grants of a key, which is named by its id or ARN.
func (s *Service) touchForGrants(ctx context.Context, keyID, action string) ([]wire.Touch, error) {
	t, err := s.identify(ctx, keyID, false)
	if err != nil {
		return nil, err
	}
	touch, err := s.touchKey(ctx, t, action, map[string][]string{"kms:GrantIsForAWSResource": {boolText(forService(aws.CallOf(ctx)))}})
	if err != nil {
		return nil, err
	}
	return []wire.Touch{touch}, nil
}

func (s *Service) listGrants(ctx context.Context, in *kmsapi.ListGrantsRequest) (*kmsapi.ListGrantsResponse, error) {
	t, err := s.identify(ctx, in.KeyId, false)
	if err != nil {
		return nil, err
	}
	if _, err := s.key(ctx, t.ARN); err != nil {
		return nil, err
	}
	if in.GrantId != nil && !validGrantID(*in.GrantId) {
		return nil, kmsapi.InvalidGrantIdException.New("Grant ID %s is not valid.", *in.GrantId)
	}
	id, grants := keyIDOf(t.ARN), s.grants.At(t.ARN)
	l := grantList[grant]{bind: []string{"kms:ListGrants", t.ARN.String(), value(in.GrantId), value(in.GranteePrincipal)}, marker: in.Marker, limit: in.Limit}
	grantee := ""
	if in.GranteePrincipal != nil {
		if grantee, err = s.grantable(ctx, *in.GranteePrincipal); err != nil {
			return nil, err
		}
	}
	switch {
	case in.GrantId != nil:
		l.page = func(r store.Range) ([]store.Entry[grant], error) {
			r.Prefix = grantID(id, *in.GrantId)
			found, err := grants.Page(ctx, r)
			return slices.DeleteFunc(found, func(e store.Entry[grant]) bool { return grantee != "" && e.Value.Grantee != grantee }), err
		}
	case grantee != "":
		l.page = func(r store.Range) ([]store.Entry[grant], error) {
			return grants.PageBy(ctx, byGrantee, granteeOn(id, grantee), r)
		}
	default:
		l.page = func(r store.Range) ([]store.Entry[grant], error) {
			r.Prefix = grantID(id, "")
			return grants.Page(ctx, r)
		}
	}
	return show(s, l, func(g *grant) (kmsapi.GrantListEntry, error) { return s.shown(ctx, t.ARN, g) })
}

// retirables is the table in which a grant's retiring principal finds it.
func (s *Service) retirables(key aws.ARN, g *grant) *store.Table[retirable] {
	return s.retire.In(store.Place{Account: g.RetiredIn, Region: key.Region})
}

func retirableID(key aws.ARN, grant string) string { return key.String() + "/" + grant }

// touchRetirable is about the principal, who must be of the caller's account: its
// grants can be on several keys, of other accounts too. KMS API Reference,
// ListRetirableGrants, "Required permissions".
func (s *Service) touchRetirable(ctx context.Context, in *kmsapi.ListRetirableGrantsRequest) ([]wire.Touch, error) {
	return []wire.Touch{{Action: "kms:ListRetirableGrants", Resource: principalARN(ctx, in.RetiringPrincipal)}}, nil
}

func (s *Service) listRetirableGrants(ctx context.Context, in *kmsapi.ListRetirableGrantsRequest) (*kmsapi.ListGrantsResponse, error) {
	retiring, err := s.grantable(ctx, in.RetiringPrincipal)
	if err != nil {
		return nil, err
	}
	l := grantList[retirable]{
		bind: []string{"kms:ListRetirableGrants", aws.CallOf(ctx).ARN("kms", "key/").String(), in.RetiringPrincipal}, marker: in.Marker, limit: in.Limit,
		page: func(r store.Range) ([]store.Entry[retirable], error) {
			return s.retire.PageBy(ctx, byRetiring, retiring, r)
		},
	}
	return show(s, l, func(r *retirable) (kmsapi.GrantListEntry, error) {
		key, err := aws.ParseARN(r.Key)
		if err != nil {
			return kmsapi.GrantListEntry{}, err
		}
		g, err := s.grants.At(key).Get(ctx, grantID(keyIDOf(key), r.Grant))
		if err != nil {
			return kmsapi.GrantListEntry{}, err
		}
		return s.shown(ctx, key, g)
	})
}

// A grantList is a list of grants that is asked for, a page of rows at a time.
type grantList[T any] struct {
	bind   []string
	marker *string
	limit  *int32
	page   func(store.Range) ([]store.Entry[T], error)
}

// show makes the answer of a list; entry is how one of its rows is shown.
func show[T any](s *Service, l grantList[T], entry func(*T) (kmsapi.GrantListEntry, error)) (*kmsapi.ListGrantsResponse, error) {
	limit, after := grantPage, ""
	if l.limit != nil {
		limit = int(*l.limit)
	}
	if l.marker != nil {
		var err error
		if after, err = s.env.Store.OpenToken(l.bind, *l.marker); err != nil {
			return nil, kmsapi.InvalidMarkerException.New("The marker is not valid.")
		}
	}
	rows, err := l.page(store.Range{After: after, Limit: limit + 1}) // one more tells whether a page follows
	if err != nil {
		return nil, err
	}
	out := &kmsapi.ListGrantsResponse{Grants: []kmsapi.GrantListEntry{}, Truncated: new(len(rows) > limit)}
	for i, row := range rows {
		if i == limit {
			out.NextMarker = new(s.env.Store.NextToken(l.bind, rows[i-1].ID))
			break
		}
		shown, err := entry(row.Value)
		if err != nil {
			return nil, err
		}
		out.Grants = append(out.Grants, shown)
	}
	return out, nil
}

// shown is a grant as lists have it, with the ARNs of its principals.
func (s *Service) shown(ctx context.Context, key aws.ARN, g *grant) (kmsapi.GrantListEntry, error) {
	grantee, err := s.principalNamed(ctx, g.Grantee)
	if err != nil {
		return kmsapi.GrantListEntry{}, err
	}
	retiring, err := s.principalNamed(ctx, g.Retiring)
	if err != nil {
		return kmsapi.GrantListEntry{}, err
	}
	e := kmsapi.GrantListEntry{
		KeyId: new(key.String()), GrantId: new(g.ID), Name: orNil(g.Name), CreationDate: new(g.Created), GranteePrincipal: new(grantee),
		RetiringPrincipal: orNil(retiring), IssuingAccount: new(g.Issuing), Operations: texts[kmsapi.GrantOperation](g.Operations),
	}
	if g.Equals != nil || g.Subset != nil {
		e.Constraints = &kmsapi.GrantConstraints{EncryptionContextEquals: g.Equals, EncryptionContextSubset: g.Subset}
	}
	return e, nil
}

// principalNamed is a principal as it is shown: who is gone shows by the bare id.
func (s *Service) principalNamed(ctx context.Context, kept string) (string, error) {
	if !strings.HasPrefix(kept, "AIDA") && !strings.HasPrefix(kept, "AROA") {
		return kept, nil
	}
	arn, err := s.env.Principals.Named(ctx, kept)
	if errors.Is(err, store.ErrNotFound) {
		return kept, nil
	}
	return arn.String(), err
}
