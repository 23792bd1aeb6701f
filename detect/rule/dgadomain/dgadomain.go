// Package dgadomain finds instances that ask for names which an algorithm makes, as malware does to find its server.
package dgadomain

import (
	"slices"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/engine/dga"
	"sumun.dev/finding"
)

// Rule adds up how much the names that an instance asked for look made by an
// algorithm; those that do not exist count by themselves too, since of such names
// hardly any is registered.
var Rule = rule.Rule{
	Name: "dgadomain", Types: []string{finding.DGADomain}, Class: record.DNSActivity,
	State: func() rule.State { return window.NewKeep[string, host](maxHosts) }, Concerns: concerns, See: see,
}

const (
	maxHosts = 4_000
	// kept is how many of the last distinct domains of a host count, each once.
	kept = 30
	span = time.Hour
	// clamp bounds what one name tells: names of one kind are no independent
	// witnesses.
	clamp = 4.0
	// enough is how much names have to tell together, in log-odds.
	enough = 8.0
	// fewest distinct names: that do not exist, and of all.
	fewestMissing, fewest = 5, 12
	// Whatever they are like, so many distinct names that do not exist within so short
	// a time, and this share of all that was asked for, are tried out by something.
	burst, burstSpan, burstShare = 20, 10 * time.Minute, 0.6
	// A single name that does not exist says enough when no person would choose it.
	longest = 12
	medium  = 4
)

// A host is what is remembered of one.
type host struct {
	Missing ring `json:"m"` // names that do not exist
	All     ring `json:"a"`

	weight int // of both; 0: not known
}

// Weight is what the rings take.
func (h *host) Weight() int {
	if h.weight == 0 {
		h.weight = h.weigh()
	}
	return h.weight
}

func (h *host) weigh() int {
	n := 0
	for _, r := range [...]ring{h.Missing, h.All} {
		for i := range r {
			if n += 40; r[i].Evidence != nil {
				n += rule.PerEvidence
			}
		}
	}
	return n
}

// A ring is the last distinct domains that were asked for, the oldest first.
type ring []asked

type asked struct {
	Hash     uint64            `json:"h"` // of the registered domain
	Score    float32           `json:"s"`
	At       int64             `json:"t"` // seconds
	Missing  bool              `json:"n,omitempty"`
	Evidence *finding.Evidence `json:"e,omitempty"` // of what looks made or does not exist
}

func concerns(s *rule.Scene, r *record.Record) bool { return s.Name(r.DNS).Registered != 0 }

func see(s *rule.Scene, r *record.Record) {
	d := r.DNS
	name := s.Name(d)
	h := s.State.(*window.Keep[string, host]).At(rule.Asker(d))
	missing := d.Rcode == "NXDOMAIN" && !d.Blocked()
	now := r.Time.Unix()
	before := h.All.has(name.Registered, now)
	if before && (!missing || h.Missing.has(name.Registered, now)) {
		return
	}
	one := asked{Hash: name.Registered, Score: name.Score, At: now, Missing: missing}
	if one.Score > 0 || missing {
		told := rule.Evidence(r)
		one.Evidence = &told
	}
	h.weight = 0
	if !before {
		h.All.add(one)
	}
	report := func(names ring, severity float64, key string) {
		out := rule.Query(finding.DGADomain, r, finding.Threat{})
		out.Severity, out.Key = severity, key
		for _, n := range names {
			if n.Evidence != nil && (n.Score > 0 || key == "burst") {
				out.Evidence = append(out.Evidence, *n.Evidence)
			}
		}
		s.Report(out)
	}
	if missing {
		h.Missing.add(one)
		if h.Missing.tells() && len(h.Missing) >= fewestMissing {
			report(h.Missing, 0, "")
			*h = host{}
			return
		}
	}
	if h.All.tells() && len(h.All) >= fewest {
		report(h.All, 0, "")
		*h = host{}
		return
	}
	if missing && h.bursts(now) {
		report(h.Missing, medium, "burst")
		*h = host{}
		return
	}
	if missing && name.Length >= longest && one.Score >= dga.Certain {
		report(ring{one}, medium, "single name")
	}
}

const seconds = int64(span / time.Second)

// has reports whether a domain is there.
func (r ring) has(hash uint64, now int64) bool {
	for i := range r {
		if r[i].Hash == hash {
			return now-r[i].At <= seconds
		}
	}
	return false
}

// add puts a domain last, in place of the oldest when there are too many.
func (r *ring) add(one asked) {
	*r = slices.DeleteFunc(*r, func(a asked) bool { return a.Hash == one.Hash || one.At-a.At > seconds })
	if len(*r) >= kept {
		*r = slices.Delete(*r, 0, 1)
	}
	*r = append(*r, one)
}

// bursts reports whether most of what the host asks for does not exist.
func (h *host) bursts(now int64) bool {
	recent := now - int64(burstSpan/time.Second)
	names, all, missing := 0, 0, 0
	for i := range h.Missing {
		if h.Missing[i].At >= recent {
			names++
		}
	}
	for i := range h.All {
		if h.All[i].At >= recent {
			all++
			if h.All[i].Missing {
				missing++
			}
		}
	}
	return names >= burst && float64(missing) >= burstShare*float64(all)
}

// tells reports whether the names together tell enough.
func (r ring) tells() bool {
	sum := float32(0)
	for i := range r {
		sum += max(-clamp, min(clamp, r[i].Score))
	}
	return sum >= enough
}
