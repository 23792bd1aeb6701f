// Package nats is a spine on NATS JetStream: a server inside this process by
// default, a cluster by URL when one machine is outgrown.
//
// Several events share one stored message (batch.go), because a synced write costs
// the same for one as for hundreds. Readers remember how far they are in bookmarks
// (bookmark.go), which are written behind: after a crash some events come again.
package nats

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/semaphore"

	"sumun.dev/spine"
)

// Options say where the streams are kept and how. Either Dir or URL is needed,
// and Seal always.
type Options struct {
	Dir string // folder of the server inside this process; made with mode 0700

	URL         string // "nats://host:4222" or "tls://…", several by comma: a NATS of your own
	Credentials string // file with the user's NATS credentials, for URL
	Replicas    int    // copies of each stream, for URL; 0 means 1

	Prefix string                     // of the names of streams and subjects; "sumun" by default
	Retain map[string]spine.Retention // by stream, where DefaultRetention is not wanted
	Seal   spine.Sealer
	Log    *slog.Logger // nil: slog.Default

	// Linger is the least time between two stored messages of a stream: what
	// arrives meanwhile shares the next one. An event that comes alone does not
	// wait. 0 means 5 ms.
	Linger time.Duration
}

// A Spine keeps its streams in JetStream.
type Spine struct {
	Options
	codec  *codec
	server *server.Server // nil when external
	conn   *nats.Conn
	js     jetstream.JetStream
	room   *semaphore.Weighted // bytes that may wait to be written
	node   [8]byte             // tells this process from others at the same cluster

	// On a cluster a reader renews its bookmark every beat, and another node takes
	// over when it has not changed for lease.
	beat, lease time.Duration

	marksMu sync.Mutex
	marks   jetstream.Stream // of bookmarks; nil until made

	mu         sync.RWMutex
	closed     bool
	streams    map[string]*stream
	readers    map[string]*reader
	publishers sync.WaitGroup
	writers    sync.WaitGroup
}

// waiting bounds the bytes of events that wait to be written.
const waiting = 16 << 20

var _ spine.Spine = (*Spine)(nil)

// Open starts the server in Dir, or connects to URL. Streams are made when they
// are first used.
func Open(ctx context.Context, o Options) (*Spine, error) {
	if o.Seal == nil {
		return nil, errors.New("spine/nats: Options.Seal is missing; nothing is written in the clear")
	}
	if (o.Dir == "") == (o.URL == "") {
		return nil, errors.New("spine/nats: either Options.Dir or Options.URL is needed")
	}
	o.Prefix = cmp.Or(o.Prefix, "sumun")
	o.Replicas = cmp.Or(o.Replicas, 1)
	o.Linger = cmp.Or(o.Linger, 5*time.Millisecond)
	o.Log = cmp.Or(o.Log, slog.Default())

	codec, err := newCodec(o.Seal)
	if err != nil {
		return nil, err
	}
	s := &Spine{
		Options: o,
		codec:   codec,
		room:    semaphore.NewWeighted(waiting),
		streams: map[string]*stream{},
		readers: map[string]*reader{},
		beat:    3 * time.Second,
		lease:   10 * time.Second,
	}
	rand.Read(s.node[:])
	if err := s.connect(ctx); err != nil {
		s.shutdown()
		return nil, err
	}
	return s, nil
}

// Close writes what waits, ends the subscriptions and stops the server.
func (s *Spine) Close(ctx context.Context) error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if !first {
		return nil
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.publishers.Wait()
		for _, st := range s.streams { // nobody adds any more
			close(st.queue)
		}
		s.writers.Wait()
		s.mu.Lock()
		readers := slices.Collect(maps.Values(s.readers))
		s.mu.Unlock()
		for _, r := range readers {
			r.cancel()
		}
		for _, r := range readers {
			<-r.done
		}
		s.shutdown()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("spine: close: %w", ctx.Err())
	}
}

func (s *Spine) shutdown() {
	if s.conn != nil {
		s.conn.Close()
	}
	if s.server != nil {
		s.server.Shutdown()
		s.server.WaitForShutdown()
	}
}
