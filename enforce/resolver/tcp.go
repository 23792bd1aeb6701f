package resolver

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	tcpIdle   = 10 * time.Second // until the next query begins (RFC 7766, 6.2.3, asks for seconds)
	tcpFinish = 5 * time.Second  // for the rest of a query, and for the asker to take the reply
)

// serveTCP answers connections, each one's queries in turn. Askers that are
// not known get no connection; all together have a bounded number of them, and
// one address an eighth of it.
func (s *Server) serveTCP(ctx context.Context, l *net.TCPListener) error {
	c := &clients{open: map[*net.TCPConn]struct{}{}, from: map[netip.Addr]int{}, bound: s.config.TCPClients}
	defer c.closeAll()
	for {
		conn, err := l.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			select { // out of descriptors, say: connections that end give some back
			case <-time.After(50 * time.Millisecond):
				continue
			case <-s.closing:
				return nil
			}
		}
		from := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
		if s.snapshot.Load().host(from.Addr()) == nil || !c.add(conn, from.Addr()) {
			conn.Close()
			continue
		}
		s.work.Go(func() {
			defer c.remove(conn, from.Addr())
			s.converse(ctx, conn, from)
		})
	}
}

func (s *Server) converse(ctx context.Context, conn *net.TCPConn, from netip.AddrPort) {
	d := s.desks.Get().(*desk)
	defer s.desks.Put(d)
	var size [2]byte
	var buf []byte
	for {
		conn.SetReadDeadline(time.Now().Add(tcpIdle))
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

// clients are the open connections.
type clients struct {
	mu     sync.Mutex
	open   map[*net.TCPConn]struct{}
	from   map[netip.Addr]int
	bound  int
	closed bool
}

func (c *clients) add(conn *net.TCPConn, from netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.open) >= c.bound || c.from[from] >= max(1, c.bound/8) {
		return false
	}
	c.open[conn] = struct{}{}
	c.from[from]++
	return true
}

func (c *clients) remove(conn *net.TCPConn, from netip.Addr) {
	conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
	if c.from[from]--; c.from[from] <= 0 {
		delete(c.from, from)
	}
}

// closeAll ends the conversations.
func (c *clients) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for conn := range c.open {
		conn.Close()
	}
}
