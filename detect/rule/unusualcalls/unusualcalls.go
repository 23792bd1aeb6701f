// Package unusualcalls finds calls that neither their principal nor its account is used to.
package unusualcalls

import (
	"strings"
	"time"

	"sumun.dev/detect/baseline"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/tactic"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

// lookAround is how many different calls that only look make one suspicion: one
// alone is no more than curiosity.
const lookAround = 5

// Rule reports calls of use to attackers that are new for who makes them, and
// come in a way that is new.
var Rule = rule.Rule{
	Name: "unusualcalls",
	Types: []string{
		"CredentialAccess:IAMUser/AnomalousBehavior", "DefenseEvasion:IAMUser/AnomalousBehavior",
		"Discovery:IAMUser/AnomalousBehavior", "Exfiltration:IAMUser/AnomalousBehavior",
		"Impact:IAMUser/AnomalousBehavior", "InitialAccess:IAMUser/AnomalousBehavior",
		"Persistence:IAMUser/AnomalousBehavior", "PrivilegeEscalation:IAMUser/AnomalousBehavior",
		"Discovery:S3/AnomalousBehavior", "Exfiltration:S3/AnomalousBehavior",
		"Impact:S3/AnomalousBehavior.Delete", "Impact:S3/AnomalousBehavior.Permission", "Impact:S3/AnomalousBehavior.Write",
	},
	Class: record.APIActivity, ByHabit: true, See: see,
	State: func() rule.State { return window.New(lookAround, time.Hour, 1<<13) },
}

// works are calls that say no more than that somebody is at work.
var works = map[string]bool{"AssumeRole": true, "AssumeRoleWithSAML": true, "AssumeRoleWithWebIdentity": true, "ConsoleLogin": true, "SwitchRole": true, "GetSigninToken": true, "CheckMfa": true}

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.ByService() || a.Type == "AwsServiceEvent" {
		return
	}
	if s.Normal.Familiar(r) {
		return
	}
	t := tactic.Of(a.Service, a.Operation, a.ReadOnly)
	if t == "" && (a.ReadOnly || !a.Management || works[a.Operation] || strings.Contains(a.Operation, "Tag")) {
		return
	}
	j := s.Normal.Judge(r, s.Net.Look(a.IP))
	if !j.Ready {
		return
	}
	// A service that nobody in the account changes anything in is of use to those who
	// pay with another's money, whatever the call is.
	foreign := !a.ReadOnly && j.Served == 0 && !j.Roams && !a.Failed()
	untold := t == ""
	if untold && foreign {
		t = tactic.Impact
	}
	if t == "" {
		return
	}
	// What is new is measured by the principal's own habits; by its account's when
	// nobody knows the principal yet.
	own := baseline.Principal
	if j.Days < baseline.Known {
		own = baseline.Everybody
	}
	if j.Seen(own, baseline.API) > 0 {
		return
	}
	ways := 0
	if j.New(own, baseline.Network) && j.New(baseline.Everybody, baseline.Network) {
		ways++
	}
	for _, f := range [...]int{baseline.Agent, baseline.Region, baseline.Country} {
		if j.New(own, f) {
			ways++
		}
	}
	if foreign && ways > 0 && j.New(baseline.Everybody, baseline.Network) {
		ways++
	}
	if ways < 2 {
		return
	}
	out := s.Call(typeOf(t, a), "", r)
	if strings.Contains(out.Type, ":S3/") {
		out.Buckets = []finding.Bucket{{Name: a.Request.Str("bucketName")}}
	}
	for _, u := range j.Unusual {
		out.Unusual = append(out.Unusual, finding.Unusual{Feature: u.Name, Value: u.Value, Of: u.Of, Seen: u.Seen, Total: u.Total, Score: u.Score})
	}
	if t == tactic.Discovery {
		e := window.Event{At: r.Time, Value: a.Service + ":" + a.Operation, Note: r.ID}
		all := s.State.(*window.Counter).Add(a.Actor.Principal(), e)
		if all == nil {
			return
		}
		for _, e := range all[:len(all)-1] {
			out.Evidence = append(out.Evidence, finding.Evidence{ID: e.Note, At: e.At, Told: e.Value})
		}
		out.Evidence = append(out.Evidence, rule.Evidence(r))
	}
	if a.Failed() {
		out.Severity = 2 // it was only tried
	} else if untold {
		out.Severity = 4
	}
	s.Report(out)
}

// typeOf names the finding type of a tactic; GuardDuty counts what runs code or
// opens a session to the first access.
func typeOf(t string, a *record.API) string {
	if strings.HasPrefix(a.Service, "s3.") && a.Request.Str("bucketName") != "" {
		switch {
		case t == tactic.Discovery, t == tactic.Exfiltration:
			return t + ":S3/AnomalousBehavior"
		case strings.HasPrefix(a.Operation, "Delete"):
			return "Impact:S3/AnomalousBehavior.Delete"
		case strings.HasSuffix(a.Operation, "Policy"), strings.HasSuffix(a.Operation, "Acl"), strings.HasSuffix(a.Operation, "PublicAccessBlock"):
			return "Impact:S3/AnomalousBehavior.Permission"
		case t == tactic.Impact:
			return "Impact:S3/AnomalousBehavior.Write"
		}
	}
	if t == tactic.Execution || t == tactic.LateralMovement {
		t = tactic.InitialAccess
	}
	return t + ":IAMUser/AnomalousBehavior"
}
