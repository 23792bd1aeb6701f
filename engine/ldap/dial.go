package ldap

import (
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
	timeout := s.Timeout
	if timeout == 0 {
		timeout = usualTimeout
	}
	settings := &tls.Config{ServerName: u.Hostname(), RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	c, err := ldap.DialURL(s.URL, ldap.DialWithTLSConfig(settings), ldap.DialWithDialer(&net.Dialer{Timeout: timeout}))
	if err != nil {
		return nil, fmt.Errorf("reach the directory: %w", err)
	}
	c.SetTimeout(timeout)
	if s.StartTLS {
		if err := c.StartTLS(settings); err != nil {
			return nil, fmt.Errorf("start TLS: %w", closing(c, err))
		}
	}
	// What waits for the directory ends with the context.
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	return &connection{s, c, s.safe(u), stop}, nil
}

func closing(c *ldap.Conn, err error) error {
	_ = c.Close() // the first error says more
	return err
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
