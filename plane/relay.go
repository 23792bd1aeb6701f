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
	events := make([]aws.Event, len(out))
	for i := range out {
		events[i] = out[i].Event
	}
	if err := c.spine.Publish(ctx, events...); err != nil {
		return 0, giveBack(ctx, c.store, out, err)
	}
	return len(out), c.store.DoneOutbox(ctx, out)
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
