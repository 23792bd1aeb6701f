// Package database changes and tries the passwords of database users.
//
// Read database.go (what is asked), postgres.go and mysql.go (how it is done
// there), scram.go (how PostgreSQL keeps a password), grants.go (how MySQL says
// what a user may).
package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// An Engine is a kind of database server.
type Engine string

// The engines. MariaDB is spoken to as MySQL is.
const (
	Postgres Engine = "postgres"
	MySQL    Engine = "mysql"
	MariaDB  Engine = "mariadb"
)

// What can go wrong, besides what the server says.
var (
	ErrLogin    = errors.New("database: the server refuses the user or the password")
	ErrPlain    = errors.New("database: a password is not sent without TLS beyond loopback")
	ErrName     = errors.New("database: not usable as a user's name")
	ErrPassword = errors.New("database: not usable as a password: 1 to 128 printable ASCII characters are")
	ErrOld      = errors.New("database: the server is older than PostgreSQL 10")
)

// Bounds.
const (
	defaultTimeout = 5 * time.Second
	maxPassword    = 128
	maxGrants      = 1000
	maxGrant       = 64 << 10 // bytes of one GRANT statement
)

// A Server is where a database server is.
type Server struct {
	Engine  Engine
	Host    string // name or IP address
	Port    int
	TLS     bool           // always beyond loopback; the certificate must name Host
	Roots   *x509.CertPool // authorities of the server's certificate; nil: the system's
	Timeout time.Duration  // of one operation; 0: five seconds
}

// A Login is who talks to the server.
type Login struct {
	User, Password string
	Database       string // empty: "postgres" on PostgreSQL, none elsewhere
}

// Format keeps the password out of logs, whatever the verb.
func (l Login) Format(f fmt.State, _ rune) { fmt.Fprint(f, l.User) }

// An engine does the work on one kind of server.
type engine interface {
	try(ctx context.Context, s *Server, as Login) error
	setOwn(ctx context.Context, s *Server, as Login, password string) error
	clone(ctx context.Context, s *Server, admin, of Login, name, password string) error
	checkName(name string) error
}

// Try logs in and asks for something trivial. ErrLogin says that the server
// refuses this user with this password; other errors say nothing about either.
func (s *Server) Try(ctx context.Context, as Login) error {
	return s.do(ctx, func(ctx context.Context, e engine) error { return e.try(ctx, s, as) })
}

// SetPassword changes the password of as, who changes it itself. PostgreSQL is
// sent a verifier only, so that the password stands in no log of the server.
// When the connection breaks it is open whether the password was changed: Try says.
func (s *Server) SetPassword(ctx context.Context, as Login, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	return s.do(ctx, func(ctx context.Context, e engine) error { return e.setOwn(ctx, s, as, password) })
}

// Clone gives name the password, and makes it a user that may do what of may when
// it is not there; of logs in to show that it is who it says. It can be done again.
func (s *Server) Clone(ctx context.Context, admin, of Login, name, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	return s.do(ctx, func(ctx context.Context, e engine) error {
		if err := e.checkName(name); err != nil {
			return err
		}
		return e.clone(ctx, s, admin, of, name, password)
	})
}

// CheckName answers ErrName when the server can have no user of this name.
func (s *Server) CheckName(name string) error {
	e, err := s.engine()
	if err != nil {
		return err
	}
	return e.checkName(name)
}

func (s *Server) do(ctx context.Context, work func(context.Context, engine) error) error {
	e, err := s.engine()
	if err != nil {
		return err
	}
	if !s.TLS && !s.loopback() {
		return ErrPlain
	}
	timeout := s.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return work(ctx, e)
}

func (s *Server) engine() (engine, error) {
	switch s.Engine {
	case Postgres:
		return postgres{}, nil
	case MySQL, MariaDB:
		return mysql{}, nil
	}
	return nil, fmt.Errorf("database: %q is no engine", s.Engine)
}

func (s *Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

func (s *Server) loopback() bool {
	if s.Host == "localhost" {
		return true
	}
	ip := net.ParseIP(s.Host)
	return ip != nil && ip.IsLoopback()
}

// tls is the configuration of a connection; nil: none.
func (s *Server) tls() *tls.Config {
	if !s.TLS {
		return nil
	}
	return &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
}

// checkPassword holds to printable ASCII: beyond it servers and drivers prepare
// passwords differently (RFC 4013 and RFC 8265), and a user would be locked out.
func checkPassword(password string) error {
	if password == "" || len(password) > maxPassword {
		return ErrPassword
	}
	for i := range len(password) {
		if password[i] < ' ' || password[i] > '~' {
			return ErrPassword
		}
	}
	return nil
}
