package ssm

import (
	"context"
	"errors"
	"time"

	"sumun.dev/store"
)

const jobExpire = "ssm.expire"

// kept is how long an execution is kept after its end. User Guide, "Systems
// Manager Automation": history of 30 days.
const kept = 30 * 24 * time.Hour

// expire forgets an execution, and the client token that began it.
func (s *Service) expire(ctx context.Context, due store.Due) error {
	e, err := s.executions.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.executions.Delete(ctx, e.ID); err != nil {
		return err
	}
	if err := s.history.Delete(ctx, historyID(e)); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if e.Token == "" {
		return nil
	}
	if err := s.tokens.Delete(ctx, e.Token); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}
