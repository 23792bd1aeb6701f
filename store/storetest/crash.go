package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"sumun.dev/store"
)

const crashWriters = 4

// A step is what a writer's unit leaves: the row of its number, the writer's last
// number, an event, a due record and one moved between two sums, all or nothing.
type step struct{ N int }

func steps(s *store.Store) *store.Table[step] {
	return store.NewTable(s, "crash.steps", store.Index("even", func(v *step) []string { return []string{fmt.Sprint(v.N%2 == 0)} })).In(here)
}

func lasts(s *store.Store) *store.Table[step] { return store.NewTable[step](s, "crash.last").In(here) }

func stepID(writer, n int) string { return fmt.Sprintf("%d-%08d", writer, n) }

// CrashChild is what the process does that Crash kills: it commits units from
// several goroutines, publishes events to nowhere, and writes down on out what
// was acknowledged: "ack 2-00000017", and "out 2-00000017" before an event is
// forgotten. It returns only with an error.
func CrashChild(s *store.Store, out io.Writer) error {
	failed := make(chan error)
	for w := range crashWriters {
		go func() { failed <- crashWriter(s, out, w) }()
	}
	go func() { failed <- crashRelay(s, out) }()
	return <-failed
}

func crashWriter(s *store.Store, out io.Writer, w int) error {
	me := fmt.Sprint(w)
	for {
		var n int
		err := s.Update(context.Background(), func(ctx context.Context) error {
			last, err := lasts(s).Get(ctx, me)
			if errors.Is(err, store.ErrNotFound) {
				last, err = &step{}, nil
			}
			if err != nil {
				return err
			}
			last.N++
			n = last.N
			store.Emit(ctx, event(stepID(w, n)))
			store.Schedule(ctx, store.Due{Kind: "crash", ID: me, Place: here, At: never, Attempt: n})
			return errors.Join(
				lasts(s).Put(ctx, me, last),
				steps(s).Insert(ctx, stepID(w, n), &step{n}),
			)
		})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "ack %s\n", stepID(w, n)); err != nil {
			return err
		}
	}
}

func crashRelay(s *store.Store, out io.Writer) error {
	for {
		<-s.OutboxReady()
		events, err := s.ClaimOutbox(context.Background(), 3)
		if err != nil {
			return err
		}
		for _, e := range events {
			if _, err := fmt.Fprintf(out, "out %s\n", e.ID); err != nil {
				return err
			}
		}
		if err := s.DoneOutbox(context.Background(), events); err != nil {
			return err
		}
	}
}

// Crash starts a child that runs CrashChild on some data, kills it at a random
// moment and looks whether the data hold what the child wrote down: nothing
// acknowledged is lost, no unit is there by half. It does so again and again on
// the same data, as often as rounds says. open opens the data in this process.
func Crash(t *testing.T, seal store.Sealer, rounds int, child func() *exec.Cmd, open func() store.Backend) {
	book := &book{last: map[int]int{}, relayed: map[string]bool{}}
	total, kills := 0, 0
	// On a busy machine a child may be killed before it has done anything: such
	// kills show nothing, and more follow.
	for round := 0; round < rounds || total < rounds && round < 10*rounds; round++ {
		kills++
		lines := killed(t, child(), round%3 == 0)
		total += book.write(t, lines)
		b := open()
		book.audit(t, store.Open(b, seal))
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d kills, %d acknowledged units", kills, total)
	if total < rounds {
		t.Errorf("only %d units were acknowledged in %d rounds: this shows nothing", total, kills)
	}
}

// killed runs a child, kills it, and returns the lines it wrote. The moment is
// counted from the start, or from the first line.
func killed(t *testing.T, cmd *exec.Cmd, early bool) []string {
	t.Helper()
	var errs strings.Builder
	cmd.Stderr = &errs
	pipe, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var once sync.Once
	kill := func(within time.Duration) {
		once.Do(func() {
			go func() {
				time.Sleep(rand.N(within))
				_ = cmd.Process.Kill()
			}()
		})
	}
	if early {
		kill(80 * time.Millisecond)
	}
	var lines []string
	in := bufio.NewReader(pipe)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break // half a line was not written down
		}
		lines = append(lines, strings.TrimSpace(line))
		kill(30 * time.Millisecond)
	}
	_ = cmd.Wait()
	if errs.Len() > 0 {
		t.Fatalf("the child says: %s", errs.String())
	}
	return lines
}

// book is what the children wrote down.
type book struct {
	last    map[int]int     // the last acknowledged number of each writer
	relayed map[string]bool // events that were published
}

func (b *book) write(t *testing.T, lines []string) (acknowledged int) {
	t.Helper()
	for _, line := range lines {
		what, id, _ := strings.Cut(line, " ")
		var w, n int
		if _, err := fmt.Sscanf(id, "%d-%d", &w, &n); err != nil {
			t.Fatalf("the child wrote %q", line)
		}
		if what == "out" {
			b.relayed[id] = true
			continue
		}
		acknowledged++
		b.last[w] = max(b.last[w], n)
	}
	return acknowledged
}

// audit compares the store with the book.
func (b *book) audit(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	pending := map[string]bool{}
	out, err := s.ClaimOutbox(ctx, 1<<20)
	must(t, err)
	for _, o := range out {
		if pending[o.ID] {
			t.Errorf("event %s is there twice", o.ID)
		}
		pending[o.ID] = true
	}
	attempts := map[string]int{}
	dues, err := s.ClaimDue(ctx, never, 0, 100)
	must(t, err)
	for _, d := range dues {
		attempts[d.ID] = d.Attempt
	}
	for w := range crashWriters {
		me := fmt.Sprint(w)
		last, err := lasts(s).Get(ctx, me)
		if errors.Is(err, store.ErrNotFound) {
			last, err = &step{}, nil
		}
		must(t, err)
		if last.N < b.last[w] || last.N > b.last[w]+1 {
			t.Errorf("writer %d: %d acknowledged, %d in the store", w, b.last[w], last.N)
		}
		if attempts[me] != last.N {
			t.Errorf("writer %d: the due record is of unit %d, the row of unit %d", w, attempts[me], last.N)
		}
		b.last[w] = last.N // the one more was durable, only not yet acknowledged
		b.auditRows(t, s, w, last.N, pending)
	}
	for id := range pending {
		t.Errorf("event %s belongs to no row", id)
	}
}

// auditRows takes the events of a writer's rows out of pending.
func (b *book) auditRows(t *testing.T, s *store.Store, w, last int, pending map[string]bool) {
	t.Helper()
	n, byIndex := 0, 0
	for e, err := range steps(s).All(t.Context(), fmt.Sprint(w, "-")) {
		must(t, err)
		n++
		if e.ID != stepID(w, n) || e.Value.N != n {
			t.Errorf("writer %d: row %s in the place of number %d", w, e.ID, n)
		}
		if !pending[e.ID] && !b.relayed[e.ID] {
			t.Errorf("row %s has no event", e.ID)
		}
		delete(pending, e.ID)
	}
	for _, even := range []string{"true", "false"} {
		r := store.Range{Prefix: fmt.Sprint(w, "-"), Limit: 1000}
		for {
			page, err := steps(s).PageBy(t.Context(), "even", even, r)
			must(t, err)
			byIndex += len(page)
			if len(page) < r.Limit {
				break
			}
			r.After = page[len(page)-1].ID
		}
	}
	if n != last || byIndex != n {
		t.Errorf("writer %d: %d rows, %d by index, the last number is %d", w, n, byIndex, last)
	}
}
