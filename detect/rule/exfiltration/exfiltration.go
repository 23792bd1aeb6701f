// Package exfiltration finds instances that carry data in the names that they ask for, as tunnels through DNS do.
package exfiltration

import (
	"slices"
	"strings"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/engine/tunnel"
	"sumun.dev/finding"
)

// Rule adds up how much data distinct names below one registered domain carry, by
// instance.
var Rule = rule.Rule{
	Name: "exfiltration", Types: []string{finding.DNSDataExfiltration}, Class: record.DNSActivity,
	State: func() rule.State { return &state{window.NewKeep[string, zone](maxZones)} }, Concerns: concerns, See: see,
}

// maxZones bounds the pairs of host and domain of an account of which something is
// remembered.
const maxZones = 4_000

// few names of a zone that exist, and few that do not, make it one to look things up in.
const few = 3

// A state is what is remembered of an account.
type state struct{ *window.Keep[string, zone] }

// A zone is what one host asked for below one registered domain.
type zone struct {
	tunnel.Zone
	Told    []finding.Evidence `json:"e"`           // the first records since it was last reported
	Found   int                `json:"f,omitempty"` // names that exist
	Missing int                `json:"m,omitempty"` // that do not
	Usual   bool               `json:"u,omitempty"` // things are looked up there
}

// Weight is what the lists take.
func (z *zone) Weight() int { return z.Zone.Weight() + rule.PerEvidence*len(z.Told) }

func concerns(s *rule.Scene, r *record.Record) bool {
	k := tunnel.KindOf(r.DNS.Type)
	return tunnel.Carries(r.DNS.Name, k) && carried(s, r.DNS, k).Octets > 0
}

// carried is what the name of a question carries. What only tunnels ask for has a
// measure of its own; all else is looked at once for names that come again.
func carried(s *rule.Scene, d *record.DNS, k tunnel.Kind) rule.Carried {
	var c rule.Carried
	if k == tunnel.Rare {
		c.Registered, c.Sub, c.Octets = tunnel.Carried(d.Domain(), k)
		return c
	}
	name := s.Name(d)
	if name.Carried == nil {
		c.Registered, c.Sub, c.Octets = tunnel.Carried(d.Domain(), k)
		name.Carried = &c
	}
	return *name.Carried
}

func see(s *rule.Scene, r *record.Record) {
	d := r.DNS
	k := tunnel.KindOf(d.Type)
	known, c := s.State.(*state), carried(s, d, k)
	z := known.At(rule.Asker(d) + "\x00" + c.Registered)
	if len(d.Addresses) > 0 && d.Addresses[0].IsLoopback() {
		z.Usual = true // so answer those who are asked whether something is on a list of theirs
		return
	}
	if !z.add(r, c.Sub, c.Octets, k) {
		return
	}
	if z.Tunnel() || known.alone(z, rule.Asker(d), c.Registered) {
		out := rule.Query(finding.DNSDataExfiltration, r, finding.Threat{Entry: c.Registered})
		out.Evidence = append(slices.Clone(z.Told), rule.Evidence(r)) // the last is none of the first
		s.Report(out)
		*z = zone{}
	}
}

// alone reports whether a host looked much up below a domain of which no other host
// of the account asks so.
func (s *state) alone(z *zone, asker, registered string) bool {
	if z.Usual || !z.Lookups() {
		return false
	}
	z.Usual = z.Found >= few && z.Missing >= few
	for key, other := range s.All() {
		who, domain, _ := strings.Cut(key, "\x00")
		z.Usual = z.Usual || domain == registered && who != asker && len(other.Names) > 0
	}
	return !z.Usual
}

// add reports whether the name is new.
func (z *zone) add(r *record.Record, sub string, octets int, k tunnel.Kind) bool {
	if !z.Add(r.Time, sub, octets, k, tunnel.HashOf([]byte(r.DNS.Type))) {
		return false
	}
	switch r.DNS.Rcode {
	case "NOERROR":
		z.Found++
	case "NXDOMAIN":
		z.Missing++
	}
	if len(r.DNS.Addresses) > 0 {
		z.Answered(tunnel.HashOf([]byte(sub)), r.DNS.Addresses[0])
	}
	if len(z.Names) == 1 {
		z.Told = nil
	}
	if len(z.Told) < 5 {
		z.Told = append(z.Told, rule.Evidence(r))
	}
	return true
}
