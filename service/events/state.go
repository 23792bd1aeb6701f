package events

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/eventsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// defaultBus exists in every account and region without being made.
const defaultBus = "default"

// A bus is kept under its name. The default bus has a record only once it has
// tags or a policy.
type bus struct {
	Name, Description string
	Policy            string // a policy document; empty for none
	Tags              map[string]string
	Created, Modified time.Time
}

// A rule is kept under ruleID, with its targets.
type rule struct {
	Bus, Name         string
	Pattern, Schedule string // at least one is set
	State             eventsapi.RuleState
	Description       string
	RoleARN           string
	CreatedBy         aws.Account
	Tags              map[string]string
	Targets           []target
}

// A target is where a rule's events go.
type target struct {
	ID, ARN, RoleARN string
	Input, InputPath *string
	Transform        *eventsapi.InputTransformer
	Attempts, Age    *int32 // of the retry policy; Age in seconds
}

// byTarget is the index of rules by the ARNs of their targets.
const byTarget = "target"

func targetARNs(r *rule) []string {
	arns := make([]string, 0, len(r.Targets))
	for _, t := range r.Targets {
		arns = append(arns, t.ARN)
	}
	return arns
}

// ruleID names a rule of a bus. Neither name has a colon.
func ruleID(bus, name string) string { return bus + ":" + name }

func (r *rule) enabled() bool { return r.State != eventsapi.RuleStateDisabled }

func (r *rule) find(id string) int {
	return slices.IndexFunc(r.Targets, func(x target) bool { return x.ID == id })
}

// ruleARN names a rule: those of the default bus do not show their bus.
func ruleARN(call *aws.Call, bus, name string) aws.ARN {
	if bus == defaultBus {
		return call.ARN("events", "rule/"+name)
	}
	return call.ARN("events", "rule/"+bus+"/"+name)
}

func busARN(call *aws.Call, name string) aws.ARN { return call.ARN("events", "event-bus/"+name) }

// busNamed reads a bus's name or ARN as parameters carry it; nil is the default
// bus.
func busNamed(call *aws.Call, param *string) aws.ARN {
	if param == nil {
		return busARN(call, defaultBus)
	}
	if !strings.HasPrefix(*param, "arn:") {
		return busARN(call, *param)
	}
	arn, err := aws.ParseARN(*param)
	if err != nil {
		return busARN(call, *param)
	}
	return arn
}

// own returns the name of a bus of the call's account and region. A bus of
// another account is answered as one that does not exist: only events cross
// accounts here. So is one in another spelling, such as of another partition: it
// would slip past policies that name the bus.
func own(call *aws.Call, param *string) (string, error) {
	arn := busNamed(call, param)
	name := strings.TrimPrefix(arn.Resource, "event-bus/")
	if arn != busARN(call, name) {
		return "", noBus(arn)
	}
	return name, nil
}

func noBus(arn aws.ARN) error {
	return eventsapi.ResourceNotFoundException.New("Event bus %s does not exist.", strings.TrimPrefix(arn.Resource, "event-bus/"))
}

// bus returns the bus of that name, made up when it is the default one.
func (s *Service) bus(ctx context.Context, name string) (*bus, error) {
	b, err := s.buses.Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		if name == defaultBus {
			return &bus{Name: defaultBus}, nil
		}
		return nil, noBus(busARN(aws.CallOf(ctx), name))
	}
	return b, err
}

// rule returns the rule of that name on the bus that param names.
func (s *Service) rule(ctx context.Context, param *string, name string) (*rule, error) {
	in, err := own(aws.CallOf(ctx), param)
	if err != nil {
		return nil, err
	}
	if _, err := s.bus(ctx, in); err != nil {
		return nil, err
	}
	r, err := s.rules.Get(ctx, ruleID(in, name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, noRule(in, name)
	}
	return r, err
}

func noRule(bus, name string) error {
	return eventsapi.ResourceNotFoundException.New("Rule %s does not exist on EventBus %s.", name, bus)
}

// Limits as AWS has them by default. User Guide, "Amazon EventBridge quotas".
const (
	maxBuses     = 100
	maxRules     = 300 // a bus
	maxWildcards = 30  // rules of a bus that use wildcards
	maxTargets   = 5   // a rule
	maxPattern   = 2048
	maxPolicy    = 10240
	maxTags      = 50
)

func tooMany() error {
	return eventsapi.LimitExceededException.New("The requested resource exceeds the maximum number allowed.")
}

// optional is nil for an empty string, which AWS leaves out of answers.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// page returns how many to list, and after what.
func (s *Service) page(ctx context.Context, limit *int32, token *string, bind ...string) (store.Range, []string, error) {
	call := aws.CallOf(ctx)
	bind = append([]string{call.Operation, string(call.Account), string(call.Region)}, bind...)
	after, err := s.env.Store.OpenToken(bind, text(token))
	if err != nil {
		return store.Range{}, nil, aws.ValidationException.New("Parameter NextToken is not valid.")
	}
	r := store.Range{After: after, Limit: 100}
	if limit != nil {
		r.Limit = int(*limit)
	}
	r.Limit++ // one more tells whether there is a next page
	return r, bind, nil
}

// next cuts a page to its size and returns the token of the page behind it.
func next[T any](s *Service, bind []string, r store.Range, all []store.Entry[T]) ([]store.Entry[T], *string) {
	if len(all) < r.Limit {
		return all, nil
	}
	all = all[:r.Limit-1]
	return all, optional(s.env.Store.NextToken(bind, all[len(all)-1].ID))
}
