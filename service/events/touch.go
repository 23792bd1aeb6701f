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

// touchNewBus is for CreateEventBus, whose resource does not exist yet.
func touchNewBus(ctx context.Context, in *eventsapi.CreateEventBusRequest) ([]wire.Touch, error) {
	t := wire.Touch{Action: "events:CreateEventBus", Resource: busARN(aws.CallOf(ctx), in.Name), Conditions: requested(nil, in.Tags, nil)}
	return withTagging([]wire.Touch{t}, in.Tags), nil
}

// withTagging adds the right to tag, which tags on something new need too.
func withTagging(touches []wire.Touch, tags []eventsapi.Tag) []wire.Touch {
	if len(tags) == 0 {
		return touches
	}
	t := touches[0]
	t.Action = "events:TagResource"
	return append(touches, t)
}

func touchBus[In any](s *Service, action string, name func(In) *string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		return s.touch(ctx, action, busNamed(aws.CallOf(ctx), name(in)), nil)
	}
}

// touch asks for one action on a bus or a rule. Whether it exists does not show.
func (s *Service) touch(ctx context.Context, action string, arn aws.ARN, conditions map[string][]string) ([]wire.Touch, error) {
	t := wire.Touch{Action: action, Resource: arn, Conditions: conditions}
	tags, _, err := s.tagsOf(ctx, arn.String())
	if err == nil {
		t.Tags = *tags
	} else if !eventsapi.ResourceNotFoundException.Is(err) {
		return nil, err
	}
	return []wire.Touch{t}, nil
}

// requested adds the tags that a call asks for to its conditions.
func requested(conditions map[string][]string, tags []eventsapi.Tag, keys []string) map[string][]string {
	if conditions == nil {
		conditions = map[string][]string{}
	}
	for _, t := range tags {
		conditions["aws:RequestTag/"+t.Key] = []string{t.Value}
		keys = append(keys, t.Key)
	}
	if len(keys) > 0 {
		conditions["aws:TagKeys"] = keys
	}
	return conditions
}

// ruleNamed names the rule of a bus that may be given by ARN.
func ruleNamed(call *aws.Call, bus *string, name string) aws.ARN {
	arn := busNamed(call, bus)
	in := strings.TrimPrefix(arn.Resource, "event-bus/")
	arn.Resource = ruleARN(call, in, name).Resource
	return arn
}

func touchRule[In any](s *Service, action string, name func(In) (*string, string)) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		bus, rule := name(in)
		return s.touch(ctx, action, ruleNamed(aws.CallOf(ctx), bus, rule), nil)
	}
}

func touchTagged[In any](s *Service, action string, what func(In) (arn string, tags []eventsapi.Tag, keys []string)) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		name, tags, keys := what(in)
		arn, err := aws.ParseARN(name)
		if err != nil {
			return nil, aws.ValidationException.New("Parameter ResourceARN is not valid. Reason: Provided Arn is not in correct format.")
		}
		return s.touch(ctx, action, arn, requested(nil, tags, keys))
	}
}

// touchPassRole is the right to hand a role to EventBridge. A role can be passed
// within its account only, whoever asks: EventBridge would assume any role that
// trusts it. IAM User Guide, "Grant a user permissions to pass a role".
func touchPassRole(call *aws.Call, role *string) ([]wire.Touch, error) {
	if role == nil {
		return nil, nil
	}
	arn, err := aws.ParseARN(*role)
	if err != nil || arn.Service != "iam" {
		return nil, aws.ValidationException.New("Parameter RoleArn is not valid. Reason: Provided Arn is not in correct format.")
	}
	if arn != call.GlobalARN("iam", arn.Resource) {
		return nil, aws.AccessDenied.New("Cross-account pass role is not allowed.")
	}
	return []wire.Touch{{Action: "iam:PassRole", Resource: arn, Conditions: map[string][]string{"iam:PassedToService": {"events.amazonaws.com"}}}}, nil
}

func (s *Service) touchPutRule(ctx context.Context, in *eventsapi.PutRuleRequest) ([]wire.Touch, error) {
	touches, err := touchPassRole(aws.CallOf(ctx), in.RoleArn)
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
	put, err := s.touch(ctx, "events:PutRule", ruleNamed(aws.CallOf(ctx), in.EventBusName, in.Name), requested(conditions, in.Tags, nil))
	if err != nil {
		return nil, err
	}
	return append(withTagging(put, in.Tags), touches...), nil
}

func (s *Service) touchPutTargets(ctx context.Context, in *eventsapi.PutTargetsRequest) ([]wire.Touch, error) {
	arn := ruleNamed(aws.CallOf(ctx), in.EventBusName, in.Rule)
	var arns []string
	for _, t := range in.Targets {
		arns = append(arns, t.Arn)
	}
	touches, err := s.touch(ctx, "events:PutTargets", arn, map[string][]string{"events:TargetArn": arns})
	if err != nil {
		return nil, err
	}
	for _, t := range in.Targets {
		pass, err := touchPassRole(aws.CallOf(ctx), t.RoleArn)
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
