package events

import (
	"context"
	"errors"
	"slices"
	"unicode/utf8"

	"sumun.dev/api/eventsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/pattern"
	"sumun.dev/engine/schedule"
	"sumun.dev/store"
)

func (s *Service) putRule(ctx context.Context, in *eventsapi.PutRuleRequest) (*eventsapi.PutRuleResponse, error) {
	call := aws.CallOf(ctx)
	name, err := own(call, in.EventBusName)
	if err != nil {
		return nil, err
	}
	if _, err := s.bus(ctx, name); err != nil {
		return nil, err
	}
	r := &rule{Bus: name, Name: in.Name, Pattern: text(in.EventPattern), Schedule: text(in.ScheduleExpression),
		State: eventsapi.RuleStateEnabled, Description: text(in.Description), RoleARN: text(in.RoleArn), CreatedBy: call.Account}
	if in.State != nil {
		r.State = *in.State
	}
	wild, err := r.validate()
	if err != nil {
		return nil, err
	}
	if err := s.succeed(ctx, r, in.Tags); err != nil {
		return nil, err
	}
	if err := s.room(ctx, r, wild); err != nil {
		return nil, err
	}
	if err := s.keep(ctx, r); err != nil {
		return nil, err
	}
	return &eventsapi.PutRuleResponse{RuleArn: new(ruleARN(call, name, r.Name).String())}, nil
}

// validate checks pattern and schedule, and tells whether wildcards are used.
func (r *rule) validate() (wild bool, err error) {
	if r.Pattern == "" && r.Schedule == "" {
		return false, aws.ValidationException.New("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	if r.Schedule != "" {
		if r.Bus != defaultBus {
			return false, aws.ValidationException.New("ScheduleExpression is supported only on the default event bus.")
		}
		if _, err := schedule.Parse(r.Schedule); err != nil {
			return false, aws.ValidationException.New("Parameter ScheduleExpression is not valid.")
		}
	}
	if r.Pattern == "" {
		return false, nil
	}
	if utf8.RuneCountInString(r.Pattern) > maxPattern {
		return false, eventsapi.LimitExceededException.New("The event pattern is longer than %d characters.", maxPattern)
	}
	p, err := pattern.Parse([]byte(r.Pattern))
	if err != nil {
		return false, invalidPattern(err)
	}
	return p.HasWildcard(), nil
}

func invalidPattern(err error) error {
	var e *pattern.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Limit {
		return eventsapi.LimitExceededException.New("%s", e.Error())
	}
	return eventsapi.InvalidEventPatternException.New("%s", e.Error())
}

// succeed gives a rule what an earlier version of it had: its targets, and its
// tags, which PutRule only sets for a new rule.
func (s *Service) succeed(ctx context.Context, r *rule, tags []eventsapi.Tag) error {
	old, err := s.rules.Get(ctx, ruleID(r.Bus, r.Name))
	if errors.Is(err, store.ErrNotFound) {
		r.Tags, err = tagged(nil, tags)
		return err
	}
	if err != nil {
		return err
	}
	r.Targets, r.Tags, r.CreatedBy = old.Targets, old.Tags, old.CreatedBy
	return nil
}

// room checks the limits of rules on a bus.
func (s *Service) room(ctx context.Context, r *rule, wild bool) error {
	all, err := s.rules.Page(ctx, store.Range{Prefix: ruleID(r.Bus, ""), Limit: maxRules + 1})
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(e store.Entry[rule]) bool { return e.Value.Name == r.Name })
	if len(all) >= maxRules {
		return tooMany()
	}
	if !wild {
		return nil
	}
	n := 0
	for _, e := range all {
		if p, err := pattern.Parse([]byte(e.Value.Pattern)); err == nil && p.HasWildcard() {
			n++
		}
	}
	if n >= maxWildcards {
		return tooMany()
	}
	return nil
}

// keep writes a rule and puts its schedule in order.
func (s *Service) keep(ctx context.Context, r *rule) error {
	if err := s.reschedule(ctx, r); err != nil {
		return err
	}
	return s.rules.Put(ctx, ruleID(r.Bus, r.Name), r)
}

func (s *Service) describeRule(ctx context.Context, in *eventsapi.DescribeRuleRequest) (*eventsapi.DescribeRuleResponse, error) {
	r, err := s.rule(ctx, in.EventBusName, in.Name)
	if err != nil {
		return nil, err
	}
	return &eventsapi.DescribeRuleResponse{
		Name: &r.Name, Arn: new(ruleARN(aws.CallOf(ctx), r.Bus, r.Name).String()), EventPattern: optional(r.Pattern),
		ScheduleExpression: optional(r.Schedule), State: &r.State, Description: optional(r.Description), RoleArn: optional(r.RoleARN),
		EventBusName: &r.Bus, CreatedBy: optional(string(r.CreatedBy)),
	}, nil
}

func (s *Service) enableRule(ctx context.Context, in *eventsapi.EnableRuleRequest) (*eventsapi.EnableRuleResponse, error) {
	r, err := s.rule(ctx, in.EventBusName, in.Name)
	if err != nil {
		return nil, err
	}
	if !r.enabled() {
		r.State = eventsapi.RuleStateEnabled
		err = s.keep(ctx, r)
	}
	return &eventsapi.EnableRuleResponse{}, err
}

func (s *Service) disableRule(ctx context.Context, in *eventsapi.DisableRuleRequest) (*eventsapi.DisableRuleResponse, error) {
	r, err := s.rule(ctx, in.EventBusName, in.Name)
	if err != nil {
		return nil, err
	}
	if r.enabled() {
		r.State = eventsapi.RuleStateDisabled
		err = s.keep(ctx, r)
	}
	return &eventsapi.DisableRuleResponse{}, err
}

// deleteRule deletes a rule. One that does not exist is deleted already, as in AWS.
func (s *Service) deleteRule(ctx context.Context, in *eventsapi.DeleteRuleRequest) (*eventsapi.DeleteRuleResponse, error) {
	r, err := s.rule(ctx, in.EventBusName, in.Name)
	if eventsapi.ResourceNotFoundException.Is(err) {
		name, busErr := own(aws.CallOf(ctx), in.EventBusName)
		if busErr != nil {
			return nil, busErr
		}
		if _, busErr := s.bus(ctx, name); busErr != nil {
			return nil, busErr
		}
		return &eventsapi.DeleteRuleResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	if len(r.Targets) > 0 {
		return nil, aws.ValidationException.New("Rule can't be deleted since it has targets.")
	}
	store.Unschedule(ctx, jobSchedule, ruleID(r.Bus, r.Name))
	if err := s.rules.Delete(ctx, ruleID(r.Bus, r.Name)); err != nil {
		return nil, err
	}
	return &eventsapi.DeleteRuleResponse{}, nil
}

func (s *Service) listRules(ctx context.Context, in *eventsapi.ListRulesRequest) (*eventsapi.ListRulesResponse, error) {
	call := aws.CallOf(ctx)
	name, err := own(call, in.EventBusName)
	if err != nil {
		return nil, err
	}
	if _, err := s.bus(ctx, name); err != nil {
		return nil, err
	}
	r, bind, err := s.page(ctx, in.Limit, in.NextToken, name, text(in.NamePrefix))
	if err != nil {
		return nil, err
	}
	r.Prefix = ruleID(name, text(in.NamePrefix))
	all, err := s.rules.Page(ctx, r)
	if err != nil {
		return nil, err
	}
	all, token := next(s, bind, r, all)
	out := &eventsapi.ListRulesResponse{NextToken: token, Rules: []eventsapi.Rule{}}
	for _, e := range all {
		one := e.Value
		out.Rules = append(out.Rules, eventsapi.Rule{
			Name: &one.Name, Arn: new(ruleARN(call, one.Bus, one.Name).String()), EventPattern: optional(one.Pattern), State: &one.State,
			Description: optional(one.Description), ScheduleExpression: optional(one.Schedule), RoleArn: optional(one.RoleARN), EventBusName: &one.Bus,
		})
	}
	return out, nil
}

func (s *Service) listRuleNamesByTarget(ctx context.Context, in *eventsapi.ListRuleNamesByTargetRequest) (*eventsapi.ListRuleNamesByTargetResponse, error) {
	name, err := own(aws.CallOf(ctx), in.EventBusName)
	if err != nil {
		return nil, err
	}
	if _, err := s.bus(ctx, name); err != nil {
		return nil, err
	}
	r, bind, err := s.page(ctx, in.Limit, in.NextToken, name, in.TargetArn)
	if err != nil {
		return nil, err
	}
	r.Prefix = ruleID(name, "")
	all, err := s.rules.PageBy(ctx, byTarget, in.TargetArn, r)
	if err != nil {
		return nil, err
	}
	all, token := next(s, bind, r, all)
	out := &eventsapi.ListRuleNamesByTargetResponse{NextToken: token, RuleNames: []string{}}
	for _, e := range all {
		out.RuleNames = append(out.RuleNames, e.Value.Name)
	}
	return out, nil
}
