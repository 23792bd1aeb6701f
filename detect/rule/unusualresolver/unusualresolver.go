// Package unusualresolver finds hosts that ask DNS past the VPC's resolver.
package unusualresolver

import (
	"net/netip"
	"slices"

	"sumun.dev/detect/prefix"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

// Rule reports hosts that ask public resolvers, in the open, over TLS or HTTPS.
// Those that have done so for days have the habit, and those that ask many servers
// are resolvers themselves.
var Rule = rule.Rule{
	Name: "unusualresolver", Class: record.NetworkActivity, State: state, Concerns: concerns, See: see,
	Types: []string{finding.UnusualResolver, finding.UnusualDoH, finding.UnusualDoT},
}

const (
	many  = 8  // servers on port 53: it is a resolver
	often = 20 // records of one server that nobody knows as a public resolver
	habit = 5  // days
)

type asker struct {
	Host rule.Host
	How  string
}

type asked struct {
	Servers []netip.Addr // at most many
	Times   []int        // of each
	Day     int64
	Days    int
}

// Weight is what the lists take.
func (a *asked) Weight() int { return 32 * len(a.Servers) }

func state() rule.State { return window.NewKeep[asker, asked](8192) }

// public are addresses of resolvers for everybody, which speak HTTPS too: of
// Cloudflare, Google, Quad9, Cisco OpenDNS, AdGuard, CleanBrowsing, NextDNS,
// Mullvad, DNS.SB, AliDNS and ControlD, as each of them documents.
var public = func() *prefix.Table[bool] {
	var all []prefix.Entry[bool]
	for _, s := range []string{
		"1.0.0.1/32", "1.0.0.2/31", "1.1.1.1/32", "1.1.1.2/31", "2606:4700:4700::/48", "8.8.4.4/32", "8.8.8.8/32", "2001:4860:4860::/48", "9.9.9.9/32", "9.9.9.10/31",
		"149.112.112.112/32", "149.112.112.9/32", "149.112.112.10/31", "2620:fe::/48", "208.67.220.220/30", "208.67.222.220/30", "94.140.14.14/31", "94.140.15.15/32",
		"185.228.168.9/32", "185.228.169.9/32", "45.90.28.0/24", "45.90.30.0/24", "194.242.2.0/24", "185.222.222.222/32", "45.11.45.11/32",
		"223.5.5.5/32", "223.6.6.6/32", "76.76.2.0/24", "76.76.10.0/24",
	} {
		all = append(all, prefix.Entry[bool]{Prefix: netip.MustParsePrefix(s), Value: true})
	}
	return prefix.New(all, nil)
}()

func concerns(s *rule.Scene, r *record.Record) bool {
	f := r.Flow
	if f.Rejected || f.DstPort != 53 && f.DstPort != 853 && f.DstPort != 443 || f.Protocol != 6 && f.Protocol != 17 {
		return false
	}
	v := s.Flow(r)
	if v == nil || !v.Outbound || !v.Public || v.Begun == rule.There || f.DstPort != 53 && f.Protocol == 6 && v.Fruitless {
		return false
	}
	if f.DstPort == 443 {
		famous, _ := public.Find(v.Remote)
		return famous
	}
	return true
}

func see(s *rule.Scene, r *record.Record) {
	v := s.Flow(r)
	famous, _ := public.Find(v.Remote)
	typ := finding.UnusualResolver
	switch r.Flow.DstPort {
	case 853:
		typ = finding.UnusualDoT
	case 443:
		typ = finding.UnusualDoH
	}
	n := s.State.(*window.Keep[asker, asked]).At(asker{v.Host, typ})
	if day := r.Time.Unix() / 86400; day > n.Day {
		n.Day = day
		n.Days++
	}
	i := slices.Index(n.Servers, v.Remote)
	if i < 0 && len(n.Servers) < many {
		i = len(n.Servers)
		n.Servers, n.Times = append(n.Servers, v.Remote), append(n.Times, 0)
	}
	if i >= 0 && n.Times[i] < often {
		n.Times[i]++
	}
	switch {
	case n.Days > habit:
	case typ == finding.UnusualResolver && len(n.Servers) == many:
	case famous, typ == finding.UnusualDoT, i >= 0 && n.Times[i] == often:
		found := s.Traffic(typ, r)
		found.Actor = true
		if !v.Known || n.Days < 2 { // nobody knows what it does on other days
			found.Severity = 2
		}
		s.Report(found)
	}
}
