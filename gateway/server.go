package gateway

import (
	"context"
	"errors"
	mrand "math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Bounds of what strangers may hold open.
const (
	maxCalls       = 4096 // at a time
	maxHeader      = 64 << 10
	headerTimeout  = 10 * time.Second
	requestTimeout = 2 * time.Minute
	answerTimeout  = 5 * time.Minute
	idleTimeout    = 2 * time.Minute
	freeAttempts   = 3  // of a unit of work before it takes a turn
	maxAttempts    = 32 // of a unit of work; each that fails means that another has succeeded
)

// Server returns an HTTP server for the gate that slow clients cannot exhaust.
// The caller sets TLS and listeners. It has no ServeMux: a mux would clean paths,
// and the path that is served must be the one that was signed.
func (g *Gateway) Server() *http.Server {
	return &http.Server{
		Handler:           g,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}
}

// Drain refuses new calls, waits for those under way, and writes down what is left
// to record. It is called once, after the listeners are closed.
func (g *Gateway) Drain(ctx context.Context) error {
	calls := g.calls.drain(ctx)
	return errors.Join(calls, g.audit.drain(ctx))
}

// calls counts the calls under way.
type calls struct {
	mu       sync.Mutex
	draining bool
	empty    chan struct{} // closed when draining and nobody is left
	under    int
}

// enter reports whether there is room.
func (c *calls) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining || c.under >= maxCalls {
		return false
	}
	c.under++
	return true
}

func (c *calls) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.under
}

func (c *calls) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.under--
	if c.draining && c.under == 0 {
		close(c.empty)
	}
}

func (c *calls) drain(ctx context.Context) error {
	c.mu.Lock()
	c.draining = true
	c.empty = make(chan struct{})
	if c.under == 0 {
		close(c.empty)
	}
	c.mu.Unlock()
	select {
	case <-c.empty:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("gateway: calls were still under way"), ctx.Err())
	}
}

// pause waits a little before the next attempt, longer and more at random with
// each, so that calls that fight over a record do not meet again.
func pause(ctx context.Context, attempt int) error {
	if attempt < 3 {
		return ctx.Err()
	}
	t := time.NewTimer(mrand.N(100 * time.Microsecond << min(attempt, 7)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
