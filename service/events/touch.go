package events

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"

	"sumun.dev/api/eventsapi"
	"sumun.dev/aws"
	"sumun.dev/service"
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
	t := wire.Touch{Action: "events:CreateEventBus", Resource: busARN(aws.CallOf(ctx), in.Name), Conditions: service.RequestTags(nil, pairs(in.Tags))}
	return service.WithTagging("events:TagResource", t), nil
}

// pairs yields tags of EventBridge.
func pairs(tags []eventsapi.Tag) iter.Seq2[string, string] {
	return service.Pairs(tags, func(t eventsapi.Tag) (string, string) { return t.Key, t.Value })
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
		return s.touch(ctx, action, arn, service.RequestTags(nil, pairs(tags), keys...))
	}
}

// touchPassRole is the right to hand a role to EventBridge for a rule.
func touchPassRole(call *aws.Call, role *string, rule aws.ARN) ([]wire.Touch, error) {
	if role == nil {
		return nil, nil
	}
	arn, ok, err := service.Passable(call, *role)
	if !ok {
		return nil, aws.ValidationException.New("Parameter RoleArn is not valid. Reason: Provided Arn is not in correct format.")
	}
	if err != nil {
		return nil, err
	}
	return []wire.Touch{service.PassRole(arn, "events.amazonaws.com", rule)}, nil
}

func (s *Service) touchPutRule(ctx context.Context, in *eventsapi.PutRuleRequest) ([]wire.Touch, error) {
	arn := ruleNamed(aws.CallOf(ctx), in.EventBusName, in.Name)
	pass, err := touchPassRole(aws.CallOf(ctx), in.RoleArn, arn)
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
	put, err := s.touch(ctx, "events:PutRule", arn, service.RequestTags(conditions, pairs(in.Tags)))
	if err != nil {
		return nil, err
	}
	return append(service.WithTagging("events:TagResource", put[0]), pass...), nil
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
		pass, err := touchPassRole(aws.CallOf(ctx), t.RoleArn, arn)
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
