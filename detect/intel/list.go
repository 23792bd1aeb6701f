// Package intel holds the lists of domains and addresses that detectors look up.
//
// A List is immutable. A Book says which lists count where; it changes by swapping
// a pointer, so that whoever looks up never waits.
package intel

import (
	"fmt"
	"iter"
	"net/netip"
	"strings"

	"sumun.dev/detect/prefix"
	"sumun.dev/engine/dns"
)

// A Kind is what the domains and addresses of a list are.
type Kind string

// The kinds of list. Those but Custom and Trusted are the words of the
// configuration's feeds.
const (
	CommandAndControl Kind = "c2"
	Mining            Kind = "mining"
	Malicious         Kind = "malicious"
	Blackhole         Kind = "blackhole"
	Abused            Kind = "abused"         // services with honest users too
	Coins             Kind = "coins"          // cryptocurrency, other than pools
	DriveBy           Kind = "driveby"        // downloads without a click
	DropPoint         Kind = "droppoint"      // where malware leaves what it took
	Generated         Kind = "dga"            // what algorithms of known malware make
	LowReputation     Kind = "low-reputation" // malicious by the company they keep
	Phishing          Kind = "phishing"
	Suspicious        Kind = "suspicious" // young, rarely asked for
	Scanner           Kind = "scanner"    // who tries the ports of all the world
	Tor               Kind = "tor"        // nodes of the Tor network
	Custom            Kind = "custom"     // an account's own threat list
	Trusted           Kind = "trusted"    // an account's own list of what is no threat
)

// Feeds are the kinds that feeds can be of.
var Feeds = []Kind{CommandAndControl, Mining, Malicious, Blackhole, Abused, Coins, DriveBy, DropPoint, Generated, LowReputation, Phishing, Scanner, Suspicious, Tor}

// Named reports whether rules look up names of a kind.
func (k Kind) Named() bool { return k != Scanner && k != Tor }

// Addressed reports whether rules look up addresses of a kind.
func (k Kind) Addressed() bool {
	switch k {
	case CommandAndControl, Mining, Malicious, Blackhole, DropPoint, Scanner, Tor, Custom, Trusted:
		return true
	}
	return false
}

// A List is a named set of domains, of addresses, or of both.
type List struct {
	Name    string
	Kind    Kind
	Threats []string // names of what the domains belong to, if it is one thing

	below   bool      // names match what lies below them too
	domains *dns.List // nil: none
	quick   filter    // of domains

	addresses *prefix.Table[netip.Prefix]
}

// Below makes a list whose names also match all names below them, as a feed of
// malicious domains means them; there are no wildcards in it. It fails on the first name that is wrong.
func Below(name string, kind Kind, domains iter.Seq[string]) (*List, error) {
	return newList(name, kind, domains, true)
}

// Exact makes a list whose names match themselves only; "*.example.com" matches
// what lies below. GuardDuty User Guide, "Customizing threat detection with
// entity lists and IP address lists".
func Exact(name string, kind Kind, domains iter.Seq[string]) (*List, error) {
	return newList(name, kind, domains, false)
}

func newList(name string, kind Kind, domains iter.Seq[string], below bool) (*List, error) {
	l, err := dns.NewList(domains)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", name, err)
	}
	return &List{Name: name, Kind: kind, below: below, domains: l, quick: newFilter(l)}, nil
}

// Addresses makes a list of addresses. Of prefixes that lie within each other the
// innermost is found.
func Addresses(name string, kind Kind, prefixes []netip.Prefix) *List {
	return (&List{Name: name, Kind: kind}).With(prefixes)
}

// With returns a list of the same domains, and of these addresses.
func (l *List) With(prefixes []netip.Prefix) *List {
	entries := make([]prefix.Entry[netip.Prefix], len(prefixes))
	for i, p := range prefixes {
		entries[i] = prefix.Entry[netip.Prefix]{Prefix: p, Value: p}
	}
	both := *l
	both.addresses = prefix.New(entries, nil)
	return &both
}

// FindAddr returns the entry that an address lies in.
func (l *List) FindAddr(a netip.Addr) (entry netip.Prefix, ok bool) { return l.addresses.Find(a) }

// Len returns how many domains and prefixes the list has.
func (l *List) Len() int {
	n := l.addresses.Len()
	if l.domains != nil {
		n += l.domains.Len()
	}
	return n
}

// Find returns the entry that matches n.
func (l *List) Find(n dns.Name) (entry string, ok bool) {
	if l.domains == nil || len(n) < 2 || !l.below && !l.domains.Match(n) {
		return "", false
	}
	for at := n; len(at) > 1; at = at.Parent() {
		if (l.below || len(at) == len(n)) && l.domains.Contains(dns.Domain{Name: at}) {
			return strings.TrimSuffix(at.String(), "."), true
		}
		if !l.below && len(at) < len(n) && l.domains.Contains(dns.Domain{Name: at, Wildcard: true}) {
			return "*." + strings.TrimSuffix(at.String(), "."), true
		}
	}
	return "", false
}
