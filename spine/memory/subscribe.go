package memory

import (
	"context"
	"iter"
	"time"

	"sumun.dev/spine"
)

// A reader is how far a subscription has come.
type reader struct {
	stream string
	after  uint64 // last position handled; 0: none
	busy   bool   // a subscription runs
}

// Subscribe starts to deliver a stream.
func (s *Spine) Subscribe(sub spine.Subscription) (func(), error) {
	if err := sub.Check(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, spine.ErrClosed
	}
	r := s.readers[sub.Name]
	if r == nil || r.stream != sub.Stream && !r.busy {
		r = &reader{stream: sub.Stream}
		s.readers[sub.Name] = r
	}
	if r.busy {
		return nil, spine.ErrTaken
	}
	r.busy = true
	if sub.After != 0 {
		r.after = sub.After
	}

	ctx, cancel := context.WithCancel(context.Background())
	s.stop = append(s.stop, cancel)
	done := make(chan struct{})
	s.running.Go(func() {
		defer close(done)
		s.run(ctx, &sub, r)
	})
	return func() { cancel(); <-done }, nil
}

func (s *Spine) run(ctx context.Context, sub *spine.Subscription, r *reader) {
	defer func() {
		s.mu.Lock()
		r.busy = false
		s.mu.Unlock()
	}()
	for ctx.Err() == nil {
		batch, grown := s.next(sub, r)
		if len(batch) == 0 {
			select {
			case <-grown:
			case <-ctx.Done():
			}
			continue
		}
		if !sub.Deliver(ctx, s.log, batch) {
			return
		}
		s.mu.Lock()
		r.after = batch[len(batch)-1].Position
		s.mu.Unlock()
	}
}

// next returns what r has not read, and what to wait for when that is nothing.
func (s *Spine) next(sub *spine.Subscription, r *reader) ([]spine.Delivery, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stream(sub.Stream)
	batch := st.after(r.after, sub.Batch())
	if len(batch) > 0 && r.after != 0 && batch[0].Position > r.after+1 && r.after >= st.begin {
		s.log.Warn("retention removed events before they were read", "subscription", sub.Name,
			"stream", sub.Stream, "events", batch[0].Position-r.after-1)
	}
	return batch, st.grown
}

// Oldest knows of nothing sealed: all is in memory, in clear.
func (s *Spine) Oldest(context.Context, string) (time.Time, bool, error) {
	return time.Time{}, false, nil
}

// Replay reads what is kept of the events since.
func (s *Spine) Replay(ctx context.Context, stream string, since time.Time) iter.Seq2[spine.Delivery, error] {
	return func(yield func(spine.Delivery, error) bool) {
		if err := spine.CheckStream(stream); err != nil {
			yield(spine.Delivery{}, err)
			return
		}
		s.mu.Lock()
		end, closed := s.stream(stream).next, s.closed
		s.mu.Unlock()
		if closed {
			yield(spine.Delivery{}, spine.ErrClosed)
			return
		}
		for p := uint64(0); ; {
			if err := ctx.Err(); err != nil {
				yield(spine.Delivery{}, err)
				return
			}
			s.mu.Lock()
			batch := s.stream(stream).after(p, 256)
			s.mu.Unlock()
			for _, d := range batch {
				if d.Position >= end {
					return
				}
				if d.Time.Before(since) {
					continue
				}
				if !yield(d, nil) {
					return
				}
			}
			if len(batch) == 0 {
				return
			}
			p = batch[len(batch)-1].Position
		}
	}
}
