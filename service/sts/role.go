package sts

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/wire"
)

// Roles is all that STS knows of IAM's roles.
type Roles interface {
	// Role returns the role with this ARN, of any account; ErrNoRole when there is none.
	Role(ctx context.Context, arn aws.ARN) (*Role, error)
}

// A Role is what STS needs to know of a role that is to be assumed.
type Role struct {
	ARN        aws.ARN
	ID, Name   string
	Trust      string // the trust policy
	MaxSession time.Duration
	Tags       map[string]string
}

// ErrNoRole means that no role has this ARN.
var ErrNoRole = errors.New("sts: no role has this ARN")

// trustsNobody stands for the trust policy of a role that does not exist, so
// that it is refused in the same words as one that trusts others.
const trustsNobody = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"nobody.invalid"},"Action":"sts:AssumeRole"}]}`

var (
	validationError = aws.ErrorKind{Code: "ValidationError", Status: 400}
	accessDenied    = aws.ErrorKind{Code: "AccessDenied", Status: 403}
)

// roleARN reads the ARN of a role. One of another partition is refused: as it
// would name the same role, it would slip past policies that name the role's own.
func roleARN(partition, text string) (aws.ARN, error) {
	arn, err := aws.ParseARN(text)
	if err != nil || arn.Partition != partition || arn.Service != "iam" || arn.Region != "" || !strings.HasPrefix(arn.Resource, "role/") {
		return aws.ARN{}, validationError.New("%s is invalid", text)
	}
	if _, err := aws.ParseAccount(string(arn.Account)); err != nil {
		return aws.ARN{}, validationError.New("%s is invalid", text)
	}
	return arn, nil
}

// A wish is what is asked of a session of a role, by whichever operation.
type wish struct {
	action     string
	role       string // its ARN, as asked
	session    string
	duration   *int32
	policy     *string
	policyARNs []stsapi.PolicyDescriptorType
	tags       []stsapi.Tag
	transitive []string
	inherited  map[string]string // transitive tags of the session that asks
	sourceID   string
	conditions map[string][]string // further keys that the trust policy may test
	principal  *aws.Principal      // who asks, when it is not the caller
}

// touches are what a role's trust policy, and the caller's own policies, must
// allow: to assume it, to tag the session, to set its source identity.
// IAM User Guide, "Pass session tags in AWS STS", "Monitor and control actions
// taken with assumed roles".
func (s *Service) touches(ctx context.Context, w *wish) ([]wire.Touch, error) {
	arn, err := roleARN(aws.CallOf(ctx).Partition, w.role)
	if err != nil {
		return nil, err
	}
	conditions := maps.Clone(w.conditions)
	if conditions == nil {
		conditions = map[string][]string{}
	}
	if w.session != "" {
		conditions["sts:RoleSessionName"] = []string{w.session}
	}
	if w.sourceID != "" {
		conditions["sts:SourceIdentity"] = []string{w.sourceID}
	}
	conditions = service.RequestTags(conditions, w.allTags())
	if keys := w.transitiveKeys(); len(keys) > 0 {
		conditions["sts:TransitiveTagKeys"] = keys
	}
	touch := wire.Touch{Action: w.action, Resource: arn, Policy: trustsNobody, PolicyKind: "trust", Conditions: conditions, Principal: w.principal}
	role, err := s.known.Roles.Role(ctx, arn)
	if err != nil && !errors.Is(err, ErrNoRole) {
		return nil, err
	}
	if err == nil {
		touch.Policy, touch.Tags = role.Trust, role.Tags
	}
	touches := []wire.Touch{touch}
	for _, also := range []struct {
		asked  bool
		action string
	}{{len(conditions["aws:TagKeys"]) > 0, "sts:TagSession"}, {w.sourceID != "", "sts:SetSourceIdentity"}} {
		if also.asked {
			touch.Action = also.action
			touches = append(touches, touch)
		}
	}
	return touches, nil
}

// allTags yields the tags that the session is to have besides the role's own.
func (w *wish) allTags() func(func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for _, t := range w.tags {
			if !yield(t.Key, t.Value) {
				return
			}
		}
		for _, key := range slices.Sorted(maps.Keys(w.inherited)) {
			if !yield(key, w.inherited[key]) {
				return
			}
		}
	}
}

func (w *wish) transitiveKeys() []string {
	keys := slices.Clone(w.transitive)
	for _, key := range slices.Sorted(maps.Keys(w.inherited)) {
		if !slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) }) {
			keys = append(keys, key)
		}
	}
	return keys
}

// claims makes a session of the role as wished.
func (s *Service) claims(ctx context.Context, w *wish, most time.Duration) (*claims, *int32, error) {
	arn, err := roleARN(aws.CallOf(ctx).Partition, w.role)
	if err != nil {
		return nil, nil, err
	}
	role, err := s.known.Roles.Role(ctx, arn)
	if err != nil {
		return nil, nil, err // ErrNoRole too: nobody is authorised to assume what is not there
	}
	lasts, err := w.lasts(role, most)
	if err != nil {
		return nil, nil, err
	}
	if err := w.checkTags(); err != nil {
		return nil, nil, err
	}
	size, err := s.checkPassed(ctx, arn.Account, w.policy, w.policyARNs, w.allTags())
	if err != nil {
		return nil, nil, err
	}
	c := newClaims(kindRole, arn.Partition, arn.Account, lasts)
	c.Issuer, c.IssuerID, c.IssuerName, c.Name, c.SourceID = arn.Resource, role.ID, role.Name, w.session, w.sourceID
	c.pass(w.policy, w.policyARNs)
	c.Tags = merged(role.Tags, w.allTags())
	c.Transitive = w.transitiveKeys()
	return c, size, nil
}

const (
	defaultSession = time.Hour
	chainedSession = time.Hour // IAM User Guide, "Role chaining"
)

// lasts is how long the session is to be; most is the caller's own bound, 0 for none.
func (w *wish) lasts(role *Role, most time.Duration) (time.Duration, error) {
	lasts := defaultSession
	if w.duration != nil {
		lasts = time.Duration(*w.duration) * time.Second
	}
	if lasts > role.MaxSession {
		return 0, validationError.New("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	if most > 0 && lasts > most {
		return 0, validationError.New("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	return lasts, nil
}
