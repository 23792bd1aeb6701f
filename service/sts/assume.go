package sts

import (
	"context"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

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

const (
	defaultSession = time.Hour
	chainedSession = time.Hour // IAM User Guide, "Role chaining"
)

// trustsNobody stands for the trust policy of a role that does not exist, so
// that it is refused in the same words as one that trusts others.
const trustsNobody = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"nobody.invalid"},"Action":"sts:AssumeRole"}]}`

var validationError = aws.ErrorKind{Code: "ValidationError", Status: 400}

func (s *Service) roleToAssume(ctx context.Context, in *stsapi.AssumeRoleRequest) ([]wire.Touch, error) {
	arn, err := roleARN(aws.CallOf(ctx).Partition, in.RoleArn)
	if err != nil {
		return nil, err
	}
	touch := wire.Touch{Action: "sts:AssumeRole", Resource: arn, Policy: trustsNobody, PolicyKind: "trust", Conditions: map[string][]string{
		"sts:RoleSessionName": {in.RoleSessionName},
	}}
	if in.ExternalId != nil {
		touch.Conditions["sts:ExternalId"] = []string{*in.ExternalId}
	}
	role, err := s.roles.Role(ctx, arn)
	if errors.Is(err, ErrNoRole) {
		return []wire.Touch{touch}, nil
	}
	if err != nil {
		return nil, err
	}
	touch.Policy, touch.Tags = role.Trust, role.Tags
	return []wire.Touch{touch}, nil
}

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

func (s *Service) assumeRole(ctx context.Context, in *stsapi.AssumeRoleRequest) (*stsapi.AssumeRoleResponse, error) {
	call := aws.CallOf(ctx)
	if call.Principal.Kind == aws.Root {
		return nil, aws.ErrorKind{Code: "AccessDenied", Status: 403}.New("Roles may not be assumed by root accounts.")
	}
	if err := served(in); err != nil {
		return nil, err
	}
	arn, err := roleARN(call.Partition, in.RoleArn)
	if err != nil {
		return nil, err
	}
	role, err := s.roles.Role(ctx, arn)
	if err != nil {
		return nil, err // ErrNoRole too: nobody is authorised to assume what is not there
	}
	lasts, err := duration(call.Principal, role, in.DurationSeconds)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Second)
	c := &claims{
		KeyID: aws.AccessKeyID("ASIA", arn.Account), Secret: aws.SecretKey(), Account: arn.Account, Partition: arn.Partition,
		Role: arn.Resource, RoleID: role.ID, RoleName: role.Name, Session: in.RoleSessionName, Created: now, Expires: now.Add(lasts),
	}
	if call.Principal.Kind == aws.Service {
		c.InvokedBy = call.Principal.Name
	}
	p := c.principal()
	return &stsapi.AssumeRoleResponse{
		AssumedRoleUser: &stsapi.AssumedRoleUser{AssumedRoleId: p.ID, Arn: p.ARN.String()},
		Credentials:     &stsapi.Credentials{AccessKeyId: c.KeyID, SecretAccessKey: c.Secret, SessionToken: s.seal(c), Expiration: c.Expires},
	}, nil
}

// served refuses the parameters whose meaning is not enforced yet: a session
// that ignored its session policy would be allowed too much.
func served(in *stsapi.AssumeRoleRequest) error {
	for _, p := range []struct {
		given bool
		name  string
	}{
		{in.Policy != nil, "Policy"}, {len(in.PolicyArns) > 0, "PolicyArns"}, {len(in.Tags) > 0, "Tags"},
		{len(in.TransitiveTagKeys) > 0, "TransitiveTagKeys"}, {in.SerialNumber != nil, "SerialNumber"}, {in.TokenCode != nil, "TokenCode"},
		{in.SourceIdentity != nil, "SourceIdentity"}, {len(in.ProvidedContexts) > 0, "ProvidedContexts"},
	} {
		if p.given {
			return aws.UnsupportedOperation.New("Sumun does not serve the parameter %s of AssumeRole yet.", p.name)
		}
	}
	return nil
}

func duration(p *aws.Principal, role *Role, asked *int32) (time.Duration, error) {
	lasts := defaultSession
	if asked != nil {
		lasts = time.Duration(*asked) * time.Second
	}
	if lasts > role.MaxSession {
		return 0, validationError.New("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	if p.Kind == aws.AssumedRole && lasts > chainedSession {
		return 0, validationError.New("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	return lasts, nil
}
