package securityhub

import (
	"context"
	"time"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/store"
)

// jobExpire is the due record that each finding has.
const jobExpire = "securityhub.expire"

// How long findings are kept after their last change. User Guide, "Security Hub
// CSPM findings": "Retention".
const (
	keepActive   = 90 * 24 * time.Hour
	keepArchived = 30 * 24 * time.Hour
)

func (k *kept) keep() time.Duration {
	if k.Record == securityhubapi.RecordStateArchived {
		return keepArchived
	}
	return keepActive
}

// expireDue forgets a finding to which nothing has happened for long. Its due
// record moves with each change, so what is due now is old enough.
func (s *Service) expireDue(ctx context.Context, due store.Due) error {
	k, err := s.findKey(ctx, due.ID)
	if err != nil {
		return err
	}
	if k != nil {
		if err := s.findings.Delete(ctx, k.Row); err != nil {
			return err
		}
	}
	now := time.Now()
	page, err := s.changes.Page(ctx, store.Range{Prefix: due.ID + "/", Limit: atOnce})
	if err != nil {
		return err
	}
	if len(page) == atOnce {
		store.Schedule(ctx, store.Due{Kind: jobExpire, ID: due.ID, At: now})
	}
	return s.removeChanges(ctx, page, now)
}

// atOnce bounds how many changes one run removes.
const atOnce = 1000
