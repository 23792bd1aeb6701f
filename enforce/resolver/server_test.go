package resolver_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/enforce/resolver"
	"sumun.dev/engine/dns/zone"
)

// serve opens real doors on loopback.
func serve(t testing.TB, s *resolver.Server) string {
	t.Helper()
	l, err := resolver.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		s.Close(context.Background())
		if err := <-done; err != nil {
			t.Error("Serve:", err)
		}
	})
	return l.Addr().String()
}

func localSnapshot(t testing.TB, groups ...resolver.RuleGroup) resolver.Snapshot {
	x := snapshotOf(t, groups...)
	x.Local = &resolver.Host{Instance: "i-local", VPC: "vpc-1"}
	return x
}

func exchange(t testing.TB, network, addr string, q *mdns.Msg) *mdns.Msg {
	t.Helper()
	c := mdns.Client{Net: network, Timeout: 3 * time.Second, UDPSize: 4096}
	m, _, err := c.Exchange(q, addr)
	if err != nil {
		t.Fatalf("%s: %v", network, err)
	}
	return m
}

// upstream is a server for the resolver to ask: real sockets, UDP and TCP on
// one port. handle answers each query.
type upstream struct {
	addr  netip.AddrPort
	asked atomic.Int32
}

func newUpstream(t testing.TB, handle mdns.HandlerFunc) *upstream {
	t.Helper()
	var u upstream
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err != nil {
			tcp.Close()
			continue
		}
		u.addr = netip.MustParseAddrPort(tcp.Addr().String())
		counted := mdns.HandlerFunc(func(w mdns.ResponseWriter, q *mdns.Msg) {
			u.asked.Add(1)
			handle(w, q)
		})
		var ready sync.WaitGroup
		ready.Add(2)
		for _, server := range []*mdns.Server{
			{PacketConn: udp, Handler: counted, NotifyStartedFunc: ready.Done},
			{Listener: tcp, Handler: counted, NotifyStartedFunc: ready.Done},
		} {
			go server.ActivateAndServe()
			t.Cleanup(func() { server.Shutdown() })
		}
		ready.Wait()
		return &u
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil
}

func reply(q *mdns.Msg, records ...string) *mdns.Msg {
	m := new(mdns.Msg).SetReply(q)
	for _, r := range records {
		rr, err := mdns.NewRR(r)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	return m
}

func TestServesUDPAndTCP(t *testing.T) {
	s := start(t, resolver.Config{}, localSnapshot(t))
	addr := serve(t, s)
	for _, network := range []string{"udp", "tcp"} {
		m := exchange(t, network, addr, query(t, "gOOd.test", mdns.TypeA).SetEdns0(1400, true))
		if brief(m) != "NOERROR A 192.0.2.1" || !m.Authoritative || !m.RecursionAvailable || m.IsEdns0() == nil || m.IsEdns0().UDPSize() != 1232 || !m.IsEdns0().Do() {
			t.Errorf("%s:\n%v", network, m)
		}
		if m := exchange(t, network, addr, query(t, "x.wild.test", mdns.TypeA)); brief(m) != "NOERROR A 192.0.2.2" || m.IsEdns0() != nil {
			t.Errorf("%s:\n%v", network, m)
		}
	}
}

func TestIPv6(t *testing.T) {
	s := start(t, resolver.Config{}, localSnapshot(t))
	l, err := resolver.Listen(netip.MustParseAddrPort("[::1]:0"))
	if err != nil {
		t.Skip("no IPv6 here:", err)
	}
	done := make(chan error)
	go func() { done <- s.Serve(t.Context(), l) }()
	if m := exchange(t, "udp", l.Addr().String(), query(t, "good.test", mdns.TypeA)); brief(m) != "NOERROR A 192.0.2.1" {
		t.Errorf("%v", m)
	}
	s.Close(t.Context())
	<-done
}

func TestManyAskersAtOnce(t *testing.T) {
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) { w.WriteMsg(reply(q, q.Question[0].Name+" 60 A 192.0.2.3")) })
	log := newRecorder()
	s := start(t, resolver.Config{Upstreams: []netip.AddrPort{u.addr}, Log: log}, localSnapshot(t))
	addr := serve(t, s)
	var askers sync.WaitGroup
	for k := range 8 {
		askers.Go(func() {
			c := mdns.Client{Timeout: 3 * time.Second}
			for i := range 100 {
				name := fmt.Sprintf("n%d.example.", i)
				want := "NOERROR A 192.0.2.3"
				if (i+k)%2 == 0 {
					name, want = "good.test.", "NOERROR A 192.0.2.1"
				}
				m, _, err := c.Exchange(new(mdns.Msg).SetQuestion(name, mdns.TypeA), addr)
				if err != nil || brief(m) != want {
					t.Errorf("%s: %v %v", name, m, err)
					return
				}
			}
		})
	}
	askers.Wait()
	if n := u.asked.Load(); n != 100 {
		t.Errorf("upstream was asked %d times for 100 names", n)
	}
}

func TestStrangersAreRefusedAndNothingIsAmplified(t *testing.T) {
	x := snapshotOf(t) // without Local: loopback is a stranger too
	var values []string
	for i := range 200 {
		values = append(values, fmt.Sprintf("10.9.8.%d", i))
	}
	big, err := zone.New("big", []zone.Record{{Name: "big", Type: "A", TTL: 60, Values: values}})
	if err != nil {
		t.Fatal(err)
	}
	x.Zones = append(x.Zones, resolver.Zone{Zone: big})
	s := start(t, resolver.Config{}, x)
	addr := serve(t, s)

	for _, qtype := range []uint16{mdns.TypeA, mdns.TypeANY, mdns.TypeAXFR} {
		q := query(t, "big", qtype).SetEdns0(65000, true)
		m := exchange(t, "udp", addr, q)
		if m.Rcode != mdns.RcodeRefused || m.Len() > q.Len() {
			t.Errorf("a stranger sends %d octets, and gets %d:\n%v", q.Len(), m.Len(), m)
		}
	}
	if _, _, err := (&mdns.Client{Net: "tcp", Timeout: time.Second}).Exchange(query(t, "good.test", mdns.TypeA), addr); err == nil {
		t.Error("a stranger is served by TCP")
	}

	x.Local = &resolver.Host{VPC: "vpc-1"}
	if err := s.SetSnapshot(x); err != nil {
		t.Fatal(err)
	}
	m := exchange(t, "udp", addr, query(t, "big", mdns.TypeA).SetEdns0(65000, false))
	if !m.Truncated || len(m.Answer) != 0 || m.Len() > 1232 {
		t.Errorf("by UDP %d octets", m.Len())
	}
	if m := exchange(t, "tcp", addr, query(t, "big", mdns.TypeA)); len(m.Answer) != 200 {
		t.Errorf("by TCP %d records", len(m.Answer))
	}
	if m := exchange(t, "udp", addr, query(t, "big", mdns.TypeANY)); brief(m) != `NOERROR HINFO "RFC8482" ""` {
		t.Errorf("ANY: %v", m)
	}
}

func TestWhatIsNotAnswered(t *testing.T) {
	s := start(t, resolver.Config{}, snapshotOf(t))
	edit := func(f func(*mdns.Msg)) *mdns.Msg {
		q := query(t, "good.test", mdns.TypeA)
		f(q)
		return q
	}
	for _, c := range []struct {
		name  string
		q     *mdns.Msg
		rcode int
	}{
		{"class CHAOS", edit(func(q *mdns.Msg) {
			q.Question[0] = mdns.Question{Name: "version.bind.", Qtype: mdns.TypeTXT, Qclass: mdns.ClassCHAOS}
		}), mdns.RcodeRefused},
		{"zone transfer", edit(func(q *mdns.Msg) { q.Question[0].Qtype = mdns.TypeAXFR }), mdns.RcodeRefused},
		{"notify", edit(func(q *mdns.Msg) { q.Opcode = mdns.OpcodeNotify }), mdns.RcodeNotImplemented},
		{"without recursion, not ours", edit(func(q *mdns.Msg) { q.RecursionDesired, q.Question[0].Name = false, "example.com." }), mdns.RcodeRefused},
		{"without recursion, ours", edit(func(q *mdns.Msg) { q.RecursionDesired = false }), mdns.RcodeSuccess},
		{"EDNS version 1", edit(func(q *mdns.Msg) { q.SetEdns0(1232, false); q.IsEdns0().SetVersion(1) }), mdns.RcodeBadVers},
		{"no upstream", edit(func(q *mdns.Msg) { q.Question[0].Name = "example.com." }), mdns.RcodeServerFailure},
	} {
		if m := resolve(t, s, host, c.q); m.Rcode != c.rcode {
			t.Errorf("%s: %s", c.name, mdns.RcodeToString[m.Rcode])
		}
	}
	response := query(t, "good.test", mdns.TypeA)
	response.Response = true
	if m := resolve(t, s, host, response); m != nil {
		t.Errorf("a response is answered: %v", m)
	}
	if out := s.Resolve(t.Context(), host, []byte("short")); out != nil {
		t.Errorf("%x", out)
	}
}

func TestTCPBounds(t *testing.T) {
	s := start(t, resolver.Config{TCPClients: 16}, localSnapshot(t))
	addr := serve(t, s)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(3 * time.Second))
		return c
	}
	send := func(c net.Conn, b []byte) {
		c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
	}
	closed := func(c net.Conn) bool {
		_, err := c.Read(make([]byte, 1))
		return err == io.EOF || err != nil && strings.Contains(err.Error(), "reset")
	}
	good, err := query(t, "good.test", mdns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}

	first := dial()
	for range 3 { // several queries, sent together
		send(first, good)
	}
	for range 3 {
		var size [2]byte
		if _, err := io.ReadFull(first, size[:]); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(first, make([]byte, binary.BigEndian.Uint16(size[:]))); err != nil {
			t.Fatal(err)
		}
	}
	second := dial()
	send(second, good)
	if closed(second) {
		t.Error("an address gets one connection only")
	}
	if third := dial(); !closed(third) {
		t.Error("an address has more than an eighth of all connections")
	}
	first.Close()
	second.Close()
	var long net.Conn
	for range 50 { // until the server has noticed
		long = dial()
		long.Write([]byte{0xff, 0xff})
		if closed(long) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestCloseAnswersWhatIsUnderWay(t *testing.T) {
	var asked sync.WaitGroup
	asked.Add(2)
	release := make(chan struct{})
	u := newUpstream(t, func(w mdns.ResponseWriter, q *mdns.Msg) {
		asked.Done()
		<-release
		w.WriteMsg(reply(q, q.Question[0].Name+" 60 A 192.0.2.3"))
	})
	log := newRecorder()
	s := start(t, resolver.Config{Upstreams: []netip.AddrPort{u.addr}, Log: log}, localSnapshot(t))
	addr := serve(t, s)
	idle, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	var askers sync.WaitGroup
	for _, network := range []string{"udp", "tcp"} {
		askers.Go(func() {
			if m := exchange(t, network, addr, query(t, "slow-"+network+".example", mdns.TypeA)); brief(m) != "NOERROR A 192.0.2.3" {
				t.Errorf("%s: %v", network, m)
			}
		})
	}
	asked.Wait()
	closed := make(chan []resolver.QueryRecord)
	go func() { closed <- log.closed(t, s) }()
	time.Sleep(20 * time.Millisecond)
	close(release)
	askers.Wait()
	if records := <-closed; len(records) != 2 {
		t.Errorf("%d records", len(records))
	}
	if _, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
		t.Error("the closed server listens")
	}
}

func FuzzResolve(f *testing.F) {
	q := new(mdns.Msg).SetQuestion("c1.test.", mdns.TypeA).SetEdns0(1232, true)
	b, _ := q.Pack()
	f.Add(b)
	q = new(mdns.Msg).SetQuestion("bad.test.", mdns.TypeANY)
	b, _ = q.Pack()
	f.Add(b)
	log := make(discard)
	s := start(f, resolver.Config{Log: log}, snapshotOf(f, resolver.RuleGroup{Rules: []resolver.Rule{
		{Priority: 1, Action: "BLOCK", BlockResponse: "OVERRIDE", OverrideDomain: "sink.test", OverrideTTL: 5, List: domains(f, "bad.test *.evil")},
		{Priority: 2, Action: "ALERT", List: domains(f, "*")}}}))
	f.Fuzz(func(t *testing.T, msg []byte) {
		out := s.Resolve(context.Background(), host, msg)
		if out == nil {
			return
		}
		var m mdns.Msg
		if err := m.Unpack(out); err != nil {
			t.Fatalf("%x is answered %x: %v", msg, out, err)
		}
		if !m.Response || m.Id != binary.BigEndian.Uint16(msg) {
			t.Fatalf("%x is answered %x", msg, out)
		}
	})
}

// discard is a query log that makes JSON, and throws it away.
type discard map[string]bool

func (discard) Log(_ context.Context, batch []resolver.QueryRecord) error {
	for _, r := range batch {
		if _, err := r.MarshalJSON(); err != nil {
			return err
		}
	}
	return nil
}
