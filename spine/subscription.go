package spine

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// A Subscription is one reader of a stream.
type Subscription struct {
	// Name is durable: a subscription of the same name goes on where the last
	// one ended. A new name begins with the oldest event kept.
	Name   string
	Stream string

	// After is the last position the reader has committed, if it keeps one:
	// nothing up to it is delivered, and when the spine remembers to be further
	// (the reader was restored from a backup) it goes back. 0: the spine's own
	// memory decides.
	After uint64

	// MaxBatch bounds how many events one Handle gets; 0 means 256.
	MaxBatch int

	// Linger lets a spine whose readers pay for each batch wait for more events
	// when the last batch is younger than that. An event that comes after a
	// quiet time is delivered at once.
	Linger time.Duration

	// Handle is called by one goroutine, in order. After an error the same
	// events come again, after a pause that grows from 50 ms to 30 s.
	Handle func(ctx context.Context, batch []Delivery) error
}

// Check refuses a subscription that cannot work.
func (s *Subscription) Check() error {
	if err := CheckStream(s.Stream); err != nil {
		return err
	}
	if err := CheckStream(s.Name); err != nil {
		return errors.New("spine: a subscription's name has 1 to 64 characters of a-z, 0-9 and -")
	}
	if s.Handle == nil {
		return errors.New("spine: subscription without Handle")
	}
	return nil
}

// Batch is MaxBatch or its default.
func (s *Subscription) Batch() int {
	if s.MaxBatch <= 0 {
		return 256
	}
	return s.MaxBatch
}

// Deliver hands batch to Handle until that succeeds, and reports false when ctx
// ended first.
func (s *Subscription) Deliver(ctx context.Context, log *slog.Logger, batch []Delivery) bool {
	const shortest, longest = 50 * time.Millisecond, 30 * time.Second
	for pause := shortest; ctx.Err() == nil; pause = min(2*pause, longest) {
		err := s.Handle(ctx, batch)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		log.Warn("subscription failed, tries again", "subscription", s.Name, "stream", s.Stream,
			"position", batch[0].Position, "events", len(batch), "pause", pause, "error", err)
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
		}
	}
	return false
}
