package securityhub

import (
	"context"
	"encoding/json"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// pageSize is how many findings GetFindings returns when nothing is said.
const pageSize = 10

func (s *Service) getFindings(ctx context.Context, in *securityhubapi.GetFindingsRequest) (*securityhubapi.GetFindingsResponse, error) {
	if _, err := s.hub(ctx); err != nil {
		return nil, err
	}
	asked, err := json.Marshal([]any{in.Filters, in.SortCriteria})
	if err != nil {
		return nil, err
	}
	call := aws.CallOf(ctx)
	bind := []string{"securityhub:GetFindings", string(call.Account), string(call.Region), digest(string(asked))}
	after, err := s.env.Store.OpenToken(bind, value(in.NextToken))
	if err != nil {
		return nil, invalid("NextToken", "The token is not valid, or was given for another request")
	}
	limit := pageSize
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	page, err := s.newest(ctx, after, limit+1)
	if err != nil {
		return nil, err
	}
	out := &securityhubapi.GetFindingsResponse{}
	if len(page) > limit {
		page = page[:limit]
		out.NextToken = new(s.env.Store.NextToken(bind, page[limit-1].Row))
	}
	documents := make([]json.RawMessage, 0, len(page))
	for _, k := range page {
		documents = append(documents, k.Document)
	}
	out.Findings, err = decode(documents...)
	return out, err
}

func (s *Service) newest(ctx context.Context, after string, n int) ([]*kept, error) {
	page, err := s.findings.Page(ctx, store.Range{After: after, Limit: n, Desc: true})
	if err != nil {
		return nil, err
	}
	var all []*kept
	for _, e := range page {
		e.Value.Row = e.ID
		all = append(all, e.Value)
	}
	return all, nil
}
