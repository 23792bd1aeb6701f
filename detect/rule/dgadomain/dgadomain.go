// Package dgadomain finds instances that ask for names which an algorithm makes, as malware does to find its server.
package dgadomain

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/engine/dga"
	"sumun.dev/engine/dns"
	"sumun.dev/finding"
)

// Rule adds up how much the names that an instance asked for look made by an
// algorithm; those that do not exist count by themselves too, since of such names
// hardly any is registered.
var Rule = rule.Rule{
	Name: "dgadomain", Types: []string{finding.DGADomain}, Class: record.DNSActivity,
	State: func() rule.State { return &state{Keep: window.NewKeep[string, host](maxHosts)} }, See: see,
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

// A state is what is remembered of an account. What was found out about names is
// not written down: it can be found out again.
type state struct {
	*window.Keep[string, host]
	names [1024]judged
}

// A judged is a name that was judged: which domain was registered for it.
type judged struct {
	name  dns.Name
	hash  uint64 // of the domain; 0 when it is none to judge
	long  bool   // the label
	score float32
}

// judge judges a name, or remembers how it was judged.
func (s *state) judge(n dns.Name) *judged {
	j := &s.names[hashOf(n)%uint64(len(s.names))]
	if !bytes.Equal(j.name, n) {
		*j = judged{name: n}
		domain := strings.TrimSuffix(n.String(), ".")
		if registered, label := dga.Registered(domain); registered != "" && !dga.Private(domain) {
			j.hash, j.long, j.score = max(1, hashOf(registered)), len(label) >= longest, float32(dga.Default().Score(label))
		}
	}
	return j
}

// A host is what is remembered of one.
type host struct {
	Missing ring `json:"m"` // names that do not exist
	All     ring `json:"a"`
}

// Weight is what the rings take.
func (h *host) Weight() int {
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

func see(s *rule.Scene, r *record.Record) {
	d := r.DNS
	known := s.State.(*state)
	name := known.judge(d.Name)
	if name.hash == 0 {
		return
	}
	h := known.At(rule.Asker(d))
	missing := d.Rcode == "NXDOMAIN" && !d.Blocked()
	now := r.Time.Unix()
	before := h.All.has(name.hash, now)
	if before && (!missing || h.Missing.has(name.hash, now)) {
		return
	}
	one := asked{Hash: name.hash, Score: name.score, At: now, Missing: missing}
	if one.Score > 0 || missing {
		told := rule.Evidence(r)
		one.Evidence = &told
	}
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
	if missing && name.long && one.Score >= dga.Certain {
		report(ring{one}, medium, "single name")
	}
}

// hashOf is FNV-1a.
func hashOf[S string | dns.Name](s S) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
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
