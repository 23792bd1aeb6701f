package detect

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"sumun.dev/finding"
)

// What instances ask for and whom they talk to is told beside what their role's
// sessions call: instances that carry one role are one group, and one actor.

// A group of instances is under attack when what they do is of so many kinds from
// Medium on and of two tactics, two of them High; or one is, and their role's
// sessions did the rest. An inventory that scans its own network, and names of bad
// repute, are less.
const hostKinds = 3

// host names an instance among actors.
func host(id string) string { return "instance " + id }

// onHost reports whether a suspicion is of what an instance itself did on the
// network. What strangers try on it, every host on the Internet bears.
func onHost(s *finding.Suspicion) bool {
	return s.Actor && s.Instance.ID != "" && s.Caller == nil && (s.DNS != nil || s.Connection != nil || s.Probe != nil)
}

// addHost notes the instance of a signal, and the other end.
func (n *actor) addHost(s *finding.Suspicion) {
	note(&n.Hosts, s.Instance.ID)
	kind := "MALICIOUS_"
	if strings.HasPrefix(s.Type, "CryptoCurrency:") {
		kind = "CRYPTOMINING_"
	}
	mark := func(key, value string) {
		if s.Threat.List == "" {
			return // nobody but the rule says so
		}
		if n.Marks == nil {
			n.Marks = map[string][]string{}
		}
		values := n.Marks[key]
		note(&values, value)
		n.Marks[key] = values
	}
	if d := s.DNS; d != nil {
		note(&n.Domains, d.Domain)
		mark(kind+"DOMAIN", d.Domain)
	}
	if c := s.Connection; c != nil {
		n.addRemote(c.Remote)
		if c.Remote.Address.IsValid() {
			mark(kind+"IP", c.Remote.Address.String())
		}
	}
}

// hostsAttack reports whether signals of late make the group of instances that they
// are of one that is attacked.
func (n *actor) hostsAttack(at time.Time, near time.Duration) bool {
	if len(n.Hosts) == 0 {
		return false
	}
	seen := map[finding.Evidence]bool{}
	kinds, grave, calls, of := 0, 0, 0, map[string]bool{}
	for _, g := range n.Signals {
		if at.Sub(g.Last) > near || seen[place(g)] || g.Severity < 4 {
			continue
		}
		seen[place(g)] = true
		switch {
		case !g.Host:
			calls++
		case g.Severity >= 7:
			grave++
			fallthrough
		default:
			kinds++
			of[cmp.Or(sameAs[g.Tactic], g.Tactic)] = true
		}
	}
	if grave > 0 && calls > 0 {
		u := n.sum(at, near, true)
		return u.attack()
	}
	return grave > 1 && kinds >= hostKinds && len(of) > 1
}

// A Group is what one instance did within a day, where its network's logs and the
// trail are judged by different engines (Options.Apart).
type Group struct{ n actor }

// Add takes in a suspicion of what an instance did, and returns the attack when it
// is enough for one.
func (g *Group) Add(instance string, s finding.Suspicion) *finding.Suspicion {
	s.Severity = level(&s)
	g.n.add(&s, s.Severity)
	if !g.n.hostsAttack(s.At, together) {
		return nil
	}
	return g.n.sequence(&s, host(instance), together)
}

// InstanceOf returns the instance that did what is suspicious, on the network or by
// its role's session; empty for anybody else.
func InstanceOf(s *finding.Suspicion) string {
	switch {
	case s.Sequence != nil:
		return ""
	case s.Caller != nil:
		return s.Caller.Instance
	case onHost(s):
		return s.Instance.ID
	}
	return ""
}

// MarshalJSON writes what is remembered.
func (g Group) MarshalJSON() ([]byte, error) { return json.Marshal(g.n) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (g *Group) UnmarshalJSON(b []byte) error {
	var n actor
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	if slices.Contains(n.Signals, nil) {
		return errors.New("a group of instances has a signal that is none")
	}
	n.Signals = n.Signals[max(0, len(n.Signals)-maxSignals):]
	g.n = n
	return nil
}
