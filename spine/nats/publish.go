package nats

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sumun.dev/aws"
	"sumun.dev/spine"
)

// An offer is events of one stream that one caller waits for.
type offer struct {
	events []aws.Event
	bytes  int
	done   chan error // has room for the answer, since the caller may have left
}

// Publish appends events. Those of one stream stay together and in order, but
// are kept all or none only up to 512 events or 512 KiB.
func (s *Spine) Publish(ctx context.Context, events ...aws.Event) error {
	for i := range events {
		if err := spine.Check(&events[i]); err != nil {
			return err
		}
	}
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return spine.ErrClosed
	}
	s.publishers.Add(1)
	s.mu.RUnlock()
	defer s.publishers.Done()

	var offers []*offer
	for len(events) > 0 {
		n, bytes := together(events)
		o := &offer{slices.Clone(events[:n]), bytes, make(chan error, 1)}
		for i := range o.events { // as they will be read again
			o.events[i].Time = o.events[i].Time.Round(0).UTC()
		}
		if err := s.enqueue(ctx, o); err != nil {
			return err
		}
		offers, events = append(offers, o), events[n:]
	}
	for _, o := range offers {
		select {
		case err := <-o.done:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// together counts how many events from the front may share a message.
func together(events []aws.Event) (n, bytes int) {
	for n < len(events) && n < maxEvents && events[n].Stream == events[0].Stream {
		size := events[n].Size()
		if n > 0 && bytes+size > maxBytes {
			break
		}
		bytes += size
		n++
	}
	return n, bytes
}

func (s *Spine) enqueue(ctx context.Context, o *offer) error {
	st, err := s.stream(o.events[0].Stream)
	if err != nil {
		return err
	}
	st.writing.Do(func() { s.writers.Go(st.write) })
	if err := s.room.Acquire(ctx, int64(o.bytes)); err != nil {
		return err
	}
	select {
	case st.queue <- o:
		return nil
	case <-ctx.Done():
		s.room.Release(int64(o.bytes))
		return ctx.Err()
	}
}

// write packs what waits into messages, until the queue is closed.
func (st *stream) write() {
	var last time.Time // when the last message was sent
	var held *offer    // did not fit into the last message
	for {
		first := held
		if held = nil; first == nil {
			var more bool
			if first, more = <-st.queue; !more {
				return
			}
		}
		var batch []*offer
		batch, held = st.gather(first, last.Add(st.spine.Linger))
		last = time.Now()
		st.store(batch)
	}
}

// plenty of events are worth a message of their own: to wait for more saves little.
const plenty = 64

// gather adds to first what waits, or comes until the given time unless there
// is plenty before.
func (st *stream) gather(first *offer, until time.Time) (batch []*offer, held *offer) {
	batch = []*offer{first}
	events, bytes := len(first.events), first.bytes
	var timer <-chan time.Time
	if pause := time.Until(until); pause > 0 {
		timer = time.After(pause)
	}
	for events < maxEvents && bytes < maxBytes {
		var o *offer
		select {
		case o = <-st.queue: // nil when closed
		default:
			if timer == nil || events >= plenty {
				return batch, nil
			}
			select {
			case o = <-st.queue:
			case <-timer:
				return batch, nil
			}
		}
		if o == nil {
			return batch, nil
		}
		if events+len(o.events) > maxEvents || bytes+o.bytes > maxBytes {
			return batch, o
		}
		batch = append(batch, o)
		events, bytes = events+len(o.events), bytes+o.bytes
	}
	return batch, nil
}

// store writes one message and answers its offers.
func (st *stream) store(batch []*offer) {
	err := st.storeEvents(batch)
	for _, o := range batch {
		st.spine.room.Release(int64(o.bytes))
		o.done <- err
	}
}

func (st *stream) storeEvents(batch []*offer) error {
	if err := st.prepare(); err != nil {
		return err
	}
	n := 0
	for _, o := range batch {
		n += len(o.events)
	}
	events := make([]aws.Event, 0, n)
	for _, o := range batch {
		for i := range o.events {
			if st.recent.Add(o.events[i].ID) {
				events = append(events, o.events[i])
			}
		}
	}
	if len(events) == 0 {
		return nil
	}
	seq, err := st.send(events, st.spine.codec.pack(st.name, events))
	if err != nil {
		for i := range events {
			st.recent.Forget(events[i].ID)
		}
		return err
	}
	st.late.put(seq, events)
	return nil
}

// prepare makes the stream and reads which events were stored last, since
// those whose writing was cut short by a crash are offered again.
func (st *stream) prepare() error {
	if st.prepared {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	js, err := st.open(ctx)
	if err != nil {
		return err
	}
	state := js.CachedInfo().State
	known := 0
	for seq := state.LastSeq; seq > 0 && seq >= state.FirstSeq && state.LastSeq-seq < 64 && known < 4096; seq-- {
		msg, err := js.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && state.LastTime.Sub(msg.Time) > time.Minute {
			break
		}
		if err != nil {
			return fmt.Errorf("spine: read what %s has: %w", st.name, err)
		}
		events, err := st.spine.codec.unpack(st.name, msg.Data)
		if err != nil {
			st.spine.Log.Error("spine: a message is damaged", "stream", st.name, "sequence", seq, "error", err)
			continue
		}
		for i := range events {
			st.recent.Add(events[i].ID)
		}
		known += len(events)
	}
	st.prepared = true
	return nil
}

// send stores a message, again and again while the server cannot be reached. The
// message ID keeps a message once that was stored although its answer was lost.
func (st *stream) send(events []aws.Event, payload []byte) (uint64, error) {
	hash := sha256.New()
	for i := range events {
		hash.Write(append([]byte(events[i].ID), 0))
	}
	id := hex.EncodeToString(hash.Sum(nil)[:16])
	deadline := time.Now().Add(25 * time.Second) // within the server's memory of message IDs
	for {
		msg := &nats.Msg{Subject: st.subject, Data: payload}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		ack, err := st.spine.js.PublishMsg(ctx, msg, jetstream.WithMsgID(id), jetstream.WithRetryAttempts(0))
		cancel()
		if err == nil {
			return ack.Sequence, nil
		}
		var refused *jetstream.APIError
		lasting := errors.As(err, &refused) || errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, nats.ErrConnectionClosed)
		if lasting || time.Now().After(deadline) {
			return 0, fmt.Errorf("spine: store in %s: %w", st.name, err)
		}
		st.spine.Log.Warn("spine: a write failed, tries again", "stream", st.name, "events", len(events), "error", err)
		time.Sleep(250 * time.Millisecond)
	}
}
