package resolver_test

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/enforce/resolver"
)

// forwarding is a resolver that asks the given servers.
func forwarding(t *testing.T, us ...*upstream) *resolver.Server {
	c := resolver.Config{Try: 300 * time.Millisecond, Total: 2 * time.Second}
	for _, u := range us {
		c.Upstreams = append(c.Upstreams, u.addr)
	}
	return start(t, c, snapshotOf(t))
}

func byTCP(w mdns.ResponseWriter) bool { return w.LocalAddr().Network() == "tcp" }

// TestForgedAnswers has an upstream that sends, before or instead of the true
// answer, what someone who wants to poison the cache would send.
func TestForgedAnswers(t *testing.T) {
	const forged, honest = " 60 A 203.0.113.66", " 60 A 192.0.2.3"
	for _, c := range []struct {
		name string
		spam func(q *mdns.Msg) []*mdns.Msg // sent by UDP before the true answer
	}{
		{"wrong_id", func(q *mdns.Msg) []*mdns.Msg {
			m := reply(q, q.Question[0].Name+forged)
			m.Id++
			return []*mdns.Msg{m}
		}},
		{"wrong_name", func(q *mdns.Msg) []*mdns.Msg {
			m := reply(q, "www.other.example."+forged)
			m.Question[0].Name = "www.other.example."
			return []*mdns.Msg{m}
		}},
		{"wrong_type", func(q *mdns.Msg) []*mdns.Msg {
			m := reply(q, q.Question[0].Name+forged)
			m.Question[0].Qtype = mdns.TypeAAAA
			return []*mdns.Msg{m}
		}},
		{"no_question", func(q *mdns.Msg) []*mdns.Msg {
			m := reply(q, q.Question[0].Name+forged)
			m.Question = nil
			return []*mdns.Msg{m}
		}},
		{"a_query", func(q *mdns.Msg) []*mdns.Msg {
			m := reply(q, q.Question[0].Name+forged)
			m.Response = false
			return []*mdns.Msg{m}
		}},
		{"letters_not_as_sent", func(q *mdns.Msg) []*mdns.Msg {
			m := reply(q, q.Question[0].Name+forged)
			m.Question[0].Name = swapCase(m.Question[0].Name)
			return []*mdns.Msg{m}
		}},
		{"many_guesses", func(q *mdns.Msg) []*mdns.Msg {
			var all []*mdns.Msg
			for i := range 50 {
				m := reply(q, q.Question[0].Name+forged)
				m.Id += uint16(1 + i)
				all = append(all, m)
			}
			return all
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
				if !byTCP(w) {
					for _, m := range c.spam(q) {
						w.WriteMsg(m)
					}
				}
				w.WriteMsg(reply(q, q.Question[0].Name+honest))
			})
			s := forwarding(t, u)
			if got := brief(resolve(t, s, host, query(t, "www.bank.example", mdns.TypeA))); got != "NOERROR A 192.0.2.3" {
				t.Errorf("answer %s", got)
			}
		})
	}
}

func swapCase(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c|0x20 && c|0x20 <= 'z' {
			b[i] = c ^ 0x20
		}
	}
	return string(b)
}

func TestServerThatChangesLettersIsAskedByTCP(t *testing.T) {
	var mu sync.Mutex
	var ways []string
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		mu.Lock()
		ways = append(ways, w.LocalAddr().Network())
		mu.Unlock()
		m := reply(q, "www.bank.example. 60 A 192.0.2.3")
		m.Question[0].Name = "www.bank.example."
		if q.Question[0].Name == m.Question[0].Name {
			m.Question[0].Name = "WWW.bank.example." // all letters happened to be small
		}
		w.WriteMsg(m)
	})
	s := forwarding(t, u)
	if got := brief(resolve(t, s, host, query(t, "www.bank.example", mdns.TypeA))); got != "NOERROR A 192.0.2.3" {
		t.Errorf("answer %s", got)
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(ways, " "); got != "udp tcp" {
		t.Errorf("asked by %s", got)
	}
}

func TestQuestionsCannotBeGuessed(t *testing.T) {
	var mu sync.Mutex
	ids, ports, spellings := map[uint16]bool{}, map[string]bool{}, map[string]bool{}
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		mu.Lock()
		ids[q.Id], ports[w.RemoteAddr().String()], spellings[q.Question[0].Name] = true, true, true
		mu.Unlock()
		m := reply(q)
		w.WriteMsg(m) // nothing that could be cached
	})
	s := forwarding(t, u)
	const n = 50
	for range n {
		resolve(t, s, host, query(t, "www.example-with-many-letters.example", mdns.TypeA))
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ids) < n-2 || len(ports) < n/2 || len(spellings) < n-2 {
		t.Errorf("of %d questions: %d ids, %d ports, %d spellings", n, len(ids), len(ports), len(spellings))
	}
}

// TestOnlyWhatWasAskedForIsKept has an upstream that adds records of others.
func TestOnlyWhatWasAskedForIsKept(t *testing.T) {
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		name := q.Question[0].Name
		if !strings.EqualFold(name, "www.evil.example.") {
			w.WriteMsg(reply(q, name+" 60 A 192.0.2.3"))
			return
		}
		m := reply(q, name+" 60 CNAME cdn.evil.example.", "cdn.evil.example. 60 A 192.0.2.9",
			"www.bank.example. 86400 A 203.0.113.66", "stray.evil.example. 60 A 203.0.113.67", name+` 60 TXT "not asked"`)
		m.Ns = reply(q, "bank.example. 86400 NS ns.evil.example.").Answer
		m.Extra = reply(q, "www.bank.example. 86400 A 203.0.113.66", "ns.evil.example. 60 A 203.0.113.66").Answer
		w.WriteMsg(m)
	})
	s := forwarding(t, u)
	m := resolve(t, s, host, query(t, "www.evil.example", mdns.TypeA))
	if got := brief(m); got != "NOERROR CNAME cdn.evil.example. A 192.0.2.9" || len(m.Ns) != 0 || len(m.Extra) != 0 {
		t.Errorf("%v", m)
	}
	if got := brief(resolve(t, s, host, query(t, "www.bank.example", mdns.TypeA))); got != "NOERROR A 192.0.2.3" {
		t.Errorf("the bank is at %s", got)
	}
}

func TestChainOfUpstreamIsInspectedFromCacheToo(t *testing.T) {
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		w.WriteMsg(reply(q, q.Question[0].Name+" 60 CNAME tracker.bad.example.", "tracker.bad.example. 60 A 192.0.2.9"))
	})
	s := forwarding(t, u)
	q := query(t, "www.shop.example", mdns.TypeA)
	if got := brief(resolve(t, s, host, q)); got != "NOERROR CNAME tracker.bad.example. A 192.0.2.9" {
		t.Error(got)
	}
	x := snapshotOf(t, resolver.RuleGroup{Rules: []resolver.Rule{{Action: "BLOCK", BlockResponse: "NXDOMAIN", List: domains(t, "*.bad.example")}}})
	if err := s.SetSnapshot(x); err != nil {
		t.Fatal(err)
	}
	if got := brief(resolve(t, s, host, q)); got != "NXDOMAIN" {
		t.Error(got)
	}
	if n := u.asked.Load(); n != 1 {
		t.Errorf("upstream was asked %d times", n)
	}
}

func TestBadChains(t *testing.T) {
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		name := q.Question[0].Name
		w.WriteMsg(reply(q, name+" 60 CNAME b.example.", "b.example. 60 CNAME "+name))
	})
	s := forwarding(t, u)
	if got := brief(resolve(t, s, host, query(t, "a.example", mdns.TypeA))); got != "SERVFAIL" {
		t.Errorf("a circle is answered %s", got)
	}
}

func TestTruncatedAnswerIsFetchedByTCP(t *testing.T) {
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		m := reply(q)
		if m.Truncated = !byTCP(w); !m.Truncated {
			m = reply(q, q.Question[0].Name+" 60 A 192.0.2.3")
		}
		w.WriteMsg(m)
	})
	if got := brief(resolve(t, forwarding(t, u), host, query(t, "www.example", mdns.TypeA))); got != "NOERROR A 192.0.2.3" {
		t.Error(got)
	}
}

func TestNextServerIsAsked(t *testing.T) {
	broken := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		w.WriteMsg(new(mdns.Msg).SetRcode(q, mdns.RcodeServerFailure))
	})
	silent := newUpstream(t, func(mdns.ResponseWriter, *mdns.Msg) {})
	lame := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		m := reply(q)
		m.Ns = reply(q, "example. 60 NS ns.example.").Answer
		w.WriteMsg(m)
	})
	good := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) { w.WriteMsg(reply(q, q.Question[0].Name+" 60 A 192.0.2.3")) })
	if got := brief(resolve(t, forwarding(t, broken, silent, lame, good), host, query(t, "www.example", mdns.TypeA))); got != "NOERROR A 192.0.2.3" {
		t.Error(got)
	}
	s := forwarding(t, broken)
	for range 5 {
		if got := brief(resolve(t, s, host, query(t, "www.example", mdns.TypeA))); got != "SERVFAIL" {
			t.Error(got)
		}
	}
	if n := broken.asked.Load(); n > 6 {
		t.Errorf("a broken server was asked %d times for one name within a second", n)
	}
}

func TestSameQuestionIsAskedOnce(t *testing.T) {
	release := make(chan struct{})
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		<-release
		w.WriteMsg(reply(q, q.Question[0].Name+" 60 A 192.0.2.3"))
	})
	s := start(t, resolver.Config{Upstreams: []netip.AddrPort{u.addr}}, snapshotOf(t))
	var askers sync.WaitGroup
	for range 20 {
		askers.Go(func() {
			if got := brief(resolve(t, s, host, query(t, "www.example", mdns.TypeA))); got != "NOERROR A 192.0.2.3" {
				t.Error(got)
			}
		})
	}
	for s.Stats().Misses < 20 {
		time.Sleep(time.Millisecond)
	}
	close(release)
	askers.Wait()
	if n := u.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestQuestionsUnderWayAreBounded(t *testing.T) {
	release := make(chan struct{})
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		<-release
		w.WriteMsg(reply(q, q.Question[0].Name+" 60 A 192.0.2.3"))
	})
	s := start(t, resolver.Config{Upstreams: []netip.AddrPort{u.addr}, InFlight: 1}, snapshotOf(t))
	first := make(chan string)
	go func() { first <- brief(resolve(t, s, host, query(t, "a.example", mdns.TypeA))) }()
	for s.Stats().Misses < 1 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(10 * time.Millisecond)
	if got := brief(resolve(t, s, host, query(t, "b.example", mdns.TypeA))); got != "SERVFAIL" || s.Stats().Busy != 1 {
		t.Errorf("%s, %+v", got, s.Stats())
	}
	close(release)
	if got := <-first; got != "NOERROR A 192.0.2.3" {
		t.Error(got)
	}
}

func TestCache(t *testing.T) {
	soa := "example. 600 SOA ns.example. host.example. 1 2 3 4 120"
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		m := reply(q)
		switch name := strings.ToLower(q.Question[0].Name); name {
		case "none.example.", "nodata.example.":
			if name == "none.example." {
				m.Rcode = mdns.RcodeNameError
			}
			m.Ns = reply(q, soa).Answer
		case "foreign-soa.example.":
			m.Rcode = mdns.RcodeNameError
			m.Ns = reply(q, "other. 600 SOA ns.example. host.example. 1 2 3 4 120").Answer
		case "long.example.":
			m = reply(q, q.Question[0].Name+" 9999999 A 192.0.2.3")
		case "zero.example.":
			m = reply(q, q.Question[0].Name+" 0 A 192.0.2.3")
		default:
			m = reply(q, q.Question[0].Name+" 60 A 192.0.2.3")
		}
		w.WriteMsg(m)
	})
	for _, c := range []struct {
		name string
		want string
		ttl  uint32 // of the first record
		asks int32  // of two queries
	}{
		{"www.example", "NOERROR A 192.0.2.3", 60, 1},
		{"none.example", "NXDOMAIN", 120, 1},
		{"nodata.example", "NOERROR", 120, 1},
		{"foreign-soa.example", "NXDOMAIN", 0, 2},
		{"long.example", "NOERROR A 192.0.2.3", 86400, 1},
		{"zero.example", "NOERROR A 192.0.2.3", 0, 2},
	} {
		s := forwarding(t, u)
		u.asked.Store(0)
		for _, spelling := range []string{c.name, strings.ToUpper(c.name)} {
			m := resolve(t, s, host, query(t, spelling, mdns.TypeA))
			if got := brief(m); got != c.want {
				t.Errorf("%s: %s", spelling, got)
			}
			if all := append(m.Answer, m.Ns...); len(all) > 0 && (all[0].Header().Ttl > c.ttl || all[0].Header().Ttl+2 < c.ttl) {
				t.Errorf("%s: TTL %d, want %d", spelling, all[0].Header().Ttl, c.ttl)
			}
		}
		if n := u.asked.Load(); n != c.asks {
			t.Errorf("%s: upstream was asked %d times, want %d", c.name, n, c.asks)
		}
		// Who wants DNSSEC records is not served from the others' answers.
		resolve(t, s, host, query(t, c.name, mdns.TypeA).SetEdns0(1232, true))
		if n := u.asked.Load(); n != c.asks+1 {
			t.Errorf("%s with DO: upstream was asked %d times, want %d", c.name, n, c.asks+1)
		}
	}
}

func TestCacheIsNotShown(t *testing.T) {
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) { w.WriteMsg(reply(q, q.Question[0].Name+" 60 A 192.0.2.3")) })
	s := forwarding(t, u)
	q := query(t, "www.example", mdns.TypeA)
	resolve(t, s, host, q)
	q.RecursionDesired = false
	if got := brief(resolve(t, s, host, q)); got != "REFUSED" {
		t.Errorf("without RD: %s", got)
	}
}

func TestOneAddressDoesNotTakeAll(t *testing.T) {
	release := make(chan struct{})
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		<-release
		w.WriteMsg(reply(q, q.Question[0].Name+" 60 A 192.0.2.3"))
	})
	s := start(t, resolver.Config{Upstreams: []netip.AddrPort{u.addr}, Waiting: 32}, localSnapshot(t))
	addr := serve(t, s)
	ask := func(from, name string) (*mdns.Msg, error) {
		c := mdns.Client{Timeout: 3 * time.Second, Dialer: &net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}}
		m, _, err := c.Exchange(query(t, name, mdns.TypeA), addr)
		return m, err
	}
	var askers sync.WaitGroup
	wait := func(from, name string) {
		misses := s.Stats().Misses
		askers.Go(func() {
			if m, err := ask(from, name); err != nil || brief(m) != "NOERROR A 192.0.2.3" {
				t.Errorf("%s for %s: %v %v", from, name, m, err)
			}
		})
		for s.Stats().Misses == misses {
			time.Sleep(time.Millisecond)
		}
	}
	wait("127.0.0.1", "a.example")
	wait("127.0.0.1", "b.example")
	if m, err := ask("127.0.0.1", "c.example"); err != nil || m.Rcode != mdns.RcodeServerFailure {
		t.Errorf("a third question of one address: %v %v", m, err)
	}
	wait("127.0.0.2", "d.example")
	close(release)
	askers.Wait()
}
