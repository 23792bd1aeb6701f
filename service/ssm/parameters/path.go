package parameters

import (
	"context"
	"strings"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

const (
	maxByPath = 10
	// maxLooked bounds how many parameters one call looks at to find those that its
	// filters want; the page is short then, with a token, as in AWS.
	maxLooked = 2000
)

// getParametersByPath reads one range of rows: names order by path, and those that
// stand directly in it have an index. Whoever may read a path reads all below it,
// whatever policies say of single parameters. API Reference, GetParametersByPath.
func (s *Service) getParametersByPath(ctx context.Context, in *ssmapi.GetParametersByPathRequest) (*ssmapi.GetParametersByPathResult, error) {
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	wanted, err := pathFilters(in.ParameterFilters)
	if err != nil {
		return nil, err
	}
	limit := maxByPath
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	bind := s.bind(ctx, "GetParametersByPath", path, recursion(in), filterText(in.ParameterFilters))
	after, err := s.env.Store.OpenToken(bind, text(in.NextToken))
	if err != nil {
		return nil, ssmapi.InvalidNextToken.New("The specified token isn't valid.")
	}
	out := &ssmapi.GetParametersByPathResult{Parameters: []ssmapi.Parameter{}}
	if path+"/" == publicPath || strings.HasPrefix(path+"/", publicPath) {
		return s.publicByPath(ctx, out, path, yes(in.Recursive), limit, after, bind)
	}
	call := aws.CallOf(ctx)
	for looked := 0; ; {
		page, err := s.below(ctx, path, yes(in.Recursive), after, limit+1)
		if err != nil {
			return nil, err
		}
		for _, row := range page {
			p := row.Value
			r := reference{names: []string{p.Name}, arn: arnOf(call, p.Name)}
			v, err := wanted(ctx, s, r, p)
			if err != nil {
				return nil, err
			}
			if v != nil && len(out.Parameters) == limit {
				out.NextToken = new(s.env.Store.NextToken(bind, after))
				return out, nil
			}
			if after = row.ID; v == nil {
				continue
			}
			shown, err := s.shown(ctx, r, p, v, yes(in.WithDecryption))
			if err != nil {
				return nil, err
			}
			out.Parameters = append(out.Parameters, *shown)
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

// below returns parameters under a path, or directly in it.
func (s *Service) below(ctx context.Context, path string, recursive bool, after string, limit int) ([]store.Entry[parameter], error) {
	switch {
	case !recursive && path == "":
		return s.parameters.PageBy(ctx, byFolder, "/", store.Range{After: after, Limit: limit})
	case !recursive:
		return s.parameters.PageBy(ctx, byFolder, path, store.Range{After: after, Limit: limit})
	case path == "":
		return s.parameters.Page(ctx, store.Range{After: after, Limit: limit}) // names without slashes too
	}
	return s.parameters.Page(ctx, store.Range{Prefix: path + "/", After: after, Limit: limit})
}

func recursion(in *ssmapi.GetParametersByPathRequest) string {
	if yes(in.Recursive) {
		return "true"
	}
	return "false"
}

// bind says what a page token is good for.
func (s *Service) bind(ctx context.Context, operation string, more ...string) []string {
	call := aws.CallOf(ctx)
	return append([]string{"ssm:" + operation, string(call.Account), string(call.Region)}, more...)
}
