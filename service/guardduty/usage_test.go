package guardduty

import (
	"context"
	"fmt"
	"testing"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
)

// use has an account's records counted.
func (w *world) use(who aws.Account, consumer string, n int) {
	w.t.Helper()
	for _, c := range w.service.Consumers() {
		if c.Name != consumer {
			continue
		}
		err := w.store.Update(in(w.t.Context(), who, consumer), func(ctx context.Context) error { return c.Handle(ctx, make([]aws.Event, n)) })
		if err != nil {
			w.t.Fatal(err)
		}
		return
	}
	w.t.Fatalf("no consumer %s", consumer)
}

func TestUsage(t *testing.T) {
	inWorld(t, func(w *world) {
		w.use(account, "guardduty-usage-trail", 5) // no detector: nothing is counted
		d, theirs := joined(w)
		get := func(r guarddutyapi.GetUsageStatisticsRequest) *guarddutyapi.UsageStatistics {
			t.Helper()
			r.DetectorId = d
			if r.UsageCriteria == nil {
				r.UsageCriteria = &guarddutyapi.UsageCriteria{}
			}
			return must(w, &guarddutyapi.GetUsageStatistics, &r).UsageStatistics
		}
		w.use(account, "guardduty-usage-trail", 3)
		w.use(account, "guardduty-usage-dns", 4)
		w.use(other, "guardduty-usage-trail", 7)
		w.advance(29 * 24 * time.Hour)
		w.use(account, "guardduty-usage-trail", 2)
		w.begin() // a restart loses nothing
		said := func(s *guarddutyapi.UsageStatistics) (out string) {
			for _, x := range s.SumByAccount {
				out += fmt.Sprint(*x.AccountId, " ", *x.Total.Amount, *x.Total.Unit, "; ")
			}
			for _, x := range s.SumByDataSource {
				out += fmt.Sprint(*x.DataSource, " ", *x.Total.Amount, "; ")
			}
			for _, x := range s.SumByFeature {
				out += fmt.Sprint(*x.Feature, " ", *x.Total.Amount, "; ")
			}
			for _, x := range s.TopAccountsByFeature {
				out += fmt.Sprint(*x.Feature, ": ")
				for _, a := range x.Accounts {
					out += fmt.Sprint(*a.AccountId, " ", *a.Total.Amount, "; ")
				}
			}
			return out
		}
		for _, c := range []struct {
			kind     guarddutyapi.UsageStatisticType
			criteria *guarddutyapi.UsageCriteria
			want     string
		}{
			{guarddutyapi.UsageStatisticTypeSumByAccount, nil, "111122223333 9RECORDS; 444455556666 7RECORDS; "},
			{guarddutyapi.UsageStatisticTypeSumByAccount, &guarddutyapi.UsageCriteria{AccountIds: []string{account, third}, Features: []guarddutyapi.UsageFeature{"DNS_LOGS"}}, "111122223333 4RECORDS; "},
			{guarddutyapi.UsageStatisticTypeSumByDataSource, nil, "CLOUD_TRAIL 12; DNS_LOGS 4; "},
			{guarddutyapi.UsageStatisticTypeSumByFeatures, &guarddutyapi.UsageCriteria{DataSources: []guarddutyapi.DataSource{"CLOUD_TRAIL"}}, "CLOUD_TRAIL 12; "},
			{guarddutyapi.UsageStatisticTypeTopAccountsByFeature, nil, "CLOUD_TRAIL: 444455556666 7; 111122223333 5; DNS_LOGS: 111122223333 4; "},
			{guarddutyapi.UsageStatisticTypeTopResources, nil, ""},
		} {
			if got := said(get(guarddutyapi.GetUsageStatisticsRequest{UsageStatisticType: c.kind, UsageCriteria: c.criteria})); got != c.want {
				t.Errorf("%s: %s, want %s", c.kind, got, c.want)
			}
		}
		first := must(w, &guarddutyapi.GetUsageStatistics, &guarddutyapi.GetUsageStatisticsRequest{DetectorId: d, UsageStatisticType: "SUM_BY_ACCOUNT", UsageCriteria: &guarddutyapi.UsageCriteria{}, MaxResults: new(int32(1))})
		second := must(w, &guarddutyapi.GetUsageStatistics, &guarddutyapi.GetUsageStatisticsRequest{DetectorId: d, UsageStatisticType: "SUM_BY_ACCOUNT", UsageCriteria: &guarddutyapi.UsageCriteria{}, MaxResults: new(int32(1)), NextToken: first.NextToken})
		if said(first.UsageStatistics)+said(second.UsageStatistics) != "111122223333 9RECORDS; 444455556666 7RECORDS; " || second.NextToken != nil {
			t.Errorf("%+v %+v", first, second)
		}
		// What is older than 30 days is not told of, nor kept.
		w.advance(2 * 24 * time.Hour)
		w.use(account, "guardduty-usage-trail", 1)
		if got := said(get(guarddutyapi.GetUsageStatisticsRequest{UsageStatisticType: guarddutyapi.UsageStatisticTypeSumByDataSource})); got != "CLOUD_TRAIL 3; " {
			t.Error(got)
		}
		n := 0
		for _, err := range w.service.usage.In(home).All(t.Context(), "CLOUD_TRAIL/") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 2 {
			t.Errorf("%d days are kept", n)
		}
		refused(w, &guarddutyapi.GetUsageStatistics, &guarddutyapi.GetUsageStatisticsRequest{DetectorId: d, UsageStatisticType: "SUM_BY_ACCOUNT", UsageCriteria: &guarddutyapi.UsageCriteria{}, Unit: new("USD")},
			"The request is rejected because the parameter unit has an invalid value: nothing is charged here, and usage is told in records.")
		mine := mustAs(w, other, &guarddutyapi.GetUsageStatistics, &guarddutyapi.GetUsageStatisticsRequest{DetectorId: theirs, UsageStatisticType: "SUM_BY_ACCOUNT", UsageCriteria: &guarddutyapi.UsageCriteria{}}).UsageStatistics
		if said(mine) != "444455556666 0RECORDS; " {
			t.Error(said(mine))
		}
	})
}

func TestTrialsAndCoverage(t *testing.T) {
	inWorld(t, func(w *world) {
		d, _ := joined(w)
		must(w, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: d, Features: []guarddutyapi.DetectorFeatureConfiguration{
			{Name: new(guarddutyapi.DetectorFeatureEksAuditLogs), Status: new(guarddutyapi.FeatureStatusDisabled)},
		}})
		w.advance(9*24*time.Hour + time.Hour)
		// Turned off and on again, a trial does not begin again.
		for _, on := range []guarddutyapi.FeatureStatus{guarddutyapi.FeatureStatusDisabled, guarddutyapi.FeatureStatusEnabled} {
			must(w, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: d, Features: []guarddutyapi.DetectorFeatureConfiguration{{Name: new(guarddutyapi.DetectorFeatureS3DataEvents), Status: &on}}})
		}
		must(w, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: d, Features: []guarddutyapi.DetectorFeatureConfiguration{{Name: new(guarddutyapi.DetectorFeatureRuntimeMonitoring), Status: new(guarddutyapi.FeatureStatusEnabled)}}})
		out := must(w, &guarddutyapi.GetRemainingFreeTrialDays, &guarddutyapi.GetRemainingFreeTrialDaysRequest{DetectorId: d, AccountIds: []string{account, other, third}})
		if len(out.UnprocessedAccounts) != 1 || len(out.Accounts) != 2 {
			t.Fatalf("%+v", out)
		}
		got := map[string]int32{}
		for _, f := range out.Accounts[0].Features {
			got[string(*f.Name)] = *f.FreeTrialDaysRemaining
		}
		want := map[string]int32{
			"CLOUD_TRAIL": 21, "DNS_LOGS": 21, "FLOW_LOGS": 21, "S3_DATA_EVENTS": 21, "EKS_AUDIT_LOGS": 21, "EBS_MALWARE_PROTECTION": 21, "RDS_LOGIN_EVENTS": 21, "LAMBDA_NETWORK_LOGS": 21,
			"EC2_RUNTIME_MONITORING": 30, "FARGATE_RUNTIME_MONITORING": 30,
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || *out.Accounts[0].DataSources.S3Logs.FreeTrialDaysRemaining != 21 || *out.Accounts[0].DataSources.Kubernetes.AuditLogs.FreeTrialDaysRemaining != 21 {
			t.Errorf("%v", got)
		}
		if c := must(w, &guarddutyapi.ListCoverage, &guarddutyapi.ListCoverageRequest{DetectorId: d}); len(c.Resources) != 0 || c.NextToken != nil {
			t.Errorf("%+v", c)
		}
		refused(w, &guarddutyapi.ListCoverage, &guarddutyapi.ListCoverageRequest{DetectorId: d, FilterCriteria: &guarddutyapi.CoverageFilterCriteria{FilterCriterion: []guarddutyapi.CoverageFilterCriterion{{}}}}, "The request is rejected because the parameter filterCriteria has an invalid value.")
		if c := must(w, &guarddutyapi.GetCoverageStatistics, &guarddutyapi.GetCoverageStatisticsRequest{DetectorId: d, StatisticsType: []guarddutyapi.CoverageStatisticsType{"COUNT_BY_COVERAGE_STATUS"}}).CoverageStatistics; c.CountByCoverageStatus == nil || len(c.CountByCoverageStatus) != 0 || c.CountByResourceType != nil {
			t.Errorf("%+v", c)
		}
	})
}
