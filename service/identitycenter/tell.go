package identitycenter

import (
	"context"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// credentialType is with what somebody signs in, in the trail's words.
type credentialType string

const (
	byPassword credentialType = "PASSWORD"
	byProvider credentialType = "EXTERNAL_IDP"
)

// maxAgent bounds, in bytes, what the trail keeps of a browser's name.
const maxAgent = 256

// tellVerified writes into the trail that somebody was asked for a password, and
// whether it was right. Who is nobody leaves nothing there: strangers could fill it.
func (s *Service) tellVerified(v *visit, u *user, right bool) error {
	return s.env.Store.Update(v.ctx, func(ctx context.Context) error {
		if err := s.tell(ctx, v, u, "CredentialChallenge", byPassword, true); err != nil {
			return err
		}
		return s.tell(ctx, v, u, "CredentialVerification", byPassword, right)
	})
}

// tell writes a sign-in event into the trail. IAM Identity Center User Guide,
// "Understanding IAM Identity Center sign-in events", "Username in sign-in
// CloudTrail events".
func (s *Service) tell(ctx context.Context, v *visit, u *user, event string, by credentialType, right bool) error {
	if v.attempt == "" {
		v.attempt = aws.UUID()
	}
	more := map[string]string{"AuthWorkflowID": v.attempt, "CredentialType": string(by)}
	if event == "CredentialChallenge" || by == byProvider {
		more["UserName"] = u.name()
	}
	outcome := "Failure"
	if right {
		outcome = "Success"
	}
	agent := v.r.UserAgent()
	told := aws.ServiceEvent{
		Source: aws.SignInSource, Name: event, Account: v.place.Account, Region: v.place.Region, Time: now(), Details: map[string]string{event: outcome},
		Identity: map[string]any{"type": aws.IdentityCenterUser, "accountId": v.place.Account, "onBehalfOf": map[string]string{
			"userId": u.ID, "identityStoreArn": v.place.principal(aws.CallOf(ctx).Partition, u.Store, u.ID).ARN.String(),
		}},
		SourceIP: v.from.String(), UserAgent: agent[:min(len(agent), maxAgent)], Additional: more,
	}
	e, err := told.Event()
	if err != nil {
		return err
	}
	store.Emit(ctx, e)
	return nil
}
