package resolver

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"sumun.dev/engine/dns"
)

// maxQuery is the longest query read by UDP; longer ones are cut, and then malformed.
const maxQuery = 4096

func (s *Server) serveUDP(ctx context.Context, conn *net.UDPConn) error {
	d := newDesk(&s.stats)
	buf := make([]byte, maxQuery)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			continue // an ICMP error for an earlier reply, say
		}
		a := arrival{from: from, at: time.Now()}
		reply, later := s.answer(ctx, d, a, buf[:n])
		if later {
			reply = s.postpone(ctx, conn, d, a, buf[:n])
		}
		if reply != nil {
			conn.WriteToUDPAddrPort(reply, from)
		}
	}
}

// postpone lets a goroutine of its own wait for the answer. When too many
// wait already, the reply is that it failed.
func (s *Server) postpone(ctx context.Context, conn *net.UDPConn, d *desk, a arrival, msg []byte) []byte {
	select {
	case s.waiting <- struct{}{}:
	default:
		d.tally.busy.Add(1)
		d.tally.failed.Add(1)
		return d.query.AppendEmpty(d.out[:0], dns.ServerFailure)
	}
	msg = slices.Clone(msg)
	a.wait = true
	s.work.Go(func() {
		defer func() { <-s.waiting }()
		d := s.desks.Get().(*desk)
		defer s.desks.Put(d)
		if reply, _ := s.answer(ctx, d, a, msg); reply != nil {
			conn.WriteToUDPAddrPort(reply, a.from)
		}
	})
	return nil
}
