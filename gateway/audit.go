package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"sumun.dev/aws"
)

// What the queue holds, and how many events go to the spine at a time.
const (
	queueLength = 16 << 10
	batchLength = 512
)

// queue takes the records of reads and refusals to the spine, many at a time.
// When it is full, callers wait; nothing is dropped.
type queue struct {
	publish func(context.Context, ...aws.Event) error
	log     *slog.Logger
	events  chan aws.Event
	stop    chan struct{} // closed: publish what is there, and end
	done    chan struct{}

	mu     sync.RWMutex // held for reading while an event goes in
	closed bool         // nothing goes in any more
}

func newQueue(publish func(context.Context, ...aws.Event) error, log *slog.Logger) *queue {
	q := &queue{publish: publish, log: log, events: make(chan aws.Event, queueLength), stop: make(chan struct{}), done: make(chan struct{})}
	go q.run()
	return q
}

// add takes events, and waits while the queue is full. What jobs and readers of
// the spine do after the queue was drained goes to the spine at once.
func (q *queue) add(events ...aws.Event) {
	for _, e := range events {
		if q.enter(e) {
			continue
		}
		if err := q.publish(context.Background(), e); err != nil {
			q.log.Error("a trail record was lost: the gate is closed", "event", e.ID, "operation", e.Attrs["eventName"], "error", err)
		}
	}
}

// enter puts e into the queue, or reports that it is closed.
func (q *queue) enter(e aws.Event) bool {
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.closed {
		return false
	}
	q.events <- e
	return true
}

func (q *queue) run() {
	defer close(q.done)
	batch := make([]aws.Event, 0, batchLength)
	for {
		select {
		case e := <-q.events:
			batch = q.fill(append(batch[:0], e))
			q.deliver(batch)
		case <-q.stop:
			for batch = q.fill(batch[:0]); len(batch) > 0; batch = q.fill(batch[:0]) {
				q.deliver(batch)
			}
			return
		}
	}
}

func (q *queue) fill(batch []aws.Event) []aws.Event {
	for len(batch) < batchLength {
		select {
		case e := <-q.events:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// deliver publishes a batch, again and again until it is durable.
func (q *queue) deliver(batch []aws.Event) {
	// The spine keeps what it is given, and the batch's memory is used again.
	events := append([]aws.Event(nil), batch...)
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := q.publish(context.Background(), events...)
		if err == nil {
			return
		}
		q.log.Error("trail records wait: the spine does not take them", "records", len(events), "error", err)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-q.stop:
			t.Stop()
			if err := q.publish(context.Background(), events...); err != nil {
				q.log.Error("trail records were lost: the gate closes and the spine does not take them", "records", len(events), "error", err)
			}
			return
		}
	}
}

// drain publishes all that is left. Whoever waits for room gets in first.
func (q *queue) drain(ctx context.Context) error {
	go func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.closed = true
		close(q.stop)
	}()
	select {
	case <-q.done:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("gateway: trail records were not written in time"), ctx.Err())
	}
}

// report writes down what has become of a call and was not committed with it.
func (g *Gateway) report(v *visit) {
	if v.err != nil {
		v.deed.err = g.refusal(v)
	}
	g.memory.note(&v.deed)
	if v.verified() {
		if !v.deed.recorded {
			if v.deed.about == nil {
				v.deed.call, v.deed.about, v.deed.in = v.call, v.match.Operation.About(), v.in
			}
			g.audit.add(g.record(&v.deed))
		}
		return
	}
	if v.err != nil {
		g.metrics.unprovenCall(v.deed.err.Code)
		if n, ok := g.unproven.sample(); ok {
			g.Log.Warn("refused a call that nobody has verifiably signed", "code", v.deed.err.Code, "message", v.deed.err.Message,
				"source", v.r.RemoteAddr, "host", v.r.Host, "requestID", v.id, "unlogged", n)
		}
	}
}
