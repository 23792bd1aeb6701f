// Package trailtampering finds trails of CloudTrail that are made to record less, or elsewhere.
package trailtampering

import (
	"slices"
	"strings"

	"sumun.dev/detect/baseline"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
)

const (
	typ    = "Stealth:IAMUser/CloudTrailLoggingDisabled"
	signal = "CloudTrailLoggingDisabled"
)

// What is remembered: trails, of which an account has five in a region, and the
// buckets that each was seen with.
const (
	maxTrails  = 1 << 10
	maxBuckets = 8
)

// Rule reports calls that stop trails, narrow what they record, or send it to a
// bucket that is not theirs.
var Rule = rule.Rule{
	Name: "trailtampering", Types: []string{typ}, Class: record.APIActivity, See: see,
	Calls: []string{
		"cloudtrail.amazonaws.com:CreateTrail",
		"cloudtrail.amazonaws.com:DeleteEventDataStore",
		"cloudtrail.amazonaws.com:DeleteTrail",
		"cloudtrail.amazonaws.com:PutEventSelectors",
		"cloudtrail.amazonaws.com:StopEventDataStoreIngestion",
		"cloudtrail.amazonaws.com:StopLogging",
		"cloudtrail.amazonaws.com:UpdateTrail",
	},
	State: func() rule.State { return window.NewKeep[string, []string](maxTrails) },
}

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.Failed() {
		return
	}
	switch a.Operation {
	case "CreateTrail":
		if bucket := a.Request.Str("s3BucketName"); bucket != "" {
			// One of this name that was there before is gone, and its buckets with it.
			*s.State.(*window.Keep[string, []string]).At(trail(r)) = []string{bucket}
		}
		return
	case "UpdateTrail":
		// The bucket is remembered, whatever else the call does.
		if !diverted(s, r) && !narrowed(a) {
			return
		}
	case "PutEventSelectors":
		if !blinded(a) {
			return
		}
	}
	out := s.Call(typ, signal, r)
	out.Severity = 5
	for _, name := range []string{"name", "trailName", "eventDataStore"} {
		if about := a.Request.Str(name); about != "" {
			out.API.Affected = map[string]string{"resource": about}
			break
		}
	}
	s.Report(out)
}

// trail names a trail, by its home region and name; calls give the name or the ARN.
func trail(r *record.Record) string {
	for _, s := range []string{r.API.Response.Str("trailARN"), r.API.Request.Str("name")} {
		if arn := strings.SplitN(s, ":", 6); len(arn) == 6 {
			return arn[3] + " " + strings.TrimPrefix(arn[5], "trail/")
		}
	}
	return string(r.Region) + " " + r.API.Request.Str("name")
}

// diverted reports whether an update sends what a trail records to another bucket.
// An update may say again what is so already, as CloudFormation and the console do.
// So it matters which buckets the trail was seen with; when none is known, whether
// the update does nothing else, or nobody of an account that is known updates trails.
func diverted(s *rule.Scene, r *record.Record) bool {
	q := &r.API.Request
	bucket := q.Str("s3BucketName")
	if bucket == "" {
		return false
	}
	known := s.State.(*window.Keep[string, []string]).At(trail(r))
	before := *known
	if slices.Contains(before, bucket) {
		return false
	}
	*known = append(before[max(0, len(before)-maxBuckets+1):len(before):len(before)], bucket)
	if len(before) > 0 {
		return true
	}
	j := s.Normal.Judge(r, s.Net.Look(r.API.IP))
	return !slices.ContainsFunc([]string{"isMultiRegionTrail", "includeGlobalServiceEvents", "enableLogFileValidation", "kmsKeyId", "cloudWatchLogsLogGroupArn"}, func(name string) bool {
		return q.Str(name) != ""
	}) || j.Ready && j.Seen(baseline.Everybody, baseline.API) == 0
}

// narrowed reports whether an update gives up something of what a trail records.
func narrowed(a *record.API) bool {
	return slices.ContainsFunc([]string{"isMultiRegionTrail", "includeGlobalServiceEvents", "enableLogFileValidation"}, func(name string) bool {
		return strings.EqualFold(a.Request.Str(name), "false")
	})
}

// blinded reports whether selectors leave out management events, or all of them but
// reads. CloudTrail API Reference, PutEventSelectors: includeManagementEvents is true
// and readWriteType All where they are not said.
func blinded(a *record.API) bool {
	said, records := false, false
	a.Request.Each(func(v any) {
		m, _ := v.(map[string]any)
		include, ok := m["includeManagementEvents"]
		said, records = true, records || (!ok || include != false) && m["readWriteType"] != "ReadOnly"
	}, "eventSelectors")
	if said && !records {
		return true
	}
	said, records = false, false
	a.Request.Each(func(v any) {
		m, _ := v.(map[string]any)
		fields, _ := m["fieldSelectors"].([]any)
		has := func(name, value string) bool {
			return slices.ContainsFunc(fields, func(v any) bool {
				f, _ := v.(map[string]any)
				equals, _ := f["equals"].([]any)
				return f["field"] == name && slices.Contains(equals, any(value))
			})
		}
		said, records = true, records || has("eventCategory", "Management") && !has("readOnly", "true")
	}, "advancedEventSelectors")
	return said && !records
}
