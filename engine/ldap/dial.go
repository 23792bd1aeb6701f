package ldap

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const usualTimeout = 10 * time.Second

// connection is an open one.
type connection struct {
	server *Server
	conn   *ldap.Conn
	secure bool // nobody on the way can read it
	stop   func() bool
}

// safe reports whether passwords may be sent: over TLS, or to this machine.
func (s *Server) safe(u *url.URL) bool {
	if u.Scheme == "ldaps" || s.StartTLS || u.Hostname() == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(u.Hostname())
	return err == nil && a.IsLoopback()
}

func (s *Server) dial(ctx context.Context) (*connection, error) {
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	timeout := cmp.Or(s.Timeout, usualTimeout)
	settings := &tls.Config{ServerName: u.Hostname(), RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	port := "389" // RFC 4516
	if u.Scheme == "ldaps" {
		port = "636"
	}
	raw, err := (&net.Dialer{Timeout: timeout}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port)))
	if err != nil {
		return nil, fmt.Errorf("reach the directory: %w", err)
	}
	// What waits for the directory ends with the context.
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	// Neither handshake knows the timeout of operations.
	err = raw.SetDeadline(time.Now().Add(timeout))
	wire := raw
	if u.Scheme == "ldaps" && err == nil {
		secure := tls.Client(raw, settings)
		wire, err = secure, secure.HandshakeContext(ctx)
	}
	if err != nil {
		stop()
		_ = raw.Close() // the first error says more
		return nil, fmt.Errorf("start TLS: %w", err)
	}
	c := &connection{s, ldap.NewConn(wire, u.Scheme == "ldaps"), s.safe(u), stop}
	c.conn.SetTimeout(timeout)
	c.conn.Start()
	if s.StartTLS {
		if err := c.conn.StartTLS(settings); err != nil {
			c.close()
			return nil, fmt.Errorf("start TLS: %w", err)
		}
	}
	if err := raw.SetDeadline(time.Time{}); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *connection) close() {
	c.stop()
	_ = c.conn.Close() // there is nothing to lose: only reads
}

func (c *connection) bind() error {
	if c.server.BindDN == "" {
		return nil
	}
	if !c.secure {
		return ErrPlain
	}
	if err := c.conn.Bind(c.server.BindDN, c.server.Password); err != nil {
		return fmt.Errorf("bind as %s: %w", c.server.BindDN, err)
	}
	return nil
}
