// Package spambot finds hosts that send mail to many others.
package spambot

import (
	"net/netip"
	"slices"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

// Rule reports hosts that deliver mail to many others, and neither take mail in nor
// did so for days.
var Rule = rule.Rule{Name: "spambot", Types: []string{finding.Spambot}, Class: record.NetworkActivity, State: state, Concerns: concerns, See: see}

const (
	many  = 10
	span  = time.Hour
	habit = 5 // days on which it sent before
)

type mailer struct {
	Since time.Time
	To    []netip.Addr
	Told  []finding.Evidence
	Takes time.Time // mail in, last
	Days  int
	Day   int64
}

func state() rule.State { return window.NewKeep[rule.Host, mailer](8192) }

func concerns(s *rule.Scene, r *record.Record) bool {
	switch f := r.Flow; f.DstPort {
	case 25, 465, 587:
		if f.Protocol != 6 {
			return false
		}
		v := s.Flow(r)
		return v != nil && (v.Begun == rule.Here || v.Begun == rule.There)
	}
	return false
}

func see(s *rule.Scene, r *record.Record) {
	f, v := r.Flow, s.Flow(r)
	all := s.State.(*window.Keep[rule.Host, mailer])
	if !v.Outbound {
		if !v.Fruitless && v.Begun == rule.There {
			all.At(v.Host).Takes = r.Time
		}
		return
	}
	if f.DstPort != 25 || !v.Public || v.Begun != rule.Here {
		return
	}
	n := all.At(v.Host)
	if day := r.Time.Unix() / 86400; day > n.Day {
		n.Day = day
		n.Days++
	}
	if n.Since.IsZero() || r.Time.Sub(n.Since) > span {
		n.Since, n.To, n.Told = r.Time, nil, nil
	}
	if !slices.Contains(n.To, v.Remote) && len(n.To) < many {
		n.To, n.Told = append(n.To, v.Remote), append(n.Told, rule.Evidence(r))
	}
	if len(n.To) < many || n.Days > habit || !n.Takes.IsZero() && r.Time.Sub(n.Takes) < 24*time.Hour {
		return
	}
	found := s.Traffic(finding.Spambot, r)
	found.Actor, found.Evidence = true, n.Told
	n.To, n.Told = nil, nil
	s.Report(found)
}
