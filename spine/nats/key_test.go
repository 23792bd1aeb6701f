package nats

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"sumun.dev/aws"
	"sumun.dev/spine"
	"sumun.dev/spine/spinetest"
)

// twoKeys seals under a second key once told to, and has that key for opening once
// told so.
type twoKeys struct {
	spine.Sealer
	second spine.Sealer
	seals  atomic.Bool
	has    atomic.Bool
	missed chan struct{} // has room for one
}

func (k *twoKeys) Seal(plain, ad []byte) []byte {
	if k.seals.Load() {
		return append([]byte{2}, k.second.Seal(plain, ad)...)
	}
	return append([]byte{1}, k.Sealer.Seal(plain, ad)...)
}

func (k *twoKeys) Open(sealed, ad []byte) ([]byte, error) {
	if sealed[0] == 1 {
		return k.Sealer.Open(sealed[1:], ad)
	}
	if !k.has.Load() {
		return nil, errors.New("no such key")
	}
	return k.second.Open(sealed[1:], ad)
}

func (k *twoKeys) Lacks(sealed []byte) bool {
	lacks := sealed[0] == 2 && !k.has.Load()
	if lacks {
		select {
		case k.missed <- struct{}{}:
		default:
		}
	}
	return lacks
}

// A reader skips what is damaged, but waits for a key that is not here.
func TestReaderWaitsForTheKey(t *testing.T) {
	keys := &twoKeys{Sealer: spinetest.Sealer(key), second: spinetest.Sealer(bytes.Repeat([]byte{7}, 32)), missed: make(chan struct{}, 1)}
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Seal: keys, Log: quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.WithoutCancel(t.Context()))
	if _, some, err := s.Oldest(t.Context(), "trail"); some || err != nil {
		t.Errorf("an empty stream has an oldest message, %v", err)
	}
	for i, id := range []string{"1", "2", "3"} {
		keys.seals.Store(i == 1)
		if err := s.Publish(t.Context(), aws.Event{Stream: "trail", ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	st, err := s.stream("trail")
	if err != nil {
		t.Fatal(err)
	}
	st.late.mu.Lock() // what was published here need not be opened
	clear(st.late.ring[:])
	st.late.mu.Unlock()
	got := make(chan string, 8)
	stop, err := s.Subscribe(spine.Subscription{Name: "r", Stream: "trail", Handle: func(_ context.Context, batch []spine.Delivery) error {
		for _, d := range batch {
			got <- d.ID
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	<-keys.missed
	keys.has.Store(true)
	for _, want := range []string{"1", "2", "3"} {
		if id := <-got; id != want {
			t.Fatalf("came %s, want %s", id, want)
		}
	}
	if at, some, err := s.Oldest(t.Context(), "trail"); !some || at.IsZero() || err != nil {
		t.Errorf("the oldest message: %v, %t, %v", at, some, err)
	}
}
