// Package spinetest is the one suite that every spine must pass.
package spinetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/spine"
)

// Opener opens a spine. With the same key it opens again what was closed before,
// if the spine can: Again tells.
type Opener struct {
	Open  func(t *testing.T, key string) spine.Spine
	Again bool // what was kept is there after Close and Open
}

// Run tests the spine that o opens.
func Run(t *testing.T, o Opener) {
	t.Run("delivers_in_order", o.inOrder)
	t.Run("publish_returns_when_readers_can_read", o.readable)
	t.Run("positions_grow_over_parallel_publishers", o.parallel)
	t.Run("streams_are_apart", o.apart)
	t.Run("keeps_an_id_once", o.once)
	t.Run("keeps_every_field", o.fields)
	t.Run("redelivers_after_an_error", o.redelivers)
	t.Run("subscription_goes_on_where_it_ended", o.goesOn)
	t.Run("subscription_goes_back_to_what_the_reader_committed", o.goesBack)
	t.Run("new_subscription_begins_with_the_oldest", o.oldest)
	t.Run("subscription_name_is_used_once", o.taken)
	t.Run("replays_since", o.replays)
	t.Run("replay_of_nothing_ends", o.replaysNothing)
	t.Run("refuses_what_it_cannot_keep", o.refuses)
	t.Run("close_ends_everything", o.closes)
	if o.Again {
		t.Run("keeps_events_over_a_restart", o.restarts)
	}
}

func (o Opener) open(t *testing.T) spine.Spine {
	t.Helper()
	s := o.Open(t, strings.ReplaceAll(strings.ToLower(t.Name()), "/", "-"))
	t.Cleanup(func() { closeNow(t, s) })
	return s
}

func closeNow(t *testing.T, s spine.Spine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

// Event makes an event of stream; its ID is unique for each n.
func Event(stream string, n int) aws.Event {
	return aws.Event{
		Stream:  stream,
		ID:      fmt.Sprintf("%s-%08d", stream, n),
		Type:    "AwsApiCall",
		Account: "111122223333",
		Region:  "eu-central-1",
		Time:    time.Now(),
		Attrs:   map[string]string{"eventName": "GetCallerIdentity", "n": fmt.Sprint(n)},
		Data:    fmt.Appendf(nil, `{"eventVersion":"1.11","n":%d}`, n),
	}
}

// Events makes events n … m-1.
func Events(stream string, n, m int) []aws.Event {
	var all []aws.Event
	for ; n < m; n++ {
		all = append(all, Event(stream, n))
	}
	return all
}

func publish(t *testing.T, s spine.Spine, events ...aws.Event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Publish(ctx, events...); err != nil {
		t.Fatalf("publish: %v", err)
	}
}

// A reader notes what a subscription delivers.
type reader struct {
	mu   sync.Mutex
	got  []spine.Delivery
	more chan struct{}
	fail func(call int) error
	call int
}

func newReader() *reader { return &reader{more: make(chan struct{}, 1)} }

func (r *reader) handle(_ context.Context, batch []spine.Delivery) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.call++
	if r.fail != nil {
		if err := r.fail(r.call); err != nil {
			return err
		}
	}
	r.got = append(r.got, batch...)
	select {
	case r.more <- struct{}{}:
	default:
	}
	return nil
}

// wait returns what was delivered when that is n events at least.
func (r *reader) wait(t *testing.T, n int) []spine.Delivery {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		r.mu.Lock()
		got := slices.Clone(r.got)
		r.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-r.more:
		case <-timeout:
			t.Fatalf("%d events delivered, want %d", len(got), n)
		}
	}
}

func (r *reader) subscribe(t *testing.T, s spine.Spine, sub spine.Subscription) func() {
	t.Helper()
	sub.Handle = r.handle
	stop, err := s.Subscribe(sub)
	if err != nil {
		t.Fatalf("subscribe %s: %v", sub.Name, err)
	}
	return stop
}

func ids(got []spine.Delivery) []string {
	var all []string
	for _, d := range got {
		all = append(all, d.ID)
	}
	return all
}

// same fails unless got are the events n … m-1 of stream, in order, with
// positions that grow.
func same(t *testing.T, got []spine.Delivery, stream string, n, m int) {
	t.Helper()
	var want []string
	for _, e := range Events(stream, n, m) {
		want = append(want, e.ID)
	}
	if !slices.Equal(ids(got), want) {
		t.Fatalf("delivered %d events %.200v, want %d %.200v", len(got), ids(got), len(want), want)
	}
	grows(t, got)
}

func grows(t *testing.T, got []spine.Delivery) {
	t.Helper()
	for i, d := range got {
		if d.Position == 0 || d.Position >= 1<<63 || i > 0 && d.Position <= got[i-1].Position {
			t.Fatalf("position %d follows %d", d.Position, got[max(0, i-1)].Position)
		}
	}
}

func (o Opener) refuses(t *testing.T) {
	s := o.open(t)
	ctx := context.Background()
	big := Event("trail", 1)
	big.Data = make([]byte, aws.MaxEvent)
	if err := s.Publish(ctx, big); !errors.Is(err, spine.ErrTooLarge) {
		t.Errorf("too large an event: %v", err)
	}
	for _, name := range []string{"", "A", "a.b", "a*", "../x", strings.Repeat("a", 65)} {
		e := Event(name, 1)
		if err := s.Publish(ctx, e); err == nil {
			t.Errorf("stream %q was accepted", name)
		}
		if _, err := s.Subscribe(spine.Subscription{Name: name, Stream: "trail", Handle: newReader().handle}); err == nil {
			t.Errorf("subscription %q was accepted", name)
		}
	}
	e := Event("trail", 1)
	e.ID = ""
	if err := s.Publish(ctx, e); err == nil {
		t.Error("an event without ID was accepted")
	}
	if _, err := s.Subscribe(spine.Subscription{Name: "a", Stream: "trail"}); err == nil {
		t.Error("a subscription without Handle was accepted")
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Publish(ended, Event("trail", 2)); err == nil {
		t.Error("Publish with an ended context succeeded")
	}
}

func (o Opener) closes(t *testing.T) {
	s := o.open(t)
	publish(t, s, Events("trail", 0, 10)...)
	r := newReader()
	r.subscribe(t, s, spine.Subscription{Name: "reader", Stream: "trail"})
	r.wait(t, 10)
	closeNow(t, s)
	if err := s.Publish(context.Background(), Event("trail", 11)); !errors.Is(err, spine.ErrClosed) {
		t.Errorf("publish after close: %v", err)
	}
	if _, err := s.Subscribe(spine.Subscription{Name: "b", Stream: "trail", Handle: r.handle}); !errors.Is(err, spine.ErrClosed) {
		t.Errorf("subscribe after close: %v", err)
	}
	for _, err := range s.Replay(context.Background(), "trail", time.Time{}) {
		if !errors.Is(err, spine.ErrClosed) {
			t.Errorf("replay after close: %v", err)
		}
	}
}
