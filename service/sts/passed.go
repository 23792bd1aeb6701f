package sts

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/store"
)

// What a session may be passed. STS API Reference, AssumeRole; IAM User Guide,
// "IAM and AWS STS quotas".
const (
	maxPassed = 2048 // characters of the policy and of the ARNs
	maxARNs   = 10
	maxPacked = 4096 // bytes, compressed. AWS does not say what its packed form is
)

// checkPassed checks the session policies and tags, and returns how much of what
// a session can carry they fill, in per cent; nil when nothing was passed.
func (s *Service) checkPassed(ctx context.Context, account aws.Account, inline *string, arns []stsapi.PolicyDescriptorType, tags func(func(string, string) bool)) (*int32, error) {
	length := 0
	if len(arns) > maxARNs {
		return nil, tooLong("policyArns", maxARNs)
	}
	for _, a := range arns {
		if a.Arn == nil {
			return nil, validationError.New("1 validation error detected: Value null at 'policyArns.1.member.arn' failed to satisfy constraint: Member must not be null")
		}
		length += utf8.RuneCountInString(*a.Arn)
		if err := s.checkARN(ctx, account, *a.Arn); err != nil {
			return nil, err
		}
	}
	if inline != nil {
		length += utf8.RuneCountInString(*inline)
		if utf8.RuneCountInString(*inline) > maxPassed {
			return nil, tooLong("policy", maxPassed)
		}
		if _, err := policy.Parse([]byte(*inline), policy.Identity); err != nil {
			return nil, malformed(err)
		}
	}
	if length > maxPassed {
		return nil, stsapi.PackedPolicyTooLargeException.New("Packed policy consumes %d%% of allotted space, please use smaller policy.", (length*100+maxPassed-1)/maxPassed)
	}
	return packed(inline, arns, tags)
}

func tooLong(member string, most int) error {
	return validationError.New("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", member, most)
}

// malformed is IAM's error in the words of STS's model.
func malformed(err error) error {
	var e *aws.Error
	if errors.As(err, &e) {
		return stsapi.MalformedPolicyDocumentException.New("%s", e.Message)
	}
	return stsapi.MalformedPolicyDocumentException.New("Syntax errors in policy.")
}

// checkARN refuses managed policies that are not there. They are the role's account's or AWS's.
func (s *Service) checkARN(ctx context.Context, account aws.Account, text string) error {
	arn, err := aws.ParseARN(text)
	if err != nil || arn.Service != "iam" || len(arn.Resource) < 8 || arn.Resource[:7] != "policy/" {
		return validationError.New("%s is invalid", text)
	}
	if arn.Account != account && arn.Account != "aws" {
		return validationError.New("Policy %s is not in the account of the session.", text)
	}
	_, err = s.known.Managed.ManagedPolicy(ctx, account, text)
	if errors.Is(err, store.ErrNotFound) {
		return validationError.New("Policy %s does not exist.", text)
	}
	return err
}

// packed measures what was passed.
func packed(inline *string, arns []stsapi.PolicyDescriptorType, tags func(func(string, string) bool)) (*int32, error) {
	var text bytes.Buffer
	if inline != nil {
		text.WriteString(*inline)
	}
	for _, a := range arns {
		fmt.Fprintf(&text, "\x00%s", *a.Arn)
	}
	policies := text.Len() > 0
	tags(func(key, value string) bool {
		fmt.Fprintf(&text, "\x00%s\x00%s", key, value)
		return true
	})
	if text.Len() == 0 {
		return nil, nil
	}
	size := int32((len(deflate(text.Bytes()))*100 + maxPacked - 1) / maxPacked)
	switch {
	case size <= 100:
		return &size, nil
	case policies:
		return nil, stsapi.PackedPolicyTooLargeException.New("Packed policy consumes %d%% of allotted space, please use smaller policy.", size)
	}
	return nil, stsapi.PackedPolicyTooLargeException.New("Packed size of session tags consumes %d%% of allotted space.", size)
}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		panic(err) // the level is one that there is
	}
	_, _ = w.Write(b) // into memory
	_ = w.Close()
	return out.Bytes()
}
