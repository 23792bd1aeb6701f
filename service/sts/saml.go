package sts

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/saml"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// signIn is AWS's endpoint for SAML, which assertions are sent to and meant for.
// IAM User Guide, "Configure SAML assertions for the authentication response".
const signIn = "https://signin.aws.amazon.com/saml"

// asserted is who comes with an assertion.
type asserted struct {
	provider  aws.ARN
	assertion *saml.Assertion
}

func (s *Service) asserted(ctx context.Context, in *stsapi.AssumeRoleWithSAMLRequest) (*asserted, error) {
	role, err := roleARN(aws.CallOf(ctx).Partition, in.RoleArn)
	if err != nil {
		return nil, err
	}
	arn, err := aws.ParseARN(in.PrincipalArn)
	if err != nil || arn.Partition != role.Partition || arn.Service != "iam" || arn.Region != "" || !strings.HasPrefix(arn.Resource, "saml-provider/") {
		return nil, validationError.New("%s is invalid", in.PrincipalArn)
	}
	if arn.Account != role.Account {
		return nil, notAuthorized() // a role trusts its own account's providers
	}
	metadata, err := s.known.Providers.SAML(ctx, arn)
	if errors.Is(err, ErrNoProvider) {
		return nil, stsapi.InvalidIdentityTokenException.New("Specified provider doesn't exist.")
	}
	if err != nil {
		return nil, err
	}
	provider, err := s.metadata.get(metadata)
	if err != nil {
		return nil, err
	}
	recipients := []string{signIn}
	if region := aws.CallOf(ctx).Region; region != "" {
		recipients = append(recipients, "https://"+string(region)+".signin.aws.amazon.com/saml")
	}
	assertion, err := provider.Verify(in.SAMLAssertion, saml.Expected{Audiences: []string{signIn, "urn:amazon:webservices"}, Recipients: recipients})
	if err != nil {
		return nil, assertionError(err)
	}
	return &asserted{arn, assertion}, nil
}

func notAuthorized() error {
	return accessDenied.New("Not authorized to perform sts:AssumeRoleWithSAML")
}

// assertionError says in AWS's words what is wrong with an assertion. IAM User Guide,
// "Troubleshoot SAML federation with IAM".
func assertionError(err error) error {
	var e *aws.Error
	switch {
	case errors.Is(err, saml.ErrSignature):
		e = stsapi.InvalidIdentityTokenException.New("Response signature invalid")
	case errors.Is(err, saml.ErrExpired):
		e = stsapi.ExpiredTokenException.New("Token must be redeemed within 5 minutes of issuance")
	case errors.Is(err, saml.ErrNotYet):
		e = stsapi.InvalidIdentityTokenException.New("Response is not valid yet")
	case errors.Is(err, saml.ErrAudience):
		e = stsapi.InvalidIdentityTokenException.New("Response does not contain the required audience.")
	case errors.Is(err, saml.ErrRecipient):
		e = stsapi.InvalidIdentityTokenException.New("Response does not contain the required recipient.")
	case errors.Is(err, saml.ErrIssuer):
		e = stsapi.InvalidIdentityTokenException.New("Issuer not present in specified provider")
	case errors.Is(err, saml.ErrStatus):
		e = stsapi.IDPRejectedClaimException.New("The identity provider reported that authentication failed.")
	case errors.Is(err, saml.ErrIncomplete), errors.Is(err, saml.ErrMalformed), errors.Is(err, saml.ErrRequest):
		e = stsapi.InvalidIdentityTokenException.New("Invalid SAML response")
	default:
		return err
	}
	e.Cause = err
	return e
}

func (s *Service) roleForAssertion(ctx context.Context, in *stsapi.AssumeRoleWithSAMLRequest) ([]wire.Touch, error) {
	a, err := s.asserted(ctx, in)
	if err != nil {
		return nil, err
	}
	w, err := a.wish(in)
	if err != nil {
		return nil, err
	}
	return s.touches(ctx, w)
}

func (s *Service) assumeWithSAML(ctx context.Context, in *stsapi.AssumeRoleWithSAMLRequest) (*stsapi.AssumeRoleWithSAMLResponse, error) {
	a, err := s.asserted(ctx, in)
	if err != nil {
		return nil, err
	}
	w, err := a.wish(in)
	if err != nil {
		return nil, err
	}
	c, size, err := s.claims(ctx, w, 0)
	if err != nil {
		return nil, err
	}
	// "whichever is shorter": STS API Reference, AssumeRoleWithSAML, DurationSeconds.
	if end := a.assertion.SessionEnds; !end.IsZero() && end.Before(c.Expires) {
		c.Expires = end.UTC().Truncate(time.Second)
	}
	c.by(a.provider, a.keys())
	if err := s.once(ctx, a); err != nil {
		return nil, err
	}
	made, err := s.hand(c)
	if err != nil {
		return nil, err
	}
	out := &stsapi.AssumeRoleWithSAMLResponse{
		AssumedRoleUser: c.assumed(), Credentials: made, PackedPolicySize: size, Subject: &a.assertion.Subject, SubjectType: new(a.subjectType()),
		Issuer: &a.assertion.Issuer, Audience: &a.assertion.Recipient, NameQualifier: new(a.nameQualifier()),
	}
	if w.sourceID != "" {
		out.SourceIdentity = &w.sourceID
	}
	return out, nil
}

// attribute is the beginning of the names of attributes that AWS takes something from.
const attribute = "https://aws.amazon.com/SAML/Attributes/"

func (a *asserted) wish(in *stsapi.AssumeRoleWithSAMLRequest) (*wish, error) {
	given := a.assertion.Attributes
	if !a.entitled(in.RoleArn) {
		return nil, notAuthorized()
	}
	names := given[attribute+"RoleSessionName"]
	switch {
	case len(names) == 0:
		return nil, stsapi.InvalidIdentityTokenException.New("RoleSessionName is required in AuthnResponse")
	case len(names) > 1 || !wordForm.MatchString(names[0]):
		return nil, stsapi.InvalidIdentityTokenException.New("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
	}
	w := &wish{
		action: "sts:AssumeRoleWithSAML", role: in.RoleArn, session: names[0], duration: in.DurationSeconds, policy: in.Policy, policyARNs: in.PolicyArns,
		conditions: a.keys(),
		principal: &aws.Principal{
			Kind: aws.SAML, Account: a.provider.Account, Name: a.provider.String(), Subject: a.assertion.Subject, ID: a.nameQualifier() + ":" + a.assertion.Subject,
		},
	}
	w.conditions["aws:FederatedProvider"] = []string{a.provider.String()}
	if asked := given[attribute+"SessionDuration"]; len(asked) == 1 && w.duration == nil {
		seconds, err := strconv.ParseInt(asked[0], 10, 32)
		if err != nil || seconds < 900 || seconds > 43_200 {
			return nil, stsapi.InvalidIdentityTokenException.New("SessionDuration in AuthnResponse must be a number of seconds from 900 to 43200")
		}
		w.duration = new(int32(seconds))
	}
	if ids := given[attribute+"SourceIdentity"]; len(ids) == 1 {
		w.sourceID = ids[0]
	}
	if err := federatedSourceID(w.sourceID); err != nil {
		return nil, err
	}
	w.transitive = given[attribute+"TransitiveTagKeys"]
	for name, values := range given {
		key, is := strings.CutPrefix(name, attribute+"PrincipalTag:")
		if !is {
			continue
		}
		if len(values) != 1 {
			return nil, stsapi.InvalidIdentityTokenException.New("The attribute %.200s must have one value", name)
		}
		w.tags = append(w.tags, stsapi.Tag{Key: key, Value: values[0]})
	}
	slices.SortFunc(w.tags, func(a, b stsapi.Tag) int { return strings.Compare(a.Key, b.Key) })
	return w, checkFederatedTags(w)
}

// entitled reports whether the assertion pairs the role with the provider, in
// either order.
func (a *asserted) entitled(role string) bool {
	for _, pair := range a.assertion.Attributes[attribute+"Role"] {
		one, other, _ := strings.Cut(pair, ",")
		one, other = strings.TrimSpace(one), strings.TrimSpace(other)
		provider := a.provider.String()
		if one == role && other == provider || one == provider && other == role {
			return true
		}
	}
	return false
}

// nameQualifier tells users of different providers apart. STS API Reference,
// AssumeRoleWithSAML, NameQualifier.
func (a *asserted) nameQualifier() string {
	sum := sha1.Sum([]byte(a.assertion.Issuer + string(a.provider.Account) + "/" + strings.TrimPrefix(a.provider.Resource, "saml-provider/")))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// subjectType is "persistent", "transient", or the whole format of the name.
func (a *asserted) subjectType() string {
	return strings.TrimPrefix(a.assertion.SubjectFormat, "urn:oasis:names:tc:SAML:2.0:nameid-format:")
}

// An assertion is one that was accepted, and is not again.
type assertion struct{ Until time.Time }

const forget = "sts.assertion"

// once refuses an assertion that was accepted before. That it was is committed with
// the session. SAML 2.0 Profiles, 4.1.4.5.
func (s *Service) once(ctx context.Context, a *asserted) error {
	sum := sha256.Sum256([]byte(a.provider.Resource + "\x00" + a.assertion.ID))
	id := hex.EncodeToString(sum[:])
	err := s.used.Insert(ctx, id, &assertion{a.assertion.Until})
	if errors.Is(err, store.ErrExists) {
		return stsapi.InvalidIdentityTokenException.New("The SAML assertion has been used before")
	}
	if err != nil {
		return err
	}
	store.Schedule(ctx, store.Due{Kind: forget, ID: id, At: a.assertion.Until.Add(time.Minute), Place: store.Place{Account: aws.CallOf(ctx).Account}})
	return nil
}

// Jobs forgets assertions that would not be accepted any more.
func (s *Service) Jobs() []service.Job {
	return []service.Job{{Kind: forget, Run: func(ctx context.Context, due store.Due) error {
		err := s.used.Delete(ctx, due.ID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	}}}
}
