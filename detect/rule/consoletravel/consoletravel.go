// Package consoletravel finds log-ins to the console from places too far apart.
package consoletravel

import (
	"math"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

const typ = "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B"

// What no traveller does: farther than far at more than fast, or another country
// within soon where only that is known.
const (
	far  = 500.0  // km: address books err by some hundreds
	fast = 1000.0 // km/h
	soon = time.Hour
)

// Rule compares each log-in with the one before of the same person.
var Rule = rule.Rule{
	Name: "consoletravel", Types: []string{typ}, Class: record.APIActivity, See: see,
	Calls: []string{"signin.amazonaws.com:ConsoleLogin"},
	State: func() rule.State { return window.NewKeep[string, login](1 << 13) },
}

// A login is where and when somebody logged in last.
type login struct {
	At                  time.Time
	Country             string
	Latitude, Longitude float64
	ID                  string
}

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.Response.Str("ConsoleLogin") != "Success" || !a.IP.IsValid() {
		return
	}
	at := s.Net.Look(a.IP)
	if at.Country == "" || at.Anonymous() || at.Cloud != "" {
		return // where the person is, is not known
	}
	now := login{r.Time, at.Country, at.Latitude, at.Longitude, r.ID}
	known := s.State.(*window.Keep[string, login])
	last := known.At(a.Actor.ARN)
	before := *last
	if before.At.After(now.At) {
		return
	}
	*last = now
	if before.At.IsZero() || !before.tooFar(&now) {
		return
	}
	out := s.Call(typ, "", r)
	out.Unusual = []finding.Unusual{{Feature: "country", Value: now.Country, Of: "principal"}}
	out.Evidence = []finding.Evidence{{ID: before.ID, At: before.At}, rule.Evidence(r)}
	s.Report(out)
}

// tooFar reports whether nobody gets from l to next in time.
func (l *login) tooFar(next *login) bool {
	took := next.At.Sub(l.At)
	if l.located() && next.located() {
		d := l.distance(next)
		return d > far && d > fast*took.Hours()
	}
	return l.Country != next.Country && took < soon
}

func (l *login) located() bool { return l.Latitude != 0 || l.Longitude != 0 }

// distance is along the great circle, in km.
func (l *login) distance(to *login) float64 {
	const earth, rad = 6371, math.Pi / 180
	a, b := l.Latitude*rad, to.Latitude*rad
	h := math.Pow(math.Sin((b-a)/2), 2) + math.Cos(a)*math.Cos(b)*math.Pow(math.Sin((to.Longitude-l.Longitude)*rad/2), 2)
	return 2 * earth * math.Asin(math.Sqrt(min(h, 1)))
}
