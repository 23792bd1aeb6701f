package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sumun.dev/aws"
)

// outboxLease is how long a node may take to publish what it claimed, before
// another node does.
const outboxLease = 30 * time.Second

// Emit tells the spine of e when the unit commits: never without it. Account,
// region and time are the call's and now's when empty; so is the id, a random
// one. It panics outside a unit.
func Emit(ctx context.Context, e aws.Event) {
	u := mustUnit(ctx, "Emit")
	if e.Account == "" {
		call := aws.CallOf(ctx)
		e.Account, e.Region = call.Account, call.Region
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	if e.ID == "" {
		e.ID = rand.Text()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := checkID("event id", e.ID); err != nil {
		u.fail(err)
		return
	}
	// What the spine does not take would stay in the outbox for good, and hold up
	// all that is behind it.
	if n := e.Size(); n > aws.MaxEvent {
		u.fail(fmt.Errorf("%w: event %s has %d bytes", ErrTooLarge, e.ID, n))
		return
	}
	b, err := json.Marshal(e)
	if err != nil {
		u.fail(fmt.Errorf("encode event %s: %w", e.ID, err))
		return
	}
	u.outbox = append(u.outbox, Record{ID: e.ID, Doc: b})
}

// An Outgoing event is on its way to the spine.
type Outgoing struct {
	aws.Event
	Seq   uint64 // grows with the commits
	Again bool   // another process claimed it before: the spine may have it
}

// OutboxReady has a value when there may be something to claim.
func (s *Store) OutboxReady() <-chan struct{} { return s.outbox }

// ClaimOutbox returns up to n events, oldest first, that nobody else publishes.
// They stay in the store until DoneOutbox; after ReleaseOutbox, or when this
// process dies, they are claimed again. A record that cannot be read is set
// aside, so that it does not hold up what is behind it; one under a root key that is
// not here is not damaged, and waits.
func (s *Store) ClaimOutbox(ctx context.Context, n int) ([]Outgoing, error) {
	if err := s.lacking(); err != nil {
		return nil, err
	}
	records, err := s.backend.ClaimOutbox(ctx, n, outboxLease)
	if err != nil {
		return nil, fmt.Errorf("claim outbox: %w", err)
	}
	out := make([]Outgoing, 0, len(records))
	for _, r := range records {
		e, err := s.openEvent(ctx, r)
		if errors.Is(err, ErrNoKey) {
			s.wait(ctx, r, err)
			continue
		}
		if err != nil {
			s.setOutgoingAside(ctx, r, err)
			continue
		}
		out = append(out, Outgoing{e, r.Seq, r.Again})
	}
	if len(out) < len(records) {
		wake(s.outbox) // there may be more than these
	}
	return out, nil
}

func (s *Store) openEvent(ctx context.Context, r Record) (e aws.Event, err error) {
	b, err := s.open(ctx, r.Doc, eventData(r.ID))
	if err == nil {
		err = json.Unmarshal(b, &e)
	}
	return e, err
}

// eventData is an outbox record's associated data.
func eventData(id string) []byte { return binding("outbox", id) }

// DoneOutbox forgets events that the spine has made durable. When that fails, on
// a full disk say, they are given back and published again later.
func (s *Store) DoneOutbox(ctx context.Context, out []Outgoing) error {
	if len(out) == 0 {
		return nil
	}
	err := s.backend.DoneOutbox(ctx, seqs(out))
	if err != nil {
		err = errors.Join(err, s.ReleaseOutbox(context.WithoutCancel(ctx), out))
	}
	return err
}

// ReleaseOutbox gives events back that could not be published.
func (s *Store) ReleaseOutbox(ctx context.Context, out []Outgoing) error {
	if len(out) == 0 {
		return nil
	}
	if err := s.backend.ReleaseOutbox(ctx, seqs(out)); err != nil {
		return err
	}
	wake(s.outbox)
	return nil
}

func seqs(out []Outgoing) []uint64 {
	ids := make([]uint64, len(out))
	for i, o := range out {
		ids[i] = o.Seq
	}
	return ids
}
