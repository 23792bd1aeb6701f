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
	c := &connections{open: map[*net.TCPConn]struct{}{}}
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
		if s.snapshot.Load().host(from.Addr()) == nil || !s.clients.take(from.Addr()) {
			conn.Close()
			continue
		}
		c.add(conn)
		s.work.Go(func() {
			defer s.clients.give(from.Addr())
			defer c.remove(conn)
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

// connections are those that closeAll closes.
type connections struct {
	mu   sync.Mutex
	open map[*net.TCPConn]struct{}
}

func (c *connections) add(conn *net.TCPConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[conn] = struct{}{}
}

func (c *connections) remove(conn *net.TCPConn) {
	conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
}

// closeAll ends the conversations. Nothing is added any more.
func (c *connections) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		conn.Close()
	}
}
