package nats

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/spine"
	"sumun.dev/spine/nats/natstest"
	"sumun.dev/spine/spinetest"
)

func embedded(t *testing.T, o Options) *Spine {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "spine")
	}
	if o.Seal == nil {
		o.Seal = spinetest.Sealer(key)
	}
	o.Log = quiet(t)
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func TestNothingIsWrittenInTheClear(t *testing.T) {
	if _, err := Open(t.Context(), Options{Dir: t.TempDir()}); err == nil {
		t.Error("a spine without Sealer was opened")
	}
	dir := filepath.Join(t.TempDir(), "spine")
	s := embedded(t, Options{Dir: dir})
	e := spinetest.Event(aws.TrailStream, 1)
	e.Data = []byte(`{"userName":"a-name-to-look-for"}`)
	if err := s.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte("a-name-to-look-for")) || bytes.Contains(text, []byte(e.ID)) {
			t.Errorf("%s holds the event in the clear", path)
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files, %v", files, err)
	}
}

func TestAnotherKeyReadsNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spine")
	s := embedded(t, Options{Dir: dir})
	if err := s.Publish(t.Context(), spinetest.Event("dns", 1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = embedded(t, Options{Dir: dir, Seal: spinetest.Sealer([]byte("quite another key, also 32 bytes"))})
	var failed error
	for _, err := range s.Replay(t.Context(), "dns", time.Time{}) {
		failed = err
	}
	if failed == nil {
		t.Error("another key opened the event")
	}
}

func TestRetentionKeepsTheNewest(t *testing.T) {
	s := embedded(t, Options{Linger: time.Nanosecond, Retain: map[string]spine.Retention{"dns": {Age: time.Hour, Bytes: 32 << 10}}})
	const events = 300
	for n := range events {
		if err := s.Publish(t.Context(), spinetest.Event("dns", n)); err != nil {
			t.Fatal(err)
		}
	}
	var kept []string
	for d, err := range s.Replay(t.Context(), "dns", time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, d.ID)
	}
	if len(kept) == 0 || len(kept) == events || kept[len(kept)-1] != spinetest.Event("dns", events-1).ID {
		t.Errorf("%d events kept, the last is %v", len(kept), kept[max(0, len(kept)-1):])
	}
}

func TestRetentionCanBeChanged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spine")
	for _, keep := range []spine.Retention{{Age: time.Hour, Bytes: 1 << 20}, {Age: 2 * time.Hour, Bytes: 2 << 20}} {
		s := embedded(t, Options{Dir: dir, Retain: map[string]spine.Retention{"dns": keep}})
		if err := s.Publish(t.Context(), spinetest.Event("dns", int(keep.Bytes))); err != nil {
			t.Fatal(err)
		}
		info, err := s.streams["dns"].js.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if info.Config.MaxAge != keep.Age || info.Config.MaxBytes != keep.Bytes {
			t.Errorf("the stream keeps %v and %d bytes, want %v", info.Config.MaxAge, info.Config.MaxBytes, keep)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPublishWaitsWhenTheQueueIsFull(t *testing.T) {
	s := embedded(t, Options{})
	if err := s.room.Acquire(t.Context(), waiting); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Publish(ctx, spinetest.Event("dns", 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Publish into a full queue: %v", err)
	}
	done := make(chan error)
	go func() { done <- s.Publish(t.Context(), spinetest.Event("dns", 2)) }()
	time.Sleep(20 * time.Millisecond)
	s.room.Release(waiting)
	if err := <-done; err != nil {
		t.Errorf("Publish after waiting: %v", err)
	}
}

func TestLingerGathersWhatComesThickAndFast(t *testing.T) {
	s := embedded(t, Options{Linger: time.Nanosecond})
	var batches []int
	more := make(chan int, 1000)
	const linger = 300 * time.Millisecond
	if _, err := s.Subscribe(spine.Subscription{Name: "reader", Stream: "dns", Linger: linger, Handle: func(_ context.Context, batch []spine.Delivery) error {
		more <- len(batch)
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := s.Publish(t.Context(), spinetest.Event("dns", 0)); err != nil {
		t.Fatal(err)
	}
	batches = append(batches, <-more)
	if wait := time.Since(start); wait > linger {
		t.Errorf("the first event waited %v", wait)
	}
	for n := 1; n < 40; n++ {
		if err := s.Publish(t.Context(), spinetest.Event("dns", n)); err != nil {
			t.Fatal(err)
		}
	}
	for seen := 1; seen < 40; {
		n := <-more
		seen, batches = seen+n, append(batches, n)
	}
	if batches[0] != 1 || len(batches) > 5 {
		t.Errorf("delivered in batches of %v", batches)
	}
}

func TestOneOfSeveralNodesReads(t *testing.T) {
	url := natstest.Server(t)
	prefix := natstest.Prefix(t, url)
	var handled [2]atomic.Int32
	var nodes [2]*Spine
	more := make(chan struct{}, 100)
	for i := range nodes {
		s, err := Open(t.Context(), Options{URL: url, Prefix: prefix, Seal: spinetest.Sealer(key), Log: quiet(t), Retain: small})
		if err != nil {
			t.Fatal(err)
		}
		s.beat, s.lease = 100*time.Millisecond, 400*time.Millisecond
		nodes[i] = s
		if _, err := s.Subscribe(spine.Subscription{Name: "reader", Stream: "dns", Handle: func(_ context.Context, batch []spine.Delivery) error {
			handled[i].Add(int32(len(batch)))
			more <- struct{}{}
			return nil
		}}); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { nodes[1].Close(context.Background()) })
	sum := func(want int32) {
		t.Helper()
		for handled[0].Load()+handled[1].Load() < want {
			select {
			case <-more:
			case <-time.After(10 * time.Second):
				t.Fatalf("%d and %d events handled, want %d", handled[0].Load(), handled[1].Load(), want)
			}
		}
	}
	for n := range 10 {
		if err := nodes[n%2].Publish(t.Context(), spinetest.Event("dns", n)); err != nil {
			t.Fatal(err)
		}
	}
	sum(10)
	a, b := handled[0].Load(), handled[1].Load()
	if a+b != 10 || a != 0 && b != 0 {
		t.Errorf("one node handled %d events, the other %d", a, b)
	}
	if a == 0 {
		nodes[0], nodes[1] = nodes[1], nodes[0]
	}
	if err := nodes[0].Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := nodes[1].Publish(t.Context(), spinetest.Event("dns", 10)); err != nil {
		t.Fatal(err)
	}
	sum(11)
}
