package plane

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/spine"
	spinememory "sumun.dev/spine/memory"
	"sumun.dev/store"
	"sumun.dev/store/memory"
)

const here = aws.Account("111122223333")

// bare is a core with a store and a spine, and no services.
func bare(t *testing.T) *core {
	c := &core{log: slog.New(slog.DiscardHandler), jobs: map[string]job{}, store: store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))}
	c.spine = spinememory.New(spinememory.Options{Log: c.log})
	c.marks = store.NewTable(c.store, "plane.marks", store.Global[mark]()).In(store.Place{})
	t.Cleanup(func() { c.store.Close() })
	return c
}

type tally struct{ N int }

func (c *core) tallies() *store.Table[tally] { return store.NewTable[tally](c.store, "test.tallies") }

// count adds to a tally in the unit of ctx.
func count(ctx context.Context, t *store.Table[tally], id string, n int) error {
	v, err := t.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		v = &tally{}
	} else if err != nil {
		return err
	}
	v.N += n
	return t.Put(ctx, id, v)
}

func (c *core) counted(t *testing.T, id string) int {
	t.Helper()
	v, err := c.tallies().In(store.Place{Account: here, Region: "us-east-1"}).Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return v.N
}

func TestDueWorkThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bare(t)
		tallies, runs := c.tallies(), []time.Duration{}
		start := time.Now()
		c.jobs["test.work"] = job{service.Job{Kind: "test.work", Run: func(ctx context.Context, due store.Due) error {
			runs = append(runs, time.Since(start))
			if p := aws.CallOf(ctx).Principal; p.Kind != aws.Service || p.Name != "test.amazonaws.com" || aws.CallOf(ctx).Account != here {
				t.Errorf("work is done as %+v", p)
			}
			if err := count(ctx, tallies, string(due.Payload), 1); err != nil {
				return err
			}
			switch len(runs) {
			case 1:
				panic("first")
			case 2, 3:
				return errors.New("not yet")
			}
			return nil
		}}, "test.amazonaws.com"}
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { c.schedule(ctx, ctx) })
		err := c.store.Update(t.Context(), func(ctx context.Context) error {
			store.Schedule(ctx, store.Due{Kind: "test.work", ID: "1", At: time.Now().Add(time.Hour), Place: store.Place{Account: here, Region: "us-east-1"}, Payload: []byte("a")})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		cancel()
		done.Wait()
		if got := fmt.Sprint(runs); got != "[1h0m0s 1h0m1s 1h0m3s 1h0m7s]" {
			t.Errorf("tried at %s", got)
		}
		if n := c.counted(t, "a"); n != 1 {
			t.Errorf("what it writes is kept %d times", n)
		}
		if _, left, err := c.store.NextDue(t.Context()); left || err != nil {
			t.Errorf("something is left to do, %v", err)
		}
	})
}

// Work that takes too long counts as an attempt and waits longer each time.
func TestDueWorkThatHangsBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bare(t)
		var attempts []string
		start := time.Now()
		c.jobs["test.work"] = job{service.Job{Kind: "test.work", Run: func(ctx context.Context, due store.Due) error {
			attempts = append(attempts, fmt.Sprint(due.Attempt, " at ", time.Since(start)))
			if len(attempts) == 3 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}}, "test.amazonaws.com"}
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { c.schedule(ctx, ctx) })
		err := c.store.Update(t.Context(), func(ctx context.Context) error {
			store.Schedule(ctx, store.Due{Kind: "test.work", ID: "1", At: time.Now(), Place: store.Place{Account: here, Region: "us-east-1"}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		cancel()
		done.Wait()
		if got := fmt.Sprint(attempts); got != "[0 at 0s 1 at 26s 2 at 53s]" {
			t.Errorf("tried %s", got)
		}
	})
}

// A close ends with its context, whatever hangs in the background.
func TestClosingWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := within(ctx, func() { <-free }); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		close(free)
		if err := within(t.Context(), func() { <-free }); err != nil {
			t.Error(err)
		}
	})
}

// happened makes n events; every third is of another account.
func happened(n int) (all []aws.Event) {
	for i := range n {
		e := aws.Event{Stream: "test", ID: fmt.Sprint("e", i), Account: here, Region: "us-east-1", Time: time.Now()}
		if i%3 == 2 {
			e.Account = "444455556666"
		}
		all = append(all, e)
	}
	return all
}

func TestConsumersHandleEveryEventOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bare(t)
		tallies, calls := c.tallies(), 0
		consumer := service.Consumer{Name: "test-count", Stream: "test", MaxBatch: 7, Handle: func(ctx context.Context, batch []aws.Event) error {
			call := aws.CallOf(ctx)
			for _, e := range batch {
				if e.Account != call.Account || e.Region != call.Region {
					t.Errorf("an event of %s in a call of %s", e.Account, call.Account)
				}
				if err := count(ctx, tallies, "seen", 1); err != nil {
					return err
				}
			}
			switch calls++; calls {
			case 2:
				return errors.New("in the middle") // the first account's part is written by then
			case 5:
				panic("in the middle")
			}
			return nil
		}}
		if err := c.subscribe(t.Context(), "test.amazonaws.com", consumer); err != nil {
			t.Fatal(err)
		}
		if err := c.spine.Publish(t.Context(), happened(50)...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		total := 0
		for e, err := range tallies.Everywhere(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			total += e.Value.N
		}
		if total != 50 {
			t.Errorf("50 events are counted as %d", total)
		}
		// Redelivered after a crash that the spine did not hear of the end of.
		again := []spine.Delivery{}
		for d, err := range c.spine.Replay(t.Context(), "test", time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			again = append(again, d)
		}
		before := calls
		if err := c.consume(t.Context(), "test.amazonaws.com", consumer, again); err != nil || calls != before {
			t.Errorf("events are handled again: %v", err)
		}
		if err := c.spine.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestMarksOfQuietConsumers(t *testing.T) {
	c := bare(t)
	writes := false
	consumer := service.Consumer{Name: "test-quiet", Stream: "test", Handle: func(ctx context.Context, batch []aws.Event) error {
		if writes {
			return count(ctx, c.tallies(), "a", 1)
		}
		return nil
	}}
	at := func(message uint64) []spine.Delivery {
		return []spine.Delivery{{Event: happened(1)[0], Position: message << 16}}
	}
	for _, step := range []struct {
		message uint64
		writes  bool
		mark    uint64
	}{
		{1, false, 0}, {999, false, 0}, {1000, false, 1000}, {1500, false, 1000}, {1600, true, 1600}, {1600, true, 1600}, {2599, false, 1600}, {2600, false, 2600},
	} {
		writes = step.writes
		if err := c.consume(t.Context(), "test.amazonaws.com", consumer, at(step.message)); err != nil {
			t.Fatal(err)
		}
		m, err := c.marks.Get(t.Context(), consumer.Name)
		if errors.Is(err, store.ErrNotFound) {
			m, err = &mark{}, nil
		}
		if err != nil || m.Position != step.mark<<16 {
			t.Errorf("after message %d the mark is at %d, want %d, %v", step.message, m.Position>>16, step.mark, err)
		}
	}
	if n := c.counted(t, "a"); n != 1 {
		t.Errorf("a message that came twice is written %d times", n)
	}
}

// A failing spine refuses some publications.
type failing struct {
	spine.Spine
	left int
}

func (f *failing) Publish(ctx context.Context, events ...aws.Event) error {
	if f.left--; f.left >= 0 {
		return errors.New("the log does not answer")
	}
	return f.Spine.Publish(ctx, events...)
}

func (f *failing) Replay(ctx context.Context, stream string, since time.Time) iter.Seq2[spine.Delivery, error] {
	return f.Spine.Replay(ctx, stream, since)
}

func TestRelayOutlastsTheSpine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bare(t)
		c.spine = &failing{c.spine, 3}
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { c.relay(ctx) })
		want := []string{}
		for i := range relayBatch + 10 { // more than one batch
			want = append(want, fmt.Sprint("e", i))
		}
		err := c.store.Update(t.Context(), func(ctx context.Context) error {
			for _, id := range want {
				store.Emit(ctx, aws.Event{Stream: "test", ID: id, Account: here, Region: "us-east-1", Time: time.Now()})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		cancel()
		done.Wait()
		got := []string{}
		for d, err := range c.spine.Replay(t.Context(), "test", time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, d.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d events of %d reach the log", len(got), len(want))
		}
		if out, err := c.store.ClaimOutbox(t.Context(), 10); len(out) != 0 || err != nil {
			t.Errorf("%d events are left, %v", len(out), err)
		}
		if err := c.spine.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A batch that is more than one unit of work may write does not stop its stream,
// and neither does an event that is too much by itself.
func TestConsumersTakeBatchesApart(t *testing.T) {
	c := bare(t)
	table := c.tallies()
	consumer := service.Consumer{Name: "test-parts", Stream: aws.DNSStream, Handle: func(ctx context.Context, events []aws.Event) error {
		for _, e := range events {
			if e.Type == "huge" {
				return fmt.Errorf("%w: an event", store.ErrTooLarge)
			}
		}
		if len(events) > 3 {
			return fmt.Errorf("%w: %d events", store.ErrTooLarge, len(events))
		}
		return count(ctx, table, "handled", len(events))
	}}
	var batch []spine.Delivery
	for i := range 20 {
		e := aws.Event{Stream: aws.DNSStream, ID: fmt.Sprint(i), Account: here, Region: "us-east-1"}
		if i == 7 {
			e.Type = "huge"
		}
		batch = append(batch, spine.Delivery{Event: e, Position: uint64(i + 1)})
	}
	for range 2 { // delivered twice, handled once
		if err := c.consumeInParts(t.Context(), "test.amazonaws.com", consumer, batch); err != nil {
			t.Fatal(err)
		}
	}
	if n := c.counted(t, "handled"); n != 19 {
		t.Errorf("%d events were handled, want 19", n)
	}
}
