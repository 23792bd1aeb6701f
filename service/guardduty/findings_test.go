package guardduty

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/finding"
)

// populated makes three findings a minute apart: c2 (severity 8, count 2), mining
// (8), and one of another instance (c2).
func populated(w *world) (d string, c2, mining, second string) {
	d = w.detector()
	w.query("guarddutyc2activityb.com")
	w.advance(time.Minute)
	w.query("eu.pool.minergate.com")
	w.advance(time.Minute)
	w.queryAs(account, "i-00000000000000002", "guarddutyc2activityb.com")
	w.advance(time.Minute)
	w.query("guarddutyc2activityb.com")
	for _, f := range w.findings(d) {
		switch {
		case f.Type == finding.BitcoinToolDNS:
			mining = f.Id
		case *f.Resource.InstanceDetails.InstanceId == host:
			c2 = f.Id
		default:
			second = f.Id
		}
	}
	return d, c2, mining, second
}

func TestCriteria(t *testing.T) {
	inWorld(t, func(w *world) {
		d, c2, mining, second := populated(w)
		type c = guarddutyapi.Condition
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
		for i, test := range []struct {
			criteria map[string]c
			want     []string
		}{
			{nil, []string{c2, mining, second}},
			{map[string]c{"type": {Eq: []string{finding.CommandAndControlDNS}}}, []string{c2, second}},
			{map[string]c{"type": {Equals: []string{"x", finding.BitcoinToolDNS}}}, []string{mining}},
			{map[string]c{"type": {Neq: []string{finding.CommandAndControlDNS}}}, []string{mining}},
			{map[string]c{"type": {NotEquals: []string{finding.BitcoinToolDNS}}}, []string{c2, second}},
			{map[string]c{"type": {Matches: []string{"Crypto*B!DNS"}}}, []string{mining}},
			{map[string]c{"type": {NotMatches: []string{"*C&C?ctivity*"}}}, []string{mining}},
			{map[string]c{"id": {Eq: []string{c2}}}, []string{c2}},
			{map[string]c{"severity": {Gte: new(int32(7))}}, []string{c2, mining, second}},
			{map[string]c{"severity": {Gt: new(int32(8))}}, nil},
			{map[string]c{"severity": {Eq: []string{"8"}, Lt: new(int32(9))}}, []string{c2, mining, second}},
			{map[string]c{"severity": {GreaterThanOrEqual: new(int64(4)), LessThan: new(int64(7))}}, nil},
			{map[string]c{"severity": {Lte: new(int32(8)), LessThanOrEqual: new(int64(8)), GreaterThan: new(int64(7))}}, []string{c2, mining, second}},
			{map[string]c{"service.count": {Gt: new(int32(1))}}, []string{c2}},
			{map[string]c{"createdAt": {GreaterThan: new(start)}}, []string{mining, second}},
			{map[string]c{"createdAt": {LessThanOrEqual: new(start + 60_000)}}, []string{c2, mining}},
			{map[string]c{"updatedAt": {GreaterThanOrEqual: new(start + 180_000)}}, []string{c2}},
			{map[string]c{"updatedAt": {Eq: []string{fmt.Sprint(start + 120_000)}}}, []string{second}},
			{map[string]c{"resource.instanceDetails.instanceId": {Eq: []string{host}}, "type": {Eq: []string{finding.CommandAndControlDNS}}}, []string{c2}},
			{map[string]c{"resource.instanceDetails.networkInterfaces.vpcId": {Eq: []string{"vpc-0a1b2c3d"}}}, []string{c2, mining, second}},
			{map[string]c{"resource.instanceDetails.networkInterfaces.privateIpAddresses.privateIpAddress": {Neq: []string{"10.0.0.7"}}}, nil},
			{map[string]c{"service.action.dnsRequestAction.domain": {Eq: []string{"eu.pool.minergate.com"}}}, []string{mining}},
			{map[string]c{"service.action.dnsRequestAction.domainWithSuffix": {Eq: []string{"minergate.com"}}}, []string{mining}},
			{map[string]c{"service.action.dnsRequestAction.blocked": {Eq: []string{"false"}}}, []string{c2, mining, second}},
			{map[string]c{"service.archived": {Eq: []string{"true"}}}, nil},
			{map[string]c{"service.additionalInfo.threatListName": {Eq: []string{"Built-in test domains"}}}, []string{c2, mining, second}},
			{map[string]c{"resource.s3BucketDetails.name": {Eq: []string{"x"}}}, nil},
			{map[string]c{"resource.s3BucketDetails.name": {Neq: []string{"x"}}}, []string{c2, mining, second}},
			{map[string]c{"resource.s3BucketDetails.name": {Gt: new(int32(0))}}, nil},
			{map[string]c{"accountId": {Eq: []string{account}}, "region": {Eq: []string{"us-east-1"}}, "resource.resourceType": {Eq: []string{"Instance"}}}, []string{c2, mining, second}},
		} {
			out := must(w, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: d, FindingCriteria: &guarddutyapi.FindingCriteria{Criterion: test.criteria}})
			slices.Sort(out.FindingIds)
			slices.Sort(test.want)
			if !slices.Equal(out.FindingIds, test.want) {
				t.Errorf("%d: %v: got %q, want %q", i, test.criteria, out.FindingIds, test.want)
			}
		}
		const invalid = "The request is rejected because the parameter findingCriteria has an invalid value."
		for _, bad := range []map[string]c{{"no.such.field": {Eq: []string{"x"}}}, {"type": {Eq: make([]string, 51)}}} {
			refused(w, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: d, FindingCriteria: &guarddutyapi.FindingCriteria{Criterion: bad}}, invalid)
		}
	})
}

// The paths that are answered without JSON give what JSON says.
func TestPlainPaths(t *testing.T) {
	inWorld(t, func(w *world) {
		_, id, _, _ := populated(w)
		k, err := w.service.findings.Get(in(t.Context(), account, "Get"), id)
		if err != nil {
			t.Fatal(err)
		}
		doc, n := document(k), 0
		for _, group := range fields {
			for _, name := range group.names {
				path := group.under + name
				v, ok := see(k).plain(path)
				if !ok {
					continue
				}
				n++
				if want := values(doc, strings.Split(path, ".")); len(want) != 1 || want[0] != v {
					t.Errorf("%s: %v, want %v", path, v, want)
				}
			}
		}
		if n != 10 {
			t.Errorf("%d paths", n)
		}
	})
}

func TestSortAndPages(t *testing.T) {
	inWorld(t, func(w *world) {
		d, c2, mining, second := populated(w)
		for _, c := range []struct {
			field string
			by    guarddutyapi.OrderBy
			want  []string
		}{
			{"createdAt", "ASC", []string{c2, mining, second}}, {"createdAt", "DESC", []string{second, mining, c2}},
			{"updatedAt", "DESC", []string{c2, second, mining}}, {"service.count", "DESC", []string{c2}},
		} {
			request := &guarddutyapi.ListFindingsRequest{DetectorId: d, MaxResults: new(int32(1)), SortCriteria: &guarddutyapi.SortCriteria{AttributeName: &c.field, OrderBy: &c.by}}
			var got []string
			for {
				out := must(w, &guarddutyapi.ListFindings, request)
				got = append(got, out.FindingIds...)
				if request.NextToken = out.NextToken; out.NextToken == nil {
					break
				}
			}
			if len(got) != 3 || !slices.Equal(got[:len(c.want)], c.want) {
				t.Errorf("%s %s: %q, want %q", c.field, c.by, got, c.want)
			}
		}
		token := must(w, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: d, MaxResults: new(int32(1))}).NextToken
		const bad = "The request is rejected because the parameter nextToken has an invalid value."
		refused(w, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: d, NextToken: new("x")}, bad)
		refused(w, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: d, NextToken: token, SortCriteria: &guarddutyapi.SortCriteria{AttributeName: new("type")}}, bad)
		refused(w, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: d, SortCriteria: &guarddutyapi.SortCriteria{AttributeName: new("nothing")}}, "The request is rejected because the parameter sortCriteria has an invalid value.")
		got := must(w, &guarddutyapi.GetFindings, &guarddutyapi.GetFindingsRequest{DetectorId: d, FindingIds: []string{second, "0123", c2, second}}).Findings
		if len(got) != 2 || got[0].Id != second || got[1].Id != c2 {
			t.Errorf("%+v", got)
		}
	})
}

func TestArchivedFindingsStayAndSecurityHubHears(t *testing.T) {
	inWorld(t, func(w *world) {
		d, c2, mining, _ := populated(w)
		w.events("")
		w.told = nil
		must(w, &guarddutyapi.ArchiveFindings, &guarddutyapi.ArchiveFindingsRequest{DetectorId: d, FindingIds: []string{c2, mining}})
		must(w, &guarddutyapi.ArchiveFindings, &guarddutyapi.ArchiveFindingsRequest{DetectorId: d, FindingIds: []string{c2}})
		must(w, &guarddutyapi.UnarchiveFindings, &guarddutyapi.UnarchiveFindingsRequest{DetectorId: d, FindingIds: []string{mining}})
		var actions []string
		for _, e := range w.events(aws.FindingsStream) {
			actions = append(actions, e.Attrs["action"])
		}
		if !slices.Equal(actions, []string{"archived", "archived", "unarchived"}) {
			t.Errorf("%q", actions)
		}
		out := must(w, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: d, FindingCriteria: &guarddutyapi.FindingCriteria{Criterion: map[string]guarddutyapi.Condition{"service.archived": {Eq: []string{"true"}}}}})
		if !slices.Equal(out.FindingIds, []string{c2}) {
			t.Errorf("%q", out.FindingIds)
		}
		refused(w, &guarddutyapi.ArchiveFindings, &guarddutyapi.ArchiveFindingsRequest{DetectorId: d, FindingIds: []string{mining, "none"}}, "The request is rejected because one or more finding IDs do not exist.")
		must(w, &guarddutyapi.UpdateFindingsFeedback, &guarddutyapi.UpdateFindingsFeedbackRequest{DetectorId: d, FindingIds: []string{c2}, Feedback: "USEFUL", Comments: new("thanks")})
		f := must(w, &guarddutyapi.GetFindings, &guarddutyapi.GetFindingsRequest{DetectorId: d, FindingIds: []string{c2}}).Findings[0]
		if *f.Service.UserFeedback != "USEFUL" || !*f.Service.Archived {
			t.Errorf("%+v", f.Service)
		}
	})
}

func TestFiltersArchiveNewFindingsSilently(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		criteria := func(field, value string) *guarddutyapi.FindingCriteria {
			return &guarddutyapi.FindingCriteria{Criterion: map[string]guarddutyapi.Condition{field: {Eq: []string{value}}}}
		}
		must(w, &guarddutyapi.CreateFilter, &guarddutyapi.CreateFilterRequest{DetectorId: d, Name: "miners", Action: new(guarddutyapi.FilterActionArchive), Rank: new(int32(2)), FindingCriteria: criteria("type", finding.BitcoinToolDNS)})
		must(w, &guarddutyapi.CreateFilter, &guarddutyapi.CreateFilterRequest{DetectorId: d, Name: "except", Rank: new(int32(1)), FindingCriteria: criteria("resource.instanceDetails.instanceId", "i-00000000000000002")})
		w.query("pool.minergate.com", "guarddutyc2activityb.com")
		w.queryAs(account, "i-00000000000000002", "pool.minergate.com")
		w.advance(24 * time.Hour)
		w.query("pool.minergate.com")
		w.advance(24 * time.Hour)
		if n := len(w.events(aws.BusStream)); n != 2 {
			t.Errorf("%d events", n)
		}
		archived := 0
		for _, f := range w.findings(d) {
			if *f.Service.Archived {
				archived++
				if f.Type != finding.BitcoinToolDNS || *f.Service.Count != 2 {
					t.Errorf("%+v", f)
				}
			}
		}
		if archived != 1 {
			t.Errorf("%d archived", archived)
		}
		f := must(w, &guarddutyapi.GetFilter, &guarddutyapi.GetFilterRequest{DetectorId: d, FilterName: "except"})
		if f.Action != "NOOP" || *f.Rank != 1 || len(f.FindingCriteria.Criterion) != 1 {
			t.Errorf("%+v", f)
		}
		must(w, &guarddutyapi.UpdateFilter, &guarddutyapi.UpdateFilterRequest{DetectorId: d, FilterName: "except", Description: new("why")})
		if got := must(w, &guarddutyapi.ListFilters, &guarddutyapi.ListFiltersRequest{DetectorId: d}).FilterNames; !slices.Equal(got, []string{"except", "miners"}) {
			t.Errorf("%q", got)
		}
		must(w, &guarddutyapi.DeleteFilter, &guarddutyapi.DeleteFilterRequest{DetectorId: d, FilterName: "except"})
		refused(w, &guarddutyapi.GetFilter, &guarddutyapi.GetFilterRequest{DetectorId: d, FilterName: "except"}, "The request is rejected since no such resource found.")
		refused(w, &guarddutyapi.CreateFilter, &guarddutyapi.CreateFilterRequest{DetectorId: d, Name: "miners", FindingCriteria: criteria("type", "x")}, "The request is rejected because a filter with the given name already exists.")
		refused(w, &guarddutyapi.CreateFilter, &guarddutyapi.CreateFilterRequest{DetectorId: d, Name: "a b c", FindingCriteria: criteria("type", "x")}, "The request is rejected because the parameter name has an invalid value.")
		refused(w, &guarddutyapi.CreateFilter, &guarddutyapi.CreateFilterRequest{DetectorId: d, Name: "empty", FindingCriteria: &guarddutyapi.FindingCriteria{}}, "The request is rejected because the parameter findingCriteria has an invalid value.")
	})
}

func TestSampleFindings(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		must(w, &guarddutyapi.CreateSampleFindings, &guarddutyapi.CreateSampleFindingsRequest{DetectorId: d, FindingTypes: []string{finding.BitcoinToolDNS}})
		must(w, &guarddutyapi.CreateSampleFindings, &guarddutyapi.CreateSampleFindingsRequest{DetectorId: d})
		all := w.findings(d)
		if len(all) != len(finding.Kinds()) || len(w.events(aws.BusStream)) != len(all) {
			t.Fatalf("%d findings", len(all))
		}
		for _, f := range all {
			hub := finding.ASFF(&f)
			if !strings.HasPrefix(*f.Title, "[SAMPLE] ") || !strings.Contains(*f.Service.AdditionalInfo.Value, `"sample":true`) || hub.Sample == nil || !*hub.Sample {
				t.Errorf("%s: %s", *f.Title, *f.Service.AdditionalInfo.Value)
			}
		}
		refused(w, &guarddutyapi.CreateSampleFindings, &guarddutyapi.CreateSampleFindingsRequest{DetectorId: d, FindingTypes: []string{"Recon:EC2/Nothing"}}, "The request is rejected because the parameter findingTypes has an invalid value.")
	})
}

// Each sample has the sections of its type's resource, and an action of its kind.
func TestSamplesHaveTheDetailsOfTheirResource(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		must(w, &guarddutyapi.CreateSampleFindings, &guarddutyapi.CreateSampleFindingsRequest{DetectorId: d})
		for _, f := range w.findings(d) {
			r, a := f.Resource, f.Service.Action
			has := map[string]bool{
				"Instance":  r.InstanceDetails != nil && *r.InstanceDetails.InstanceId != "" && r.InstanceDetails.ImageId != nil && (a.DnsRequestAction != nil || a.NetworkConnectionAction != nil || a.PortProbeAction != nil),
				"AccessKey": r.AccessKeyDetails != nil && a.AwsApiCallAction != nil, "S3Bucket": r.S3BucketDetails != nil && r.AccessKeyDetails != nil && a.AwsApiCallAction != nil,
				"EKSCluster":     r.EksClusterDetails != nil && r.KubernetesDetails.KubernetesWorkloadDetails != nil && a.KubernetesApiCallAction != nil,
				"RDSDBInstance":  r.RdsDbInstanceDetails != nil && r.RdsDbUserDetails != nil && a.RdsLoginAttemptAction != nil && *a.ActionType == "RDS_LOGIN_ATTEMPT",
				"Lambda":         r.LambdaDetails != nil && a.NetworkConnectionAction != nil,
				"AttackSequence": f.Service.Detection != nil && len(f.Service.Detection.Sequence.Signals) == 2 && f.Severity == 9,
			}
			if kind, _ := finding.KindOf(f.Type); *r.ResourceType != kind.Resource || !has[kind.Resource] {
				t.Errorf("%s: %s", f.Type, *r.ResourceType)
			}
			for _, s := range []string{*f.Title, *f.Description} {
				if strings.ContainsAny(s, "{}") || strings.Contains(s, "nknown") {
					t.Errorf("%s: %s", f.Type, s)
				}
			}
		}
	})
}

func TestStatistics(t *testing.T) {
	inWorld(t, func(w *world) {
		d, _, _, _ := populated(w)
		stats := func(r guarddutyapi.GetFindingsStatisticsRequest) *guarddutyapi.FindingStatistics {
			r.DetectorId = d
			return must(w, &guarddutyapi.GetFindingsStatistics, &r).FindingStatistics
		}
		if s := stats(guarddutyapi.GetFindingsStatisticsRequest{FindingStatisticTypes: []guarddutyapi.FindingStatisticType{"COUNT_BY_SEVERITY"}}); s.CountBySeverity["8.0"] != 3 {
			t.Errorf("%v", s.CountBySeverity)
		}
		by := func(g guarddutyapi.GroupByType) guarddutyapi.GetFindingsStatisticsRequest {
			return guarddutyapi.GetFindingsStatisticsRequest{GroupBy: &g}
		}
		if s := stats(by("FINDING_TYPE")).GroupedByFindingType; len(s) != 2 || *s[0].FindingType != finding.CommandAndControlDNS || *s[0].TotalFindings != 2 {
			t.Errorf("%+v", s)
		}
		if s := stats(by("RESOURCE")).GroupedByResource; len(s) != 2 || *s[0].ResourceId != host || *s[0].TotalFindings != 2 {
			t.Errorf("%+v", s)
		}
		if s := stats(by("SEVERITY")).GroupedBySeverity; len(s) != 1 || *s[0].Severity != 8 {
			t.Errorf("%+v", s)
		}
		if s := stats(by("ACCOUNT")).GroupedByAccount; len(s) != 1 || *s[0].AccountId != account {
			t.Errorf("%+v", s)
		}
		if s := stats(by("DATE")).GroupedByDate; len(s) != 1 || !s[0].Date.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%+v", s)
		}
		refused(w, &guarddutyapi.GetFindingsStatistics, &guarddutyapi.GetFindingsStatisticsRequest{DetectorId: d}, "The request is rejected because either groupBy or findingStatisticTypes must be specified, not both.")
	})
}

func TestADisabledDetectorFindsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		d := w.detector()
		must(w, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: d, Enable: new(false)})
		if w.asked(d, "guarddutyc2activityb.com") != 0 {
			t.Error("found")
		}
		must(w, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: d, Enable: new(true), FindingPublishingFrequency: new(guarddutyapi.FindingPublishingFrequencyFifteenMinutes)})
		if w.asked(d, "guarddutyc2activityb.com") != 1 {
			t.Error("not found")
		}
		w.query("guarddutyc2activityb.com")
		w.advance(16 * time.Minute)
		if n := len(w.events(aws.BusStream)); n != 2 {
			t.Errorf("told %d times", n)
		}
	})
}
