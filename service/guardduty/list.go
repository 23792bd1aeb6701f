package guardduty

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
)

// An order is how findings are listed.
type order struct {
	field string
	desc  bool
}

// orderOf reads sort criteria. Without any, what has changed last comes first.
func orderOf(in *guarddutyapi.SortCriteria) (order, error) {
	if in == nil || in.AttributeName == nil {
		return order{"updatedAt", true}, nil
	}
	if !searchable(*in.AttributeName) {
		return order{}, invalid("sortCriteria")
	}
	return order{*in.AttributeName, in.OrderBy != nil && *in.OrderBy == guarddutyapi.OrderByDesc}, nil
}

// key is where a finding stands in the order; ids make it unique. Values of one
// field are of one sort: numbers compare as numbers.
func (o order) key(s *seen) string {
	at := ""
	if all := s.values(o.field); len(all) > 0 {
		at = fmt.Sprint(all[0])
		if n, ok := all[0].(float64); ok {
			at = fmt.Sprintf("%032.9f", n)
		}
	}
	return at + "\x00" + s.ID
}

func (o order) compare(a, b string) int {
	if o.desc {
		return strings.Compare(b, a)
	}
	return strings.Compare(a, b)
}

// sort orders findings and returns the keys they are ordered by.
func (o order) sort(all []*seen) []string {
	by := make(map[*seen]string, len(all))
	for _, s := range all {
		by[s] = o.key(s)
	}
	slices.SortFunc(all, func(a, b *seen) int { return o.compare(by[a], by[b]) })
	keys := make([]string, len(all))
	for i, s := range all {
		keys[i] = by[s]
	}
	return keys
}

// matching returns the detector's findings that meet criteria. It reads them all:
// they are the aggregated findings of 90 days in one region, of one account and its members.
func (s *Service) matching(ctx context.Context, detectorID string, in *guarddutyapi.FindingCriteria) ([]*seen, error) {
	criteria, err := criteriaOf(in)
	if err != nil {
		return nil, err
	}
	scopes, err := s.scopes(ctx, detectorID)
	if err != nil {
		return nil, err
	}
	var all []*seen
	for _, in := range scopes {
		for e, err := range in.findings.All(ctx, "") {
			if err != nil {
				return nil, err
			}
			if f := see(e.Value); f.Detector == in.detector && f.meets(criteria) {
				all = append(all, f)
			}
		}
	}
	return all, nil
}

func (s *Service) listFindings(ctx context.Context, in *guarddutyapi.ListFindingsRequest) (*guarddutyapi.ListFindingsResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	o, err := orderOf(in.SortCriteria)
	if err != nil {
		return nil, err
	}
	asked, err := json.Marshal([]any{in.FindingCriteria, in.SortCriteria})
	if err != nil {
		return nil, failed("bind page", err)
	}
	call := aws.CallOf(ctx)
	bind := []string{"ListFindings", string(call.Account), string(call.Region), in.DetectorId, string(asked)}
	after, err := s.env.Store.OpenToken(bind, text(in.NextToken))
	if err != nil {
		return nil, invalid("nextToken")
	}
	all, err := s.matching(ctx, in.DetectorId, in.FindingCriteria)
	if err != nil {
		return nil, err
	}
	keys := o.sort(all)
	limit := maxIDs
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	out := &guarddutyapi.ListFindingsResponse{FindingIds: []string{}}
	last := ""
	for i, f := range all {
		if after != "" && o.compare(keys[i], after) <= 0 {
			continue
		}
		if len(out.FindingIds) == limit {
			out.NextToken = new(s.env.Store.NextToken(bind, last))
			return out, nil
		}
		out.FindingIds = append(out.FindingIds, f.ID)
		last = keys[i]
	}
	return out, nil
}
