package memory

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/spine"
	"sumun.dev/spine/spinetest"
)

func open(t *testing.T, _ string) spine.Spine { return New(Options{}) }

func TestSpine(t *testing.T) { spinetest.Run(t, spinetest.Opener{Open: open}) }

func TestBubbleTravelsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		var failures, got atomic.Int32
		_, err := s.Subscribe(spine.Subscription{Name: "reader", Stream: "trail", Handle: func(_ context.Context, b []spine.Delivery) error {
			if failures.Add(1) < 20 {
				return context.DeadlineExceeded
			}
			got.Add(int32(len(b)))
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Publish(t.Context(), spinetest.Events("trail", 0, 3)...); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got.Load() != 0 || failures.Load() != 1 {
			t.Fatalf("%d delivered after %d failures at once", got.Load(), failures.Load())
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got.Load() != 3 {
			t.Fatalf("%d delivered after an hour", got.Load())
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRetentionByAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Retain: map[string]spine.Retention{"dns": {Age: time.Hour}}})
		publish(t, s, 0, 5)
		time.Sleep(50 * time.Minute)
		publish(t, s, 5, 7)
		time.Sleep(20 * time.Minute)
		if n := count(t, s); n != 2 {
			t.Errorf("%d events kept, want 2", n)
		}
	})
}

func TestRetentionByBytes(t *testing.T) {
	s := New(Options{Retain: map[string]spine.Retention{"dns": {Bytes: 10_000}}})
	publish(t, s, 0, 1000)
	if n := count(t, s); n < 30 || n > 90 {
		t.Errorf("%d events kept in 10,000 bytes", n)
	}
	publish(t, s, 1000, 1001)
	var last string
	for d := range s.Replay(t.Context(), "dns", time.Time{}) {
		last = d.ID
	}
	if want := spinetest.Event("dns", 1000).ID; last != want {
		t.Errorf("the newest is %s, want %s", last, want)
	}
}

func TestWipe(t *testing.T) {
	s := New(Options{})
	publish(t, s, 0, 5)
	s.Wipe()
	if n := count(t, s); n != 0 {
		t.Errorf("%d events after Wipe", n)
	}
	publish(t, s, 0, 5)
	if n := count(t, s); n != 5 {
		t.Errorf("%d events after Wipe and Publish", n)
	}
}

func publish(t *testing.T, s *Spine, n, m int) {
	t.Helper()
	if err := s.Publish(t.Context(), spinetest.Events("dns", n, m)...); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s *Spine) (n int) {
	t.Helper()
	for _, err := range s.Replay(t.Context(), "dns", time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}
