package parameters

import (
	"context"
	"slices"
	"strconv"

	"sumun.dev/api/ssmapi"
)

const maxHistory = 50

// getParameterHistory returns the versions that are kept, oldest first.
func (s *Service) getParameterHistory(ctx context.Context, in *ssmapi.GetParameterHistoryRequest) (*ssmapi.GetParameterHistoryResult, error) {
	r := referenceOf(ctx, in.Name)
	if r.selector != "" || r.public() || !r.here(ctx) {
		return nil, notFound(in.Name)
	}
	p, err := s.find(ctx, r)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, notFound(in.Name)
	}
	limit := maxHistory
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	bind := s.bind(ctx, "GetParameterHistory", r.arn.String())
	after, err := s.env.Store.OpenToken(bind, text(in.NextToken))
	if err != nil {
		return nil, ssmapi.InvalidNextToken.New("The specified token isn't valid.")
	}
	from := p.Oldest
	if shown, err := strconv.ParseInt(after, 10, 64); err == nil {
		from = max(from, shown+1)
	}
	out := &ssmapi.GetParameterHistoryResult{Parameters: []ssmapi.ParameterHistory{}}
	for n := from; n <= p.Number; n++ {
		if len(out.Parameters) == limit {
			out.NextToken = new(s.env.Store.NextToken(bind, strconv.FormatInt(n-1, 10)))
			break
		}
		v, err := s.numbered(ctx, r, p, n)
		if err != nil {
			return nil, err
		}
		h, err := s.past(ctx, r, p, v, yes(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, *h)
	}
	return out, nil
}

func (s *Service) past(ctx context.Context, r reference, p *parameter, v *version, decrypt bool) (*ssmapi.ParameterHistory, error) {
	value, err := s.value(ctx, r.arn, v, decrypt)
	if err != nil {
		return nil, err
	}
	labels := p.labelled(v.Number)
	slices.Sort(labels)
	h := &ssmapi.ParameterHistory{
		Name: new(p.Name), Type: new(v.Type), LastModifiedDate: new(v.Modified), LastModifiedUser: new(v.By), Value: new(value),
		Version: new(v.Number), Labels: append([]string{}, labels...), Tier: new(v.tier()), Policies: inline(v.Policies), DataType: new(v.dataType()),
	}
	h.KeyId, h.Description, h.AllowedPattern = given(v.KeyID), given(v.Description), given(v.Pattern)
	return h, nil
}

// given is an optional member: absent when it is empty.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
