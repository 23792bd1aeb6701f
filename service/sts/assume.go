package sts

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// wishOf is what AssumeRole asks, with what the caller's own session passes on.
func wishOf(ctx context.Context, in *stsapi.AssumeRoleRequest) (*wish, error) {
	if (in.SerialNumber == nil) != (in.TokenCode == nil) {
		return nil, validationError.New("Both SerialNumber and TokenCode must be provided for MFA.")
	}
	w := &wish{
		action: "sts:AssumeRole", role: in.RoleArn, session: in.RoleSessionName, duration: in.DurationSeconds, policy: in.Policy, policyARNs: in.PolicyArns,
		tags: in.Tags, transitive: in.TransitiveTagKeys, conditions: map[string][]string{},
	}
	if in.ExternalId != nil {
		w.conditions["sts:ExternalId"] = []string{*in.ExternalId}
	}
	if in.SourceIdentity != nil {
		w.sourceID = *in.SourceIdentity
	}
	p := aws.CallOf(ctx).Principal
	if p.Session == nil {
		return w, checkSourceID(w.sourceID)
	}
	if p.Session.SourceID != "" {
		if w.sourceID != "" && w.sourceID != p.Session.SourceID {
			return nil, accessDenied.New("The source identity of a session cannot be changed.")
		}
		w.sourceID = p.Session.SourceID
	}
	w.inherited = map[string]string{}
	for _, key := range p.Session.Transitive {
		for have, value := range p.Tags {
			if strings.EqualFold(have, key) {
				w.inherited[have] = value
			}
		}
	}
	return w, checkSourceID(w.sourceID)
}

// checkSourceID refuses what AWS reserves. STS API Reference, AssumeRole, SourceIdentity.
func checkSourceID(id string) error {
	if strings.HasPrefix(strings.ToLower(id), "aws:") {
		return validationError.New(`1 validation error detected: Value '%s' at 'sourceIdentity' failed to satisfy constraint: Member must not begin with aws:`, id)
	}
	return nil
}

func (s *Service) roleToAssume(ctx context.Context, in *stsapi.AssumeRoleRequest) ([]wire.Touch, error) {
	w, err := wishOf(ctx, in)
	if err != nil {
		return nil, err
	}
	if in.SerialNumber != nil {
		if err := s.known.MFA.VerifyMFA(ctx, aws.CallOf(ctx).Principal, *in.SerialNumber, *in.TokenCode); err != nil {
			return nil, err
		}
		// IAM User Guide, "Secure API access with MFA": the trust policy tests it.
		w.conditions["aws:MultiFactorAuthPresent"], w.conditions["aws:MultiFactorAuthAge"] = []string{"true"}, []string{"0"}
	}
	return s.touches(ctx, w)
}

func (s *Service) assumeRole(ctx context.Context, in *stsapi.AssumeRoleRequest) (*stsapi.AssumeRoleResponse, error) {
	p := aws.CallOf(ctx).Principal
	switch p.Kind {
	case aws.Root:
		return nil, accessDenied.New("Roles may not be assumed by root accounts.")
	case aws.FederatedUser:
		return nil, accessDenied.New("Cannot call AssumeRole with federated user credentials")
	}
	if len(in.ProvidedContexts) > 0 {
		return nil, aws.UnsupportedOperation.New("Sumun does not serve the parameter ProvidedContexts of AssumeRole yet.")
	}
	w, err := wishOf(ctx, in)
	if err != nil {
		return nil, err
	}
	most := time.Duration(0)
	if p.Kind == aws.AssumedRole {
		most = chainedSession
	}
	c, size, err := s.claims(ctx, w, most)
	if err != nil {
		return nil, err
	}
	c.Chained = most > 0
	if p.Kind == aws.Service {
		c.InvokedBy = p.Name
	}
	made, err := s.hand(c)
	if err != nil {
		return nil, err
	}
	out := &stsapi.AssumeRoleResponse{AssumedRoleUser: c.assumed(), Credentials: made, PackedPolicySize: size}
	if w.sourceID != "" {
		out.SourceIdentity = &w.sourceID
	}
	return out, nil
}

// merged are the role's tags with those of the session over them. Keys that
// differ by case only are one: the session's stands. IAM User Guide, "Pass session tags in AWS STS".
func merged(role map[string]string, session func(func(string, string) bool)) map[string]string {
	all := maps.Clone(role)
	if all == nil {
		all = map[string]string{}
	}
	session(func(key, value string) bool {
		maps.DeleteFunc(all, func(k, _ string) bool { return strings.EqualFold(k, key) })
		all[key] = value
		return true
	})
	return all
}

// checkTags refuses session tags that AWS refuses.
func (w *wish) checkTags() error {
	seen := map[string]bool{}
	for _, t := range w.tags {
		key := strings.ToLower(t.Key)
		switch {
		case seen[key]:
			return invalidParameter.New("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		case strings.HasPrefix(key, "aws:"):
			return validationError.New("Tag keys beginning with aws: are reserved for system use.")
		}
		seen[key] = true
		for have := range w.inherited {
			if strings.EqualFold(have, t.Key) {
				return invalidParameter.New("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
			}
		}
	}
	for _, key := range w.transitive {
		if !seen[strings.ToLower(key)] && !slices.ContainsFunc(slices.Collect(maps.Keys(w.inherited)), func(k string) bool { return strings.EqualFold(k, key) }) {
			return invalidParameter.New("The specified transitive tag key must be included in the requested tags.")
		}
	}
	if len(w.tags)+len(w.inherited) > maxTags {
		return validationError.New("A session can have at most %d tags.", maxTags)
	}
	return nil
}

const maxTags = 50 // IAM User Guide, "IAM and AWS STS quotas"

var invalidParameter = aws.ErrorKind{Code: "InvalidParameterValue", Status: 400}
