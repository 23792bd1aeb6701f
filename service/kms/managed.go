package kms

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
	"sumun.dev/store"
)

// managed are the services that have a key of their own in each account and region,
// with the sentence that describes it.
var managed = map[string]string{
	"ssm":            "Default key that protects my SSM parameters when no other key is defined",
	"secretsmanager": "Default key that protects my Secrets Manager data when no other key is defined",
}

// managedPolicy lets the account's principals use the key through its service, and
// look at it. KMS Developer Guide, "AWS managed keys".
func managedPolicy(arn aws.ARN, service string) string {
	domain := "amazonaws.com"
	return fmt.Sprintf(`{
  "Version" : "2012-10-17",
  "Id" : "auto-%[1]s-1",
  "Statement" : [ {
    "Sid" : "Allow access through %[1]s for all principals in the account that are authorized to use %[1]s",
    "Effect" : "Allow",
    "Principal" : { "AWS" : "*" },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : { "StringEquals" : { "kms:CallerAccount" : "%[2]s", "kms:ViaService" : "%[1]s.%[3]s.%[4]s" } }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : { "AWS" : "arn:%[5]s:iam::%[2]s:root" },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*" ],
    "Resource" : "*"
  } ]
}`, service, arn.Account, arn.Region, domain, arn.Partition)
}

// makeManaged makes the AWS managed key that an alias stands for, when the call
// comes from its service for the alias's own account or describes the key, and
// returns its id; empty when there is no such key. It is committed with what the
// service does with it. KMS API Reference, "DescribeKey".
func (s *Service) makeManaged(ctx context.Context, arn aws.ARN) (string, error) {
	call := aws.CallOf(ctx)
	name, ok := strings.CutPrefix(arn.Resource, awsAliases)
	description := managed[name]
	asked := call.Operation == kmsapi.DescribeKey.Name || through(call, name+".amazonaws.com")
	if !ok || description == "" || store.UnitOf(ctx) == nil || arn.Account != call.Account || !asked {
		return "", nil
	}
	a, err := s.aliases.At(arn).Get(ctx, arn.Resource)
	if err == nil {
		return a.Target, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	now := time.Now().UTC()
	k := &key{ID: aws.UUID(), Spec: string(mat.Symmetric), Usage: encrypting, Origin: "AWS_KMS", Service: name, Description: description, Created: now}
	k.Policy = managedPolicy(arn, name)
	if err := k.generate(); err != nil {
		return "", err
	}
	s.startRotation(ctx, k, 365) // KMS Developer Guide, "Rotate AWS managed keys"
	if err := s.keys.At(arn).Insert(ctx, k.ID, k); err != nil {
		return "", err
	}
	return k.ID, s.aliases.At(arn).Insert(ctx, arn.Resource, &alias{Name: arn.Resource, Target: k.ID, Created: now, Updated: now})
}

// through reports whether a service makes the call, for somebody or as itself.
func through(call *aws.Call, service string) bool {
	if n := len(call.Via); n > 0 {
		return call.Via[n-1] == service
	}
	return call.Principal.Kind == aws.Service && call.Principal.Name == service
}
