package trailtampering

import (
	"fmt"
	"testing"
	"time"

	"sumun.dev/detect/baseline"
	"sumun.dev/detect/enrich"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

func call(at time.Time, operation, request string) *record.Record {
	return &record.Record{
		Class: record.APIActivity, Time: at, Account: "111122223333", Region: "eu-west-1",
		API: &record.API{Service: "cloudtrail.amazonaws.com", Operation: operation, Request: record.NewDocument([]byte(request)),
			Actor: record.Actor{Type: "IAMUser", ARN: "arn:aws:iam::111122223333:user/ann", Name: "ann", Account: "111122223333", AccessKey: "AKIAEXAMPLE"}},
	}
}

// Where no bucket of a trail is known, it counts whether anybody updates trails.
func TestWhereNobodyUpdatesTrailsABucketIsTold(t *testing.T) {
	at := time.Date(2026, 3, 20, 9, 0, 0, 0, time.UTC)
	for habit, want := range map[string]int{"": 0, "DescribeTrails": 1, "UpdateTrail": 0} {
		normal, told := baseline.New(), 0
		for day := range 12 {
			if habit != "" {
				normal.Learn(call(at.AddDate(0, 0, -14+day), habit, `{}`), enrich.Place{})
			}
		}
		s := &rule.Scene{Net: &enrich.Net{}, Normal: normal, State: Rule.State(), Report: func(finding.Suspicion) { told++ }}
		Rule.See(s, call(at, "UpdateTrail", `{"name":"main","s3BucketName":"elsewhere","isMultiRegionTrail":true}`))
		if told != want {
			t.Errorf("%q is usual: told %d times", habit, told)
		}
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	told := 0
	s := &rule.Scene{Net: &enrich.Net{}, Normal: baseline.New(), State: Rule.State(), Report: func(finding.Suspicion) { told++ }}
	for i := range maxTrails + 10 {
		Rule.See(s, call(time.Unix(int64(i), 0), "CreateTrail", fmt.Sprintf(`{"name":"t%d","s3BucketName":"b"}`, i)))
	}
	for i := range 3 * maxBuckets {
		Rule.See(s, call(time.Unix(1<<20+int64(i), 0), "UpdateTrail", fmt.Sprintf(`{"name":"t%d","s3BucketName":"b%d","isMultiRegionTrail":true}`, maxTrails, i)))
	}
	known := s.State.(interface {
		Len() int
		Find(string) *[]string
	})
	if buckets := *known.Find(fmt.Sprintf("eu-west-1 t%d", maxTrails)); known.Len() != maxTrails || len(buckets) != maxBuckets || told != 3*maxBuckets {
		t.Errorf("%d trails, buckets %q, told %d times", known.Len(), buckets, told)
	}
}
