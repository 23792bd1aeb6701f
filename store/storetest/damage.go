package storetest

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// listen collects what the store says of damage.
func (w *world) listen() *bytes.Buffer {
	var said bytes.Buffer
	w.Log = slog.New(slog.NewTextHandler(&said, nil))
	return &said
}

// aside returns the names of the facts that keep damaged records.
func (w *world) aside(t *testing.T) (names []string) {
	t.Helper()
	must(t, w.backend.Dump(t.Context(), func(i store.Item) error {
		if i.Fact != nil && strings.HasPrefix(i.Fact.Name, "aside/") {
			names = append(names, i.Fact.Name)
		}
		return nil
	}))
	return names
}

// One event that cannot be read does not hold up those behind it.
func outboxDamaged(t *testing.T, w *world) {
	said := w.listen()
	emit := func(id string) {
		w.do(t, func(ctx context.Context) error {
			store.Emit(ctx, aws.Event{Stream: aws.TrailStream, ID: id, Account: "111122223333"})
			return nil
		})
	}
	emit("before")
	must(t, w.backend.Commit(t.Context(), &store.Batch{Outbox: []store.Record{{ID: "damaged", Doc: []byte("not sealed")}}}))
	emit("after")
	for len(w.OutboxReady()) > 0 {
		<-w.OutboxReady()
	}
	out, err := w.ClaimOutbox(t.Context(), 10)
	must(t, err)
	if len(out) != 2 || out[0].ID != "before" || out[1].ID != "after" {
		t.Fatalf("claimed %+v", out)
	}
	must(t, w.DoneOutbox(t.Context(), out))
	if len(w.OutboxReady()) == 0 {
		t.Error("the relay was not told to look again")
	}
	if kept := w.aside(t); len(kept) != 1 || !strings.HasSuffix(kept[0], "/damaged") || !strings.Contains(said.String(), kept[0]) {
		t.Errorf("set aside %q, said %q", kept, said)
	}
	if out, err := w.ClaimOutbox(t.Context(), 10); len(out) > 0 || err != nil {
		t.Errorf("claimed again: %v, %v", out, err)
	}
}

// One due record that cannot be read does not hold up the others.
func dueDamaged(t *testing.T, w *world) {
	said := w.listen()
	now := time.Now()
	for i, id := range []string{"before", "damaged", "after"} {
		if id == "damaged" {
			row := store.DueRow{DueKey: store.DueKey{Kind: "k", Place: here, ID: id}, At: now.Add(time.Second), Ready: now.Add(time.Second), Doc: []byte("not sealed")}
			must(t, w.backend.Commit(t.Context(), &store.Batch{Schedule: []store.DueRow{row}}))
			continue
		}
		w.do(t, func(ctx context.Context) error {
			store.Schedule(ctx, store.Due{Kind: "k", ID: id, Place: here, At: now.Add(time.Duration(i) * time.Second), Payload: []byte(strconv.Itoa(i))})
			return nil
		})
	}
	due, err := w.ClaimDue(t.Context(), now.Add(time.Minute), time.Minute, 10)
	must(t, err)
	if len(due) != 2 || due[0].ID != "before" || due[1].ID != "after" {
		t.Fatalf("claimed %+v", due)
	}
	if kept := w.aside(t); len(kept) != 1 || !strings.HasSuffix(kept[0], "/damaged") || !strings.Contains(said.String(), kept[0]) {
		t.Errorf("set aside %q, said %q", kept, said)
	}
	w.do(t, func(ctx context.Context) error {
		store.Complete(ctx, due[0])
		store.Complete(ctx, due[1])
		return nil
	})
	if _, some, err := w.NextDue(t.Context()); some || err != nil {
		t.Errorf("the damaged record is still scheduled, %v", err)
	}
}
