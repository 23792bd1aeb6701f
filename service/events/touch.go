package events

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"sumun.dev/api/eventsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Actions, resources and condition keys are those of the Service Authorization
// Reference, "Actions, resources, and condition keys for Amazon EventBridge".

// touchAll is for operations that IAM does not restrict to resources.
func touchAll[In any](action string) func(context.Context, In) ([]wire.Touch, error) {
	return func(context.Context, In) ([]wire.Touch, error) { return []wire.Touch{{Action: action}}, nil }
}

func touchBus[In any](action string, name func(In) *string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		return []wire.Touch{{Action: action, Resource: busNamed(aws.CallOf(ctx), name(in))}}, nil
	}
}

// ruleNamed names the rule of a bus that may be given by ARN.
func ruleNamed(call *aws.Call, bus *string, name string) aws.ARN {
	arn := busNamed(call, bus)
	in := strings.TrimPrefix(arn.Resource, "event-bus/")
	arn.Resource = ruleARN(call, in, name).Resource
	return arn
}

func touchRule[In any](action string, name func(In) (*string, string)) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		bus, rule := name(in)
		return []wire.Touch{{Action: action, Resource: ruleNamed(aws.CallOf(ctx), bus, rule)}}, nil
	}
}

func touchTagged[In any](action string, arn func(In) string) func(context.Context, In) ([]wire.Touch, error) {
	return func(_ context.Context, in In) ([]wire.Touch, error) {
		resource, err := aws.ParseARN(arn(in))
		if err != nil {
			return nil, aws.ValidationException.New("Parameter ResourceARN is not valid. Reason: Provided Arn is not in correct format.")
		}
		return []wire.Touch{{Action: action, Resource: resource}}, nil
	}
}

// touchPassRole is the right to hand a role to EventBridge.
func touchPassRole(role *string) ([]wire.Touch, error) {
	if role == nil {
		return nil, nil
	}
	arn, err := aws.ParseARN(*role)
	if err != nil || arn.Service != "iam" {
		return nil, aws.ValidationException.New("Parameter RoleArn is not valid. Reason: Provided Arn is not in correct format.")
	}
	return []wire.Touch{{Action: "iam:PassRole", Resource: arn, Conditions: map[string][]string{"iam:PassedToService": {"events.amazonaws.com"}}}}, nil
}

func (s *Service) touchPutRule(ctx context.Context, in *eventsapi.PutRuleRequest) ([]wire.Touch, error) {
	touches, err := touchPassRole(in.RoleArn)
	if err != nil {
		return nil, err
	}
	conditions := map[string][]string{}
	var p map[string]json.RawMessage
	if in.EventPattern != nil && json.Unmarshal([]byte(*in.EventPattern), &p) == nil {
		for _, key := range []string{"source", "detail-type"} {
			var values []string
			if json.Unmarshal(p[key], &values) == nil && len(values) > 0 {
				conditions["events:"+key] = values
			}
		}
	}
	arn := ruleNamed(aws.CallOf(ctx), in.EventBusName, in.Name)
	return append(touches, wire.Touch{Action: "events:PutRule", Resource: arn, Conditions: conditions}), nil
}

func (s *Service) touchPutTargets(ctx context.Context, in *eventsapi.PutTargetsRequest) ([]wire.Touch, error) {
	arn := ruleNamed(aws.CallOf(ctx), in.EventBusName, in.Rule)
	var arns []string
	for _, t := range in.Targets {
		arns = append(arns, t.Arn)
	}
	touches := []wire.Touch{{Action: "events:PutTargets", Resource: arn, Conditions: map[string][]string{"events:TargetArn": arns}}}
	for _, t := range in.Targets {
		pass, err := touchPassRole(t.RoleArn)
		if err != nil {
			return nil, err
		}
		touches = append(touches, pass...)
	}
	return touches, nil
}

// touchPutEvents asks for each bus once for every source and detail type, since
// policies restrict senders by them.
func (s *Service) touchPutEvents(ctx context.Context, in *eventsapi.PutEventsRequest) ([]wire.Touch, error) {
	call := aws.CallOf(ctx)
	var touches []wire.Touch
	for _, e := range in.Entries {
		arn := busNamed(call, e.EventBusName)
		conditions := map[string][]string{}
		if e.Source != nil {
			conditions["events:source"] = []string{*e.Source}
		}
		if e.DetailType != nil {
			conditions["events:detail-type"] = []string{*e.DetailType}
		}
		if slices.ContainsFunc(touches, func(t wire.Touch) bool {
			return t.Resource == arn && slices.Equal(t.Conditions["events:source"], conditions["events:source"]) &&
				slices.Equal(t.Conditions["events:detail-type"], conditions["events:detail-type"])
		}) {
			continue
		}
		b, err := s.buses.At(arn).Get(ctx, strings.TrimPrefix(arn.Resource, "event-bus/"))
		if errors.Is(err, store.ErrNotFound) {
			b, err = &bus{}, nil
		}
		if err != nil {
			return nil, err
		}
		touches = append(touches, wire.Touch{Action: "events:PutEvents", Resource: arn, Conditions: conditions, Policy: b.Policy, Tags: b.Tags})
	}
	return touches, nil
}
