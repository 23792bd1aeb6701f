package spinetest

import (
	"context"
	"testing"
	"time"

	"sumun.dev/spine"
)

func replay(t *testing.T, s spine.Spine, stream string, since time.Time) []spine.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var all []spine.Delivery
	for d, err := range s.Replay(ctx, stream, since) {
		if err != nil {
			t.Fatalf("replay: %v", err)
		}
		all = append(all, d)
	}
	return all
}

func (o Opener) replays(t *testing.T) {
	s := o.open(t)
	publish(t, s, Events("trail", 0, 700)...)
	time.Sleep(20 * time.Millisecond)
	since := time.Now()
	publish(t, s, Events("trail", 700, 710)...)
	late := Event("trail", 710) // told now, happened before
	late.Time = since.Add(-time.Hour)
	publish(t, s, late)

	same(t, replay(t, s, "trail", since), "trail", 700, 710)
	same(t, replay(t, s, "trail", time.Time{}), "trail", 0, 711)
	if got := replay(t, s, "trail", time.Now().Add(time.Hour)); len(got) != 0 {
		t.Errorf("%d events of the future", len(got))
	}
	n := 0
	for range s.Replay(context.Background(), "trail", time.Time{}) {
		if n++; n == 3 {
			break
		}
	}
}

func (o Opener) replaysNothing(t *testing.T) {
	s := o.open(t)
	if got := replay(t, s, "trail", time.Time{}); len(got) != 0 {
		t.Errorf("%d events of an empty stream", len(got))
	}
}

func (o Opener) restarts(t *testing.T) {
	s := o.open(t)
	publish(t, s, Events("trail", 0, 10)...)
	first := newReader()
	first.subscribe(t, s, spine.Subscription{Name: "reader", Stream: "trail"})
	got := first.wait(t, 10)
	closeNow(t, s)

	s = o.open(t)
	before := replay(t, s, "trail", time.Time{})
	same(t, before, "trail", 0, 10)
	for i := range got {
		if got[i].Position != before[i].Position {
			t.Errorf("%s stood at %d and now at %d", got[i].ID, got[i].Position, before[i].Position)
		}
	}
	publish(t, s, Events("trail", 5, 12)...) // an outbox offers again what it is not sure of
	second := newReader()
	second.subscribe(t, s, spine.Subscription{Name: "reader", Stream: "trail"})
	same(t, second.wait(t, 2), "trail", 10, 12)
	same(t, replay(t, s, "trail", time.Time{}), "trail", 0, 12)
}
