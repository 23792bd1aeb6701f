package ssm

import (
	"context"
	"errors"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Actions, resources and condition keys are those of the Service Authorization
// Reference, "Actions, resources, and condition keys for AWS Systems Manager".

// touchAll is for operations that IAM does not restrict to resources.
func touchAll[In any](action string) func(context.Context, In) ([]wire.Touch, error) {
	return func(context.Context, In) ([]wire.Touch, error) { return []wire.Touch{{Action: action}}, nil }
}

// touchExecution is for operations on one execution. Whether it exists does not
// show.
func touchExecution[In any](s *Service, action string, id func(In) string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		t := wire.Touch{Action: action, Resource: executionARN(ctx, id(in))}
		e, err := s.executions.Get(ctx, id(in))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if err == nil {
			t.Tags = e.Tags
		}
		return []wire.Touch{t}, nil
	}
}

func touchDocument[In any](action string, name func(In) string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		n := nameOf(ctx, name(in))
		arn := aws.CallOf(ctx).ARN("ssm", "document/"+n.name)
		arn.Account, arn.Region = n.owner, n.region
		return []wire.Touch{{Action: action, Resource: arn}}, nil
	}
}

// touchStart asks for the runbook in the version that the caller names, for the
// role that is handed to it, and for tags.
func (s *Service) touchStart(ctx context.Context, in *ssmapi.StartAutomationExecutionRequest) ([]wire.Touch, error) {
	n := nameOf(ctx, in.DocumentName)
	version := text(in.DocumentVersion)
	if version == "" {
		version = n.version
	}
	if version == "" {
		version = "$DEFAULT"
	}
	tags := service.Pairs(in.Tags, func(t ssmapi.Tag) (string, string) { return t.Key, t.Value })
	start := wire.Touch{Action: "ssm:StartAutomationExecution", Resource: n.definition(ctx, version), Conditions: service.RequestTags(nil, tags)}
	touches := service.WithTagging("ssm:AddTagsToResource", start)
	if len(touches) > 1 {
		touches[1].Resource = executionARN(ctx, "*") // the tags are the execution's, not the runbook's
	}
	book := s.document(n.name)
	if book == nil {
		return touches, nil
	}
	// What cannot be bound is refused when it is served, and hands over no role.
	_, role, err := bind(ctx, book, &execution{}, in.Parameters)
	if err != nil {
		return touches, nil
	}
	// A role of another account is refused when it is served, in AWS's words.
	arn, ok, _ := service.Passable(aws.CallOf(ctx), role)
	if !ok {
		return touches, nil
	}
	return append(touches, service.PassRole(arn, "ssm.amazonaws.com", start.Resource)), nil
}
