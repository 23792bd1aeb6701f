package guardduty

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// A usage is how many records of a source there were on a day in an account whose
// detector was on. It is kept under source and day, for as long as it is told of.
type usage struct {
	Records uint64
}

// used is how long usage is told of. API Reference, "GetUsageStatistics".
const used = 30 * 24 * time.Hour

func usageKey(source string, day time.Time) string {
	return source + "/" + day.UTC().Format(time.DateOnly)
}

// recordsOfTrail counts calls, and looks for what has happened to organizations.
func (s *Service) recordsOfTrail(ctx context.Context, events []aws.Event) error {
	if err := s.organizationsChanged(ctx, events); err != nil {
		return err
	}
	return s.counted(ctx, "CLOUD_TRAIL", events)
}

func (s *Service) recordsOfDNS(ctx context.Context, events []aws.Event) error {
	return s.counted(ctx, "DNS_LOGS", events)
}

// counted adds records of one account and region to its usage. The position in the
// stream is committed with it: each record counts once.
func (s *Service) counted(ctx context.Context, source string, events []aws.Event) error {
	d, err := s.detector(ctx)
	if err != nil || d == nil || !d.Enabled {
		return err
	}
	now := time.Now()
	key := usageKey(source, now)
	u, err := s.usage.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		u = &usage{}
		err = s.forgetUsage(ctx, source, now)
	}
	if err != nil {
		return err
	}
	u.Records += uint64(len(events))
	return s.usage.Put(ctx, key, u)
}

// forgetUsage deletes the days of a source that nobody is told of any more.
func (s *Service) forgetUsage(ctx context.Context, source string, now time.Time) error {
	oldest := usageKey(source, now.Add(-used))
	for e, err := range s.usage.All(ctx, source+"/") {
		if err != nil {
			return err
		}
		if e.ID >= oldest {
			return nil
		}
		if err := s.usage.Delete(ctx, e.ID); err != nil {
			return err
		}
	}
	return nil
}

// usageOf returns how many records an account had of each source.
func (s *Service) usageOf(ctx context.Context, place store.Place) (map[string]uint64, error) {
	all := map[string]uint64{}
	oldest := time.Now().Add(-used)
	for e, err := range s.usage.In(place).All(ctx, "") {
		if err != nil {
			return nil, err
		}
		source, _, _ := strings.Cut(e.ID, "/")
		if e.ID >= usageKey(source, oldest) {
			all[source] += e.Value.Records
		}
	}
	return all, nil
}

// An accountUsage is what one account used.
type accountUsage struct {
	account aws.Account
	records map[string]uint64
}

// total is an amount as the API tells it.
func total(n uint64) *guarddutyapi.Total {
	return &guarddutyapi.Total{Amount: new(strconv.FormatUint(n, 10)), Unit: new("RECORDS")}
}

func (s *Service) getUsageStatistics(ctx context.Context, in *guarddutyapi.GetUsageStatisticsRequest) (*guarddutyapi.GetUsageStatisticsResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	if in.UsageCriteria == nil {
		return nil, invalid("usageCriteria")
	}
	if in.Unit != nil {
		return nil, bad("InvalidInputException", "The request is rejected because the parameter unit has an invalid value: nothing is charged here, and usage is told in records.")
	}
	if in.NextToken != nil && in.UsageStatisticType != guarddutyapi.UsageStatisticTypeSumByAccount {
		return nil, invalid("nextToken")
	}
	all, err := s.usages(ctx, in.DetectorId, in.UsageCriteria)
	if err != nil {
		return nil, err
	}
	out := &guarddutyapi.UsageStatistics{}
	var after *string
	switch in.UsageStatisticType {
	case guarddutyapi.UsageStatisticTypeSumByAccount:
		if out.SumByAccount, after, err = s.byAccount(ctx, in, all); err != nil {
			return nil, err
		}
	case guarddutyapi.UsageStatisticTypeSumByDataSource:
		out.SumByDataSource = []guarddutyapi.UsageDataSourceResult{}
		for _, source := range guarddutyapi.DataSource("").Values() {
			if n := sum(all, source); n > 0 {
				out.SumByDataSource = append(out.SumByDataSource, guarddutyapi.UsageDataSourceResult{DataSource: new(guarddutyapi.DataSource(source)), Total: total(n)})
			}
		}
	case guarddutyapi.UsageStatisticTypeSumByFeatures:
		out.SumByFeature = []guarddutyapi.UsageFeatureResult{}
		for _, source := range guarddutyapi.UsageFeature("").Values() {
			if n := sum(all, source); n > 0 {
				out.SumByFeature = append(out.SumByFeature, guarddutyapi.UsageFeatureResult{Feature: new(guarddutyapi.UsageFeature(source)), Total: total(n)})
			}
		}
	case guarddutyapi.UsageStatisticTypeTopAccountsByFeature:
		out.TopAccountsByFeature = topAccounts(all)
	case guarddutyapi.UsageStatisticTypeSumByResource: // buckets, whose data events are not there
		out.SumByResource = []guarddutyapi.UsageResourceResult{}
	case guarddutyapi.UsageStatisticTypeTopResources:
		out.TopResources = []guarddutyapi.UsageResourceResult{}
	}
	return &guarddutyapi.GetUsageStatisticsResponse{UsageStatistics: out, NextToken: after}, nil
}

// usages returns what the accounts that the caller sees used, of the sources asked for.
func (s *Service) usages(ctx context.Context, detectorID string, c *guarddutyapi.UsageCriteria) ([]accountUsage, error) {
	scopes, err := s.scopes(ctx, detectorID)
	if err != nil {
		return nil, err
	}
	var sources []string
	for _, d := range c.DataSources {
		sources = append(sources, string(d))
	}
	for _, f := range c.Features {
		sources = append(sources, string(f))
	}
	var all []accountUsage
	for _, in := range scopes {
		if len(c.AccountIds) > 0 && !slices.Contains(c.AccountIds, string(in.place.Account)) {
			continue
		}
		records, err := s.usageOf(ctx, in.place)
		if err != nil {
			return nil, err
		}
		for source := range records {
			if len(sources) > 0 && !slices.Contains(sources, source) {
				delete(records, source)
			}
		}
		all = append(all, accountUsage{in.place.Account, records})
	}
	slices.SortFunc(all, func(a, b accountUsage) int { return strings.Compare(string(a.account), string(b.account)) })
	return all, nil
}

func sum(all []accountUsage, source string) (n uint64) {
	for _, u := range all {
		n += u.records[source]
	}
	return n
}

func (s *Service) byAccount(ctx context.Context, in *guarddutyapi.GetUsageStatisticsRequest, all []accountUsage) ([]guarddutyapi.UsageAccountResult, *string, error) {
	r, bind, err := s.page(ctx, in.MaxResults, in.NextToken, in.DetectorId)
	if err != nil {
		return nil, nil, err
	}
	out := []guarddutyapi.UsageAccountResult{}
	for _, u := range all {
		if string(u.account) <= r.After {
			continue
		}
		if len(out) == r.Limit-1 {
			return out, new(s.env.Store.NextToken(bind, *out[len(out)-1].AccountId)), nil
		}
		var n uint64
		for _, records := range u.records {
			n += records
		}
		out = append(out, guarddutyapi.UsageAccountResult{AccountId: new(string(u.account)), Total: total(n)})
	}
	return out, nil, nil
}

// most is how many accounts stand in a list of those that use most.
const most = 25

func topAccounts(all []accountUsage) []guarddutyapi.UsageTopAccountsResult {
	out := []guarddutyapi.UsageTopAccountsResult{}
	for _, source := range guarddutyapi.UsageFeature("").Values() {
		users := slices.DeleteFunc(slices.Clone(all), func(u accountUsage) bool { return u.records[source] == 0 })
		slices.SortStableFunc(users, func(a, b accountUsage) int {
			switch x, y := a.records[source], b.records[source]; {
			case x > y:
				return -1
			case x < y:
				return 1
			}
			return 0
		})
		if len(users) == 0 {
			continue
		}
		top := guarddutyapi.UsageTopAccountsResult{Feature: new(guarddutyapi.UsageFeature(source))}
		for _, u := range users[:min(most, len(users))] {
			top.Accounts = append(top.Accounts, guarddutyapi.UsageTopAccountResult{AccountId: new(string(u.account)), Total: total(u.records[source])})
		}
		out = append(out, top)
	}
	return out
}
