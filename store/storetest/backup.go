package storetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sumun.dev/store"
)

// fill commits some of everything.
func (w *world) fill(t *testing.T) {
	t.Helper()
	must(t, w.CheckKey(t.Context()))
	w.do(t, func(ctx context.Context) error {
		for i := range 20 {
			must(t, w.items().Put(ctx, name(i), &item{Name: name(i), Count: i, Tags: []string{"x"}}))
			must(t, w.items().In(other).Put(ctx, name(i), &item{Name: name(i), Count: -i}))
		}
		store.Emit(ctx, event("1"))
		store.Emit(ctx, event("2"))
		store.Schedule(ctx, store.Due{Kind: "k", ID: "i", Place: here, At: never, Payload: []byte("p"), Attempt: 2})
		return nil
	})
	w.do(t, func(ctx context.Context) error { return w.items().Delete(ctx, name(3)) })
}

// wantFilled says how the store differs from what fill has left.
func wantFilled(t *testing.T, w *world) {
	t.Helper()
	must(t, w.CheckKey(t.Context()))
	page, err := w.items().Page(t.Context(), store.Range{})
	if err != nil || len(page) != 19 || page[18].Value.Count != 19 {
		t.Errorf("%d rows, %v", len(page), err)
	}
	page, err = w.items().PageBy(t.Context(), "tag", "x", store.Range{})
	if err != nil || len(page) != 19 {
		t.Errorf("%d rows by index, %v", len(page), err)
	}
	if got, err := w.items().In(other).Get(t.Context(), name(7)); err != nil || got.Count != -7 {
		t.Errorf("in another account: %v, %v", got, err)
	}
	if next, some, err := w.NextDue(t.Context()); err != nil || !some || !next.Equal(never) {
		t.Errorf("next due %v, %t, %v", next, some, err)
	}
	out, err := w.ClaimOutbox(t.Context(), 10)
	if err != nil || len(out) != 2 || out[0].ID != "1" || out[1].ID != "2" {
		t.Errorf("outbox: %v, %v", out, err)
	}
	must(t, w.ReleaseOutbox(t.Context(), out))
}

func reopened(t *testing.T, w *world) {
	if w.again == nil {
		t.Skip("this backend keeps nothing")
	}
	w.fill(t)
	if _, err := w.ClaimOutbox(t.Context(), 1); err != nil { // dies with the process
		t.Fatal(err)
	}
	key := store.Key{Table: "test.items", Place: here, ID: name(5)}
	before, err := w.backend.Get(t.Context(), key)
	must(t, err)
	w.backend = w.again()
	w.Store = store.Open(w.backend, w.seal)
	page, err := w.items().Page(t.Context(), store.Range{})
	if err != nil || len(page) != 19 {
		t.Errorf("%d rows, %v", len(page), err)
	}
	w.put(t, w.items(), item{Name: name(5)})
	after, err := w.backend.Get(t.Context(), key)
	if err != nil || after.Rev <= before.Rev {
		t.Errorf("revision %d, then %d, %v", before.Rev, after.Rev, err)
	}
}

func (w *world) dump(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, store.Dump(t.Context(), w.backend, &b))
	return b.Bytes()
}

// fresh is another, empty store of the same kind.
func (w *world) fresh(t *testing.T) *world {
	t.Helper()
	to := &world{seal: w.seal, open: w.open}
	to.backend, to.again = w.open(t)
	to.Store = store.Open(to.backend, w.seal)
	return to
}

func dumpRoundTrip(t *testing.T, w *world) {
	w.fill(t)
	file := w.dump(t)
	key := store.Key{Table: "test.items", Place: here, ID: name(5)}
	old, err := w.backend.Get(t.Context(), key)
	must(t, err)

	to := w.fresh(t)
	err = store.Restore(t.Context(), to.backend, flip{w.seal}, bytes.NewReader(file))
	wantErr(t, "restore with another key", err, store.ErrWrongKey)
	must(t, store.Restore(t.Context(), to.backend, w.seal, bytes.NewReader(file)))
	wantFilled(t, to)
	if again := to.dump(t); !bytes.Equal(again, file) {
		t.Errorf("the copy's dump differs: %d bytes, %d before", len(again), len(file))
	}
	to.put(t, to.items(), item{Name: name(5)})
	if row, err := to.backend.Get(t.Context(), key); err != nil || row.Rev <= old.Rev {
		t.Errorf("the copy uses revision %d after %d, %v", row.Rev, old.Rev, err)
	}
	to.do(t, func(ctx context.Context) error { store.Emit(ctx, event("3")); return nil })
	if got := claimed(t, to, 10); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("the copy's outbox: %v", got)
	}
}

// dumpOneInstant dumps while units move one between two rows.
func dumpOneInstant(t *testing.T, w *world) {
	table := w.plain()
	must(t, w.CheckKey(t.Context()))
	w.put(t, table, item{Name: "a", Count: 50}, item{Name: "z", Count: 50})
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			err := w.Update(context.Background(), func(ctx context.Context) error {
				a, err := table.Get(ctx, "a")
				if err != nil {
					return err
				}
				z, err := table.Get(ctx, "z")
				if err != nil {
					return err
				}
				a.Count--
				z.Count++
				store.Emit(ctx, event(fmt.Sprint("moved to ", a.Count)))
				return errors.Join(table.Put(ctx, "a", a), table.Put(ctx, "z", z))
			})
			if err != nil {
				stopped <- err
				return
			}
		}
	}()
	for range 5 {
		time.Sleep(5 * time.Millisecond)
		file := w.dump(t)
		to := w.fresh(t)
		must(t, store.Load(t.Context(), to.backend, bytes.NewReader(file)))
		a, err := to.plain().Get(t.Context(), "a")
		must(t, err)
		z, err := to.plain().Get(t.Context(), "z")
		must(t, err)
		out, err := to.ClaimOutbox(t.Context(), 1<<20)
		if a.Count+z.Count != 100 || len(out) != 50-a.Count || err != nil {
			t.Errorf("a %d, z %d, %d events, %v: not one instant", a.Count, z.Count, len(out), err)
		}
	}
	close(stop)
	must(t, <-stopped)
}

func dumpDamaged(t *testing.T, w *world) {
	w.fill(t)
	file := w.dump(t)
	to := w.fresh(t)
	refused := func(what string, b []byte) {
		t.Helper()
		err := store.Load(t.Context(), to.backend, bytes.NewReader(b))
		wantErr(t, what, err, store.ErrBackup)
		if fresh, err := store.Fresh(t.Context(), to.backend); err != nil || !fresh {
			t.Fatalf("%s: something was kept, %v", what, err)
		}
	}
	for i := 0; i < len(file); i += 1 + len(file)/50 {
		bad := bytes.Clone(file)
		bad[i] ^= 0x20
		refused(fmt.Sprint("byte ", i, " changed"), bad)
		refused(fmt.Sprint("cut at ", i), file[:i])
	}
	refused("a byte longer", append(bytes.Clone(file), 0))
	refused("a length that lies", binary.AppendUvarint([]byte("SUMUNBK1"), 1<<27))
	must(t, store.Load(t.Context(), to.backend, bytes.NewReader(file)))
	wantFilled(t, to)
}

func dumpIntoFull(t *testing.T, w *world) {
	w.fill(t)
	file := w.dump(t)
	wantErr(t, "into itself", store.Load(t.Context(), w.backend, bytes.NewReader(file)), store.ErrNotEmpty)
	wantFilled(t, w)
}
