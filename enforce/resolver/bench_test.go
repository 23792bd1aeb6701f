package resolver_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	mdns "github.com/miekg/dns"

	"sumun.dev/enforce/resolver"
	"sumun.dev/engine/dns"
)

func BenchmarkResolve(b *testing.B) {
	list, err := dns.NewList(func(yield func(string) bool) {
		for i := range 1_000_000 {
			if !yield(fmt.Sprintf("host-%07d.bad%04d.example", i, i%7919)) {
				return
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	x := snapshotOf(b, resolver.RuleGroup{Rules: []resolver.Rule{{Action: "BLOCK", List: list}}})
	u := newUpstream(b, func(w mdns.ResponseWriter, q *mdns.Msg) { w.WriteMsg(reply(q, q.Question[0].Name+" 3600 A 192.0.2.3")) })
	y := snapshotOf(b, resolver.RuleGroup{Rules: []resolver.Rule{
		{Action: "BLOCK", List: list},
		{Priority: 1, Action: "BLOCK", Threat: resolver.DGA, Confidence: "HIGH"},
		{Priority: 2, Action: "BLOCK", Threat: resolver.DictionaryDGA, Confidence: "HIGH"},
		{Priority: 3, Action: "BLOCK", Threat: resolver.Tunneling, Confidence: "HIGH"},
	}})
	for _, c := range []struct {
		name, ask string
		log       resolver.QueryLog
		x         resolver.Snapshot
	}{
		{"blocked", "host-0000000.bad0000.example", nil, x},
		{"cached", "www.good.example", nil, x},
		{"zone", "good.test", nil, x},
		{"cached, logged once", "www.good.example", make(discard), x},
		{"cached, Advanced rules", "www.good.example", nil, y},
		{"cached, Advanced rules, long label", "d111111abcdef8k2.good.example", nil, y},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := start(b, resolver.Config{Log: c.log, Upstreams: []netip.AddrPort{u.addr}}, c.x)
			msg, err := query(b, c.ask, mdns.TypeA).Pack()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if s.Resolve(context.Background(), host, msg) == nil {
					b.Fatal("no answer")
				}
			}
		})
	}
}

// BenchmarkFirstQuery asks for names that were not asked for before, below a zone, with
// and without Advanced rules: what judging a name costs.
func BenchmarkFirstQuery(b *testing.B) {
	words := []string{"garden", "cloud", "silver", "market", "studio", "river", "photo", "travel"}
	for _, advanced := range []bool{false, true} {
		b.Run(fmt.Sprintf("advanced=%v", advanced), func(b *testing.B) {
			var g resolver.RuleGroup
			if advanced {
				for i, threat := range []string{resolver.DGA, resolver.DictionaryDGA, resolver.Tunneling} {
					g.Rules = append(g.Rules, resolver.Rule{Priority: i, Action: "ALERT", Threat: threat, Confidence: "HIGH"})
				}
			}
			s := start(b, resolver.Config{}, snapshotOf(b, g))
			var all [][]byte
			for i := range 20_000 { // no name is in the firewall's memory when it comes again
				msg, err := query(b, fmt.Sprintf("www.%s%s%c%c.com", words[i%8], words[i/8%8], 'a'+i%26, 'a'+i/64%26), mdns.TypeANY).Pack()
				if err != nil {
					b.Fatal(err)
				}
				all = append(all, msg)
			}
			i := 0
			for b.Loop() {
				if s.Resolve(context.Background(), host, all[i%len(all)]) == nil {
					b.Fatal("no answer")
				}
				i++
			}
		})
	}
}
