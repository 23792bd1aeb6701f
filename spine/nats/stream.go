package nats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sumun.dev/spine"
)

// A stream is one stream of the spine, and its writer.
type stream struct {
	spine   *Spine
	name    string
	subject string
	queue   chan *offer
	writing sync.Once
	late    late

	recent   *spine.Recent // this and the next belong to the writer
	prepared bool

	mu   sync.Mutex
	js   jetstream.Stream // nil until made
	base uint64           // milliseconds at which JetStream made it
}

// stream returns what is known of a stream without asking the server.
func (s *Spine) stream(name string) (*stream, error) {
	if err := spine.CheckStream(name); err != nil {
		return nil, err
	}
	s.mu.RLock()
	st, closed := s.streams[name], s.closed
	s.mu.RUnlock()
	if closed {
		return nil, spine.ErrClosed
	}
	if st != nil {
		return st, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, spine.ErrClosed
	}
	if st = s.streams[name]; st == nil {
		st = &stream{
			spine:   s,
			name:    name,
			subject: s.Prefix + ".events." + name,
			queue:   make(chan *offer, 1024),
			recent:  spine.NewRecent(),
		}
		s.streams[name] = st
	}
	return st, nil
}

// open makes the JetStream stream, or finds it and applies changed settings.
func (st *stream) open(ctx context.Context) (jetstream.Stream, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.js != nil {
		return st.js, nil
	}
	keep, ok := st.spine.Retain[st.name]
	if !ok {
		keep = spine.DefaultRetention(st.name)
	}
	js, err := st.spine.makeStream(ctx, jetstream.StreamConfig{
		Name:       st.spine.Prefix + "_" + st.name,
		Subjects:   []string{st.subject},
		Retention:  jetstream.LimitsPolicy,
		Discard:    jetstream.DiscardOld,
		Storage:    jetstream.FileStorage,
		MaxAge:     keep.Age,
		MaxBytes:   keep.Bytes,
		Duplicates: duplicates(keep.Age),
		Replicas:   st.spine.Replicas,

		AllowDirect: true,
	})
	if err != nil {
		return nil, fmt.Errorf("spine: stream %s: %w", st.name, err)
	}
	st.base = uint64(js.CachedInfo().Created.UnixMilli())
	st.js = js
	return js, nil
}

// duplicates is how long JetStream itself remembers a message; it covers our
// retries of one write.
func duplicates(age time.Duration) time.Duration {
	const enough = 30 * time.Second
	if age > 0 {
		return min(enough, age)
	}
	return enough
}

func (s *Spine) makeStream(ctx context.Context, want jetstream.StreamConfig) (jetstream.Stream, error) {
	js, err := s.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		js, err = s.js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another node was faster
			js, err = s.js.Stream(ctx, want.Name)
		}
	}
	if err != nil {
		return nil, err
	}
	have := js.CachedInfo().Config
	if have.MaxAge == want.MaxAge && have.MaxBytes == want.MaxBytes && have.Replicas == want.Replicas {
		return js, nil
	}
	have.MaxAge, have.MaxBytes, have.Replicas, have.Duplicates = want.MaxAge, want.MaxBytes, want.Replicas, want.Duplicates
	return s.js.UpdateStream(ctx, have)
}

// A position is the message's sequence since the time at which the stream was
// made, and the event's place in the message: a stream that is made anew, with
// sequences from 1, stands after everything readers have seen of the old one, as
// long as there were fewer than a thousand messages a second on average.
const (
	indexBits = 16
	indexMask = 1<<indexBits - 1
)

func (st *stream) position(seq uint64, index int) uint64 {
	return (st.base+seq)<<indexBits | uint64(index)
}

// sequence is the message that holds position p; 0 when p is older than the stream.
func (st *stream) sequence(p uint64) uint64 {
	if p>>indexBits <= st.base {
		return 0
	}
	return p>>indexBits - st.base
}
