package guardduty

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/store"
)

// A filter is kept under its name. One that archives is what the console calls a
// suppression rule.
type filter struct {
	Name, Description string
	Action            guarddutyapi.FilterAction
	Rank              int32
	Criteria          guarddutyapi.FindingCriteria
	Tags              map[string]string
	Token             string
}

const maxFilters = 100

// filterName is the API Reference's rule for names, "CreateFilter".
var filterName = regexp.MustCompile(`^[a-zA-Z0-9._-]{3,64}$`)

func (s *Service) createFilter(ctx context.Context, in *guarddutyapi.CreateFilterRequest) (*guarddutyapi.CreateFilterResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	if err := s.free(ctx, "create filters"); err != nil {
		return nil, err
	}
	if !filterName.MatchString(in.Name) {
		return nil, invalid("name")
	}
	there, err := s.filters.Page(ctx, store.Range{Limit: maxFilters + 1})
	if err != nil {
		return nil, err
	}
	for _, e := range there {
		if e.ID != in.Name {
			continue
		}
		if e.Value.Token != "" && e.Value.Token == text(in.ClientToken) {
			return &guarddutyapi.CreateFilterResponse{Name: in.Name}, nil // the same request again
		}
		return nil, bad("InvalidInputException", "The request is rejected because a filter with the given name already exists.")
	}
	if len(there) >= maxFilters {
		return nil, bad("LimitExceededException", "The request is rejected because the current account cannot have more than %d filters.", maxFilters)
	}
	if err := s.useful(in.FindingCriteria); err != nil {
		return nil, err
	}
	tags, err := tagged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	f := &filter{Name: in.Name, Description: text(in.Description), Action: guarddutyapi.FilterActionNoop, Rank: 1, Criteria: *in.FindingCriteria, Tags: tags, Token: text(in.ClientToken)}
	if in.Action != nil {
		f.Action = *in.Action
	}
	if in.Rank != nil {
		f.Rank = *in.Rank
	}
	return &guarddutyapi.CreateFilterResponse{Name: f.Name}, s.filters.Insert(ctx, f.Name, f)
}

// useful checks that criteria can be evaluated and name something.
func (s *Service) useful(c *guarddutyapi.FindingCriteria) error {
	all, err := criteriaOf(c)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return invalid("findingCriteria")
	}
	return nil
}

// filter returns one of the account's filters.
func (s *Service) filter(ctx context.Context, detectorID, name string) (*filter, error) {
	if _, err := s.own(ctx, detectorID); err != nil {
		return nil, err
	}
	f, err := s.filters.Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, bad("NoSuchEntityException", "The request is rejected since no such resource found.")
	}
	return f, err
}

func (s *Service) getFilter(ctx context.Context, in *guarddutyapi.GetFilterRequest) (*guarddutyapi.GetFilterResponse, error) {
	f, err := s.filter(ctx, in.DetectorId, in.FilterName)
	if err != nil {
		return nil, err
	}
	return &guarddutyapi.GetFilterResponse{Name: f.Name, Description: optional(f.Description), Action: f.Action, Rank: &f.Rank, FindingCriteria: &f.Criteria, Tags: shown(f.Tags)}, nil
}

func (s *Service) listFilters(ctx context.Context, in *guarddutyapi.ListFiltersRequest) (*guarddutyapi.ListFiltersResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	r, bind, err := s.page(ctx, in.MaxResults, in.NextToken, in.DetectorId)
	if err != nil {
		return nil, err
	}
	all, err := s.filters.Page(ctx, r)
	if err != nil {
		return nil, err
	}
	all, token := next(s, bind, r, all)
	out := &guarddutyapi.ListFiltersResponse{FilterNames: []string{}, NextToken: token}
	for _, e := range all {
		out.FilterNames = append(out.FilterNames, e.ID)
	}
	return out, nil
}

func (s *Service) updateFilter(ctx context.Context, in *guarddutyapi.UpdateFilterRequest) (*guarddutyapi.UpdateFilterResponse, error) {
	f, err := s.filter(ctx, in.DetectorId, in.FilterName)
	if err != nil {
		return nil, err
	}
	if err := s.free(ctx, "update filters"); err != nil {
		return nil, err
	}
	if in.FindingCriteria != nil {
		if err := s.useful(in.FindingCriteria); err != nil {
			return nil, err
		}
		f.Criteria = *in.FindingCriteria
	}
	if in.Description != nil {
		f.Description = *in.Description
	}
	if in.Action != nil {
		f.Action = *in.Action
	}
	if in.Rank != nil {
		f.Rank = *in.Rank
	}
	return &guarddutyapi.UpdateFilterResponse{Name: f.Name}, s.filters.Put(ctx, f.Name, f)
}

func (s *Service) deleteFilter(ctx context.Context, in *guarddutyapi.DeleteFilterRequest) (*guarddutyapi.DeleteFilterResponse, error) {
	f, err := s.filter(ctx, in.DetectorId, in.FilterName)
	if err != nil {
		return nil, err
	}
	if err := s.free(ctx, "delete filters"); err != nil {
		return nil, err
	}
	return &guarddutyapi.DeleteFilterResponse{}, s.filters.Delete(ctx, f.Name)
}

// suppression returns whether the account, or the one that administers it, wants a
// new finding archived. Filters apply in the order of their ranks; the first that
// matches decides.
func (s *Service) suppression(ctx context.Context) (func(*kept) bool, error) {
	filters := s.filters
	h, err := s.head(ctx)
	if err != nil {
		return nil, err
	}
	if h != nil {
		filters = s.filters.In(here(ctx, h.Administrator))
	}
	page, err := filters.Page(ctx, store.Range{Limit: maxFilters})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(page, func(a, b store.Entry[filter]) int { return cmp.Compare(a.Value.Rank, b.Value.Rank) })
	type ready struct {
		criteria []criterion
		archives bool
	}
	var all []ready // read once, for as many findings as there are
	for _, e := range page {
		if c, err := criteriaOf(&e.Value.Criteria); err == nil {
			all = append(all, ready{c, e.Value.Action == guarddutyapi.FilterActionArchive})
		}
	}
	return func(k *kept) bool {
		f := see(k)
		for _, r := range all {
			if f.meets(r.criteria) {
				return r.archives
			}
		}
		return false
	}, nil
}
