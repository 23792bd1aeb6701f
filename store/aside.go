package store

import (
	"context"
	"fmt"
	"log/slog"
)

// aside begins the names of the facts that keep records which cannot be read, in
// the form in which they were found: nothing of the evidence is lost, and a backup
// holds it.
const aside = "aside/"

func (s *Store) logger() *slog.Logger {
	if s.Log == nil {
		return slog.Default()
	}
	return s.Log
}

// setOutgoingAside takes an event that cannot be read out of the outbox.
func (s *Store) setOutgoingAside(ctx context.Context, r Record, cause error) {
	what := fmt.Sprintf("outbox/%d/%s", r.Seq, r.ID)
	s.setAside(ctx, what, r.Doc, cause, func() error { return s.backend.DoneOutbox(ctx, []uint64{r.Seq}) })
}

// setDueAside takes a due record that cannot be read off the schedule.
func (s *Store) setDueAside(ctx context.Context, row DueRow, cause error) {
	what := fmt.Sprintf("due/%d/%s", row.Fence, row.DueKey)
	s.setAside(ctx, what, row.Doc, cause, func() error {
		return s.backend.Commit(ctx, &Batch{Complete: []Fence{{row.DueKey, row.Fence}}})
	})
}

// setAside keeps the record as a fact before it removes it. When that fails the
// record stays where it is and is met again after its lease.
func (s *Store) setAside(ctx context.Context, what string, doc []byte, cause error, remove func() error) {
	log := s.logger()
	_, err := s.backend.KeepFact(ctx, aside+what, doc)
	if err == nil {
		err = remove()
	}
	if err != nil {
		log.ErrorContext(ctx, "a stored record cannot be read, nor set aside", "record", what, "cause", cause, "error", err)
		return
	}
	log.ErrorContext(ctx, "A STORED RECORD CANNOT BE READ: it was set aside and is not done; the data is damaged or was tampered with", "record", aside+what, "cause", cause)
}
