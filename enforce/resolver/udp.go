package resolver

import (
	"context"
	"net"
	"slices"
	"time"

	"sumun.dev/engine/dns"
)

// maxQuery is the longest query that is read; a longer one is cut by UDP, and
// then malformed.
const maxQuery = 2048

// serveUDPSingly answers one message after the other, with what every system has.
func (s *serving) serveUDPSingly(ctx context.Context, conn *net.UDPConn) error {
	d := newDesk(&s.stats)
	buf := make([]byte, maxQuery)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if ended(err) {
			return nil
		}
		if err != nil {
			continue // an ICMP error for an earlier reply, say
		}
		a := arrival{from: from, at: time.Now()}
		if reply := s.answerUDP(ctx, conn, d, a, buf[:n]); reply != nil {
			conn.WriteToUDPAddrPort(reply, from)
		}
	}
}

// answerUDP answers at once what is at hand. For the rest it returns nil, and
// a goroutine of its own waits for the answer; when too many wait already, the
// reply is that it failed.
func (s *serving) answerUDP(ctx context.Context, conn *net.UDPConn, d *desk, a arrival, msg []byte) []byte {
	reply, later := s.answer(ctx, d, a, msg)
	if !later {
		return reply
	}
	if !s.waiting.take(a.from.Addr()) {
		d.tally.busy.Add(1)
		d.tally.failed.Add(1)
		return d.query.AppendEmpty(d.out[:0], dns.ServerFailure)
	}
	msg = slices.Clone(msg)
	a.wait = true
	s.pending.Go(func() {
		defer s.waiting.give(a.from.Addr())
		d := s.desks.Get().(*desk)
		defer s.desks.Put(d)
		if reply, _ := s.answer(ctx, d, a, msg); reply != nil {
			conn.WriteToUDPAddrPort(reply, a.from)
		}
	})
	return nil
}
