package guardduty

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/finding"
)

// A tally is how many findings have something in common.
type tally struct {
	of    *seen // one of them
	last  time.Time
	total int32
}

func (s *Service) getFindingsStatistics(ctx context.Context, in *guarddutyapi.GetFindingsStatisticsRequest) (*guarddutyapi.GetFindingsStatisticsResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	if (in.GroupBy == nil) == (len(in.FindingStatisticTypes) == 0) {
		return nil, bad("InvalidInputException", "The request is rejected because either groupBy or findingStatisticTypes must be specified, not both.")
	}
	all, err := s.matching(ctx, in.DetectorId, in.FindingCriteria)
	if err != nil {
		return nil, err
	}
	out := &guarddutyapi.FindingStatistics{}
	if in.GroupBy == nil {
		out.CountBySeverity = map[string]int32{}
		for _, f := range all {
			out.CountBySeverity[fmt.Sprintf("%.1f", f.severity())]++
		}
		return &guarddutyapi.GetFindingsStatisticsResponse{FindingStatistics: out}, nil
	}
	limit := 25
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	grouped(out, *in.GroupBy, all, in.OrderBy != nil && *in.OrderBy == guarddutyapi.OrderByAsc, limit)
	return &guarddutyapi.GetFindingsStatisticsResponse{FindingStatistics: out}, nil
}

// grouped fills in the groups asked for. API Reference, "GetFindingsStatistics".
func grouped(out *guarddutyapi.FindingStatistics, by guarddutyapi.GroupByType, all []*seen, ascending bool, limit int) {
	count := func(key func(*seen) string) []*tally { return tallies(all, key, ascending, limit) }
	switch by {
	case guarddutyapi.GroupByTypeAccount:
		for _, t := range count(func(f *seen) string { return string(f.Account) }) {
			out.GroupedByAccount = append(out.GroupedByAccount, guarddutyapi.AccountStatistics{AccountId: new(string(t.of.Account)), LastGeneratedAt: &t.last, TotalFindings: &t.total})
		}
	case guarddutyapi.GroupByTypeDate:
		for _, t := range count(func(f *seen) string { return f.Updated.UTC().Format(time.DateOnly) + fmt.Sprint(f.severity()) }) {
			out.GroupedByDate = append(out.GroupedByDate, guarddutyapi.DateStatistics{Date: new(t.of.Updated.UTC().Truncate(24 * time.Hour)), LastGeneratedAt: &t.last, Severity: new(t.of.severity()), TotalFindings: &t.total})
		}
	case guarddutyapi.GroupByTypeFindingType:
		for _, t := range count(func(f *seen) string { return f.Type }) {
			out.GroupedByFindingType = append(out.GroupedByFindingType, guarddutyapi.FindingTypeStatistics{FindingType: &t.of.Type, LastGeneratedAt: &t.last, TotalFindings: &t.total})
		}
	case guarddutyapi.GroupByTypeResource:
		for _, t := range count(func(f *seen) string { typ, id := f.on(); return typ + " " + id }) {
			typ, id := t.of.on()
			out.GroupedByResource = append(out.GroupedByResource, guarddutyapi.ResourceStatistics{AccountId: new(string(t.of.Account)), LastGeneratedAt: &t.last, ResourceId: &id, ResourceType: &typ, TotalFindings: &t.total})
		}
	case guarddutyapi.GroupByTypeSeverity:
		for _, t := range count(func(f *seen) string { return fmt.Sprint(f.severity()) }) {
			out.GroupedBySeverity = append(out.GroupedBySeverity, guarddutyapi.SeverityStatistics{LastGeneratedAt: &t.last, Severity: new(t.of.severity()), TotalFindings: &t.total})
		}
	}
}

// on returns the type and the id of the resource that a finding is about.
func (s *seen) on() (typ, id string) {
	kind, _ := finding.KindOf(s.Type)
	typ = cmp.Or(kind.Resource, "Instance")
	switch {
	case typ == "S3Bucket" && len(s.Buckets) > 0:
		return typ, s.Buckets[0].Name
	case typ == "EKSCluster" && s.Kubernetes != nil:
		return typ, s.Kubernetes.Cluster
	case typ == "RDSDBInstance" && s.Database != nil:
		return typ, s.Database.ID
	case typ == "Lambda" && s.Function != nil:
		return typ, s.Function.Name
	case typ != "Instance" && s.Caller != nil:
		return typ, cmp.Or(s.Caller.AccessKey, s.Caller.ID, s.Caller.Name)
	}
	return typ, s.Instance.ID
}

// tallies counts findings by key, the most frequent first unless ascending.
func tallies(all []*seen, key func(*seen) string, ascending bool, limit int) []*tally {
	by := map[string]*tally{}
	var order []*tally
	for _, f := range all {
		t := by[key(f)]
		if t == nil {
			t = &tally{of: f}
			by[key(f)] = t
			order = append(order, t)
		}
		t.total++
		if f.Updated.After(t.last) {
			t.last = f.Updated
		}
	}
	slices.SortStableFunc(order, func(a, b *tally) int {
		if ascending {
			return cmp.Compare(a.total, b.total)
		}
		return cmp.Compare(b.total, a.total)
	})
	return order[:min(limit, len(order))]
}
