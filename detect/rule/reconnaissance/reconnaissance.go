// Package reconnaissance finds principals that look around in many services at once.
package reconnaissance

import (
	"strings"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/tactic"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

const typ = "Discovery:IAMUser/AnomalousBehavior"

// What makes a burst: so many different calls, of so many services, within span.
const (
	listings, services = 12, 6
	refusals, refusers = 6, 3
	ofInstance, few    = 7, 4 // programs on an instance know what they work with
	span               = 10 * time.Minute
)

// Rule reports bursts of listings, and of refused attempts to look.
var Rule = rule.Rule{
	Name: "reconnaissance", Types: []string{typ}, Class: record.APIActivity, See: see,
	State: func() rule.State {
		return &state{window.New(listings, span, 1<<13), window.New(refusals, span, 1<<13), window.New(ofInstance, span, 1<<13)}
	},
}

type state struct{ listed, refused, machines *window.Counter }

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	// The console looks around for whoever opens it.
	if a.ByService() || a.Actor.OnConsole {
		return
	}
	looks := tactic.Of(a.Service, a.Operation, a.ReadOnly) == tactic.Discovery
	if !looks && !a.Denied() {
		return
	}
	st, who := s.State.(*state), a.Actor.Principal()
	e := window.Event{At: r.Time, Value: a.Service + ":" + a.Operation, Note: r.ID}
	if a.Denied() {
		if all := st.refused.Add(who, e); wide(all, refusers) {
			st.refused.Forget(who)
			report(s, r, "RefusedReconnaissance", 4, all)
		}
	}
	if looks && !a.Failed() && wholesale(a) {
		listed, least := st.listed, services
		if strings.HasPrefix(a.Actor.Session(), "i-") {
			listed, least = st.machines, few
		}
		if all := listed.Add(who, e); wide(all, least) {
			listed.Forget(who)
			report(s, r, "ReconnaissanceBurst", 2, all)
		}
	}
}

// wholesale reports whether a call asks for all there is, not for one thing that
// the caller knows. Deployment tools ask for what they made, by name.
func wholesale(a *record.API) bool {
	m, ok := a.Request.Tree().(map[string]any)
	if !ok {
		return true
	}
	for name, v := range m {
		switch strings.ToLower(name) {
		case "maxresults", "maxitems", "maxrecords", "nexttoken", "marker", "limit", "host", "scope", "onlyattached", "includeshadowtrails":
			continue
		}
		if in, ok := v.(map[string]any); !ok || len(in) > 0 {
			return false
		}
	}
	return true
}

// wide reports whether events are of at least n services.
func wide(all []window.Event, n int) bool {
	seen := map[string]bool{}
	for _, e := range all {
		service, _, _ := strings.Cut(e.Value, ":")
		seen[service] = true
	}
	return len(seen) >= n
}

func report(s *rule.Scene, r *record.Record, signal string, severity float64, all []window.Event) {
	out := s.Call(typ, signal, r)
	out.Severity = severity
	for _, e := range all[:len(all)-1] {
		out.Evidence = append(out.Evidence, finding.Evidence{ID: e.Note, At: e.At, Told: e.Value})
	}
	out.Evidence = append(out.Evidence, rule.Evidence(r))
	s.Report(out)
}

// MarshalBinary writes what was seen.
func (s *state) MarshalBinary() ([]byte, error) { return s.all().MarshalBinary() }

// UnmarshalBinary reads what MarshalBinary wrote.
func (s *state) UnmarshalBinary(b []byte) error { return s.all().UnmarshalBinary(b) }

// Held returns how many bytes of memory is taken, roughly.
func (s *state) Held() int { return s.all().Held() }

// Shed drops some of what was quiet longest.
func (s *state) Shed() { s.all().Shed() }

func (s *state) all() window.Counters {
	return window.Counters{s.listed, s.refused, s.machines}
}
