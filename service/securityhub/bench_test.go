package securityhub

import (
	"fmt"
	"testing"
	"time"

	"sumun.dev/api/securityhubapi"
)

// many is a hub with so many findings.
func many(b *testing.B, n int) *world {
	w := newWorld(b)
	must(w, &securityhubapi.EnableSecurityHub, &securityhubapi.EnableSecurityHubRequest{})
	start := time.Now().AddDate(0, 0, -60)
	for i := 0; i < n; i += 100 {
		var batch []*securityhubapi.AwsSecurityFinding
		for j := range 100 {
			f := own(fmt.Sprint("finding-", i+j))
			f.UpdatedAt = stamp(start.Add(time.Duration(i+j) * time.Minute))
			batch = append(batch, f)
		}
		w.send(batch...)
	}
	return w
}

func BenchmarkImport(b *testing.B) {
	w := many(b, 0)
	n := 0
	for b.Loop() {
		n++
		w.send(own(fmt.Sprint("new-", n)))
	}
}

func BenchmarkGetFindings(b *testing.B) {
	const n = 10_000
	w := many(b, n)
	for _, c := range []struct {
		name string
		in   securityhubapi.GetFindingsRequest
	}{
		{"newest_10", securityhubapi.GetFindingsRequest{}},
		{"newest_100", securityhubapi.GetFindingsRequest{MaxResults: new(int32(100))}},
		{"by_id", securityhubapi.GetFindingsRequest{Filters: &filters{Id: is("EQUALS", "finding-77")}}},
		{"new_and_active", securityhubapi.GetFindingsRequest{Filters: &filters{RecordState: is("EQUALS", "ACTIVE"), WorkflowStatus: is("EQUALS", "NEW")}}},
		{"oldest_by_title_of_10000", securityhubapi.GetFindingsRequest{Filters: &filters{Title: is("EQUALS", "nothing")}}},
		{"sorted_10000", securityhubapi.GetFindingsRequest{SortCriteria: by("SeverityNormalized", "desc")}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				must(w, &securityhubapi.GetFindings, &c.in)
			}
		})
	}
}
