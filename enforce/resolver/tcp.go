package resolver

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"time"
)

const (
	tcpIdle   = 10 * time.Second // until the next query begins (RFC 7766, 6.2.3, asks for seconds)
	tcpFinish = 5 * time.Second  // for the rest of a query, and for the asker to take the reply
)

// serveTCP answers connections, each one's queries in turn. Askers that are
// not known get no connection; all together have a bounded number of them, and
// one address an eighth of it.
func (s *serving) serveTCP(ctx context.Context, l *net.TCPListener) error {
	for {
		conn, err := l.AcceptTCP()
		if ended(err) {
			return nil
		}
		if err != nil {
			select { // out of descriptors, say: connections that end give some back
			case <-time.After(50 * time.Millisecond):
				continue
			case <-s.Server.closing:
				return nil
			}
		}
		from := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
		if s.snapshot.Load().host(from.Addr()) == nil || !s.clients.take(from.Addr()) {
			conn.Close()
			continue
		}
		s.add(conn)
		s.pending.Go(func() {
			defer s.clients.give(from.Addr())
			defer s.remove(conn)
			s.converse(ctx, conn, from)
		})
	}
}

func (s *serving) converse(ctx context.Context, conn *net.TCPConn, from netip.AddrPort) {
	d := s.desks.Get().(*desk)
	defer s.desks.Put(d)
	var size [2]byte
	var buf []byte
	for {
		if !s.mayWait(conn) {
			return
		}
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint16(size[:]))
		if n > maxQuery {
			return
		}
		if cap(buf) < n {
			buf = make([]byte, max(n, 512))
		}
		conn.SetDeadline(time.Now().Add(tcpFinish))
		if _, err := io.ReadFull(conn, buf[:n]); err != nil {
			return
		}
		a := arrival{from: from, tcp: true, limit: maxMessage, at: time.Now(), wait: true}
		reply, _ := s.answer(ctx, d, a, buf[:n])
		if reply == nil {
			return
		}
		out := append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(reply)), uint16(len(reply))), reply...)
		conn.SetWriteDeadline(time.Now().Add(tcpFinish))
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// add takes the connection among those that closeIdle closes.
func (s *serving) add(conn *net.TCPConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[conn] = struct{}{}
}

func (s *serving) remove(conn *net.TCPConn) {
	conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

// mayWait lets the connection wait for its next query, unless Serve ends.
func (s *serving) mayWait(conn *net.TCPConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		conn.SetReadDeadline(time.Now().Add(tcpIdle))
	}
	return !s.closing
}

// closeIdle ends the waiting of all connections, and lets begun answers be written.
func (s *serving) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for conn := range s.open {
		conn.SetReadDeadline(longAgo)
	}
}
