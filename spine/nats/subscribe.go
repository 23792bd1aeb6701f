package nats

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sumun.dev/aws"
	"sumun.dev/spine"
)

// A reader is a running subscription.
type reader struct {
	spine.Subscription
	spine  *Spine
	stream *stream
	mark   bookmark
	cancel context.CancelFunc
	done   chan struct{}

	next  uint64    // the message that must come next; 0: any
	after uint64    // position of the last event handled
	last  time.Time // when the last batch was delivered
	lacks error     // the next message is sealed under a key that is not here
}

// Subscribe starts to deliver a stream. On a cluster, of all nodes that
// subscribe with one name one reads and the others stand by.
func (s *Spine) Subscribe(sub spine.Subscription) (func(), error) {
	if err := sub.Check(); err != nil {
		return nil, err
	}
	st, err := s.stream(sub.Stream)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, spine.ErrClosed
	}
	if s.readers[sub.Name] != nil {
		return nil, spine.ErrTaken
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &reader{
		Subscription: sub,
		spine:        s,
		stream:       st,
		mark:         bookmark{spine: s, name: sub.Name},
		cancel:       cancel,
		done:         make(chan struct{}),
	}
	s.readers[sub.Name] = r
	go r.run(ctx)
	return r.stop, nil
}

func (r *reader) stop() {
	r.cancel()
	<-r.done
	r.spine.mu.Lock()
	defer r.spine.mu.Unlock()
	if r.spine.readers[r.Name] == r {
		delete(r.spine.readers, r.Name)
	}
}

func (r *reader) run(ctx context.Context) {
	defer close(r.done)
	for ctx.Err() == nil {
		err := r.mark.claim(ctx)
		if err == nil {
			if r.after = max(r.after, r.mark.position); r.After != 0 {
				r.after, r.After = r.After, 0
			}
			err = r.read(ctx)
		}
		if ctx.Err() != nil {
			break
		}
		r.spine.Log.Warn("spine: subscription interrupted, tries again", "subscription", r.Name, "error", err)
		_ = pause(ctx, time.Second)
	}
	if r.mark.node == r.spine.node && r.spine.node != [8]byte{} {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := r.mark.save(ctx, [8]byte{}, r.after); err != nil {
			r.spine.Log.Warn("spine: bookmark not written, some events will come again", "subscription", r.Name, "error", err)
		}
	}
}

// read delivers until ctx ends, or returns what stopped it.
func (r *reader) read(ctx context.Context) error {
	js, err := r.stream.open(ctx)
	if err != nil {
		return err
	}
	start := max(1, r.stream.sequence(r.after)) // the message may hold more behind after
	consumer, err := js.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   start,
	})
	if err != nil {
		return err
	}
	arrived := make(chan jetstream.Msg)
	failed := make(chan error, 1)
	flow, err := consumer.Consume(func(m jetstream.Msg) {
		select {
		case arrived <- m:
		case <-ctx.Done():
		}
	}, jetstream.PullMaxMessages(64), jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
		r.spine.Log.Debug("spine: reading", "subscription", r.Name, "error", err)
		if errors.Is(err, jetstream.ErrOrderedConsumerNotCreated) {
			select {
			case failed <- err:
			default:
			}
		}
	}))
	if err != nil {
		return err
	}
	defer flow.Stop()
	r.next = 0
	if r.after != 0 {
		r.next = start
	}

	renew := make(<-chan time.Time)
	if r.spine.URL != "" {
		renew = time.After(r.spine.beat)
	}
	var flush <-chan time.Time
	for {
		select {
		case m := <-arrived:
			if !r.handle(ctx, m, arrived) {
				return ctx.Err()
			}
			if r.lacks != nil {
				return r.lacks
			}
			if flush == nil {
				flush = time.After(behind)
			}
			continue
		case <-flush:
			flush = nil
		case <-renew:
			renew = time.After(r.spine.beat)
		case err := <-failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := r.mark.save(ctx, r.spine.node, r.after); err != nil {
			return err
		}
	}
}

// handle delivers m and what has arrived behind it; false when ctx ended.
func (r *reader) handle(ctx context.Context, m jetstream.Msg, arrived <-chan jetstream.Msg) bool {
	batch := r.gather(ctx, m, arrived)
	for len(batch) > 0 {
		n := min(len(batch), r.Batch())
		if !r.Deliver(ctx, r.spine.Log, batch[:n:n]) {
			return false
		}
		r.after = batch[n-1].Position
		batch = batch[n:]
	}
	r.last = time.Now()
	return true
}

// gather adds to m what has arrived, or arrives until Linger has passed since
// the last batch.
func (r *reader) gather(ctx context.Context, m jetstream.Msg, arrived <-chan jetstream.Msg) []spine.Delivery {
	r.lacks = nil
	batch := r.events(nil, m)
	var linger <-chan time.Time
	if wait := time.Until(r.last.Add(r.Linger)); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		linger = timer.C
	}
	for len(batch) < r.Batch() && r.lacks == nil {
		if linger == nil {
			select {
			case m := <-arrived:
				batch = r.events(batch, m)
				continue
			default:
				return batch
			}
		}
		select {
		case m := <-arrived:
			batch = r.events(batch, m)
		case <-linger:
			linger = nil
		case <-ctx.Done():
			return batch
		}
	}
	return batch
}

// events appends what m holds behind r.after.
func (r *reader) events(batch []spine.Delivery, m jetstream.Msg) []spine.Delivery {
	meta, err := m.Metadata()
	if err != nil {
		r.spine.Log.Error("spine: a message without metadata is skipped", "subscription", r.Name, "error", err)
		return batch
	}
	seq := meta.Sequence.Stream
	if r.next != 0 && seq > r.next {
		r.spine.Log.Warn("retention removed events before they were read", "subscription", r.Name, "stream", r.Stream, "messages", seq-r.next)
	}
	r.next = seq + 1
	events, err := r.stream.unpack(seq, m.Data())
	if err != nil && r.spine.Seal.Lacks(m.Data()) {
		r.lacks = fmt.Errorf("message %d waits for the root key that it was sealed under: %w", seq, err)
		return batch
	}
	if err != nil {
		r.spine.Log.Error("spine: a damaged message is skipped", "subscription", r.Name, "sequence", seq, "error", err)
		return batch
	}
	return r.stream.deliveries(batch, seq, events, r.after)
}

// unpack returns the events of a message.
func (st *stream) unpack(seq uint64, data []byte) ([]aws.Event, error) {
	if events, ok := st.late.get(seq); ok {
		return events, nil
	}
	events, err := st.spine.codec.unpack(st.name, data)
	if err != nil {
		return nil, err
	}
	st.late.put(seq, events)
	return events, nil
}

// deliveries appends the events of message seq that stand behind after.
func (st *stream) deliveries(batch []spine.Delivery, seq uint64, events []aws.Event, after uint64) []spine.Delivery {
	if cap(batch)-len(batch) < len(events) {
		batch = slices.Grow(batch, max(len(events), len(batch)))
	}
	for i := range events {
		if p := st.position(seq, i); p > after {
			batch = append(batch, spine.Delivery{Event: events[i], Position: p})
		}
	}
	return batch
}
