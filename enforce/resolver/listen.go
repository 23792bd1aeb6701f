package resolver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"time"
)

// A Listener is a pair of doors on one address and port: UDP and TCP.
type Listener struct {
	udp []*net.UDPConn // several share the port where the system can spread queries over them
	tcp *net.TCPListener
}

// Listen opens address. With port 0 the system picks one that both UDP and TCP
// have free; see Addr. An address that stands for several (0.0.0.0) answers
// from whichever the system picks, which some askers reject: name each instead.
func Listen(address netip.AddrPort) (*Listener, error) {
	var failed error
	for range 16 { // with port 0 another socket may have the port of the other transport
		l, err := listen(address)
		if err == nil {
			return l, nil
		}
		failed = errors.Join(failed, err)
		if address.Port() != 0 {
			break
		}
	}
	return nil, fmt.Errorf("listen for DNS: %w", failed)
}

func listen(address netip.AddrPort) (*Listener, error) {
	tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(address))
	if err != nil {
		return nil, err
	}
	l := &Listener{tcp: tcp}
	config := net.ListenConfig{Control: sharePort}
	for range socketsFor(runtime.GOMAXPROCS(0)) {
		conn, err := config.ListenPacket(context.Background(), "udp", l.Addr().String())
		if err != nil {
			l.Close()
			return nil, err
		}
		l.udp = append(l.udp, conn.(*net.UDPConn))
	}
	return l, nil
}

// Addr returns the address and port that were opened.
func (l *Listener) Addr() netip.AddrPort { return l.tcp.Addr().(*net.TCPAddr).AddrPort() }

// Close closes both doors.
func (l *Listener) Close() error {
	err := l.tcp.Close()
	for _, c := range l.udp {
		err = errors.Join(err, c.Close())
	}
	return err
}

// A serving is one Serve: what it has begun to answer, and its connections.
type serving struct {
	*Server
	pending sync.WaitGroup

	mu      sync.Mutex
	open    map[*net.TCPConn]struct{}
	closing bool
}

// Serve answers what comes in at l until ctx ends or Close is called. Then it
// answers what has come in, and closes l. The error is nil when it was asked to end.
func (s *Server) Serve(ctx context.Context, l *Listener) error {
	defer l.Close()
	if !s.enter() {
		return nil
	}
	defer s.work.Done()
	v := &serving{Server: s, open: map[*net.TCPConn]struct{}{}}
	answering := context.WithoutCancel(ctx) // who has asked gets an answer
	done := make(chan error, len(l.udp)+1)
	for _, conn := range l.udp {
		go func() { done <- v.serveUDP(answering, conn) }()
	}
	go func() { done <- v.serveTCP(answering, l.tcp) }()
	var err error
	left := len(l.udp) + 1
	select {
	case <-ctx.Done():
	case <-s.closing:
	case err = <-done:
		left--
	}
	l.tcp.Close()
	for _, conn := range l.udp {
		conn.SetReadDeadline(longAgo)
	}
	v.closeIdle()
	for range left {
		<-done
	}
	v.pending.Wait()
	return err
}

// enter reports whether the server is not closed; then work.Done must follow.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.work.Add(1)
	}
	return !s.closed
}

// longAgo is a deadline that ends reading at once.
var longAgo = time.Unix(1, 0)

// ended reports whether an error says that reading was ended by us.
func ended(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed)
}
