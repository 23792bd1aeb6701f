package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"sumun.dev/aws"
)

// A Due is something to be done later. Kind, Place and ID name it: there is one
// at most.
type Due struct {
	Kind    string // which job: "events.deliver"
	ID      string
	At      time.Time
	Payload []byte // the job's own, sealed like a row
	Place   Place  // the call's when empty
	Attempt int    // how often it has failed

	fence uint64 // of the claim
}

type dueChange struct {
	key DueKey
	row *DueRow // nil: unscheduled
}

type dueDoc struct {
	Payload []byte `json:",omitempty"`
	Attempt int    `json:",omitempty"`
}

// Schedule has d done at its time, when the unit commits. A record of the same
// kind, id and place is replaced; whoever is doing it cannot complete it any
// more. It panics outside a unit.
func Schedule(ctx context.Context, d Due) {
	u := mustUnit(ctx, "Schedule")
	if d.Place == (Place{}) {
		call := aws.CallOf(ctx)
		d.Place = Place{call.Account, call.Region}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	k := DueKey{d.Kind, d.Place, d.ID}
	if err := checkDue(d); err != nil {
		u.fail(err)
		return
	}
	b, err := json.Marshal(dueDoc{d.Payload, d.Attempt})
	if err != nil {
		u.fail(fmt.Errorf("encode due record %s: %w", k, err))
		return
	}
	row := &DueRow{DueKey: k, At: d.At, Ready: d.At, Doc: b}
	u.dues = append(u.dues, dueChange{k, row})
}

// Unschedule takes back what Schedule ordered in the call's account and region,
// if it is still there. It panics outside a unit.
func Unschedule(ctx context.Context, kind, id string) {
	call := aws.CallOf(ctx)
	UnscheduleIn(ctx, Place{call.Account, call.Region}, kind, id)
}

// UnscheduleIn is Unschedule for an explicit place.
func UnscheduleIn(ctx context.Context, p Place, kind, id string) {
	u := mustUnit(ctx, "Unschedule")
	u.mu.Lock()
	defer u.mu.Unlock()
	if checkID("due id", id) != nil {
		return // cannot have been scheduled
	}
	u.dues = append(u.dues, dueChange{key: DueKey{kind, p, id}})
}

// Complete removes d, which ClaimDue returned, when the unit commits. The commit
// answers ErrLost, an ErrConflict, when d was claimed again or replaced meanwhile:
// the unit's work is then not done twice. To try d again later, Complete and Schedule it in
// one unit. It panics outside a unit.
func Complete(ctx context.Context, d Due) {
	u := mustUnit(ctx, "Complete")
	u.mu.Lock()
	defer u.mu.Unlock()
	u.complete = append(u.complete, Fence{DueKey{d.Kind, d.Place, d.ID}, d.fence})
}

// DueReady has a value when NextDue may have become earlier.
func (s *Store) DueReady() <-chan struct{} { return s.due }

// NextDue returns when the next record can be claimed; false when there is none.
func (s *Store) NextDue(ctx context.Context) (time.Time, bool, error) {
	return s.backend.NextDue(ctx)
}

// ClaimDue returns up to n records that are due at now, earliest first. Nobody
// else gets them before now+lease; then they are claimed anew and this claim
// cannot complete. A record that cannot be read is set aside, so that it does not
// hold up the others; one under a root key that is not here is not damaged, and is
// claimed again after the lease.
func (s *Store) ClaimDue(ctx context.Context, now time.Time, lease time.Duration, n int) ([]Due, error) {
	if err := s.lacking(); err != nil {
		return nil, err
	}
	rows, err := s.backend.ClaimDue(ctx, now, lease, n)
	if err != nil {
		return nil, fmt.Errorf("claim due records: %w", err)
	}
	dues := make([]Due, 0, len(rows))
	for _, row := range rows {
		doc, err := s.openDue(ctx, row)
		if errors.Is(err, ErrNoKey) {
			s.logger().ErrorContext(ctx, "due work waits for a root key; it is claimed again after its lease", "record", row.DueKey, "cause", err)
			continue
		}
		if err != nil {
			s.setDueAside(ctx, row, err)
			continue
		}
		dues = append(dues, Due{row.Kind, row.ID, row.At, doc.Payload, row.Place, doc.Attempt, row.Fence})
	}
	return dues, nil
}

func (s *Store) openDue(ctx context.Context, row DueRow) (doc dueDoc, err error) {
	b, err := s.open(ctx, row.Doc, dueData(row.DueKey))
	if err == nil {
		err = json.Unmarshal(b, &doc)
	}
	return doc, err
}

// scheduled puts the unit's last word on each due record into b.
func (u *Unit) scheduled(b *Batch) {
	last := make(map[DueKey]int, len(u.dues))
	for i, d := range u.dues {
		last[d.key] = i
	}
	for i, d := range u.dues {
		switch {
		case last[d.key] != i:
		case d.row == nil:
			b.Unschedule = append(b.Unschedule, d.key)
		default:
			b.Schedule = append(b.Schedule, *d.row)
		}
	}
}

func dueData(k DueKey) []byte {
	return binding("due", string(k.Place.Account), string(k.Place.Region), k.Kind, k.ID)
}

// Times are kept as nanoseconds since 1970.
var (
	firstTime = time.Unix(0, 0)
	lastTime  = time.Unix(0, math.MaxInt64)
)

func checkDue(d Due) error {
	if d.Kind == "" || d.ID == "" {
		return badID("due record", d.Kind+" "+d.ID, "has no kind or no id")
	}
	if err := checkID("kind", d.Kind); err != nil {
		return err
	}
	if err := checkID("due id", d.ID); err != nil {
		return err
	}
	if d.At.Before(firstTime) || d.At.After(lastTime) {
		return badID("due record", d.Kind+" "+d.ID, "is due at "+d.At.String())
	}
	if len(d.Payload) > MaxRow {
		return fmt.Errorf("%w: due record %s %s has %d bytes", ErrTooLarge, d.Kind, d.ID, len(d.Payload))
	}
	return nil
}
