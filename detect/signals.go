package detect

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// signals are what somebody did of late, each name once; the latest that was told last.
type signals []*finding.Signal

// within reports whether a signal lies near a time. Records of several logs come
// late, and some with times that somebody chose.
func within(g *finding.Signal, at time.Time, near time.Duration) bool {
	return at.Sub(g.Last).Abs() <= near
}

// over reports whether all of it was long over at a time: what happens then begins anew.
func (all signals) over(at time.Time) bool {
	return !slices.ContainsFunc(all, func(g *finding.Signal) bool { return at.Sub(g.Last) <= together })
}

// add adds a suspicion, and returns its signal. What is much older is forgotten, at
// twice the time that counts: a record's time may lie a day ahead.
func (all *signals) add(s *finding.Suspicion, severity float64) *finding.Signal {
	kept := slices.DeleteFunc(*all, func(old *finding.Signal) bool { return s.At.Sub(old.Last) > 2*together })
	name := strings.TrimSpace(s.Type + " " + s.Signal)
	i := slices.IndexFunc(kept, func(old *finding.Signal) bool { return old.Name == name })
	var g *finding.Signal
	if i < 0 {
		if len(kept) >= maxSignals {
			kept = kept[1:]
		}
		tactic, _, _ := strings.Cut(s.Type, ":")
		g = &finding.Signal{Type: "FINDING", Name: name, Tactic: tactic, First: s.At, Last: s.At, Host: onHost(s)}
	} else {
		g = kept[i]
		kept = slices.Delete(kept, i, i+1)
	}
	*all = append(kept, g)
	if s.At.Before(g.First) {
		g.First = s.At
	}
	if s.At.After(g.Last) {
		g.Last = s.At
	}
	g.Severity = max(g.Severity, severity)
	g.Count = min(g.Count, 1<<30) + 1
	if len(g.Evidence) < maxShown {
		g.Evidence = append(g.Evidence, s.Evidence[:min(len(s.Evidence), maxShown-len(g.Evidence))]...)
	}
	return g
}

// weight is what signals take, in bytes, roughly.
func (all signals) weight() (n int) {
	for _, g := range all {
		n += 256 + rule.PerEvidence*len(g.Evidence)
	}
	return n
}

// place is what a signal rests on first: what two rules say of one call is one.
func place(g *finding.Signal) finding.Evidence {
	if len(g.Evidence) == 0 {
		return finding.Evidence{At: g.First, Told: g.Name}
	}
	e := g.Evidence[0]
	return finding.Evidence{ID: e.ID, File: e.File, Line: e.Line, Offset: e.Offset}
}

// A sum is what signals add up to.
type sum struct {
	worst map[string]float64 // tactic → the most severe
	seen  map[finding.Evidence]bool
	data  bool // of a bucket is taken or destroyed
	grave bool // one is High
}

// attack reports whether it is enough for an attack.
func (u *sum) attack() bool {
	all := 0.0
	for _, v := range u.worst {
		all += v
	}
	return len(u.worst) >= tactics && all >= severity
}

// sum adds up signals near a time, those that are at least so severe.
func (all signals) sum(at time.Time, near time.Duration, least float64) sum {
	u := sum{worst: map[string]float64{}, seen: map[finding.Evidence]bool{}}
	for _, g := range all {
		if !within(g, at, near) || u.seen[place(g)] || g.Severity < least {
			continue
		}
		u.seen[place(g)] = true
		t := cmp.Or(sameAs[g.Tactic], g.Tactic)
		if g.Host {
			_, t = evil(g.Name)
		}
		if t == "" {
			continue
		}
		u.worst[t] = max(u.worst[t], g.Severity)
		u.data = u.data || strings.Contains(g.Name, ":S3/") && (t == "Exfiltration" || t == "Impact")
		u.grave = u.grave || g.Severity >= 7
	}
	return u
}

// tell writes the signals that belong to a sequence into it, and what they rest on
// into its evidence.
func (all signals) tell(out *finding.Suspicion, near time.Duration) {
	for _, g := range all {
		if !within(g, out.At, near) {
			continue
		}
		c := *g
		c.Evidence = slices.Clone(g.Evidence)
		out.Sequence.Signals = append(out.Sequence.Signals, c)
		out.Evidence = append(out.Evidence, c.Evidence...)
		point(out.Sequence, "ATTACK_TACTIC", g.Tactic)
		for _, ev := range g.Evidence {
			if !g.Host {
				point(out.Sequence, "HIGH_RISK_API", ev.Told)
			}
		}
	}
}

// point adds a value to one of a sequence's indicators.
func point(q *finding.Sequence, indicator, value string) {
	if value != "" && !slices.Contains(q.Indicators[indicator], value) {
		q.Indicators[indicator] = append(q.Indicators[indicator], value)
	}
}

// note adds what is not there yet, while there is room.
func note(to *[]string, value string) {
	if value != "" && len(*to) < maxSignals && !slices.Contains(*to, value) {
		*to = append(*to, value)
	}
}

func noteRemote(to *[]finding.Remote, r finding.Remote) {
	if r.Address != (netip.Addr{}) && len(*to) < maxSignals &&
		!slices.ContainsFunc(*to, func(old finding.Remote) bool { return old.Address == r.Address }) {
		*to = append(*to, r)
	}
}
