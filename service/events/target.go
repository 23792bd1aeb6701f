package events

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"sumun.dev/api/eventsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/transform"
	"sumun.dev/store"
)

func (s *Service) putTargets(ctx context.Context, in *eventsapi.PutTargetsRequest) (*eventsapi.PutTargetsResponse, error) {
	r, err := s.rule(ctx, in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	for i, t := range in.Targets {
		if slices.ContainsFunc(in.Targets[:i], func(o eventsapi.Target) bool { return o.Id == t.Id }) {
			return nil, aws.ValidationException.New("Target Id %s is duplicated in the request.", t.Id)
		}
		one, err := s.newTarget(ctx, r, &t)
		if err != nil {
			return nil, err
		}
		if at := r.find(t.Id); at >= 0 {
			r.Targets[at] = one
			continue
		}
		r.Targets = append(r.Targets, one)
	}
	if len(r.Targets) > maxTargets {
		return nil, tooMany()
	}
	if err := s.rules.Put(ctx, ruleID(r.Bus, r.Name), r); err != nil {
		return nil, err
	}
	return &eventsapi.PutTargetsResponse{FailedEntryCount: new(int32(0)), FailedEntries: []eventsapi.PutTargetsResultEntry{}}, nil
}

// newTarget checks a target and what it asks for.
func (s *Service) newTarget(ctx context.Context, r *rule, in *eventsapi.Target) (target, error) {
	t := target{ID: in.Id, ARN: in.Arn, RoleARN: text(in.RoleArn), Input: in.Input, InputPath: in.InputPath, Transform: in.InputTransformer}
	arn, err := aws.ParseARN(in.Arn)
	if err != nil {
		return t, aws.ValidationException.New("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", in.Arn)
	}
	if err := foreignParameters(in); err != nil {
		return t, err
	}
	if in.DeadLetterConfig != nil && text(in.DeadLetterConfig.Arn) != "" {
		return t, noDeadLetters()
	}
	if p := in.RetryPolicy; p != nil {
		t.Attempts, t.Age = p.MaximumRetryAttempts, p.MaximumEventAgeInSeconds
	}
	if err := t.checkInput(); err != nil {
		return t, err
	}
	call := aws.CallOf(ctx)
	if arn.Partition != call.Partition {
		return t, elsewhere(in.Arn)
	}
	switch kindOf(arn) {
	case toAutomation:
		if t.RoleARN == "" {
			return t, aws.ValidationException.New("RoleArn is required for target %s.", in.Arn)
		}
		if arn.Region != call.Region || arn.Account != call.Account && arn.Account != "" {
			return t, elsewhere(in.Arn)
		}
		return t, s.roleThere(ctx, t.RoleARN)
	case toBus:
		if t.Input != nil || t.InputPath != nil || t.Transform != nil {
			return t, aws.ValidationException.New("Input, InputPath and InputTransformer are not supported for target %s: an event bus receives the event as it is.", in.Arn)
		}
		if arn.Region != call.Region || arn.Account != call.Account {
			return t, elsewhere(in.Arn)
		}
		name := strings.TrimPrefix(arn.Resource, "event-bus/")
		if name == r.Bus {
			return t, aws.ValidationException.New("Rule %s cannot target the event bus it is on.", r.Name)
		}
		_, err := s.bus(ctx, name)
		return t, err
	}
	return t, aws.ValidationException.New("Target %s is not supported: this plane delivers to SSM Automation and to event buses; targets of %s are not served yet.", in.Arn, arn.Service)
}

// roleThere refuses a role that nobody can assume, in EventBridge's words.
func (s *Service) roleThere(ctx context.Context, role string) error {
	arn, err := aws.ParseARN(role)
	if err != nil {
		return err // the touch has read it
	}
	exists, err := s.env.RoleExists(ctx, arn)
	if err == nil && !exists {
		return aws.ValidationException.New("Provided role '%s' cannot be assumed by principal 'events.amazonaws.com'.", role)
	}
	return err
}

func elsewhere(arn string) error {
	return aws.ValidationException.New("Target %s is not supported: targets in another account or region are not served yet.", arn)
}

// foreignParameters refuses parameters of targets that are not served.
func foreignParameters(in *eventsapi.Target) error {
	for name, given := range map[string]bool{
		"KinesisParameters": in.KinesisParameters != nil, "RunCommandParameters": in.RunCommandParameters != nil, "EcsParameters": in.EcsParameters != nil,
		"BatchParameters": in.BatchParameters != nil, "SqsParameters": in.SqsParameters != nil, "HttpParameters": in.HttpParameters != nil,
		"RedshiftDataParameters": in.RedshiftDataParameters != nil, "SageMakerPipelineParameters": in.SageMakerPipelineParameters != nil,
		"AppSyncParameters": in.AppSyncParameters != nil,
	} {
		if given {
			return aws.ValidationException.New("Parameter %s does not apply to target %s.", name, in.Arn)
		}
	}
	return nil
}

// checkInput checks the three ways to say what a target receives.
func (t *target) checkInput() error {
	given := 0
	for _, set := range []bool{t.Input != nil, t.InputPath != nil, t.Transform != nil} {
		if set {
			given++
		}
	}
	if given > 1 {
		return aws.ValidationException.New("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", t.ID)
	}
	switch {
	case t.Input != nil:
		if !json.Valid([]byte(*t.Input)) {
			return aws.ValidationException.New("JSON syntax error in input for target %s", t.ID)
		}
	case t.InputPath != nil && *t.InputPath != "":
		if _, err := transform.ParsePath(*t.InputPath); err != nil {
			return aws.ValidationException.New("InputPath for target %s is invalid.", t.ID)
		}
	case t.Transform != nil:
		return t.checkTemplate()
	}
	return nil
}

func (t *target) checkTemplate() error {
	_, err := transform.ParseTemplate(t.Transform.InputTemplate, t.Transform.InputPathsMap)
	var placeholder *transform.PlaceholderError
	var name *transform.NameError
	var path *transform.PathError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &placeholder):
		return aws.ValidationException.New("InputTemplate for target %s %s", t.ID, err)
	case errors.As(err, &name), errors.As(err, &path):
		return aws.ValidationException.New("InputPathsMap for target %s is invalid: %s.", t.ID, err)
	}
	return aws.ValidationException.New("Invalid InputTemplate for target %s : %s.", t.ID, err)
}

func (s *Service) removeTargets(ctx context.Context, in *eventsapi.RemoveTargetsRequest) (*eventsapi.RemoveTargetsResponse, error) {
	r, err := s.rule(ctx, in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	out := &eventsapi.RemoveTargetsResponse{FailedEntries: []eventsapi.RemoveTargetsResultEntry{}}
	for _, id := range in.Ids {
		at := r.find(id)
		if at < 0 {
			out.FailedEntries = append(out.FailedEntries, eventsapi.RemoveTargetsResultEntry{
				TargetId: &id, ErrorCode: new("ResourceNotFoundException"),
				ErrorMessage: new("Rule '" + r.Name + "' does not have a target with the Id '" + id + "'."),
			})
			continue
		}
		r.Targets = slices.Delete(r.Targets, at, at+1)
	}
	out.FailedEntryCount = new(int32(len(out.FailedEntries)))
	return out, s.rules.Put(ctx, ruleID(r.Bus, r.Name), r)
}

func (s *Service) listTargetsByRule(ctx context.Context, in *eventsapi.ListTargetsByRuleRequest) (*eventsapi.ListTargetsByRuleResponse, error) {
	rule, err := s.rule(ctx, in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	r, bind, err := s.page(ctx, in.Limit, in.NextToken, rule.Bus, rule.Name)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rule.Targets, func(a, b target) int { return strings.Compare(a.ID, b.ID) })
	var all []store.Entry[target]
	for i := range rule.Targets {
		if t := &rule.Targets[i]; t.ID > r.After && len(all) < r.Limit {
			all = append(all, store.Entry[target]{ID: t.ID, Value: t})
		}
	}
	all, token := next(s, bind, r, all)
	out := &eventsapi.ListTargetsByRuleResponse{NextToken: token, Targets: []eventsapi.Target{}}
	for _, e := range all {
		out.Targets = append(out.Targets, e.Value.shown())
	}
	return out, nil
}

func (t *target) shown() eventsapi.Target {
	out := eventsapi.Target{Id: t.ID, Arn: t.ARN, RoleArn: optional(t.RoleARN), Input: t.Input, InputPath: t.InputPath, InputTransformer: t.Transform}
	if t.Attempts != nil || t.Age != nil {
		out.RetryPolicy = &eventsapi.RetryPolicy{MaximumRetryAttempts: t.Attempts, MaximumEventAgeInSeconds: t.Age}
	}
	return out
}
