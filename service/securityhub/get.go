package securityhub

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

const (
	pageSize = 10     // findings that GetFindings returns when nothing is said
	looked   = 10_000 // findings that one call looks at; a token leads on
)

func (s *Service) getFindings(ctx context.Context, in *securityhubapi.GetFindingsRequest) (*securityhubapi.GetFindingsResponse, error) {
	if _, err := s.hub(ctx); err != nil {
		return nil, err
	}
	criteria, err := criteriaOf(in.Filters)
	if err != nil {
		return nil, err
	}
	order, err := sortingOf(in.SortCriteria)
	if err != nil {
		return nil, err
	}
	bind, err := boundTo(ctx, in)
	if err != nil {
		return nil, err
	}
	after, err := s.env.Store.OpenToken(bind, value(in.NextToken))
	if err != nil {
		return nil, invalid("NextToken", "The token is not valid, or was returned for another request")
	}
	q := query{filters: in.Filters, criteria: criteria, after: after, limit: pageSize, now: time.Now()}
	if in.MaxResults != nil {
		q.limit = int(*in.MaxResults)
	}
	var page []*kept
	var next string
	switch {
	case q.named() != nil:
		page, next, err = s.sorted(ctx, q, order, s.byNames)
	case order.natural():
		page, next, err = s.newest(ctx, q)
	default:
		page, next, err = s.sorted(ctx, q, order, s.everything)
	}
	if err != nil {
		return nil, err
	}
	out := &securityhubapi.GetFindingsResponse{Findings: []securityhubapi.AwsSecurityFinding{}}
	if next != "" {
		out.NextToken = new(s.env.Store.NextToken(bind, next))
	}
	documents := make([]json.RawMessage, 0, len(page))
	for _, k := range page {
		documents = append(documents, k.Document)
	}
	if len(documents) > 0 {
		out.Findings, err = decode(documents...)
	}
	return out, err
}

// boundTo is what a token must be used with again.
func boundTo(ctx context.Context, in *securityhubapi.GetFindingsRequest) ([]string, error) {
	asked, err := json.Marshal([]any{in.Filters, in.SortCriteria})
	if err != nil {
		return nil, fmt.Errorf("securityhub: bind page: %w", err)
	}
	call := aws.CallOf(ctx)
	return []string{"securityhub:GetFindings", string(call.Account), string(call.Region), digest(string(asked))}, nil
}

// A query is what one call of GetFindings looks for.
type query struct {
	filters  *securityhubapi.AwsSecurityFindingFilters
	criteria []criterion
	after    string // where the page before ended
	limit    int
	now      time.Time
}

// A name is a value that an index leads to.
type name struct{ index, value string }

// named returns index entries that all findings wanted are among: those of ids or
// resources, if the filters say which; else nil.
func (q *query) named() []name {
	if q.filters == nil {
		return nil
	}
	if all := exact(byID, q.filters.Id); all != nil {
		return all
	}
	return exact(byResource, q.filters.ResourceId)
}

func exact(index string, filters []securityhubapi.StringFilter) []name {
	var all []name
	for _, f := range filters {
		if value(f.Comparison) != securityhubapi.StringFilterComparisonEquals {
			return nil
		}
		all = append(all, name{index, digest(*f.Value)})
	}
	return all
}

// state returns the one pair of record state and workflow status that is wanted,
// if the filters say so.
func (q *query) state() (string, bool) {
	if q.filters == nil {
		return "", false
	}
	record, ok := only(q.filters.RecordState)
	if !ok {
		return "", false
	}
	status, ok := only(q.filters.WorkflowStatus)
	return stateOf(securityhubapi.RecordState(record), securityhubapi.WorkflowStatus(status)), ok
}

func only(filters []securityhubapi.StringFilter) (string, bool) {
	if len(filters) != 1 || value(filters[0].Comparison) != securityhubapi.StringFilterComparisonEquals {
		return "", false
	}
	return *filters[0].Value, true
}

// newest reads findings from the one that was updated last on, until the page is
// full or what comes next was updated before all that is wanted. It reads no more
// than it must, except past findings that do not match.
func (s *Service) newest(ctx context.Context, q query) (found []*kept, next string, err error) {
	r := store.Range{After: q.after, Limit: min(q.limit+1, 500), Desc: true}
	var from, to time.Time
	if q.filters != nil {
		from, to = window(q.filters.UpdatedAt, q.now)
	}
	if r.After == "" && !to.IsZero() {
		r.After = to.UTC().Format(rowTime) + "0" // behind what was updated at that instant
	}
	state, indexed := q.state()
	for seen := 0; ; {
		var page []store.Entry[kept]
		if indexed {
			page, err = s.findings.PageBy(ctx, byState, state, r)
		} else {
			page, err = s.findings.Page(ctx, r)
		}
		if err != nil {
			return nil, "", err
		}
		for _, e := range page {
			if !from.IsZero() && e.ID < from.UTC().Format(rowTime) {
				return found, "", nil
			}
			if seen == looked {
				return found, r.After, nil
			}
			seen++
			if e.Value.meets(q.criteria, q.now) {
				if len(found) == q.limit {
					return found, found[len(found)-1].Row, nil
				}
				e.Value.Row = e.ID
				found = append(found, e.Value)
			}
			r.After = e.ID
		}
		if len(page) < r.Limit {
			return found, "", nil
		}
		r.Limit = 500
	}
}

// sorted puts all that match in order and cuts the page out.
func (s *Service) sorted(ctx context.Context, q query, o sorting, read func(context.Context, query, func(*kept)) error) (found []*kept, next string, err error) {
	after, err := bookmarkOf(q.after)
	if err != nil {
		return nil, "", err
	}
	type place struct {
		*kept
		at bookmark
	}
	var all []place
	cut := func(n int) {
		slices.SortFunc(all, func(a, b place) int { return o.compare(a.at, b.at) })
		all = all[:min(n, len(all))]
	}
	err = read(ctx, q, func(k *kept) {
		if !k.meets(q.criteria, q.now) {
			return
		}
		p := place{k, o.at(k)}
		k.seen = nil // as many as there are findings
		if after == nil || o.compare(p.at, *after) > 0 {
			all = append(all, p)
		}
		if len(all) > 1000 { // only the first of them are wanted
			cut(q.limit + 1)
		}
	})
	if err != nil {
		return nil, "", err
	}
	cut(q.limit + 1)
	for i, p := range all {
		if i == q.limit {
			next, err := json.Marshal(all[i-1].at)
			return found, string(next), err
		}
		found = append(found, p.kept)
	}
	return found, "", nil
}

// byNames reads what the indexes name.
func (s *Service) byNames(ctx context.Context, q query, f func(*kept)) error {
	met := map[string]bool{}
	for _, n := range q.named() {
		r := store.Range{Limit: 500}
		for {
			page, err := s.findings.PageBy(ctx, n.index, n.value, r)
			if err != nil {
				return err
			}
			for _, e := range page {
				e.Value.Row = e.ID
				if !met[e.ID] {
					met[e.ID] = true
					f(e.Value)
				}
				r.After = e.ID
			}
			if len(page) < r.Limit {
				break
			}
		}
	}
	return nil
}

// everything reads all findings of the account and region.
func (s *Service) everything(ctx context.Context, _ query, f func(*kept)) error {
	for e, err := range s.findings.All(ctx, "") {
		if err != nil {
			return err
		}
		e.Value.Row = e.ID
		f(e.Value)
	}
	return nil
}
