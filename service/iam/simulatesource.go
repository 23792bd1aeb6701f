package iam

import (
	"context"
	"errors"
	"slices"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// A source is whose policies are simulated, or reported on.
type source struct {
	kind      string // "user", "role", "group"
	arn       aws.ARN
	id        string
	user      string // the user's name
	tags      []tag
	principal *aws.Principal
	policies  *policy.Policies
}

// touchSource makes the touch function of operations on the user, role, group or
// policy whose ARN a client gives.
func touchSource[In any](action string, s *Service, arn func(*In) string) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		call := aws.CallOf(ctx)
		a, err := aws.ParseARN(arn(in))
		kind, _, _ := strings.Cut(a.Resource, "/")
		if err != nil || !slices.Contains([]string{"user", "role", "group", "policy"}, kind) {
			return nil, invalid("Invalid Entity Arn: %s", arn(in))
		}
		touch := wire.Touch{Action: action, Resource: call.GlobalARN("iam", a.Resource)}
		src, err := s.source(ctx, arn(in))
		if e := (*aws.Error)(nil); errors.As(err, &e) {
			return []wire.Touch{touch}, nil // it is refused when it is served
		}
		if err != nil {
			return nil, err
		}
		touch.Tags = tagMap(src.tags)
		return []wire.Touch{touch}, nil
	}
}

// source returns the user, role or group with this ARN, which is of the call's account.
func (s *Service) source(ctx context.Context, text string) (*source, error) {
	call := aws.CallOf(ctx)
	arn, err := aws.ParseARN(text)
	if err != nil || arn.Service != "iam" {
		return nil, invalid("Invalid Entity Arn: %s", text)
	}
	kind, rest, _ := strings.Cut(arn.Resource, "/")
	name := rest[strings.LastIndexByte(rest, '/')+1:]
	src := &source{kind: kind, arn: arn}
	missing := iamapi.NoSuchEntityException.New("The %s with name %s cannot be found.", kind, name)
	if arn.Account != call.Account || arn.Partition != call.Partition {
		return nil, missing
	}
	switch kind {
	case "user":
		u, err := s.user(ctx, name)
		if err != nil {
			return nil, err
		}
		if userARN(arn.Partition, arn.Account, u) != arn {
			return nil, missing
		}
		src.id, src.user, src.tags = u.ID, u.Name, u.Tags
		src.principal = &aws.Principal{Kind: aws.User, Account: arn.Account, ARN: arn, ID: u.ID, Name: u.Name, Tags: tagMap(u.Tags)}
	case "role":
		r, err := s.role(ctx, name)
		if err != nil {
			return nil, err
		}
		if roleARN(arn.Partition, arn.Account, r) != arn {
			return nil, missing
		}
		src.id, src.tags = r.ID, r.Tags
		src.principal = &aws.Principal{Kind: aws.AssumedRole, Account: arn.Account, ARN: arn, Tags: tagMap(r.Tags), Session: &aws.Session{Issuer: arn, IssuerID: r.ID, IssuerName: r.Name}}
	case "group":
		g, err := s.group(ctx, name)
		if err != nil {
			return nil, err
		}
		if groupARN(arn.Partition, arn.Account, g) != arn {
			return nil, missing
		}
		// A member of whom nothing else is known.
		src.id, src.principal, src.policies = g.ID, &aws.Principal{Kind: aws.User, Account: arn.Account}, &policy.Policies{}
		src.policies.Identity, err = s.compiledGrants(store.Outside(ctx), g.Name, &g.grants)
		return src, err
	default:
		return nil, invalid("Invalid Entity Arn: %s", text)
	}
	src.policies, err = s.Policies(store.Outside(ctx), src.principal)
	return src, err
}

// standing says where an account stands in its organisation; nil in none.
func (s *Service) standing(ctx context.Context, account aws.Account) (*policy.Membership, error) {
	if s.membership == nil {
		return nil, nil
	}
	return s.membership(store.Outside(ctx), account)
}

// UseMembership tells IAM where accounts stand in their organisations, for the
// simulator. The plane calls it before the first call.
func (s *Service) UseMembership(of func(context.Context, aws.Account) (*policy.Membership, error)) {
	s.membership = of
}

func (s *Service) getContextKeysForCustomPolicy(_ context.Context, in *iamapi.GetContextKeysForCustomPolicyRequest) (*iamapi.GetContextKeysForPolicyResponse, error) {
	return contextKeys(nil, in.PolicyInputList)
}

func (s *Service) getContextKeysForPrincipalPolicy(ctx context.Context, in *iamapi.GetContextKeysForPrincipalPolicyRequest) (*iamapi.GetContextKeysForPolicyResponse, error) {
	src, err := s.source(ctx, in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	return contextKeys(src.policies.Identity, in.PolicyInputList)
}

func contextKeys(have []*policy.Attached, more []string) (*iamapi.GetContextKeysForPolicyResponse, error) {
	all := have[:len(have):len(have)]
	for i, text := range more {
		p, err := given(text, "PolicyInputList", i)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	keys := []string{}
	for _, p := range all {
		for _, key := range p.ContextKeys() {
			if !slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) }) {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return &iamapi.GetContextKeysForPolicyResponse{ContextKeyNames: keys}, nil
}
