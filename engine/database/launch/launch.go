// Package launch runs database servers of one's own, each in a temporary folder
// and on a free port of loopback.
//
// Read launch.go (a server's life), postgres.go and mariadb.go (how one is made).
package launch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"sumun.dev/engine/database"
)

// ErrMissing means that the server's programs are not installed, or may not be run.
var ErrMissing = errors.New("launch: the server cannot be run here")

const (
	answers = 30 * time.Second // how long a server may take until it answers
	ends    = 10 * time.Second // and until it has ended
	maxLog  = 4 << 20          // bytes of its log that are kept
)

// Options say what is unusual about a server. The zero Options are a server
// without TLS.
type Options struct {
	CA, Cert, Key []byte // PEM: what the server shows; empty: no TLS
	Statements    bool   // PostgreSQL's log has all statements
}

// A Server is a server of one's own. Its users prove who they are by passwords,
// also from loopback.
type Server struct {
	database.Server
	Admin  database.Login // may do everything
	Folder string         // all that the server keeps

	program string
	args    []string
	as      *syscall.SysProcAttr // nil: as this process
	log     guarded
	process *exec.Cmd
	ended   chan error
}

// Log returns what the server has written to its log, the newest 4 MiB at least.
func (s *Server) Log() string { return s.log.String() }

// Start runs the server, and returns when it answers.
func (s *Server) Start(ctx context.Context) error {
	process := exec.Command(s.program, s.args...)
	process.Stdout, process.Stderr, process.SysProcAttr, process.Dir = &s.log, &s.log, s.as, "/"
	if err := process.Start(); err != nil {
		return fmt.Errorf("launch: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	s.process, s.ended = process, ended
	err := errors.New("launch: the server does not answer")
	for until := time.Now().Add(answers); time.Now().Before(until); {
		if err = s.Try(ctx, s.Admin); err == nil {
			return nil
		}
		select {
		case ended := <-s.ended:
			s.process = nil
			return fmt.Errorf("launch: %s ended: %v\n%s", s.program, ended, s.Log())
		case <-ctx.Done():
			s.Stop()
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	s.Stop()
	return fmt.Errorf("%w\n%s", err, s.Log())
}

// Stop ends the server at once, as a failure would; Start runs it again on the
// same data and port.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	s.process.Process.Signal(syscall.SIGQUIT) // fails when it has ended
	select {
	case <-s.ended:
	case <-time.After(ends):
		s.process.Process.Kill()
		<-s.ended
	}
	s.process = nil
}

// Close ends the server and removes all that it kept.
func (s *Server) Close() error {
	s.Stop()
	return os.RemoveAll(s.Folder)
}

// prepare makes the server's folder and finds its port. Sockets need the folder's
// name to be short.
func (s *Server) prepare(as string, o Options) error {
	var err error
	if s.Folder, err = os.MkdirTemp("", "sumun-db-"); err != nil {
		return err
	}
	if err := s.runAs(as); err != nil {
		return err
	}
	s.Host = "127.0.0.1"
	if s.Port, err = freePort(); err != nil {
		return err
	}
	for name, text := range map[string][]byte{"ca.pem": o.CA, "server.pem": o.Cert, "server.key": o.Key} {
		if text == nil {
			continue
		}
		if err := s.write(name, text); err != nil {
			return err
		}
	}
	return nil
}

// runAs has root run the server as another user, to whom the folder is given.
func (s *Server) runAs(name string) error {
	if name == "" || os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return fmt.Errorf("%w: there is no user %q, and root may not run it", ErrMissing, name)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	s.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return os.Chown(s.Folder, int(uid), int(gid))
}

func (s *Server) file(name string) string { return filepath.Join(s.Folder, name) }

func (s *Server) write(name string, text []byte) error {
	if err := os.WriteFile(s.file(name), text, 0o600); err != nil || s.as == nil {
		return err
	}
	return os.Chown(s.file(name), int(s.as.Credential.Uid), int(s.as.Credential.Gid))
}

// run runs a program that makes the server's data.
func (s *Server) run(ctx context.Context, program string, args ...string) error {
	c := exec.CommandContext(ctx, program, args...)
	c.SysProcAttr, c.Dir = s.as, "/"
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("launch: %s: %w\n%s", program, err, out)
	}
	return nil
}

// finish closes the server that could not be made.
func (s *Server) finish(err error) (*Server, error) {
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Ports are picked below those that systems give to whoever asks for any (Linux:
// net.ipv4.ip_local_port_range; others begin later), so that nobody gets the port
// of a server that is stopped for a while.
const (
	lowPort  = 15000
	highPort = 32000
)

func freePort() (int, error) {
	var err error
	for range 100 {
		port := lowPort + mathrand.IntN(highPort-lowPort)
		var l net.Listener
		if l, err = net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

func newPassword() string { return rand.Text() }
