// Package dataread finds principals that read far more of S3 than on any other day.
package dataread

import (
	"fmt"
	"time"

	"sumun.dev/detect/baseline"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

const typ = "Exfiltration:S3/AnomalousBehavior"

// What is far more: so many times the most of another day, and at least so much.
const (
	times = 10
	least = 1 << 30 // bytes
	known = 7       // days on which a principal was seen, that what it never read counts
)

// Rule adds up what each principal reads in a day, and compares it with its other
// days.
var Rule = rule.Rule{
	Name: "dataread", Types: []string{typ}, Class: record.APIActivity, ByHabit: true, See: see,
	Calls: []string{"s3.amazonaws.com:GetObject"},
	State: func() rule.State { return window.NewKeep[string, today](1 << 13) },
}

// today is what a principal read on a day.
type today struct {
	Day     string
	Bytes   float64
	Told    bool
	FirstID string
	First   time.Time
}

func see(s *rule.Scene, r *record.Record) {
	n := baseline.ReadOf(r)
	if n == 0 || r.API.ByService() {
		return
	}
	t := s.State.(*window.Keep[string, today]).At(r.API.Actor.Principal())
	if day := r.Time.UTC().Format(time.DateOnly); t.Day != day {
		*t = today{Day: day, FirstID: r.ID, First: r.Time}
	}
	if t.Bytes += n; t.Told || t.Bytes < least {
		return
	}
	j := s.Normal.Judge(r, s.Net.Look(r.API.IP))
	most, days := s.Normal.Read(r)
	if !j.Ready || days == 0 && j.Days < known || t.Bytes < times*most {
		return
	}
	t.Told = true
	out := s.Call(typ, "UnusualVolume", r)
	out.Buckets = []finding.Bucket{{Name: r.API.Request.Str("bucketName")}}
	out.Unusual = []finding.Unusual{{
		Feature: "volume", Value: fmt.Sprintf("%.1f GiB in a day, %.1f before", t.Bytes/(1<<30), most/(1<<30)), Of: "principal", Total: uint64(max(days, j.Days)), Score: 1 - most/t.Bytes,
	}}
	out.Evidence = []finding.Evidence{{ID: t.FirstID, At: t.First}, rule.Evidence(r)}
	s.Report(out)
}
