package plane

import (
	"context"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// relayBatch is how many outbox events go to the spine at once.
const relayBatch = 512

// relay publishes what units of work have emitted, until ctx ends. An event
// leaves the outbox only after the spine has made it durable.
func (c *core) relay(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.store.OutboxReady():
		}
		for pause := 50 * time.Millisecond; ; {
			n, err := c.relayOnce(ctx)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				if n < relayBatch {
					break
				}
				continue
			}
			c.log.Warn("outbox is not published, tries again", "error", err, "pause", pause)
			if !sleep(ctx, pause) {
				return
			}
			pause = min(2*pause, 10*time.Second)
		}
	}
}

func (c *core) relayOnce(ctx context.Context) (int, error) {
	out, err := c.store.ClaimOutbox(ctx, relayBatch)
	if err != nil || len(out) == 0 {
		return 0, err
	}
	if err := c.spine.Publish(ctx, c.unpublished(ctx, out)...); err != nil {
		return 0, giveBack(ctx, c.store, out, err)
	}
	return len(out), c.store.DoneOutbox(ctx, out)
}

// How long the relay asks the spine what it has, well within the lease of what it has
// claimed; and how much earlier than the events' times it begins to look: clocks differ,
// and who puts events on a bus chooses their times.
const (
	askFor  = 10 * time.Second
	askBack = time.Minute
)

// unpublished leaves out what the spine has: who claimed it before may have died after
// it was published. Readers would see it twice, long after the first.
func (c *core) unpublished(ctx context.Context, out []store.Outgoing) []aws.Event {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	now := time.Now()
	type key struct{ stream, id string }
	there := map[key]bool{}         // of those that were claimed before
	since := map[string]time.Time{} // when the first of them happened, by stream
	left := map[string]int{}        // how many are not found yet, by stream
	for i := range out {
		if !out[i].Again {
			continue
		}
		there[key{out[i].Stream, out[i].ID}] = false
		left[out[i].Stream]++
		from := out[i].Time
		if from.After(now) {
			from = now
		}
		from = from.Add(-askBack)
		if at, ok := since[out[i].Stream]; !ok || from.Before(at) {
			since[out[i].Stream] = from
		}
	}
	for stream, at := range since {
		for d, err := range c.spine.Replay(ctx, stream, at) {
			if err != nil { // twice is better than never
				c.log.Warn("what a node that is gone has published cannot be read; some of it may come twice", "stream", stream, "error", err)
				break
			}
			k := key{stream, d.ID}
			if found, asked := there[k]; !asked || found {
				continue
			}
			there[k] = true
			if left[stream]--; left[stream] == 0 {
				break
			}
		}
	}
	events := make([]aws.Event, 0, len(out))
	for i := range out {
		if !there[key{out[i].Stream, out[i].ID}] {
			events = append(events, out[i].Event)
		}
	}
	return events
}

func giveBack(ctx context.Context, s *store.Store, out []store.Outgoing, cause error) error {
	// The context may be what ended; the events must be free for the next process all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.ReleaseOutbox(ctx, out); err != nil {
		return err // the claims end with their lease
	}
	return cause
}

// sleep waits for d and reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
