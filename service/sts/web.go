package sts

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/oidc"
	"sumun.dev/wire"
)

// bearer is who comes with a token: what the provider says, and where it stands in IAM.
type bearer struct {
	provider aws.ARN
	host     string // the provider's URL without its scheme, which condition keys begin with
	claims   *oidc.Claims
}

// bearer verifies the token against the provider that the role's account knows by its issuer.
func (s *Service) bearer(ctx context.Context, in *stsapi.AssumeRoleWithWebIdentityRequest) (*bearer, error) {
	if in.ProviderId != nil {
		return nil, aws.UnsupportedOperation.New("Sumun does not serve the parameter ProviderId of AssumeRoleWithWebIdentity: OAuth 2.0 access tokens cannot be verified.")
	}
	role, err := roleARN(aws.CallOf(ctx).Partition, in.RoleArn)
	if err != nil {
		return nil, err
	}
	issuer, err := oidc.Issuer(in.WebIdentityToken)
	if err != nil {
		return nil, tokenError(err)
	}
	host, secure := strings.CutPrefix(issuer, "https://")
	b := &bearer{host: host, provider: aws.ARN{Partition: role.Partition, Service: "iam", Account: role.Account, Resource: "oidc-provider/" + host}}
	provider, err := s.known.Providers.OIDC(ctx, b.provider)
	if errors.Is(err, ErrNoProvider) || err == nil && !secure {
		return nil, stsapi.InvalidIdentityTokenException.New("No OpenIDConnect provider found in your account for %s", issuer)
	}
	if err != nil {
		return nil, err
	}
	b.claims, err = s.known.Tokens.Verify(ctx, provider, in.WebIdentityToken)
	return b, tokenError(err)
}

// tokenError says in AWS's words what is wrong with a token. What is ours alone to
// know, such as why a provider cannot be reached, goes to the log.
func tokenError(err error) error {
	if err == nil {
		return nil
	}
	var e *aws.Error
	switch {
	case errors.Is(err, oidc.ErrExpired):
		e = stsapi.ExpiredTokenException.New("Token expired: current date/time must be before the expiration date/time")
		var expired *oidc.Expired
		if errors.As(err, &expired) {
			e = stsapi.ExpiredTokenException.New("Token expired: current date/time %d must be before the expiration date/time %d", time.Now().Unix(), expired.At.Unix())
		}
	case errors.Is(err, oidc.ErrAudience):
		e = stsapi.InvalidIdentityTokenException.New("Incorrect token audience")
	case errors.Is(err, oidc.ErrNoKey):
		e = stsapi.InvalidIdentityTokenException.New("Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements")
	case errors.Is(err, oidc.ErrCertificate):
		e = stsapi.InvalidIdentityTokenException.New("OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint")
	case errors.Is(err, oidc.ErrSignature):
		e = stsapi.InvalidIdentityTokenException.New("Provided Token is not valid: its signature is wrong")
	case errors.Is(err, oidc.ErrUnreachable):
		e = stsapi.IDPCommunicationErrorException.New("The identity provider could not be reached to verify the incoming identity token")
	case errors.Is(err, oidc.ErrToken), errors.Is(err, oidc.ErrIssuer):
		_, detail, _ := strings.Cut(err.Error(), ": the token is ")
		e = stsapi.InvalidIdentityTokenException.New("The ID Token provided is not a valid JWT: %s. (You may see this error if you sent an Access Token)", strings.TrimPrefix(detail, "not valid: "))
	default:
		return err
	}
	e.Cause = err
	return e
}

func (s *Service) roleForToken(ctx context.Context, in *stsapi.AssumeRoleWithWebIdentityRequest) ([]wire.Touch, error) {
	b, err := s.bearer(ctx, in)
	if err != nil {
		return nil, err
	}
	w, err := b.wish(in)
	if err != nil {
		return nil, err
	}
	return s.touches(ctx, w)
}

func (s *Service) assumeWithWebIdentity(ctx context.Context, in *stsapi.AssumeRoleWithWebIdentityRequest) (*stsapi.AssumeRoleWithWebIdentityResponse, error) {
	b, err := s.bearer(ctx, in)
	if err != nil {
		return nil, err
	}
	w, err := b.wish(in)
	if err != nil {
		return nil, err
	}
	c, size, err := s.claims(ctx, w, 0)
	if err != nil {
		return nil, err
	}
	c.by(b.provider, b.keys())
	made, err := s.hand(c)
	if err != nil {
		return nil, err
	}
	out := &stsapi.AssumeRoleWithWebIdentityResponse{
		AssumedRoleUser: c.assumed(), Credentials: made, PackedPolicySize: size,
		SubjectFromWebIdentityToken: &b.claims.Subject, Audience: &b.claims.Audience, Provider: new(b.provider.String()),
	}
	if w.sourceID != "" {
		out.SourceIdentity = &w.sourceID
	}
	return out, nil
}

// keys are the condition keys that the token fixes. IAM User Guide, "Available keys
// for AWS OIDC federation".
func (b *bearer) keys() map[string][]string {
	keys := map[string][]string{b.host + ":aud": {b.claims.Audience}, b.host + ":sub": {b.claims.Subject}}
	if len(b.claims.AMR) > 0 {
		keys[b.host+":amr"] = b.claims.AMR
	}
	return keys
}

// The claims by which tokens carry what AWS takes from them. IAM User Guide, "Pass
// session tags in AWS STS", "Monitor and control actions taken with assumed roles".
const (
	tagsClaim   = "https://aws.amazon.com/tags"
	sourceClaim = "https://aws.amazon.com/source_identity"
)

func (b *bearer) wish(in *stsapi.AssumeRoleWithWebIdentityRequest) (*wish, error) {
	w := &wish{
		action: "sts:AssumeRoleWithWebIdentity", role: in.RoleArn, session: in.RoleSessionName, duration: in.DurationSeconds, policy: in.Policy, policyARNs: in.PolicyArns,
		conditions: b.keys(),
		principal: &aws.Principal{
			Kind: aws.WebIdentity, Account: b.provider.Account, Name: b.provider.String(), Subject: b.claims.Subject,
			ID: b.host + ":" + b.claims.Audience + ":" + b.claims.Subject,
		},
	}
	w.conditions["aws:FederatedProvider"] = []string{b.provider.String()}
	if raw := b.claims.All[sourceClaim]; raw != nil {
		if err := json.Unmarshal(raw, &w.sourceID); err != nil {
			return nil, rejectedClaim(sourceClaim)
		}
	}
	if err := federatedSourceID(w.sourceID); err != nil {
		return nil, err
	}
	return w, b.tags(w)
}

// tags reads session tags, nested in one claim or flat in several.
func (b *bearer) tags(w *wish) error {
	var nested struct {
		Principal  map[string][]string `json:"principal_tags"`
		Transitive []string            `json:"transitive_tag_keys"`
	}
	if raw := b.claims.All[tagsClaim]; raw != nil {
		if err := json.Unmarshal(raw, &nested); err != nil {
			return rejectedClaim(tagsClaim)
		}
	}
	if nested.Principal == nil {
		nested.Principal = map[string][]string{}
	}
	for name, raw := range b.claims.All {
		if key, flat := strings.CutPrefix(name, tagsClaim+"/principal_tags/"); flat {
			var values []string
			if err := json.Unmarshal(raw, &values); err != nil {
				return rejectedClaim(name)
			}
			nested.Principal[key] = values
		}
	}
	if raw := b.claims.All[tagsClaim+"/transitive_tag_keys"]; raw != nil {
		if err := json.Unmarshal(raw, &nested.Transitive); err != nil {
			return rejectedClaim(tagsClaim)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(nested.Principal)) {
		if len(nested.Principal[key]) != 1 {
			return rejectedClaim(tagsClaim)
		}
		w.tags = append(w.tags, stsapi.Tag{Key: key, Value: nested.Principal[key][0]})
	}
	w.transitive = nested.Transitive
	return checkFederatedTags(w)
}

func rejectedClaim(name string) error {
	return stsapi.InvalidIdentityTokenException.New("The claim %s of the token is not readable.", name)
}
