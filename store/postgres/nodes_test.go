package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/postgres"
	"sumun.dev/store/postgres/postgrestest"
)

type doc struct{ N int }

var place = store.Place{Account: "111122223333", Region: "eu-central-1"}

func docs(s *store.Store) *store.Table[doc] {
	return store.NewTable(s, "docs", store.Index("even", func(d *doc) []string { return []string{fmt.Sprint(d.N%2 == 0)} })).In(place)
}

// nodes opens several stores on one schema.
func nodes(t *testing.T, n int) ([]*store.Store, string) {
	t.Helper()
	url := postgrestest.Schema(t)
	root := seal.NewRoot(seal.GenerateKey())
	all := make([]*store.Store, n)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { // at once: they migrate at the same time
			b, err := postgres.Open(context.Background(), url)
			if err != nil {
				t.Error(err)
				return
			}
			all[i] = store.Open(b, root)
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	t.Cleanup(func() {
		for _, s := range all {
			s.Close()
		}
	})
	return all, url
}

// TestNodesCountTogether has several nodes count one row and keep a limit: no
// count is lost, and nobody slips past the limit.
func TestNodesCountTogether(t *testing.T) {
	all, _ := nodes(t, 3)
	const callers, each, most = 3, 10, 12
	var mu sync.Mutex
	counted := 0
	var wg sync.WaitGroup
	for n, s := range all {
		for c := range callers {
			wg.Go(func() {
				for i := range each {
					err := s.Update(t.Context(), func(ctx context.Context) error {
						d, err := docs(s).Get(ctx, "count")
						if errors.Is(err, store.ErrNotFound) {
							d, err = &doc{}, nil
						}
						if err != nil {
							return err
						}
						d.N += 2
						return docs(s).Put(ctx, "count", d)
					})
					if err == nil {
						mu.Lock()
						counted += 2
						mu.Unlock()
					} else if !errors.Is(err, store.ErrConflict) {
						t.Error(err)
					}
					err = s.Update(t.Context(), func(ctx context.Context) error {
						page, err := docs(s).PageBy(ctx, "even", "false", store.Range{})
						if err != nil || len(page) >= most {
							return err
						}
						return docs(s).Insert(ctx, fmt.Sprint(n, c, i), &doc{1})
					})
					if err != nil && !errors.Is(err, store.ErrConflict) {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	d, err := docs(all[0]).Get(t.Context(), "count")
	if err != nil || d.N != counted || counted == 0 {
		t.Errorf("counted %d, the row says %v, %v", counted, d, err)
	}
	page, err := docs(all[1]).PageBy(t.Context(), "even", "false", store.Range{})
	if err != nil || len(page) != most {
		t.Errorf("%d rows, %v; want %d", len(page), err, most)
	}
}

// TestNodesHear has one node commit, and the other hear of row, event and due
// record.
func TestNodesHear(t *testing.T) {
	all, _ := nodes(t, 2)
	heard := make(chan store.Change, 100)
	all[1].Watch("docs", func(c store.Change) { heard <- c })
	want := store.Change{Table: "docs", Place: place, ID: "a"}
	listening(t, all[0], heard)
	drain(all[1])
	err := all[0].Update(t.Context(), func(ctx context.Context) error {
		store.Schedule(ctx, store.Due{Kind: "k", ID: "i", Place: place, At: time.Now()})
		return docs(all[0]).Put(ctx, "a", &doc{1})
	})
	if err != nil {
		t.Fatal(err)
	}
	if c := next(t, heard); c != want {
		t.Errorf("heard %v, want %v", c, want)
	}
	select {
	case <-all[1].DueReady():
	case <-time.After(10 * time.Second):
		t.Error("the other node's scheduler was not woken")
	}

	// More than a notification holds: the table is named.
	err = all[0].Update(t.Context(), func(ctx context.Context) error {
		for i := range 500 {
			if err := docs(all[0]).Put(ctx, fmt.Sprint(strings.Repeat("x", 50), i), &doc{1}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if c := next(t, heard); c != (store.Change{Table: "docs"}) {
		t.Errorf("heard %v, want the table", c)
	}
}

// listening changes a row until the other node hears of it.
func listening(t *testing.T, s *store.Store, heard <-chan store.Change) {
	t.Helper()
	for range 200 {
		err := s.Update(t.Context(), func(ctx context.Context) error { return docs(s).Put(ctx, "warm", &doc{1}) })
		if err != nil {
			t.Fatal(err)
		}
		select {
		case c := <-heard:
			if c.ID == "warm" {
				return
			}
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("the node does not listen")
}

// next is the next change but those that listening made.
func next(t *testing.T, heard <-chan store.Change) store.Change {
	t.Helper()
	for {
		select {
		case c := <-heard:
			if c.ID != "warm" {
				return c
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the other node heard nothing")
		}
	}
}

func drain(s *store.Store) {
	for {
		select {
		case <-s.DueReady():
		case <-s.OutboxReady():
		default:
			return
		}
	}
}

// TestNodesShareTheOutbox has two relays: each event goes through one of them,
// and those of a node that has died through the other.
func TestNodesShareTheOutbox(t *testing.T) {
	all, url := nodes(t, 2)
	err := all[0].Update(t.Context(), func(ctx context.Context) error {
		for i := range 100 {
			store.Emit(ctx, event(fmt.Sprint(i)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for _, s := range all {
		wg.Go(func() {
			for {
				out, err := s.ClaimOutbox(t.Context(), 9)
				if err != nil || len(out) == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				for _, o := range out {
					if seen[o.ID]++; o.Again {
						t.Errorf("event %s was not claimed before", o.ID)
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for i := range 100 {
		if seen[fmt.Sprint(i)] != 1 {
			t.Errorf("event %d was claimed %d times", i, seen[fmt.Sprint(i)])
		}
	}
	expire(t, url) // as after the lease: nobody said that they were published
	out, err := all[1].ClaimOutbox(t.Context(), 200)
	if err != nil || len(out) != 100 {
		t.Errorf("%d events were claimed again, %v", len(out), err)
	}
	if slices.ContainsFunc(out, func(o store.Outgoing) bool { return !o.Again }) {
		t.Error("nobody says that the spine may have them")
	}
}

// TestServerComesBack cuts all connections: the next unit goes through.
func TestServerComesBack(t *testing.T) {
	url := postgrestest.Schema(t)
	b := open(t, url+"&application_name=sumun_test_cut")
	t.Cleanup(func() { b.Close() })
	s := store.Open(b, seal.NewRoot(seal.GenerateKey()))
	put := func(id string) error {
		return s.Update(t.Context(), func(ctx context.Context) error { return docs(s).Put(ctx, id, &doc{1}) })
	}
	if err := put("a"); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, url)
	var cut int
	err := conn.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE application_name = 'sumun_test_cut'`).Scan(&cut)
	if err == nil && cut < 2 {
		t.Errorf("%d connections were cut, want those of writer and listener at least", cut)
	}
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for err = put("b"); err != nil && time.Now().Before(deadline); err = put("b") {
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		t.Errorf("after the connections were cut: %v", err)
	}
	if _, err := docs(s).Get(t.Context(), "a"); err != nil {
		t.Error(err)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// expire ends all leases of the outbox, as time would.
func expire(t *testing.T, url string) {
	t.Helper()
	if _, err := connect(t, url).Exec(t.Context(), `UPDATE outbox SET leased = 1`); err != nil {
		var missing interface{ SQLState() string }
		if errors.As(err, &missing) && missing.SQLState() == "42P01" {
			return // killed before the tables were made
		}
		t.Fatal(err)
	}
}

func event(id string) aws.Event {
	return aws.Event{Stream: "test", ID: id, Account: place.Account, Region: place.Region}
}
