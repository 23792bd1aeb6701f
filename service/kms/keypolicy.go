package kms

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/service"
)

// policyName is the only name that key policies have.
const policyName = "default"

// maxPolicy is how long a key policy may be, in bytes. KMS Developer Guide, "Quotas".
const maxPolicy = 32 << 10

// defaultPolicy delegates to the account's identity policies.
// KMS Developer Guide, "Default key policy".
func defaultPolicy(arn aws.ARN) string {
	return fmt.Sprintf(`{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:%s:iam::%s:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`, arn.Partition, arn.Account)
}

// newPolicy checks the policy that a key is to have, the default one when none is
// given, and returns it as it is kept: with the unique ids of those it names.
func (s *Service) newPolicy(ctx context.Context, arn aws.ARN, given *string, bypass bool) (string, error) {
	text := defaultPolicy(arn)
	if given != nil {
		text = *given
	}
	if len(text) > maxPolicy {
		return "", kmsapi.LimitExceededException.New("The key policy is longer than %d bytes.", maxPolicy)
	}
	if _, err := policy.Parse([]byte(text), policy.Key); err != nil {
		return "", malformed(err)
	}
	// What is checked is what the gate will ask: the document with unique ids.
	kept, err := service.WithIDs(ctx, s.env.Principals, text)
	if err != nil {
		return "", malformed(err)
	}
	doc, err := policy.Parse([]byte(kept), policy.Key)
	if err != nil {
		return "", malformed(err)
	}
	if !bypass && !mayStillPut(ctx, arn, doc) {
		return "", kmsapi.MalformedPolicyDocumentException.New("The new key policy will not allow you to update the key policy in the future.")
	}
	return kept, nil
}

// malformed is what is wrong with a document, in KMS's error.
func malformed(err error) error {
	var e *aws.Error
	if errors.As(err, &e) && strings.HasPrefix(e.Message, "Invalid principal in policy") {
		return kmsapi.MalformedPolicyDocumentException.New("Policy contains a statement with one or more invalid principals.")
	}
	if e != nil {
		return kmsapi.MalformedPolicyDocumentException.New("%s", e.Message)
	}
	return err
}

// mayStillPut reports whether doc lets the caller put the next policy, by itself or
// by leaving that to the account. KMS Developer Guide, "Changing a key policy".
func mayStillPut(ctx context.Context, arn aws.ARN, doc *policy.Document) bool {
	all, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:PutKeyPolicy","Resource":"*"}}`), policy.Identity)
	if err != nil {
		return false
	}
	d := policy.Authorize(
		&policy.Request{Principal: aws.CallOf(ctx).Principal, Action: "kms:PutKeyPolicy", Resource: arn.String(), ResourceAccount: arn.Account,
			Context: policy.MapOf(withCaller(ctx, map[string][]string{}))},
		&policy.Policies{Identity: []*policy.Attached{{Document: all}}, Resource: &policy.Attached{Document: doc}})
	return d.Allowed()
}

func lockoutBypass(in *kmsapi.PutKeyPolicyRequest) map[string][]string {
	return map[string][]string{"kms:BypassPolicyLockoutSafetyCheck": {strconv.FormatBool(value(in.BypassPolicyLockoutSafetyCheck))}}
}

// namedDefault refuses names of policies that keys do not have.
func namedDefault(name *string) error {
	if name != nil && *name != policyName {
		return kmsapi.NotFoundException.New("No such policy exists")
	}
	return nil
}

func (s *Service) getKeyPolicy(ctx context.Context, in *kmsapi.GetKeyPolicyRequest) (*kmsapi.GetKeyPolicyResponse, error) {
	k, _, err := s.look(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := namedDefault(in.PolicyName); err != nil {
		return nil, err
	}
	shown, err := service.WithARNs(ctx, s.env.Principals, k.Policy)
	if err != nil {
		return nil, err
	}
	return &kmsapi.GetKeyPolicyResponse{Policy: new(shown), PolicyName: new(policyName)}, nil
}

func (s *Service) putKeyPolicy(ctx context.Context, in *kmsapi.PutKeyPolicyRequest) (*kmsapi.PutKeyPolicyResponse, error) {
	k, arn, err := s.manage(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := namedDefault(in.PolicyName); err != nil {
		return nil, err
	}
	if k.Policy, err = s.newPolicy(ctx, arn, &in.Policy, value(in.BypassPolicyLockoutSafetyCheck)); err != nil {
		return nil, err
	}
	return &kmsapi.PutKeyPolicyResponse{}, s.keep(ctx, arn, k)
}

func (s *Service) listKeyPolicies(ctx context.Context, in *kmsapi.ListKeyPoliciesRequest) (*kmsapi.ListKeyPoliciesResponse, error) {
	if _, _, err := s.look(ctx, in.KeyId); err != nil {
		return nil, err
	}
	if _, err := s.pageOf(ctx, in.Marker, in.Limit, 50, in.KeyId); err != nil {
		return nil, err
	}
	return &kmsapi.ListKeyPoliciesResponse{PolicyNames: []string{policyName}, Truncated: new(false)}, nil
}
