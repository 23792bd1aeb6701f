package plane

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sumun.dev/aws"
	"sumun.dev/enforce/resolver"
	"sumun.dev/plane/admin"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
	"sumun.dev/store"
)

// Bounds of the admin listener against clients that are slow on purpose.
const (
	headerTime  = 10 * time.Second
	readTime    = 60 * time.Second
	idleTime    = 2 * time.Minute
	headerBytes = 64 << 10
)

// doors are the open listeners.
type doors struct {
	api, admin *http.Server
	metadata   *http.Server // nil: off
	dns        *resolver.Listener
	note       *runtime.Note
	noted      bool // the note lies in its folder
	failed     chan error
}

// Listen opens the listeners and leaves the note by which the other commands
// find the plane. Its channel tells of a listener that has failed.
func (p *Plane) Listen(ctx context.Context) (<-chan error, error) {
	p.doors.failed = make(chan error, 4)
	data, err := noted(p.config.Data)
	if err != nil {
		return nil, err
	}
	p.doors.note = &runtime.Note{PID: os.Getpid(), Data: data, Region: p.config.Region, Account: string(p.Account())}
	err = errors.Join(p.listenAPI(), p.listenAdmin(), p.listenMetadata(), p.listenDNS(ctx))
	if err == nil {
		if p.config.InMemory() {
			p.doors.note.Credentials = p.Credentials()
		}
		if !p.options.NoNote {
			if other, err := runtime.Read(data); p.config.InMemory() && err == nil && other.PID != os.Getpid() {
				p.log.Warn("another plane in memory runs; 'sumun env --data :memory:' names this one from now on", "other", other.API)
			}
			err = p.doors.note.Write()
			p.doors.noted = err == nil
		}
	}
	if err != nil {
		return nil, errors.Join(err, p.doors.close(ctx))
	}
	return p.doors.failed, nil
}

// noted returns a path so that it means the same to who reads the note elsewhere.
func noted(path string) (string, error) {
	if path == config.Memory {
		return path, nil
	}
	return filepath.Abs(path)
}

// near returns the address by which clients on this machine reach a listener:
// loopback for one that listens on all addresses.
func near(a net.Addr) string {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil || !at.Addr().IsUnspecified() {
		return a.String()
	}
	// A listener on [::] takes IPv4 as well.
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port()).String()
}

// Note says where the plane listens.
func (p *Plane) Note() runtime.Note { return *p.doors.note }

func (p *Plane) listenAPI() error {
	l, err := net.Listen("tcp", p.config.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	scheme := "http"
	if p.config.TLS.Cert != "" {
		pair, err := tls.LoadX509KeyPair(p.config.TLS.Cert, p.config.TLS.Key)
		if err != nil {
			return errors.Join(fmt.Errorf("tls: %w", err), l.Close())
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
		if p.doors.note.CA, err = noted(p.config.TLS.Cert); err != nil {
			return errors.Join(err, l.Close())
		}
		scheme = "https"
	}
	p.doors.note.API = scheme + "://" + near(l.Addr())
	p.doors.api = p.current.Load().gate.Server()
	p.doors.api.Handler = p.API() // a reset changes the gate
	p.doors.api.ErrorLog = slog.NewLogLogger(p.log.Handler(), slog.LevelDebug)
	go p.serve("listen", p.doors.api, l)
	return nil
}

func (p *Plane) serve(setting string, s *http.Server, l net.Listener) {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		p.doors.failed <- fmt.Errorf("%s: %w", setting, err)
	}
}

func (p *Plane) listenAdmin() error {
	l, err := net.Listen("tcp", p.config.Admin)
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	o := admin.Options{
		Ready:   func() error { return p.current.Load().ready() },
		Explain: p.explain,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			promhttp.HandlerFor(p.current.Load().metrics, promhttp.HandlerOpts{}).ServeHTTP(w, r)
		}),
	}
	p.doors.note.Token = rand.Text()
	o.Token = p.doors.note.Token
	o.Ingest = func(ctx context.Context, in io.Reader, account, region string) (*admin.Ingested, error) {
		return p.current.Load().ingest(ctx, in, store.Place{Account: aws.Account(account), Region: aws.Region(region)})
	}
	if p.config.InMemory() {
		o.Reset = p.Reset
	} else {
		o.Keys = p.rootKeys()
	}
	p.doors.note.Admin = "http://" + l.Addr().String()
	p.doors.admin = &http.Server{
		Handler: admin.Handler(o), ReadHeaderTimeout: headerTime, ReadTimeout: readTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	go p.serve("admin", p.doors.admin, l)
	return nil
}

// listenMetadata opens the door for instances, if the settings want one.
func (p *Plane) listenMetadata() error {
	if p.config.Metadata.Listen == "" {
		return nil
	}
	l, err := net.Listen("tcp", p.config.Metadata.Listen)
	if err != nil {
		return fmt.Errorf("metadata.listen: %w", err)
	}
	p.doors.note.Metadata = "http://" + l.Addr().String()
	p.doors.metadata = &http.Server{
		Handler: p.Metadata(), ReadHeaderTimeout: headerTime, ReadTimeout: readTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	go p.serve("metadata.listen", p.doors.metadata, l)
	return nil
}

func (p *Plane) listenDNS(ctx context.Context) error {
	if p.config.DNS.Listen == "" {
		return nil
	}
	at, err := net.ResolveUDPAddr("udp", p.config.DNS.Listen)
	if err != nil {
		return fmt.Errorf("dns.listen: %w", err)
	}
	addr, ok := netip.AddrFromSlice(at.IP)
	if !ok {
		return fmt.Errorf("dns.listen: %s names no address", p.config.DNS.Listen)
	}
	l, err := resolver.Listen(netip.AddrPortFrom(addr.Unmap(), uint16(at.Port)))
	if err != nil {
		return fmt.Errorf("dns.listen: %w", err)
	}
	p.doors.dns, p.doors.note.DNS = l, l.Addr().String()
	go func() {
		if err := p.Resolver.Serve(context.WithoutCancel(ctx), l); err != nil && !errors.Is(err, net.ErrClosed) {
			p.doors.failed <- fmt.Errorf("dns.listen: %w", err)
		}
	}()
	return nil
}

// close stops accepting, lets what is under way finish until ctx ends, and takes
// the note away.
func (d *doors) close(ctx context.Context) error {
	var errs []error
	for _, s := range []*http.Server{d.api, d.admin, d.metadata} {
		if s == nil {
			continue
		}
		if err := s.Shutdown(ctx); err != nil {
			errs = append(errs, err, s.Close())
		}
	}
	if d.dns != nil {
		if err := d.dns.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if d.noted {
		if err := d.note.Remove(); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	*d = doors{}
	return errors.Join(errs...)
}
