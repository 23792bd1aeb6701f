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
	e, err := aws.NewServiceEvent(principal, event, o.Management, "us-east-1", now(), map[string]any{member: what})
	if err != nil {
		return err
	}
	store.Emit(ctx, e)
	return nil
}
