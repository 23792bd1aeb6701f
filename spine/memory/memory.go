// Package memory is a spine that lives as long as its process: for tests, and
// for planes that are thrown away.
package memory

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"sumun.dev/aws"
	"sumun.dev/spine"
)

// Options shape a Spine; the zero value is good.
type Options struct {
	Retain map[string]spine.Retention // by stream; 32 MiB and DefaultRetention's age otherwise
	Log    *slog.Logger               // nil: slog.Default
}

// A Spine keeps its streams in memory. It works inside a synctest bubble.
type Spine struct {
	retain map[string]spine.Retention
	log    *slog.Logger

	mu      sync.Mutex
	closed  bool
	streams map[string]*stream
	readers map[string]*reader // by subscription name; they outlive their subscription
	running sync.WaitGroup
	stop    []context.CancelFunc
}

// New returns an empty spine.
func New(o Options) *Spine {
	return &Spine{
		retain:  o.Retain,
		log:     cmp.Or(o.Log, slog.Default()),
		streams: map[string]*stream{},
		readers: map[string]*reader{},
	}
}

var _ spine.Spine = (*Spine)(nil)

// Publish appends events.
func (s *Spine) Publish(ctx context.Context, events ...aws.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range events {
		if err := spine.Check(&events[i]); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return spine.ErrClosed
	}
	for i := range events {
		s.stream(events[i].Stream).append(events[i])
	}
	return nil
}

// Wipe forgets all events and how far subscriptions have read; subscriptions
// stay. It is for throw-away planes that go back to their first state.
func (s *Spine) Wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.streams {
		st.wipe()
	}
	for _, r := range s.readers {
		r.after = 0
	}
}

// Close ends all subscriptions and waits for them.
func (s *Spine) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	for _, stop := range s.stop {
		stop()
	}
	s.mu.Unlock()

	ended := make(chan struct{})
	go func() { s.running.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stream returns a stream, new if need be; s.mu is held.
func (s *Spine) stream(name string) *stream {
	st := s.streams[name]
	if st != nil {
		return st
	}
	keep, ok := s.retain[name]
	if !ok {
		keep = spine.Retention{Age: spine.DefaultRetention(name).Age, Bytes: 32 << 20}
	}
	// Positions begin with the clock, so that a spine that begins anew stands
	// after every position its readers have written down.
	begin := uint64(time.Now().UnixMilli()) << 16
	st = &stream{keep: keep, begin: begin, next: begin, recent: spine.NewRecent(), grown: make(chan struct{})}
	s.streams[name] = st
	return st
}
