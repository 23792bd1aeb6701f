package example

import (
	"context"
	"errors"

	"sumun.dev/store"
)

// expiry is the kind of the due records that end notes.
const expiry = "example.expire"

// expire deletes a note whose time is over. It runs as the service, in the note's
// account and region; the due record goes away in the same commit.
func (s *Service) expire(ctx context.Context, due store.Due) error {
	err := s.notes.Delete(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
