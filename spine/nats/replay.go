package nats

import (
	"context"
	"errors"
	"iter"
	"sort"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sumun.dev/spine"
)

// Replay reads what is kept of the events since. An event is stored after it
// happened, so the messages stored before since need not be looked at.
func (s *Spine) Replay(ctx context.Context, name string, since time.Time) iter.Seq2[spine.Delivery, error] {
	return func(yield func(spine.Delivery, error) bool) {
		fail := func(err error) { yield(spine.Delivery{}, err) }
		st, err := s.stream(name)
		if err != nil {
			fail(err)
			return
		}
		js, err := st.open(ctx)
		if err != nil {
			fail(err)
			return
		}
		info, err := js.Info(ctx)
		if err != nil {
			fail(err)
			return
		}
		if info.State.Msgs == 0 {
			return
		}
		seq, err := storedSince(ctx, js, info.State, since)
		if err != nil {
			fail(err)
			return
		}
		for ; seq <= info.State.LastSeq; seq++ {
			msg, err := js.GetMsg(ctx, seq)
			if errors.Is(err, jetstream.ErrMsgNotFound) { // retention was faster
				continue
			}
			if err != nil {
				fail(err)
				return
			}
			events, err := s.codec.unpack(name, msg.Data)
			if err != nil {
				fail(err)
				return
			}
			for _, d := range st.deliveries(nil, seq, events, 0) {
				if !d.Time.Before(since) && !yield(d, nil) {
					return
				}
			}
		}
	}
}

// Oldest returns when the oldest message of a stream was stored, which is right after
// it was sealed.
func (s *Spine) Oldest(ctx context.Context, name string) (time.Time, bool, error) {
	st, err := s.stream(name)
	if err != nil {
		return time.Time{}, false, err
	}
	js, err := st.open(ctx)
	if err != nil {
		return time.Time{}, false, err
	}
	info, err := js.Info(ctx)
	if err != nil || info.State.Msgs == 0 {
		return time.Time{}, false, err
	}
	return info.State.FirstTime, true, nil
}

// storedSince finds the first message stored at since or later.
func storedSince(ctx context.Context, js jetstream.Stream, state jetstream.StreamState, since time.Time) (uint64, error) {
	if !state.FirstTime.Before(since) {
		return state.FirstSeq, nil
	}
	var failed error
	n := sort.Search(int(state.LastSeq-state.FirstSeq+1), func(i int) bool {
		msg, err := js.GetMsg(ctx, state.FirstSeq+uint64(i))
		if errors.Is(err, jetstream.ErrMsgNotFound) { // removed meanwhile, so old
			return false
		}
		if err != nil {
			failed = err
			return true
		}
		return !msg.Time.Before(since)
	})
	return state.FirstSeq + uint64(n), failed
}
