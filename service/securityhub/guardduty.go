package securityhub

import (
	"context"
	"errors"
	"slices"
	"time"

	"sumun.dev/aws"
	"sumun.dev/finding"
	"sumun.dev/store"
)

// guardDuty is the product that sends findings by itself.
const guardDuty = "aws/guardduty"

// fromGuardDuty imports what GuardDuty tells of its findings, new, updated and
// archived ones. Without a hub, or without the product's subscription, they are
// not for Security Hub. User Guide, "AWS service integrations", "Amazon GuardDuty".
func (s *Service) fromGuardDuty(ctx context.Context, events []aws.Event) error {
	h, err := s.hubs.Get(ctx, hubID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || !slices.Contains(h.Products, guardDuty) {
		return err
	}
	for i := range events {
		if events[i].Type != "guardduty" {
			continue
		}
		f, err := finding.Decode(events[i].Data)
		if err != nil {
			// Again and again it would be the same; others must not wait for ever.
			s.env.Log.Warn("GuardDuty finding cannot be read, is skipped", "event", events[i].ID, "error", err)
			continue
		}
		// GuardDuty's events come in order, also when several stand for one instant.
		err = s.take(ctx, finding.ASFF(f), inOrder, time.Now())
		if errors.Is(err, store.ErrTooLarge) {
			s.env.Log.Warn("GuardDuty finding is too large, is skipped", "event", events[i].ID, "error", err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}
