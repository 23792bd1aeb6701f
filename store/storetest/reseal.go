package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sumun.dev/store"
)

// A ring is a sealer with several keys, made of one that need have no more than
// one: the key's name stands before what that one has sealed, and is bound to it.
type ring struct {
	store.Sealer
	mu      sync.Mutex
	keys    []string
	coming  []string // what Refresh will find
	current string
}

func newRing(s store.Sealer, keys ...string) *ring {
	return &ring{Sealer: s, keys: keys, current: keys[0]}
}

func (r *ring) Seal(plain, ad []byte) []byte {
	b, _ := r.SealUnder(r.Current(), plain, ad) // the current key is there
	return b
}

func (r *ring) SealUnder(id string, plain, ad []byte) ([]byte, error) {
	if !r.Knows(id) {
		return nil, fmt.Errorf("no key %s", id)
	}
	return append([]byte(id), r.Sealer.Seal(plain, append([]byte(id), ad...))...), nil
}

func (r *ring) Open(b, ad []byte) ([]byte, error) {
	id := r.KeyOf(b)
	if !r.Knows(id) {
		return nil, fmt.Errorf("no key %q", id)
	}
	return r.Sealer.Open(b[len(id):], append([]byte(id), ad...))
}

func (r *ring) KeyOf(b []byte) string {
	if len(b) < 4 || b[0] != 'k' {
		return ""
	}
	return string(b[:4])
}

func (r *ring) Current() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

func (r *ring) Knows(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.keys, id)
}

func (r *ring) Use(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = id
	return nil
}

func (r *ring) Refresh(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys, r.coming = append(r.keys, r.coming...), nil
	return nil
}

// comes has the next Refresh find a key.
func (r *ring) comes(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.coming = append(r.coming, id)
}

// ringed opens the world's store anew with a sealer that has these keys.
func (w *world) ringed(t *testing.T, keys ...string) *ring {
	t.Helper()
	r := newRing(w.seal, keys...)
	log := w.Log
	w.Store = store.Open(w.backend, r)
	w.Log = log
	must(t, w.CheckKey(t.Context()))
	return r
}

// reseal does all of it and returns in how many steps.
func (w *world) reseal(t *testing.T) int {
	t.Helper()
	for n := 1; ; n++ {
		done, err := w.Reseal(t.Context())
		must(t, err)
		if done {
			return n
		}
	}
}

// wantTally says how what the keys hold differs from what is wanted.
func (w *world) wantTally(t *testing.T, what string, want map[string]store.Held) {
	t.Helper()
	got, err := w.Tally(t.Context())
	must(t, err)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

// All of everything is sealed again, and reads as before with the new key alone.
func resealAll(t *testing.T, w *world) {
	w.listen()
	r := w.ringed(t, "k-01", "k-02")
	w.fill(t)
	// An event that opens and cannot be read: it is set aside sealed.
	doc, err := r.SealUnder("k-01", []byte("no JSON"), binding("outbox", "3"))
	must(t, err)
	must(t, w.backend.Commit(t.Context(), &store.Batch{Outbox: []store.Record{{ID: "3", Doc: doc}}}))
	out, err := w.ClaimOutbox(t.Context(), 10)
	must(t, err)
	must(t, w.ReleaseOutbox(t.Context(), out))
	if len(w.aside(t)) != 1 {
		t.Fatal("nothing was set aside")
	}
	all := store.Held{Rows: 39, Events: 2, Due: 1, Notes: 3}
	w.wantTally(t, "before", map[string]store.Held{"k-01": all})

	must(t, w.Rekey(t.Context(), "k-02"))
	if now, err := w.RootKeys(t.Context()); err != nil || now.Current != "k-02" || now.Since["k-02"].IsZero() || now.Since["k-01"].IsZero() || !now.Resealed.IsZero() {
		t.Errorf("the change has begun: %+v, %v", now, err)
	}
	w.reseal(t)
	if now, err := w.RootKeys(t.Context()); err != nil || now.Resealed.IsZero() {
		t.Errorf("the change is done: %+v, %v", now, err)
	}
	w.wantTally(t, "after", map[string]store.Held{"k-02": all})
	w.ringed(t, "k-02")
	wantFilled(t, w)
	must(t, w.Rekey(t.Context(), "k-02")) // is nothing
	if done, err := w.Reseal(t.Context()); !done || err != nil {
		t.Errorf("once more: %t, %v", done, err)
	}
}

// binding is what the store binds its parts with.
func binding(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, 0, 0, 0, byte(len(p)))
		b = append(b, p...)
	}
	return b
}

// What a unit has read, and who has claimed what, does not notice.
func resealUnnoticed(t *testing.T, w *world) {
	w.ringed(t, "k-01", "k-02")
	w.put(t, w.items(), item{Name: "a", Count: 1, Tags: []string{"x"}})
	w.do(t, func(ctx context.Context) error {
		store.Emit(ctx, event("1"))
		store.Schedule(ctx, store.Due{Kind: "k", ID: "i", Place: here, At: time.Now().Add(-time.Second)})
		return nil
	})
	out, err := w.ClaimOutbox(t.Context(), 1)
	must(t, err)
	due, err := w.ClaimDue(t.Context(), time.Now(), time.Minute, 1)
	must(t, err)
	ctx, u := w.Begin(t.Context())
	if _, err := w.items().Get(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if page, err := w.items().PageBy(ctx, "tag", "x", store.Range{}); err != nil || len(page) != 1 {
		t.Fatalf("%d rows, %v", len(page), err)
	}
	must(t, w.items().Put(ctx, "b", &item{Name: "b"}))
	store.Emit(ctx, event("2"))
	store.Schedule(ctx, store.Due{Kind: "k", ID: "j", Place: here, At: never})
	store.Complete(ctx, due[0])

	must(t, w.Rekey(t.Context(), "k-02"))
	w.reseal(t)
	if err := u.Commit(ctx); err != nil {
		t.Errorf("a unit from before commits: %v", err)
	}
	// What it emitted and scheduled before the change is sealed as of its commit.
	w.wantTally(t, "after", map[string]store.Held{"k-02": {Rows: 2, Events: 2, Due: 1, Notes: 2}})
	must(t, w.DoneOutbox(t.Context(), out))
	if out, err := w.ClaimOutbox(t.Context(), 10); err != nil || len(out) != 1 || out[0].ID != "2" {
		t.Errorf("claimed %v, %v", out, err)
	}
}

// It goes on where another process has ended.
func resealResumes(t *testing.T, w *world) {
	w.ringed(t, "k-01", "k-02")
	const n = 350
	w.do(t, func(ctx context.Context) error {
		for i := range n {
			if err := w.items().Put(ctx, name(i), &item{Name: name(i)}); err != nil {
				return err
			}
		}
		return nil
	})
	must(t, w.Rekey(t.Context(), "k-02"))
	if done, err := w.Reseal(t.Context()); done || err != nil {
		t.Fatalf("the first step: %t, %v", done, err)
	}
	before, err := w.Tally(t.Context())
	must(t, err)
	if before["k-01"].Rows == 0 || before["k-02"].Rows == 0 {
		t.Fatalf("after the first step: %+v", before)
	}
	if w.again != nil {
		w.backend = w.again()
	}
	w.ringed(t, "k-01", "k-02")
	w.reseal(t)
	w.wantTally(t, "after", map[string]store.Held{"k-02": {Rows: n, Notes: 2}})
}

// Nothing is sealed under the old key once the change is made, whoever writes
// meanwhile, and nothing of what is written is lost.
func resealRaces(t *testing.T, w *world) {
	w.ringed(t, "k-01", "k-02", "k-03")
	table := w.items()
	const writers, rows = 4, 60
	for i := range writers {
		w.do(t, func(ctx context.Context) error {
			for j := range rows {
				must(t, table.Put(ctx, fmt.Sprintf("%d-%d", i, j), &item{}))
			}
			return nil
		})
	}
	stop := make(chan struct{})
	var busy sync.WaitGroup
	counts := make([][rows]int, writers)
	for i := range writers {
		busy.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				j := n % rows
				id := fmt.Sprintf("%d-%d", i, j)
				err := w.Update(t.Context(), func(ctx context.Context) error {
					v, err := table.Get(ctx, id)
					if err != nil {
						return err
					}
					v.Count++
					store.Emit(ctx, event(fmt.Sprintf("%d-%d", i, n)))
					store.Schedule(ctx, store.Due{Kind: "k", ID: id, Place: here, At: never})
					return table.Put(ctx, id, v)
				})
				if err != nil {
					t.Error(err)
					return
				}
				counts[i][j]++
			}
		})
	}
	busy.Go(func() { // a relay
		for {
			select {
			case <-stop:
				return
			default:
			}
			out, err := w.ClaimOutbox(t.Context(), 7)
			if err == nil {
				err = w.DoneOutbox(t.Context(), out)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	for _, key := range []string{"k-02", "k-03"} {
		must(t, w.Rekey(t.Context(), key))
		w.reseal(t)
		tally, err := w.Tally(t.Context())
		must(t, err)
		if len(tally) != 1 || tally[key].Damaged != 0 {
			t.Errorf("after %s: %+v", key, tally)
		}
	}
	close(stop)
	busy.Wait()
	for i := range writers {
		for j := range rows {
			id := fmt.Sprintf("%d-%d", i, j)
			if v, err := table.Get(t.Context(), id); err != nil || v.Count != counts[i][j] {
				t.Errorf("%s: %+v, %v; want %d", id, v, err, counts[i][j])
			}
		}
	}
}

// An overtaken backend has something happen before it first reads a part of what is
// to be sealed again.
type overtaken struct {
	store.Backend
	part store.Part
	by   func()
}

func (o *overtaken) Sealed(ctx context.Context, at store.Cursor, limit int) ([]store.Item, error) {
	if by := o.by; by != nil && at.Part == o.part {
		o.by = nil
		by()
	}
	return o.Backend.Sealed(ctx, at, limit)
}

// A process that is still busy with one change while another makes the next undoes
// nothing of it: neither what is sealed under the newest key, nor that it is current.
func resealOvertaken(t *testing.T, w *world) {
	keys := []string{"k-01", "k-02", "k-03", "k-04", "k-05", "k-06", "k-07"}
	w.ringed(t, keys...)
	w.put(t, w.items(), item{Name: "a"}, item{Name: "b"})
	for i, part := range []store.Part{store.SealedRows, store.SealedOutbox, store.SealedFacts} {
		last, next := keys[2*i+1], keys[2*i+2]
		must(t, w.Rekey(t.Context(), last))
		late := &overtaken{Backend: w.backend, part: part, by: func() {
			must(t, w.Rekey(t.Context(), next))
			w.reseal(t)
		}}
		behind := store.Open(late, newRing(w.seal, keys...))
		must(t, behind.CheckKey(t.Context()))
		done := false
		for n := 0; late.by != nil && n < 10; n++ {
			var err error
			if done, err = behind.Reseal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if now, err := w.RootKeys(t.Context()); done || err != nil || now.Current != next || now.Resealed.IsZero() {
			t.Errorf("part %d: %t, %+v, %v; want %s", part, done, now, err, next)
		}
		w.wantTally(t, "after", map[string]store.Held{next: {Rows: 2, Notes: 2}})
	}
}

// A process that does not have the new key does nothing until it has, and takes
// nothing for damaged.
func resealWithoutTheKey(t *testing.T, w *world) {
	said := w.listen()
	w.ringed(t, "k-01", "k-02")
	old := newRing(w.seal, "k-01")
	behind := store.Open(w.backend, old)
	behind.Log = w.Log
	must(t, behind.CheckKey(t.Context()))
	w.put(t, w.items(), item{Name: "a"})
	must(t, w.Rekey(t.Context(), "k-02"))
	w.do(t, func(ctx context.Context) error {
		store.Emit(ctx, event("1"))
		store.Schedule(ctx, store.Due{Kind: "k", ID: "i", Place: here, At: time.Now().Add(-time.Second)})
		return w.items().Put(ctx, "a", &item{Name: "a", Count: 2})
	})
	items := store.NewTable[item](behind, "test.items").In(here)
	_, err := items.Get(t.Context(), "a")
	wantErr(t, "read", err, store.ErrNoKey)
	// It does not know of the change: it claims, and finds what it cannot open.
	if out, err := behind.ClaimOutbox(t.Context(), 1); len(out) > 0 || err != nil {
		t.Errorf("claimed %v, %v", out, err)
	}
	wantErr(t, "write", behind.Update(t.Context(), func(ctx context.Context) error {
		return items.Put(ctx, "b", &item{Name: "b"})
	}), store.ErrNoKey)
	wantErr(t, "in touch", behind.InTouch(), store.ErrNoKey)
	_, err = behind.ClaimDue(t.Context(), time.Now(), time.Minute, 1)
	wantErr(t, "claim due work", err, store.ErrNoKey)
	_, err = behind.ClaimOutbox(t.Context(), 1)
	wantErr(t, "claim events", err, store.ErrNoKey)
	if kept := w.aside(t); len(kept) > 0 {
		t.Errorf("set aside %q", kept)
	}
	if !strings.Contains(said.String(), "k-02") {
		t.Errorf("nothing names the key: %s", said)
	}

	old.comes("k-02")
	must(t, behind.Follow(t.Context()))
	must(t, behind.InTouch())
	if v, err := items.Get(t.Context(), "a"); err != nil || v.Count != 2 {
		t.Errorf("with the key: %v, %v", v, err)
	}
	out, err := behind.ClaimOutbox(t.Context(), 10)
	if err != nil || len(out) != 1 || out[0].ID != "1" {
		t.Errorf("claimed %v, %v", out, err)
	}
	due, err := behind.ClaimDue(t.Context(), time.Now(), time.Minute, 1)
	if err != nil || len(due) != 1 {
		t.Errorf("claimed %v, %v", due, err)
	}
	must(t, behind.Update(t.Context(), func(ctx context.Context) error { return items.Put(ctx, "b", &item{Name: "b"}) }))
	row, err := w.backend.Get(t.Context(), store.Key{Table: "test.items", Place: here, ID: "b"})
	if err != nil || old.KeyOf(row.Doc) != "k-02" {
		t.Errorf("sealed under %s, %v", old.KeyOf(row.Doc), err)
	}
}

// Work that was claimed under a key that is not here waits for it, also when the
// current key is here.
func resealWaits(t *testing.T, w *world) {
	w.listen()
	w.ringed(t, "k-01", "k-02")
	begin := time.Now()
	w.do(t, func(ctx context.Context) error {
		store.Emit(ctx, event("1"))
		store.Schedule(ctx, store.Due{Kind: "k", ID: "i", Place: here, At: begin})
		return nil
	})
	must(t, w.Rekey(t.Context(), "k-02"))
	only := newRing(w.seal, "k-02")
	later := store.Open(w.backend, only)
	later.Log = w.Log
	must(t, later.CheckKey(t.Context()))
	if out, err := later.ClaimOutbox(t.Context(), 1); len(out) > 0 || err != nil {
		t.Errorf("claimed %v, %v", out, err)
	}
	if due, err := later.ClaimDue(t.Context(), begin.Add(time.Second), time.Minute, 1); len(due) > 0 || err != nil {
		t.Errorf("claimed %v, %v", due, err)
	}
	if kept := w.aside(t); len(kept) > 0 {
		t.Fatalf("set aside %q", kept)
	}
	only.comes("k-01")
	must(t, only.Refresh(t.Context()))
	must(t, later.Follow(t.Context()))
	if out, err := later.ClaimOutbox(t.Context(), 1); err != nil || len(out) != 1 || out[0].ID != "1" {
		t.Errorf("claimed %v, %v", out, err)
	}
	if due, err := later.ClaimDue(t.Context(), begin.Add(2*time.Minute), time.Minute, 1); err != nil || len(due) != 1 {
		t.Errorf("claimed %v, %v", due, err)
	}
}

// A process that has the current key and not the one before does not say that all is
// sealed again; nor does it take what it cannot open for damaged. What names a key that
// nothing needed any more is.
func resealNeedsTheOldKey(t *testing.T, w *world) {
	w.listen()
	both := w.ringed(t, "k-01", "k-02", "k-03")
	w.put(t, w.items(), item{Name: "a"})
	must(t, w.Rekey(t.Context(), "k-02"))
	must(t, w.Rekey(t.Context(), "k-03")) // before all was sealed again
	only := newRing(w.seal, "k-03")
	late := store.Open(w.backend, only)
	must(t, late.CheckKey(t.Context()))
	var done bool
	var err error
	for n := 0; err == nil && !done && n < 10; n++ {
		done, err = late.Reseal(t.Context())
	}
	wantErr(t, "without the old key", err, store.ErrNoKey)
	if now, err := w.RootKeys(t.Context()); err != nil || !now.Resealed.IsZero() {
		t.Errorf("%+v, %v", now, err)
	}
	w.reseal(t)
	w.wantTally(t, "with the old key", map[string]store.Held{"k-03": {Rows: 1, Notes: 2}})

	doc, err := both.SealUnder("k-01", []byte("x"), []byte("elsewhere"))
	must(t, err)
	must(t, w.backend.Commit(t.Context(), &store.Batch{Writes: []store.Write{{Key: store.Key{Table: "test.damaged", Place: here, ID: "b"}, Doc: doc}}}))
	w.ringed(t, "k-03", "k-04") // the others were dropped
	must(t, w.Rekey(t.Context(), "k-04"))
	w.reseal(t)
	if now, err := w.RootKeys(t.Context()); err != nil || now.Resealed.IsZero() {
		t.Errorf("what is damaged holds the next change up: %+v, %v", now, err)
	}
}

// What is damaged stays as it is, is counted as such, and holds nothing up.
func resealDamaged(t *testing.T, w *world) {
	r := w.ringed(t, "k-01", "k-02")
	w.put(t, w.items(), item{Name: "a"}, item{Name: "c"})
	doc, err := r.SealUnder("k-01", []byte("x"), []byte("elsewhere"))
	must(t, err)
	key := store.Key{Table: "test.items", Place: here, ID: "b"}
	must(t, w.backend.Commit(t.Context(), &store.Batch{
		Writes: []store.Write{{Key: key, Doc: doc}, {Key: store.Key{Table: "test.items", Place: here, ID: "d"}, Doc: []byte("not sealed")}},
	}))
	must(t, w.Rekey(t.Context(), "k-02"))
	w.reseal(t)
	w.wantTally(t, "after", map[string]store.Held{
		"":     {Damaged: 1},
		"k-01": {Damaged: 1},
		"k-02": {Rows: 2, Notes: 2},
	})
	if row, err := w.backend.Get(t.Context(), key); err != nil || !bytes.Equal(row.Doc, doc) {
		t.Errorf("the damaged row was changed, %v", err)
	}
	if _, err := w.items().Get(t.Context(), "b"); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("the damaged row reads: %v", err)
	}
}

// A backup from before the change restores as long as its key is there, and then
// needs that key no more.
func resealRestored(t *testing.T, w *world) {
	w.ringed(t, "k-01", "k-02")
	w.fill(t)
	var file bytes.Buffer
	must(t, store.Dump(t.Context(), w.backend, &file))

	copied := w.fresh(t)
	empty := copied.backend
	err := store.Restore(t.Context(), empty, newRing(w.seal, "k-02"), bytes.NewReader(file.Bytes()))
	wantErr(t, "without its key", err, store.ErrWrongKey)
	if err != nil && !strings.Contains(err.Error(), "k-01") {
		t.Errorf("the error names no key: %v", err)
	}
	if fresh, err := store.Fresh(t.Context(), empty); err != nil || !fresh {
		t.Errorf("something was loaded, %v", err)
	}
	must(t, store.Restore(t.Context(), empty, newRing(w.seal, "k-02", "k-01"), bytes.NewReader(file.Bytes())))
	copied.ringed(t, "k-02")
	wantFilled(t, copied)
	copied.wantTally(t, "restored", map[string]store.Held{"k-02": {Rows: 39, Events: 2, Due: 1, Notes: 2}})
	if done, err := copied.Reseal(t.Context()); !done || err != nil {
		t.Errorf("there is still something to do: %t, %v", done, err)
	}
}

// What is damaged and names a key that was dropped, since nothing needs it, does not
// keep a backup from being restored.
func resealRestoredDamaged(t *testing.T, w *world) {
	w.listen()
	r := w.ringed(t, "k-01", "k-02")
	w.fill(t)
	doc, err := r.SealUnder("k-01", []byte("x"), []byte("elsewhere"))
	must(t, err)
	key := store.Key{Table: "test.damaged", Place: here, ID: "damaged"}
	must(t, w.backend.Commit(t.Context(), &store.Batch{
		Writes: []store.Write{{Key: key, Doc: doc}}, Outbox: []store.Record{{ID: "damaged", Doc: doc}},
	}))
	out, err := w.ClaimOutbox(t.Context(), 10)
	must(t, err)
	must(t, w.ReleaseOutbox(t.Context(), out))
	if len(w.aside(t)) != 1 {
		t.Fatal("nothing was set aside")
	}
	must(t, w.Rekey(t.Context(), "k-02"))
	restore := func(keys ...string) (*world, error) {
		var file bytes.Buffer
		must(t, store.Dump(t.Context(), w.backend, &file))
		copied := w.fresh(t)
		return copied, store.Restore(t.Context(), copied.backend, newRing(w.seal, keys...), &file)
	}
	_, err = restore("k-02")
	wantErr(t, "before all is sealed again", err, store.ErrWrongKey)
	w.reseal(t)
	copied, err := restore("k-02")
	must(t, err)
	copied.ringed(t, "k-02")
	wantFilled(t, copied)
	if row, err := copied.backend.Get(t.Context(), key); err != nil || !bytes.Equal(row.Doc, doc) {
		t.Errorf("the damaged row was changed, %v", err)
	}
	if kept := copied.aside(t); len(kept) != 1 {
		t.Errorf("set aside: %q", kept)
	}
}
