// Package parametersweep finds principals that decrypt many parameters of Systems Manager.
package parametersweep

import (
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

const typ = "CredentialAccess:IAMUser/AnomalousBehavior"

// What makes a sweep: so many names within span, however many a call asks for.
const (
	names = 20
	span  = 10 * time.Minute
)

// Rule counts the names of parameters that are asked for with decryption.
var Rule = rule.Rule{
	Name: "parametersweep", Types: []string{typ}, Class: record.APIActivity, See: see,
	Calls: []string{"ssm.amazonaws.com:GetParameter", "ssm.amazonaws.com:GetParameters"},
	State: func() rule.State { return window.New(names, span, 1<<13) },
}

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.ByService() || !a.Request.True("withDecryption") {
		return
	}
	counter, who := s.State.(*window.Counter), a.Actor.Principal()
	for _, name := range append(a.Request.All("name"), a.Request.All("names")...) {
		if all := counter.Add(who, window.Event{At: r.Time, Value: name, Note: r.ID}); all != nil {
			report(s, r, all)
			counter.Forget(who)
			return
		}
	}
}

func report(s *rule.Scene, r *record.Record, all []window.Event) {
	out := s.Call(typ, "ParametersRetrieved", r)
	out.Severity = 5
	last := r.ID
	for _, e := range all {
		if e.Note != last && (len(out.Evidence) == 0 || out.Evidence[len(out.Evidence)-1].ID != e.Note) {
			out.Evidence = append(out.Evidence, finding.Evidence{ID: e.Note, At: e.At})
		}
	}
	out.Evidence = append(out.Evidence, rule.Evidence(r))
	s.Report(out)
}
