// Package intel holds the lists of domains that detectors look up.
//
// A List is immutable. A Book says which lists count where; it changes by swapping
// a pointer, so that whoever looks up never waits.
package intel

import (
	"fmt"
	"iter"
	"strings"

	"sumun.dev/engine/dns"
)

// A Kind is what the domains of a list are.
type Kind string

// The kinds of list. Those but Custom and Trusted are the words of the
// configuration's feeds.
const (
	CommandAndControl Kind = "c2"
	Mining            Kind = "mining"
	Malicious         Kind = "malicious"
	Blackhole         Kind = "blackhole"
	Custom            Kind = "custom"  // an account's own threat list
	Trusted           Kind = "trusted" // an account's own list of what is no threat
)

// A List is a named set of domains.
type List struct {
	Name    string
	Kind    Kind
	Threats []string // names of what the domains belong to, if it is one thing

	below   bool // names match what lies below them too
	domains *dns.List
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
	return &List{Name: name, Kind: kind, below: below, domains: l}, nil
}

// Len returns how many domains the list has.
func (l *List) Len() int { return l.domains.Len() }

// Find returns the entry that matches n.
func (l *List) Find(n dns.Name) (entry string, ok bool) {
	if len(n) < 2 || !l.below && !l.domains.Match(n) {
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
