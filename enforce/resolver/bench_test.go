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
	for _, c := range []struct {
		name, ask string
		log       resolver.QueryLog
	}{
		{"blocked", "host-0000000.bad0000.example", nil},
		{"cached", "www.good.example", nil},
		{"zone", "good.test", nil},
		{"cached, logged once", "www.good.example", make(discard)},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := start(b, resolver.Config{Log: c.log, Upstreams: []netip.AddrPort{u.addr}}, x)
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
