package guardduty

import (
	"encoding/json"
	"testing"

	"sumun.dev/detect/record"
)

// TestPlansOfOldDetectors: what was judged before plans decided that, still is.
func TestPlansOfOldDetectors(t *testing.T) {
	object := &record.Record{API: &record.API{Service: "s3.amazonaws.com"}}
	bucket := &record.Record{API: &record.API{Service: "s3.amazonaws.com", Management: true}}
	cluster := &record.Record{Kubernetes: &record.Kubernetes{}}
	for text, want := range map[string][3]bool{
		`{"Created":"2026-01-01T00:00:00Z"}`:                       {true, true, true},
		`{"Features":{"S3_DATA_EVENTS":{"Enabled":false}}}`:        {false, true, true},
		`{"Features":{"EKS_AUDIT_LOGS":{"Enabled":false}}}`:        {true, true, false},
		`{"Features":{"RUNTIME_MONITORING":{"Enabled":true}}}`:     {true, true, true},
		`{"Features":{"S3_DATA_EVENTS":{"Enabled":true}}}`:         {true, true, true},
		`{"Features":{"EKS_RUNTIME_MONITORING":{"Enabled":true}}}`: {true, true, true},
	} {
		var d detector
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		if got := [3]bool{d.covers(object), d.covers(bucket), d.covers(cluster)}; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
		if again := d.Features["EKS_RUNTIME_MONITORING"].Enabled && d.Features["RUNTIME_MONITORING"].Enabled; again {
			t.Errorf("%s: runtime monitoring is on twice", text)
		}
	}
}
