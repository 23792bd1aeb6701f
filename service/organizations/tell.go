package organizations

import (
	"context"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// tell writes into the trail of the management account what Organizations has
// done of its own accord. Organizations User Guide, "Logging AWS Organizations
// API calls with AWS CloudTrail".
func (s *Service) tell(ctx context.Context, o *organization, event, member string, what any) error {
	told := aws.ServiceEvent{Source: principal, Name: event, Account: o.Management, Region: "us-east-1", Time: now(), Details: map[string]any{member: what}}
	e, err := told.Event()
	if err != nil {
		return err
	}
	store.Emit(ctx, e)
	return nil
}
