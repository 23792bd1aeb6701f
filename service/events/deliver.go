package events

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"sumun.dev/api/eventsapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

const jobDeliver = "events.deliver"

// Retries when the target's policy is silent. User Guide, "How EventBridge
// retries delivering events".
const (
	defaultAttempts = 185
	defaultAge      = 24 * time.Hour
)

// A delivery is one event on its way to one target.
type delivery struct {
	Bus, Rule, Target string
	Event             string // its id
	Received          time.Time
	Failures          int
	Input             []byte
}

func (d *delivery) id() string { return d.Event + "/" + d.Bus + "/" + d.Rule + "/" + d.Target }

func (d *delivery) due(at time.Time) (store.Due, error) {
	payload, err := json.Marshal(d)
	return store.Due{Kind: jobDeliver, ID: d.id(), At: at, Payload: payload}, err
}

// A destination is a kind of target.
type destination int

const (
	toNobody destination = iota
	toAutomation
	toBus
)

func kindOf(arn aws.ARN) destination {
	switch {
	case arn.Service == "ssm" && strings.HasPrefix(arn.Resource, "automation-definition/"):
		return toAutomation
	case arn.Service == "events" && strings.HasPrefix(arn.Resource, "event-bus/"):
		return toBus
	}
	return toNobody
}

func (t *target) kind() destination {
	arn, err := aws.ParseARN(t.ARN)
	if err != nil {
		return toNobody
	}
	return kindOf(arn)
}

// deliver makes one delivery. What the target's call writes is committed with
// the removal of the due record, so a crash repeats the delivery as a whole or
// not at all.
func (s *Service) deliver(ctx context.Context, due store.Due) error {
	var d delivery
	if err := json.Unmarshal(due.Payload, &d); err != nil {
		s.env.Log.Error("delivery dropped: its record cannot be read", "delivery", due.ID, "error", err)
		return nil
	}
	r, err := s.rules.Get(ctx, ruleID(d.Bus, d.Rule))
	if errors.Is(err, store.ErrNotFound) {
		return nil // the rule is gone, and its deliveries with it
	}
	if err != nil {
		return err
	}
	at := r.find(d.Target)
	if at < 0 {
		return nil
	}
	t := &r.Targets[at]
	err = s.send(ctx, t, &d)
	if err == nil || ctx.Err() != nil {
		return err
	}
	d.Failures++
	wait := backOff(d.Failures)
	if !again(err) || d.Failures > t.attempts() || time.Since(d.Received)+wait > t.age() {
		// No queue for dead letters can be named yet (PutTargets refuses one),
		// so the log is the only place where this can be told.
		s.env.Log.Warn("delivery given up", "rule", ruleARN(aws.CallOf(ctx), d.Bus, d.Rule).String(), "target", t.ARN,
			"event", d.Event, "attempts", d.Failures, "error", err)
		return nil
	}
	later, err := d.due(time.Now().Add(wait))
	if err != nil {
		return err
	}
	store.Schedule(ctx, later)
	return nil
}

func (t *target) attempts() int {
	if t.Attempts == nil {
		return defaultAttempts
	}
	return int(*t.Attempts)
}

func (t *target) age() time.Duration {
	if t.Age == nil {
		return defaultAge
	}
	return time.Duration(*t.Age) * time.Second
}

// backOff doubles from a second to eight minutes, less up to half at random: 185
// attempts then fill the 24 hours that AWS allows.
func backOff(failures int) time.Duration {
	d := 8 * time.Minute
	if failures < 10 {
		d = min(d, time.Second<<(failures-1))
	}
	return d - rand.N(d/2)
}

// again reports whether a failure may pass: AWS retries what is throttled or
// unavailable, and gives up at once when rights or the target are missing.
func again(err error) bool {
	var e *aws.Error
	if !errors.As(err, &e) {
		return true
	}
	if e.Status == http.StatusNotImplemented {
		return false
	}
	return e.Status >= 500 || strings.Contains(e.Code, "Throttl") || strings.HasSuffix(e.Code, "LimitExceededException")
}

// send calls the target.
func (s *Service) send(ctx context.Context, t *target, d *delivery) error {
	arn, err := aws.ParseARN(t.ARN)
	if err != nil {
		return err
	}
	switch kindOf(arn) {
	case toAutomation:
		return s.automate(ctx, arn, t, d)
	case toBus:
		return s.forward(ctx, arn, d)
	}
	return aws.ValidationException.New("Target %s is not supported.", t.ARN)
}

// automate starts a runbook as the target's role.
func (s *Service) automate(ctx context.Context, arn aws.ARN, t *target, d *delivery) error {
	parameters, err := runbookParameters(d.Input)
	if err != nil {
		return err
	}
	role, err := aws.ParseARN(t.RoleARN)
	if err != nil {
		return aws.ValidationException.New("RoleArn of target %s is not valid.", t.ID)
	}
	sum := sha256.Sum256([]byte(d.id()))
	as, err := s.env.AWS.As(wire.OnBehalf(ctx, ruleARN(aws.CallOf(ctx), d.Bus, d.Rule)), role, hex.EncodeToString(sum[:16]))
	if err != nil {
		return err
	}
	name, version, versioned := strings.Cut(strings.TrimPrefix(arn.Resource, "automation-definition/"), ":")
	in := &ssmapi.StartAutomationExecutionRequest{DocumentName: name, Parameters: parameters, ClientToken: new(dashed([16]byte(sum[:16])))}
	if versioned {
		in.DocumentVersion = &version
	}
	_, err = ssmapi.StartAutomationExecution.Call(as, s.env.AWS, in)
	return err
}

// runbookParameters reads {"Name": ["value"]}; a single value may stand without
// its list.
func runbookParameters(input []byte) (map[string][]string, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(input, &raw); err != nil {
		return nil, aws.ValidationException.New("The input of an Automation target is an object of parameters.")
	}
	all := make(map[string][]string, len(raw))
	for name, v := range raw {
		var list []string
		var one string
		switch {
		case json.Unmarshal(v, &list) == nil && list != nil:
			all[name] = list
		case json.Unmarshal(v, &one) == nil:
			all[name] = []string{one}
		default:
			return nil, aws.ValidationException.New("Parameter %s of an Automation target is a list of strings.", name)
		}
	}
	return all, nil
}

// forward puts the event on another bus as it is: id, source, account and time
// stay those of the event.
func (s *Service) forward(ctx context.Context, arn aws.ARN, d *delivery) error {
	name := strings.TrimPrefix(arn.Resource, "event-bus/")
	if _, err := s.bus(ctx, name); err != nil {
		return err
	}
	var v aws.BusEvent
	if err := json.Unmarshal(d.Input, &v); err != nil {
		return fmt.Errorf("read event %s: %w", d.Event, err)
	}
	if err := emit(ctx, store.Place{Account: arn.Account, Region: arn.Region}, name, &v, map[string]string{"forwarded": d.Bus}); err != nil {
		return eventsapi.InternalException.New("The event cannot be forwarded.")
	}
	return nil
}
