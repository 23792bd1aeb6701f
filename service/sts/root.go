package sts

import (
	"context"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// maxRoot bounds a session of a member account's root. STS API Reference, AssumeRoot.
const maxRoot = 15 * time.Minute

// target reads whose root is to be assumed: an account, or root's ARN.
func target(partition, text string) (aws.Account, error) {
	if account, err := aws.ParseAccount(text); err == nil {
		return account, nil
	}
	arn, err := aws.ParseARN(text)
	if err != nil || arn.Partition != partition || arn.Service != "iam" || arn.Region != "" || arn.Resource != "root" {
		return "", validationError.New("%s is invalid", text)
	}
	account, err := aws.ParseAccount(string(arn.Account))
	if err != nil {
		return "", validationError.New("%s is invalid", text)
	}
	return account, nil
}

// taskPolicy returns the ARN of the task that a session of root is for, and the
// feature of centralised root access that must be enabled for it. IAM User Guide,
// "Perform a privileged task on an AWS Organizations member account".
func taskPolicy(in *stsapi.AssumeRootRequest) (arn, feature string, err error) {
	if in.TaskPolicyArn == nil || in.TaskPolicyArn.Arn == nil {
		return "", "", validationError.New("1 validation error detected: Value null at 'taskPolicyArn' failed to satisfy constraint: Member must not be null")
	}
	arn = *in.TaskPolicyArn.Arn
	switch strings.TrimPrefix(arn, "arn:aws:iam::aws:policy/root-task/") {
	case "IAMAuditRootUserCredentials", "IAMCreateRootUserPassword", "IAMDeleteRootUserCredentials":
		return arn, "RootCredentialsManagement", nil
	case "S3UnlockBucketPolicy", "SQSUnlockQueuePolicy":
		return arn, "RootSessions", nil
	}
	return "", "", validationError.New("%s is not a task policy", arn)
}

func (s *Service) rootToAssume(ctx context.Context, in *stsapi.AssumeRootRequest) ([]wire.Touch, error) {
	call := aws.CallOf(ctx)
	account, err := target(call.Partition, in.TargetPrincipal)
	if err != nil {
		return nil, err
	}
	task, _, err := taskPolicy(in)
	if err != nil {
		return nil, err
	}
	return []wire.Touch{{
		Action: "sts:AssumeRoot", Resource: rootARN(call.Partition, account), Conditions: map[string][]string{"sts:TaskPolicyArn": {task}},
	}}, nil
}

func rootARN(partition string, account aws.Account) aws.ARN {
	return aws.ARN{Partition: partition, Service: "iam", Account: account, Resource: "root"}
}

// manages reports whether account one administers IAM for the organisation that
// other is a member of, and the feature is enabled there.
func (s *Service) manages(ctx context.Context, one, other aws.Account, feature string) (bool, error) {
	organization, features, err := s.known.RootAccess(ctx, one)
	if err != nil || organization == "" || !slices.Contains(features, feature) {
		return false, err
	}
	theirs, err := s.known.Membership(ctx, other)
	return err == nil && theirs != nil && !theirs.Management && theirs.Organization == organization, err
}

func (s *Service) assumeRoot(ctx context.Context, in *stsapi.AssumeRootRequest) (*stsapi.AssumeRootResponse, error) {
	call := aws.CallOf(ctx)
	p := call.Principal
	if p.Kind != aws.User && p.Kind != aws.AssumedRole {
		return nil, accessDenied.New("AssumeRoot may only be called by IAM users and roles.")
	}
	account, err := target(call.Partition, in.TargetPrincipal)
	if err != nil {
		return nil, err
	}
	task, feature, err := taskPolicy(in)
	if err != nil {
		return nil, err
	}
	// Who may is also for the organisation to say, in the words for one who may not.
	manages, err := s.manages(ctx, p.Account, account, feature)
	if err != nil {
		return nil, err
	}
	if !manages {
		return nil, accessDenied.New("User: %s is not authorized to perform: sts:AssumeRoot on resource: %s", p.ARN, rootARN(call.Partition, account))
	}
	lasts := maxRoot
	if in.DurationSeconds != nil && *in.DurationSeconds > 0 {
		lasts = time.Duration(*in.DurationSeconds) * time.Second
	}
	c := newClaims(kindRoot, call.Partition, account, lasts)
	c.Issuer, c.IssuerID, c.TaskPolicy = "root", string(account), task
	out := &stsapi.AssumeRootResponse{}
	if p.Session != nil && p.Session.SourceID != "" {
		c.SourceID, out.SourceIdentity = p.Session.SourceID, &p.Session.SourceID
	}
	out.Credentials, err = s.hand(c)
	return out, err
}
