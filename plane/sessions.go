package plane

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/service/iam"
	"sumun.dev/service/sts"
	"sumun.dev/store"
)

// alive refuses a session whose role is gone or was made anew, and one that a user
// or root has got by an access key that is no longer active. It brings a user's own
// session up to date with the user.
func (i identities) alive(ctx context.Context, p *aws.Principal) error {
	if p.Session.IssuedBy == "" {
		_, err := i.own(ctx, p)
		return err
	}
	holder, _, err := i.iam.LongTerm(ctx, p.Session.IssuedBy)
	if errors.Is(err, iam.ErrUnknownKey) || err == nil && (holder.Account != p.Account || holder.ID != p.Session.IssuerID) {
		return errUnknownToken
	}
	if err == nil && p.Kind == aws.User {
		p.ARN, p.Name, p.Tags = holder.ARN, holder.Name, holder.Tags
	}
	return err
}

// own returns the policies of the user, role or root behind p, without those of
// its session.
func (i identities) own(ctx context.Context, p *aws.Principal) (*policy.Policies, error) {
	switch p.Kind {
	case aws.WebIdentity, aws.SAML:
		return &policy.Policies{}, nil // none of its own: the role's trust policy decides
	case aws.FederatedUser:
		if p.Session.Issuer.Resource == "root" {
			return i.passed.everything()
		}
		p = &aws.Principal{Kind: aws.User, Account: p.Account, ARN: p.Session.Issuer, ID: p.Session.IssuerID, Name: p.Session.IssuerName}
	}
	ps, err := i.iam.Policies(ctx, p)
	if errors.Is(err, iam.ErrUnknownKey) {
		return nil, errUnknownToken
	}
	return ps, err
}

// limited refuses what sessions that users got for themselves or for others do not
// go with, whatever their policies allow; users in the console did not. STS API Reference, GetSessionToken,
// GetFederationToken, "Permissions".
func limited(call *aws.Call, p *aws.Principal) error {
	s, federated := p.Session, p.Kind == aws.FederatedUser
	if s == nil || s.TaskPolicy != "" || p.Kind == aws.AssumedRole || p.Kind == aws.User && s.InvokedBy == aws.SignInSource {
		return nil
	}
	switch call.Service {
	case "iam":
		if federated || !s.MFA {
			return errUnknownToken
		}
	case "sts":
		if federated || call.Operation != "AssumeRole" {
			return errUnknownToken
		}
	}
	return nil
}

// withSession adds the policies that were passed to the session. One that cannot be
// read denies everything: it may have held a Deny.
func (i identities) withSession(ctx context.Context, p *aws.Principal, own *policy.Policies) (*policy.Policies, error) {
	s := p.Session
	arns := s.PolicyARNs
	if s.TaskPolicy != "" {
		arns = []string{s.TaskPolicy}
	}
	if s.Policy == "" && len(arns) == 0 {
		return own, nil
	}
	all := *own
	all.Session = make([]*policy.Attached, 0, len(arns)+1)
	if s.TaskPolicy != "" {
		// AWS's task policies only deny: they take from root's own rights what is not the task.
		doc, err := i.passed.documents.Parse(allowAll, policy.Identity)
		if err != nil {
			return nil, err
		}
		all.Session = append(all.Session, &policy.Attached{Document: doc, Source: "root's own rights"})
	}
	if s.Policy != "" {
		doc, err := i.passed.documents.Parse(s.Policy, policy.Identity)
		if err != nil {
			return i.passed.nothing()
		}
		all.Session = append(all.Session, &policy.Attached{Document: doc, Source: "session policy of " + p.ARN.String()})
	}
	for _, arn := range arns {
		doc, err := i.passed.managed(ctx, p.Account, arn)
		if errors.Is(err, store.ErrNotFound) {
			return i.passed.nothing()
		}
		if err != nil {
			return nil, err
		}
		all.Session = append(all.Session, &policy.Attached{Document: doc, Source: arn})
	}
	return &all, nil
}

const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// passed compiles the policies of sessions, each once. It is bounded.
type passed struct {
	documents policy.Cache
	policies  sts.Managed

	mu  sync.RWMutex
	aws map[string]*policy.Document // AWS's, which never change, by ARN: as many as there are
}

// managed returns a managed policy by which sessions of account are limited.
func (p *passed) managed(ctx context.Context, account aws.Account, arn string) (*policy.Document, error) {
	p.mu.RLock()
	doc := p.aws[arn]
	p.mu.RUnlock()
	if doc != nil {
		return doc, nil
	}
	text, err := p.policies.ManagedPolicy(ctx, account, arn)
	if err != nil {
		return nil, err
	}
	if doc, err = p.documents.Parse(text, policy.Identity); err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrNotFound, err)
	}
	if parsed, err := aws.ParseARN(arn); err == nil && parsed.Account == "aws" {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.aws == nil {
			p.aws = map[string]*policy.Document{}
		}
		p.aws[arn] = doc
	}
	return doc, nil
}

// everything is what root may do.
func (p *passed) everything() (*policy.Policies, error) { return p.one("Allow", "root") }

// nothing is what a session may do whose policies cannot be read.
func (p *passed) nothing() (*policy.Policies, error) {
	return p.one("Deny", "unreadable session policy")
}

func (p *passed) one(effect, source string) (*policy.Policies, error) {
	doc, err := p.documents.Parse(`{"Version":"2012-10-17","Statement":[{"Effect":"`+effect+`","Action":"*","Resource":"*"}]}`, policy.Identity)
	return &policy.Policies{Identity: []*policy.Attached{{Document: doc, Source: source}}}, err
}
