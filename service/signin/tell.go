package signin

import (
	"context"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
)

// What the trail says of a sign-in that failed. CloudTrail User Guide, "AWS Management
// Console sign-in events"; IAM User Guide, "Logging IAM and AWS STS API calls with AWS
// CloudTrail", which hides names that nobody has: people type passwords there.
const (
	failed     = "Failed authentication"
	noUser     = "No username found in supplied account"
	hiddenName = "HIDDEN_DUE_TO_SECURITY_REASONS"
)

// maxAgent bounds, in bytes, what the trail keeps of a browser's name and of a host.
const maxAgent = 256

// tell writes an event into the trail, within a unit of work.
func (s *Service) tell(ctx context.Context, v *visit, e aws.SignInEvent) error {
	e.Account, e.Time = aws.CallOf(ctx).Account, time.Now().UTC()
	e.SourceIP, e.UserAgent, e.TLS = v.from.String(), cut(v.r.UserAgent()), v.tls
	told, err := e.Event()
	if err != nil {
		return err
	}
	store.Emit(ctx, told)
	return nil
}

// about fills in who an event is about.
func (s *Service) about(p *aws.Principal, e aws.SignInEvent) aws.SignInEvent {
	e.Identity, e.User = s.options.Shown(p)
	e.AccessKeyID = p.AccessKeyID
	return e
}

// tellUser writes that a user has signed in.
func (s *Service) tellUser(ctx context.Context, v *visit, p *aws.Principal, region aws.Region, device aws.ARN) error {
	more := v.additional(!device.IsZero())
	more["LoginTo"] = v.url("/console")
	if !device.IsZero() {
		more["MFAIdentifier"] = device.String()
	}
	return s.tell(ctx, v, s.about(p, aws.SignInEvent{Name: "ConsoleLogin", Region: region, Additional: more}))
}

// unproven is userIdentity of somebody who has not proven to be the user.
type unproven struct {
	Type      aws.PrincipalKind `json:"type"`
	ID        string            `json:"principalId,omitempty"`
	Account   aws.Account       `json:"accountId"`
	AccessKey string            `json:"accessKeyId"`
	Name      string            `json:"userName"`
}

func claimed(account aws.Account, p *aws.Principal) unproven {
	if p == nil {
		return unproven{Type: aws.User, Account: account, Name: hiddenName}
	}
	return unproven{Type: aws.User, ID: p.ID, Account: account, Name: p.Name}
}

// tellFailure writes that an attempt has failed.
func (s *Service) tellFailure(v *visit, account aws.Account, region aws.Region, in *service.SignIn) error {
	return s.env.Store.Update(s.enter(v.r.Context(), account), func(ctx context.Context) error {
		if err := s.tellCheck(ctx, v, account, region, in); err != nil {
			return err
		}
		who, more, why := claimed(account, in.User), v.additional(in.MFA && in.Code != ""), failed
		more["LoginTo"] = v.url("/console")
		if in.User == nil {
			why = noUser
		}
		return s.tell(ctx, v, aws.SignInEvent{Name: "ConsoleLogin", Region: region, Failure: why, Identity: who, User: who.Name, Additional: more})
	})
}

// tellCheck writes that a password was right of a user who also has to show a code.
func (s *Service) tellCheck(ctx context.Context, v *visit, account aws.Account, region aws.Region, in *service.SignIn) error {
	if !in.MFA || !in.Password {
		return nil
	}
	who := claimed(account, in.User)
	return s.tell(ctx, v, aws.SignInEvent{Name: "CheckMfa", Region: region, Identity: who, User: who.Name, Additional: map[string]string{"MfaType": "Virtual MFA"}})
}

// additional is additionalEventData. Nothing here is the console's mobile version.
func (v *visit) additional(mfa bool) map[string]string {
	used := "No"
	if mfa {
		used = "Yes"
	}
	return map[string]string{"MobileVersion": "No", "MFAUsed": used}
}

// url names a page as the browser does.
func (v *visit) url(page string) string {
	scheme := "http://"
	if v.tls != nil {
		scheme = "https://"
	}
	return scheme + cut(v.r.Host) + v.base + page
}

func cut(text string) string { return strings.ToValidUTF8(text[:min(len(text), maxAgent)], "") }
