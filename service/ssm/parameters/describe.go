package parameters

import (
	"context"
	"slices"
	"strings"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

const maxDescribed = 50

// describeParameters lists the account's parameters, or those that are shared with
// it. Names and paths among the filters bound what is looked at; a call that has
// looked at maxLooked rows answers what it has, with a token.
func (s *Service) describeParameters(ctx context.Context, in *ssmapi.DescribeParametersRequest) (*ssmapi.DescribeParametersResult, error) {
	asked, err := fromOld(in)
	if err != nil {
		return nil, err
	}
	filters, err := checkFilters(asked, "Path", "Name", "Type", "KeyId", "Tier", "DataType", "tag:")
	if err != nil {
		return nil, err
	}
	limit := maxDescribed
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	kind := "own"
	if yes(in.Shared) {
		kind = "shared"
	}
	bind := s.bind(ctx, "DescribeParameters", kind, filterText(asked))
	after, err := s.env.Store.OpenToken(bind, text(in.NextToken))
	if err != nil {
		return nil, ssmapi.InvalidNextToken.New("The specified token isn't valid.")
	}
	next := s.candidates(filters)
	if yes(in.Shared) {
		next = s.sharedWith
	}
	out := &ssmapi.DescribeParametersResult{Parameters: []ssmapi.ParameterMetadata{}}
	for looked := 0; ; {
		page, err := next(ctx, after, limit+1)
		if err != nil {
			return nil, err
		}
		for _, c := range page {
			met := c.p != nil && !slices.ContainsFunc(filters, func(f ssmapi.ParameterStringFilter) bool { return !meets(c.p, &c.p.version, &f) })
			if met && len(out.Parameters) == limit {
				out.NextToken = new(s.env.Store.NextToken(bind, after))
				return out, nil
			}
			if after = c.id; met {
				out.Parameters = append(out.Parameters, described(c))
			}
		}
		if len(page) <= limit {
			return out, nil
		}
		if looked += len(page); looked >= maxLooked {
			out.NextToken = new(s.env.Store.NextToken(bind, after))
			return out, nil
		}
	}
}

// A candidate is a parameter that a listing looks at; nil when it has gone.
type candidate struct {
	id  string // what the listing is ordered by
	arn aws.ARN
	p   *parameter
}

// candidates returns the narrowest range of rows that the filters can be met in:
// those that a prefix has, or those that stand directly in a path.
func (s *Service) candidates(filters []ssmapi.ParameterStringFilter) func(context.Context, string, int) ([]candidate, error) {
	prefix, folder := "", ""
	for _, f := range filters {
		if len(f.Values) != 1 {
			continue
		}
		switch {
		case f.Key == "Path" && *f.Option == recursive && f.Values[0] != "":
			prefix = f.Values[0] + "/"
		case f.Key == "Path" && *f.Option == oneLevel:
			folder = "/"
			if f.Values[0] != "" {
				folder = f.Values[0]
			}
		case f.Key == "Name" && *f.Option != contains && strings.HasPrefix(f.Values[0], "/") && len(f.Values[0]) > len(prefix):
			prefix = f.Values[0]
		}
	}
	return func(ctx context.Context, after string, limit int) ([]candidate, error) {
		r := store.Range{Prefix: prefix, After: after, Limit: limit}
		var rows []store.Entry[parameter]
		var err error
		if folder == "" {
			rows, err = s.parameters.Page(ctx, r)
		} else {
			rows, err = s.parameters.PageBy(ctx, byFolder, folder, r)
		}
		call := aws.CallOf(ctx)
		all := make([]candidate, 0, len(rows))
		for _, row := range rows {
			all = append(all, candidate{row.ID, arnOf(call, row.ID), row.Value})
		}
		return all, err
	}
}

func described(c candidate) ssmapi.ParameterMetadata {
	v := &c.p.version
	m := ssmapi.ParameterMetadata{
		Name: new(c.p.Name), ARN: new(c.arn.String()), Type: new(v.Type), LastModifiedDate: new(v.Modified), LastModifiedUser: new(v.By),
		Version: new(v.Number), Tier: new(v.tier()), Policies: inline(v.Policies), DataType: new(v.dataType()),
	}
	m.KeyId, m.Description, m.AllowedPattern = given(v.KeyID), given(v.Description), given(v.Pattern)
	return m
}
