package ssm

import (
	"context"
	"errors"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
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
	touches := []wire.Touch{{Action: "ssm:StartAutomationExecution", Resource: n.definition(ctx, version), Conditions: requested(in.Tags)}}
	if len(in.Tags) > 0 {
		touches = append(touches, wire.Touch{Action: "ssm:AddTagsToResource", Resource: executionARN(ctx, "*"), Conditions: requested(in.Tags)})
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
	arn, err := aws.ParseARN(role)
	if err != nil {
		return touches, nil
	}
	return append(touches, wire.Touch{Action: "iam:PassRole", Resource: arn, Conditions: map[string][]string{"iam:PassedToService": {"ssm.amazonaws.com"}}}), nil
}

// requested is what a call asks for in tags, as conditions.
func requested(tags []ssmapi.Tag) map[string][]string {
	if len(tags) == 0 {
		return nil
	}
	c := map[string][]string{}
	for _, t := range tags {
		c["aws:RequestTag/"+t.Key] = []string{t.Value}
		c["aws:TagKeys"] = append(c["aws:TagKeys"], t.Key)
	}
	return c
}
