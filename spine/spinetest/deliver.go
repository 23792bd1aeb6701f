package spinetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/spine"
)

func (o Opener) inOrder(t *testing.T) {
	s := o.open(t)
	r := newReader()
	r.subscribe(t, s, spine.Subscription{Name: "reader", Stream: "trail", MaxBatch: 7})
	publish(t, s, Event("trail", 0))
	publish(t, s, Events("trail", 1, 1200)...)
	publish(t, s, Event("trail", 1200))
	same(t, r.wait(t, 1201), "trail", 0, 1201)
}

func (o Opener) readable(t *testing.T) {
	s := o.open(t)
	for n := range 5 {
		publish(t, s, Event("trail", n))
		same(t, replay(t, s, "trail", time.Time{}), "trail", 0, n+1)
	}
}

func (o Opener) parallel(t *testing.T) {
	s := o.open(t)
	r := newReader()
	r.subscribe(t, s, spine.Subscription{Name: "reader", Stream: "trail"})
	const callers, each = 8, 50
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for n := range each {
				if err := s.Publish(context.Background(), Event("trail", c*each+n)); err != nil {
					t.Errorf("publish: %v", err)
				}
			}
		})
	}
	all.Wait()
	got := r.wait(t, callers*each)
	grows(t, got)
	for c := range callers { // each caller's events are in its order
		last := ""
		for _, d := range got {
			if n := int(d.ID[len(d.ID)-1]-'0') + 10*int(d.ID[len(d.ID)-2]-'0') + 100*int(d.ID[len(d.ID)-3]-'0'); n/each == c {
				if d.ID <= last {
					t.Fatalf("%s came after %s", d.ID, last)
				}
				last = d.ID
			}
		}
	}
	if got := ids(got); len(slices.Compact(slices.Sorted(slices.Values(got)))) != callers*each {
		t.Errorf("%d events, some of them twice", len(got))
	}
}

func (o Opener) apart(t *testing.T) {
	s := o.open(t)
	a, b := newReader(), newReader()
	a.subscribe(t, s, spine.Subscription{Name: "a", Stream: "trail"})
	b.subscribe(t, s, spine.Subscription{Name: "b", Stream: "dns"})
	var mixed []aws.Event
	for n := range 20 {
		mixed = append(mixed, Event("trail", n), Event("dns", n))
	}
	publish(t, s, mixed...)
	same(t, a.wait(t, 20), "trail", 0, 20)
	same(t, b.wait(t, 20), "dns", 0, 20)
}

func (o Opener) once(t *testing.T) {
	s := o.open(t)
	publish(t, s, Events("trail", 0, 3)...)
	publish(t, s, Events("trail", 1, 5)...)
	publish(t, s, Event("trail", 5), Event("trail", 5))
	same(t, replay(t, s, "trail", time.Time{}), "trail", 0, 6)
}

func (o Opener) fields(t *testing.T) {
	s := o.open(t)
	want := Event("trail", 1)
	want.Attrs["resources"] = "arn:aws:s3:::a\narn:aws:s3:::b"
	want.Time = time.Date(2026, 1, 2, 3, 4, 5, 6789, time.UTC)
	bare := aws.Event{Stream: "trail", ID: "bare", Time: want.Time}
	publish(t, s, want, bare)
	got := replay(t, s, "trail", time.Time{})
	if len(got) != 2 {
		t.Fatalf("%d events", len(got))
	}
	g := got[0]
	if g.Stream != want.Stream || g.ID != want.ID || g.Type != want.Type || g.Account != want.Account || g.Region != want.Region ||
		!g.Time.Equal(want.Time) || !maps.Equal(g.Attrs, want.Attrs) || string(g.Data) != string(want.Data) {
		t.Errorf("got  %+v\nwant %+v", g.Event, want)
	}
	if g := got[1]; g.ID != "bare" || len(g.Attrs)+len(g.Data) != 0 {
		t.Errorf("got %+v", g)
	}
}

func (o Opener) redelivers(t *testing.T) {
	s := o.open(t)
	r := newReader()
	r.fail = func(call int) error {
		if call%2 == 1 && call < 6 {
			return errors.New("not now")
		}
		return nil
	}
	r.subscribe(t, s, spine.Subscription{Name: "reader", Stream: "trail", MaxBatch: 5})
	publish(t, s, Events("trail", 0, 20)...)
	same(t, r.wait(t, 20), "trail", 0, 20)
}

func (o Opener) goesOn(t *testing.T) {
	s := o.open(t)
	publish(t, s, Events("trail", 0, 10)...)
	first := newReader()
	stop := first.subscribe(t, s, spine.Subscription{Name: "reader", Stream: "trail"})
	first.wait(t, 10)
	stop()
	publish(t, s, Events("trail", 10, 20)...)
	second := newReader()
	stop = second.subscribe(t, s, spine.Subscription{Name: "reader", Stream: "trail"})
	same(t, second.wait(t, 10), "trail", 10, 20)
	stop()
}

func (o Opener) goesBack(t *testing.T) {
	s := o.open(t)
	publish(t, s, Events("trail", 0, 10)...)
	first := newReader()
	stop := first.subscribe(t, s, spine.Subscription{Name: "reader", Stream: "trail"})
	got := first.wait(t, 10)
	stop()
	second := newReader()
	second.subscribe(t, s, spine.Subscription{Name: "reader", Stream: "trail", After: got[3].Position})
	again := second.wait(t, 6)
	same(t, again, "trail", 4, 10)
	for i, d := range again {
		if d.Position != got[4+i].Position {
			t.Errorf("%s stood at %d and now at %d", d.ID, got[4+i].Position, d.Position)
		}
	}
}

func (o Opener) oldest(t *testing.T) {
	s := o.open(t)
	publish(t, s, Events("trail", 0, 600)...)
	for i := range 3 {
		r := newReader()
		stop := r.subscribe(t, s, spine.Subscription{Name: fmt.Sprintf("reader-%d", i), Stream: "trail"})
		same(t, r.wait(t, 600), "trail", 0, 600)
		stop()
	}
}

func (o Opener) taken(t *testing.T) {
	s := o.open(t)
	sub := spine.Subscription{Name: "reader", Stream: "trail", Handle: newReader().handle}
	stop, err := s.Subscribe(sub)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Subscribe(sub); !errors.Is(err, spine.ErrTaken) {
		t.Errorf("second subscription of the same name: %v", err)
	}
	stop()
	stop, err = s.Subscribe(sub)
	if err != nil {
		t.Fatal(err)
	}
	stop()
}
