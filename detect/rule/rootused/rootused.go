// Package rootused finds use of the root user's credentials.
package rootused

import (
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
)

const typ = "Policy:IAMUser/RootCredentialUsage"

// Rule reports calls of the root user.
var Rule = rule.Rule{Name: "rootused", Types: []string{typ}, Class: record.APIActivity, See: see}

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.Actor.Type != "Root" || a.Actor.RootOf || a.ByService() || a.Type == "AwsServiceEvent" {
		return
	}
	// Whoever tries the root user's password without success has used nothing.
	if a.Operation == "ConsoleLogin" && a.Response.Str("ConsoleLogin") != "Success" {
		return
	}
	s.Report(s.Call(typ, "", r))
}
