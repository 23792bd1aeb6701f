// Package rootsession finds use of short-term root credentials.
package rootsession

import (
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
)

const typ = "Policy:IAMUser/ShortTermRootCredentialUsage"

// Rule reports calls of sessions that AssumeRoot made.
var Rule = rule.Rule{Name: "rootsession", Types: []string{typ}, Class: record.APIActivity, See: see}

func see(s *rule.Scene, r *record.Record) {
	if a := r.API; a.Actor.RootOf && !a.ByService() && a.Type != "AwsServiceEvent" {
		s.Report(s.Call(typ, "", r))
	}
}
