// Package resolver is the DNS resolver of the plane's VPCs, with DNS Firewall enforced and every query told.
package resolver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sumun.dev/engine/dns/cache"
	"sumun.dev/engine/dns/forward"
)

// A Config is what a resolver is started with. The zero Config forwards
// nowhere and tells nobody.
type Config struct {
	Upstreams []netip.AddrPort // see SystemUpstreams; none means that only zones are answered
	Try       time.Duration    // for one attempt with one upstream server; 0 means 1.5 s
	Total     time.Duration    // for one question upstream; 0 means 5 s

	Log        QueryLog     // gets the query log; nil for none
	LogQueue   int          // records that may wait for Log; 0 means 65536
	Logger     *slog.Logger // for our own troubles; nil for none
	CacheBytes int          // 0 means 32 MiB
	InFlight   int          // different questions upstream at once; 0 means 1024
	Waiting    int          // queries by UDP that may wait for answers; 0 means 8192. One address may have a sixteenth
	TCPClients int          // connections at once; 0 means 256. One address may have an eighth
}

// A Server resolves. It is safe for concurrent use. Reading order: answer.go
// is the way of a query; snapshot.go and firewall.go are what it is judged by;
// udp.go and tcp.go are the doors; querylog.go is what is told.
type Server struct {
	config   Config
	snapshot atomic.Pointer[compiled]
	seed     maphash.Seed
	cache    *cache.Cache
	advanced *advanced
	forward  *forward.Forwarder
	log      *logQueue // nil when nothing is logged
	waiting  *shares
	clients  *shares
	desks    sync.Pool

	stats stats

	mu      sync.Mutex
	closed  bool
	closing chan struct{}
	work    sync.WaitGroup // one for each Serve
}

// SystemUpstreams returns the upstream servers of this machine, from
// /etc/resolv.conf.
func SystemUpstreams() ([]netip.AddrPort, error) { return forward.System("/etc/resolv.conf") }

// New returns a resolver that refuses everybody until SetSnapshot.
func New(c Config) *Server {
	if c.LogQueue == 0 {
		c.LogQueue = 1 << 16
	}
	if c.CacheBytes == 0 {
		c.CacheBytes = 32 << 20
	}
	if c.Waiting == 0 {
		c.Waiting = 8192
	}
	if c.TCPClients == 0 {
		c.TCPClients = 256
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	var seed [32]byte
	rand.Read(seed[:]) // never fails: it ends the program instead
	keyed := maphash.MakeSeed()
	s := &Server{
		config:   c,
		seed:     keyed,
		cache:    cache.New(c.CacheBytes),
		advanced: newAdvanced(keyed),
		forward: forward.New(forward.Config{
			Upstreams: c.Upstreams, Try: c.Try, Total: c.Total, InFlight: c.InFlight,
		}, seed),
		waiting: newShares(c.Waiting, c.Waiting/16),
		clients: newShares(c.TCPClients, c.TCPClients/8),
		closing: make(chan struct{}),
	}
	s.desks.New = func() any { return newDesk(&s.stats) }
	s.snapshot.Store(&compiled{})
	if c.Log != nil {
		s.log = newLogQueue(c.Log, c.LogQueue, c.Logger, &s.stats)
	}
	return s
}

// SetSnapshot puts a snapshot into force, for every query that comes after it.
// A snapshot that is wrong changes nothing. With the last Advanced rule goes what was
// remembered for such rules.
func (s *Server) SetSnapshot(snapshot Snapshot) error {
	c, err := compile(snapshot, s.seed)
	if err != nil {
		return fmt.Errorf("resolver snapshot: %w", err)
	}
	if old := s.snapshot.Swap(c); old.advanced && !c.advanced {
		s.advanced.forget()
	}
	return nil
}

// Resolve answers a message without sockets: from is who asks. It returns nil
// when the message deserves no answer. It is the entrance for scenarios in
// virtual time: what zones and the firewall answer needs no real time.
func (s *Server) Resolve(ctx context.Context, from netip.AddrPort, msg []byte) []byte {
	d := s.desks.Get().(*desk)
	defer s.desks.Put(d)
	reply, _ := s.answer(ctx, d, arrival{from: from, limit: maxMessage, at: time.Now(), wait: true}, msg)
	return append([]byte(nil), reply...)
}

// Close ends Serve, waits for queries under way, and hands what is not yet
// logged to the log; all until ctx ends, which is then the error.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	var late error
	select {
	case <-done:
	case <-ctx.Done():
		late = ctx.Err()
	}
	if s.log == nil {
		return late
	}
	return errors.Join(late, s.log.close(ctx))
}
