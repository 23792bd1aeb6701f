package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"sumun.dev/store"
)

// never is later than any test lasts.
var never = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// claimed claims up to n events and returns their ids.
func claimed(t *testing.T, w *world, n int) []string {
	t.Helper()
	out, err := w.ClaimOutbox(t.Context(), n)
	must(t, err)
	var ids []string
	for _, o := range out {
		ids = append(ids, o.ID)
	}
	return ids
}

func outboxWithCommit(t *testing.T, w *world) {
	<-w.OutboxReady() // whatever an earlier process left
	for _, id := range []string{"1", "2", "3"} {
		w.do(t, func(ctx context.Context) error { store.Emit(ctx, event(id)); return nil })
	}
	ctx, _ := w.Begin(t.Context())
	store.Emit(ctx, event("never committed"))
	select {
	case <-w.OutboxReady():
	default:
		t.Error("the relay was not woken")
	}
	first, err := w.ClaimOutbox(t.Context(), 2)
	must(t, err)
	second, err := w.ClaimOutbox(t.Context(), 2)
	must(t, err)
	if len(first) != 2 || first[0].ID != "1" || first[1].ID != "2" || len(second) != 1 || second[0].ID != "3" {
		t.Fatalf("claimed %v, then %v", first, second)
	}
	if first[0].Seq >= first[1].Seq || first[1].Seq >= second[0].Seq {
		t.Error("sequence numbers do not grow")
	}
	want := event("1")
	got := first[0]
	if got.Stream != want.Stream || got.Type != want.Type || got.Account != want.Account || got.Time.IsZero() || string(got.Data) != string(want.Data) {
		t.Errorf("the event came as %+v", got.Event)
	}
	must(t, w.DoneOutbox(t.Context(), append(first, second...)))
	if got := claimed(t, w, 10); len(got) > 0 {
		t.Errorf("after done: %v", got)
	}
}

func outboxRelease(t *testing.T, w *world) {
	w.do(t, func(ctx context.Context) error {
		for _, id := range []string{"1", "2", "3"} {
			store.Emit(ctx, event(id))
		}
		return nil
	})
	out, err := w.ClaimOutbox(t.Context(), 10)
	must(t, err)
	must(t, w.DoneOutbox(t.Context(), out[1:2]))
	must(t, w.ReleaseOutbox(t.Context(), []store.Outgoing{out[0], out[2]}))
	if got := claimed(t, w, 10); !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("after the release: %v, want 1 and 3", got)
	}
}

func outboxSeveral(t *testing.T, w *world) {
	const n = 300
	for i := 0; i < n; i += 10 {
		w.do(t, func(ctx context.Context) error {
			for j := range 10 {
				store.Emit(ctx, event(name(i+j)))
			}
			return nil
		})
	}
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				out, err := w.ClaimOutbox(t.Context(), 7)
				if err != nil || len(out) == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				for _, o := range out {
					seen[o.ID]++
				}
				mu.Unlock()
				if err := w.DoneOutbox(t.Context(), out); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i := range n {
		if seen[name(i)] != 1 {
			t.Errorf("%s was claimed %d times", name(i), seen[name(i)])
		}
	}
}

func dueOrder(t *testing.T, w *world) {
	<-w.DueReady()
	now := time.Now()
	if _, some, err := w.NextDue(t.Context()); some || err != nil {
		t.Fatalf("an empty store has a due record, %v", err)
	}
	w.do(t, func(ctx context.Context) error {
		store.Schedule(ctx, store.Due{Kind: "k", ID: "late", Place: here, At: now.Add(time.Hour)})
		store.Schedule(ctx, store.Due{Kind: "k", ID: "second", Place: other, At: now.Add(-time.Second), Payload: []byte("p"), Attempt: 3})
		store.Schedule(ctx, store.Due{Kind: "k", ID: "first", Place: here, At: now.Add(-time.Minute)})
		return nil
	})
	select {
	case <-w.DueReady():
	default:
		t.Error("the scheduler was not woken")
	}
	next, some, err := w.NextDue(t.Context())
	if err != nil || !some || !next.Equal(now.Add(-time.Minute)) {
		t.Errorf("next is %v, %t, %v", next, some, err)
	}
	due, err := w.ClaimDue(t.Context(), now, time.Minute, 10)
	must(t, err)
	if len(due) != 2 || due[0].ID != "first" || due[1].ID != "second" {
		t.Fatalf("claimed %+v", due)
	}
	if d := due[1]; d.Kind != "k" || d.Place != other || string(d.Payload) != "p" || d.Attempt != 3 || !d.At.Equal(now.Add(-time.Second)) {
		t.Errorf("the record came as %+v", d)
	}
	again, err := w.ClaimDue(t.Context(), now, time.Minute, 10)
	if err != nil || len(again) > 0 {
		t.Errorf("claimed twice: %v, %v", again, err)
	}
	next, some, err = w.NextDue(t.Context())
	if err != nil || !some || !next.Equal(now.Add(time.Minute)) {
		t.Errorf("while leased, next is %v, %t, %v; want the lease's end", next, some, err)
	}
	again, err = w.ClaimDue(t.Context(), now.Add(time.Minute), time.Minute, 1)
	if err != nil || len(again) != 1 {
		t.Errorf("after the lease: %v, %v; want one", again, err)
	}
}

func dueFence(t *testing.T, w *world) {
	now := time.Now()
	w.do(t, func(ctx context.Context) error {
		store.Schedule(ctx, store.Due{Kind: "k", ID: "i", Place: here, At: now})
		return nil
	})
	claim := func(at time.Time) store.Due {
		t.Helper()
		due, err := w.ClaimDue(t.Context(), at, time.Minute, 1)
		if err != nil || len(due) != 1 {
			t.Fatalf("claim: %v, %v", due, err)
		}
		return due[0]
	}
	work := func(d store.Due, id string) error {
		ctx, u := w.Begin(t.Context())
		store.Complete(ctx, d)
		must(t, w.items().Put(ctx, id, &item{Name: id}))
		return u.Commit(ctx)
	}
	slow := claim(now)
	fast := claim(now.Add(2 * time.Minute)) // the first one's lease has ended
	wantErr(t, "complete after the lease", work(slow, "slow"), store.ErrConflict)
	tries := 0
	err := w.Update(t.Context(), func(ctx context.Context) error {
		tries++
		store.Complete(ctx, slow)
		return nil
	})
	if !errors.Is(err, store.ErrLost) || tries != 1 {
		t.Errorf("tried %d times: %v; want ErrLost at once", tries, err)
	}
	wantErr(t, "complete within the lease", work(fast, "fast"), nil)
	wantErr(t, "complete twice", work(fast, "again"), store.ErrConflict)
	page, err := w.items().Page(t.Context(), store.Range{})
	wantIDs(t, "work done", page, err, "fast")
	if _, some, err := w.NextDue(t.Context()); some || err != nil {
		t.Errorf("a completed record is still there, %v", err)
	}
}

func dueReplace(t *testing.T, w *world) {
	now := time.Now()
	schedule := func(at time.Time, attempt int) func(context.Context) error {
		return func(ctx context.Context) error {
			store.Schedule(ctx, store.Due{Kind: "k", ID: "i", Place: here, At: at, Attempt: attempt})
			return nil
		}
	}
	w.do(t, schedule(now, 1))
	due, err := w.ClaimDue(t.Context(), now, time.Minute, 1)
	must(t, err)
	w.do(t, schedule(now.Add(time.Hour), 2)) // replaced while being done
	err = func() error {
		ctx, u := w.Begin(t.Context())
		store.Complete(ctx, due[0])
		return u.Commit(ctx)
	}()
	wantErr(t, "complete what was replaced", err, store.ErrConflict)

	due, err = w.ClaimDue(t.Context(), now.Add(2*time.Hour), time.Minute, 1)
	must(t, err)
	w.do(t, func(ctx context.Context) error { // try again later
		store.Complete(ctx, due[0])
		return schedule(now.Add(3*time.Hour), due[0].Attempt+1)(ctx)
	})
	next, some, err := w.NextDue(t.Context())
	if err != nil || !some || !next.Equal(now.Add(3*time.Hour)) {
		t.Errorf("next is %v, %t, %v", next, some, err)
	}
	w.do(t, func(ctx context.Context) error {
		store.UnscheduleIn(ctx, other, "k", "i") // elsewhere
		store.UnscheduleIn(ctx, here, "k", "not there")
		return nil
	})
	if _, some, _ := w.NextDue(t.Context()); !some {
		t.Error("the record went with another one")
	}
	w.do(t, func(ctx context.Context) error { store.UnscheduleIn(ctx, here, "k", "i"); return nil })
	if _, some, err := w.NextDue(t.Context()); some || err != nil {
		t.Errorf("an unscheduled record is still there, %v", err)
	}
}

func dueSeveral(t *testing.T, w *world) {
	const n = 120
	now := time.Now()
	w.do(t, func(ctx context.Context) error {
		for i := range n {
			store.Schedule(ctx, store.Due{Kind: "k", ID: name(i), Place: here, At: now})
		}
		return nil
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				due, err := w.ClaimDue(t.Context(), now, time.Minute, 5)
				if err != nil || len(due) == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				for _, d := range due {
					ctx, u := w.Begin(t.Context())
					store.Complete(ctx, d)
					if err := w.items().Insert(ctx, d.ID, &item{Name: d.ID}); err != nil {
						t.Error(err)
					}
					if err := u.Commit(ctx); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	page, err := w.items().Page(t.Context(), store.Range{})
	if err != nil || len(page) != n {
		t.Errorf("%d of %d were done, %v", len(page), n, err)
	}
}

func watchChanges(t *testing.T, w *world) {
	var mu sync.Mutex
	var got []store.Change
	w.Watch("test.items", func(c store.Change) {
		mu.Lock()
		defer mu.Unlock()
		if c.ID != "" { // a backend may say at any time that it has missed something
			got = append(got, c)
		}
	})
	w.put(t, w.items(), item{Name: "a"})
	w.put(t, w.plain(), item{Name: "of another table"})
	w.do(t, func(ctx context.Context) error { return w.items().Delete(ctx, "a") })
	_ = w.Update(t.Context(), func(ctx context.Context) error {
		must(t, w.items().Put(ctx, "never", &item{}))
		return context.Canceled
	})
	want := store.Change{Table: "test.items", Place: here, ID: "a"}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(got, []store.Change{want, want}) {
		t.Errorf("heard %v", got)
	}
}
