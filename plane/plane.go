// Package plane wires everything together: backends, gate, services, resolver and listeners.
//
// Read services.go for what is served, core.go for how it lives, listen.go for
// the doors.
package plane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"sumun.dev/aws"
	"sumun.dev/enforce/resolver"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
	"sumun.dev/service/identitycenter"
	"sumun.dev/service/signin"
	"sumun.dev/store"
)

// Options are what the program, not its user, decides.
type Options struct {
	Log         *slog.Logger // nil: slog.Default
	MemorySpine bool         // keep the event log in memory although the store is durable: for scenarios in virtual time
	NoUpstreams bool         // the resolver asks nobody: rehearsals send nothing beyond loopback
	NoNote      bool         // other commands must not take this plane for the user's
	Lists       string       // folder whose files users offer as lists; empty: 'lists' in the data folder

	// DialProviders makes the connections to OpenID Connect providers and to proxies of
	// external key stores; nil: TCP, to where the settings allow.
	DialProviders func(ctx context.Context, network, address string) (net.Conn, error)

	proxies  []netip.Prefix
	resolver *resolver.Server
	backend  func(store.Backend) store.Backend // stands before the durable store, to end the process in its commits
}

// lists returns the folder whose files users offer as lists.
func (o *Options) lists(cfg *config.Config) string {
	if o.Lists != "" || cfg.InMemory() {
		return o.Lists
	}
	return filepath.Join(cfg.Data, "lists")
}

// A Plane is a running security plane, with or without listeners.
type Plane struct {
	Resolver *resolver.Server

	config  config.Config
	options Options
	log     *slog.Logger
	current atomic.Pointer[core]
	reset   sync.Mutex // one reset at a time
	doors   doors
}

// New builds a plane and begins its work. Listen opens its doors; without them
// API and Resolver serve in the process.
func New(ctx context.Context, cfg config.Config, o Options) (*Plane, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	for _, text := range cfg.Trusted {
		p, err := prefix(text)
		if err != nil {
			return nil, fmt.Errorf("trusted-proxies: %w", err)
		}
		o.proxies = append(o.proxies, p)
	}
	p := &Plane{config: cfg, options: o, log: o.Log}
	if err := p.openResolver(); err != nil {
		return nil, err
	}
	p.options.resolver = p.Resolver
	c, err := newCore(ctx, &p.config, p.options, nil)
	if err != nil {
		return nil, errors.Join(err, p.Resolver.Close(ctx))
	}
	p.current.Store(c)
	if !cfg.InMemory() {
		if err := c.keep(ctx, c.born, cfg.Data); err != nil {
			return nil, errors.Join(err, p.Close(ctx))
		}
	}
	return p, nil
}

func prefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// API serves the AWS APIs, and the pages on which people sign in.
func (p *Plane) API() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := p.current.Load()
		if identitycenter.Mine(r) {
			c.pages.ServeHTTP(w, r)
			return
		}
		if signin.Mine(r) {
			c.console.ServeHTTP(w, r)
			return
		}
		c.gate.ServeHTTP(w, r)
	})
}

// Account is the management account.
func (p *Plane) Account() aws.Account { return p.current.Load().born.Account }

// Credentials returns the keys made at the first start of a plane that keeps
// nothing, by the name of who holds them; a durable plane's lie in its folder.
func (p *Plane) Credentials() map[string]runtime.Key { return p.current.Load().born.Keys }

// resetTime is how long calls under way may hold a reset up.
const resetTime = 10 * time.Second

// Reset brings a plane that keeps nothing back to its first-start state, with the
// same account and keys. It goes to its end whether or not somebody waits for it.
func (p *Plane) Reset(ctx context.Context) error {
	p.reset.Lock()
	defer p.reset.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resetTime)
	defer cancel()
	was := p.current.Load()
	was.retired.Store(true) // calls under way must not put their rules over the new ones
	next, err := newCore(ctx, &p.config, p.options, was.born)
	if err != nil {
		was.retired.Store(false)
		return err
	}
	p.Resolver.Forget(func() { p.current.Store(next) })
	return was.close(ctx)
}

// Close finishes the calls under way, closes the listeners and the backends.
func (p *Plane) Close(ctx context.Context) error {
	err := p.doors.close(ctx)
	p.reset.Lock()
	defer p.reset.Unlock()
	if rerr := p.Resolver.Close(ctx); err == nil {
		err = rerr
	}
	if cerr := p.current.Load().close(ctx); err == nil {
		err = cerr
	}
	return err
}
