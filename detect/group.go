package detect

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"sumun.dev/detect/record"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

// What instances do on the network is told beside what their role's sessions call.
// Instances that carry one role are one group; GuardDuty User Guide, "GuardDuty
// Extended Threat Detection".

const (
	maxGroups = 1 << 12 // of an account, and instances whose role is known
	countsAs  = 4       // the least severity of a signal of a group
	kinds     = 3       // of evil that an instance does, two of them High, of two tactics
)

// A Group is what instances that belong together, and the sessions of their role, did
// of late. It is not safe for concurrent use.
type Group struct{ g group }

type group struct {
	Signals signals
	Hosts   []string
	Keys    []string // that sessions of the role used
	Domains []string // that were asked for
	Remotes []finding.Remote
	Marks   map[string][]string // GuardDuty's indicators
	News    bool                // a signal, an instance or a key that no attack has told of
}

// Weight is what its lists take, in bytes, roughly.
func (g *Group) Weight() int {
	n := 64*(len(g.g.Hosts)+len(g.g.Keys)) + 128*len(g.g.Domains) + 256*len(g.g.Remotes) + g.g.Signals.weight()
	for _, values := range g.g.Marks {
		n += 64 + 128*len(values)
	}
	return n
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

// onHost reports whether a suspicion is of what an instance itself did on the
// network. What strangers try on it, every host on the Internet bears.
func onHost(s *finding.Suspicion) bool {
	return s.Actor && s.Caller == nil && record.IsInstance(s.Instance.ID) && (s.DNS != nil || s.Connection != nil || s.Probe != nil)
}

// Add takes in what one of the group did (InstanceOf names it), and returns the
// attack that this makes, when it is enough and there is more to tell than the last
// time. name is the group's: the finding's id follows from it.
func (g *Group) Add(name, instance string, s finding.Suspicion) *finding.Suspicion {
	n := &g.g
	if n.Signals.over(s.At) {
		*n = group{Signals: n.Signals}
	}
	s.Severity = level(&s)
	known := len(n.Hosts) + len(n.Keys)
	joins := n.Signals.add(&s, s.Severity).Count == 1
	note(&n.Hosts, instance)
	if s.Caller != nil {
		note(&n.Keys, s.Caller.AccessKey)
	}
	n.mark(&s)
	// Not whether there are more of them: old signals go as new ones come.
	n.News = n.News || joins || len(n.Hosts)+len(n.Keys) > known
	if !n.News || !n.attacked(&s) {
		return nil
	}
	n.News = false
	out := &finding.Suspicion{
		Type: onHosts, At: s.At, Severity: critical, Actor: true, Key: name, Instance: s.Instance, Caller: s.Caller, API: s.API,
		Sequence: &finding.Sequence{
			Actors: slices.Clone(n.Keys), Endpoints: slices.Clone(n.Remotes), Instances: slices.Clone(n.Hosts), Domains: slices.Clone(n.Domains), Indicators: map[string][]string{},
		},
	}
	if out.Instance.ID == "" {
		out.Instance.ID = instance
	}
	n.Signals.tell(out, together)
	for key, values := range n.Marks {
		out.Sequence.Indicators[key] = slices.Clone(values)
	}
	return out
}

// mark notes the other end.
func (n *group) mark(s *finding.Suspicion) {
	kind := "MALICIOUS_"
	if what, _ := evil(s.Type); what == coins {
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
	if c := s.Connection; c != nil && c.Remote.Address.IsValid() {
		noteRemote(&n.Remotes, c.Remote)
		mark(kind+"IP", c.Remote.Address.String())
	}
	if s.API != nil {
		noteRemote(&n.Remotes, s.API.Remote)
	}
}

// attacked reports whether what was done near a suspicion is an attack: so many kinds
// of evil, or one that is High beside what the role's sessions did.
func (n *group) attacked(s *finding.Suspicion) bool {
	seen := map[finding.Evidence]bool{}
	did, of := map[string]float64{}, map[string]bool{}
	calls := false
	for _, g := range n.Signals {
		if !within(g, s.At, together) || seen[place(g)] || g.Severity < countsAs {
			continue
		}
		seen[place(g)] = true
		if !g.Host {
			calls = true
			continue
		}
		if what, tactic := evil(g.Name); what != "" {
			did[what], of[tactic] = max(did[what], g.Severity), true
		}
	}
	grave := 0
	for _, severity := range did {
		if severity >= 7 {
			grave++
		}
	}
	if grave > 1 && len(did) >= kinds && len(of) > 1 {
		return true
	}
	u := n.Signals.sum(s.At, together, countsAs)
	return grave > 0 && calls && u.attack()
}

const coins = "cryptocurrency"

// evil says what kind of evil a type of finding about an instance's traffic is,
// whichever log shows it, and to what tactic of ATT&CK it belongs. What is only
// unusual is none.
func evil(typ string) (kind, tactic string) {
	const commandAndControl = "CommandAndControl"
	purpose, rest, _ := strings.Cut(strings.TrimSuffix(typ, "!DNS"), ":")
	has := func(part string) bool { return strings.Contains(rest, part) }
	switch {
	case purpose == "Behavior":
		return "", ""
	case purpose == "CryptoCurrency", has("Bitcoin"):
		return coins, "Impact"
	case has("/Tor"):
		return "tor", commandAndControl
	case has("DomainRequest.Reputation"), has("DomainRequest.Custom"):
		return "listed domain", "Impact"
	case has("MaliciousIPCaller"):
		return "listed address", commandAndControl
	case has("DenialOfService"):
		return "denial of service", "Impact"
	case has("Spambot"):
		return "spam", "Impact"
	case has("BruteForce"):
		return "brute force", "CredentialAccess"
	case has("DNSDataExfiltration"), has("DropPoint"):
		return "exfiltration", "Exfiltration"
	case has("DGADomain"):
		return "generated domain", commandAndControl
	case purpose == "Backdoor", purpose == "Trojan":
		return rest, commandAndControl
	case purpose == "Recon":
		return "reconnaissance", "Discovery"
	}
	return rest, purpose
}

// MarshalJSON writes what is remembered.
func (g Group) MarshalJSON() ([]byte, error) { return json.Marshal(g.g) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (g *Group) UnmarshalJSON(b []byte) error {
	var n group
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	if slices.Contains(n.Signals, nil) {
		return errors.New("a group of instances has a signal that is none")
	}
	n.Signals = n.Signals[max(0, len(n.Signals)-maxSignals):]
	g.g = n
	return nil
}

// take adds what another group did, when the two turn out to be one.
func (g *Group) take(other *Group) {
	n, o := &g.g, &other.g
	n.News = n.News || len(o.Signals) > 0
	for _, s := range o.Signals {
		if len(n.Signals) < maxSignals && !slices.ContainsFunc(n.Signals, func(mine *finding.Signal) bool { return mine.Name == s.Name }) {
			n.Signals = append(n.Signals, s)
		}
	}
	for _, both := range [...]struct{ to, from *[]string }{{&n.Hosts, &o.Hosts}, {&n.Keys, &o.Keys}, {&n.Domains, &o.Domains}} {
		for _, value := range *both.from {
			note(both.to, value)
		}
	}
	for _, r := range o.Remotes {
		noteRemote(&n.Remotes, r)
	}
	if n.Marks == nil {
		n.Marks = map[string][]string{}
	}
	for _, key := range slices.Sorted(maps.Keys(o.Marks)) {
		values := n.Marks[key]
		for _, v := range o.Marks[key] {
			note(&values, v)
		}
		n.Marks[key] = values
	}
}

// groups are those of an account.
type groups struct {
	roles *window.Keep[string, string] // instance → the role that it carries
	by    *window.Keep[string, Group]  // role, or instance as long as that is not known
}

func newGroups() *groups {
	return &groups{window.NewKeep[string, string](maxGroups), window.NewKeep[string, Group](maxGroups)}
}

// link takes note of which role an instance carries, as a call of its session tells.
// Sessions that somebody only named so are not delivered by the metadata service.
func (g *groups) link(r *record.Record) {
	id := r.API.Delivered(r.Account)
	if id == "" {
		return
	}
	role := r.API.Actor.Principal()
	if was := g.roles.Find(id); was != nil && *was == role {
		return
	}
	*g.roles.At(id) = role
	if alone := g.by.Find(id); alone != nil {
		did := *alone
		g.by.Forget(id)
		g.by.At(role).take(&did)
	}
}

// group adds what an instance or its role's session did to what its group did.
func (e *Engine) group(s finding.Suspicion, yield func(finding.Suspicion)) {
	id := InstanceOf(&s)
	if id == "" || e.apart {
		return
	}
	all, name := e.here.groups, id
	if role := all.roles.Find(id); role != nil {
		name = *role
	}
	if attack := all.by.At(name).Add(name, id, s); attack != nil {
		yield(*attack)
	}
}

// Held returns how many bytes of memory is taken, roughly.
func (g *groups) Held() int { return window.Held[window.Holder](g.roles, g.by) }

// Shed drops some of what was quiet longest.
func (g *groups) Shed() { window.Shed[window.Holder](g.roles, g.by) }

// written is groups as they are written down.
type written struct{ Roles, By []byte }

// MarshalBinary writes what is remembered.
func (g *groups) MarshalBinary() ([]byte, error) {
	roles, e1 := g.roles.MarshalBinary()
	by, e2 := g.by.MarshalBinary()
	if err := errors.Join(e1, e2); err != nil {
		return nil, err
	}
	return json.Marshal(written{roles, by})
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (g *groups) UnmarshalBinary(b []byte) error {
	var in written
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	return errors.Join(g.roles.UnmarshalBinary(in.Roles), g.by.UnmarshalBinary(in.By))
}
