package scenario

import (
	"context"
	"net"
	"net/netip"
	"sync"
)

// A network joins clients to one server in memory, where waiting blocks durably.
type network struct {
	incoming chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func newNetwork() *network {
	return &network{incoming: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept waits for a client.
func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.incoming:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the network.
func (n *network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// Addr is where the server would listen.
func (n *network) Addr() net.Addr { return loopback }

var loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4566}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return n.dialFrom(ctx, loopback.AddrPort().Addr())
}

func (n *network) dialFrom(ctx context.Context, from netip.Addr) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.incoming <- pipe{server, net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, loopback.AddrPort().Port()))}:
		return pipe{client, loopback}, nil
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A pipe has addresses, since the gate records where calls come from.
type pipe struct {
	net.Conn
	remote net.Addr
}

func (pipe) LocalAddr() net.Addr    { return loopback }
func (p pipe) RemoteAddr() net.Addr { return p.remote }
