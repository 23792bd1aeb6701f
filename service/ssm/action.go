package ssm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/respond"
	"sumun.dev/store"
	"sumun.dev/wire"
)

const (
	pollEvery     = 5 * time.Second // between looks of aws:waitForAwsResourceProperty
	defaultWait   = time.Hour       // User Guide, "aws:waitForAwsResourceProperty"
	maxRetries    = 4               // of a call, as the SDK has it
	maxShown      = 4 << 10         // of one input in the step's record
	maxStepOutput = 128 << 10       // of all outputs of a step
)

// A progress is what became of one try at a step: an outcome, or a time at which
// to look again.
type progress struct {
	outcome respond.Outcome
	failure *failure
	jump    string
	again   time.Time
}

func failed(f *failure) progress { return progress{outcome: respond.Failed, failure: f} }

// do tries the step once. An error means that the whole unit of work has failed;
// what the runbook can fail of is a progress.
func (s *Service) do(ctx context.Context, e *execution, step *respond.Step, rec *stepRecord) (progress, error) {
	scope := e.scope(ctx)
	if step.Action == respond.Branch {
		to, err := respond.Choose(step, scope)
		if err != nil {
			return failed(badInputs(err)), nil
		}
		return progress{outcome: respond.Success, jump: to}, nil
	}
	filled, err := scope.Fill(step.Inputs)
	if err != nil {
		return failed(badInputs(err)), nil
	}
	inputs := filled.(map[string]any)
	rec.Inputs = shown(inputs)
	if step.Action == respond.Sleep {
		return sleep(rec, inputs), nil
	}
	answer, p, err := s.call(ctx, e, rec, inputs)
	if err != nil || p != nil {
		return given(p), err
	}
	switch step.Action {
	case respond.AssertProperty:
		return assert(inputs, answer), nil
	case respond.WaitProperty:
		return wait(step, rec, inputs, answer), nil
	}
	return take(step, rec, answer), nil
}

func given(p *progress) progress {
	if p == nil {
		return progress{}
	}
	return *p
}

// scope returns what references in the run's runbook name now.
func (e *execution) scope(ctx context.Context) *respond.Scope {
	steps := make(map[string]map[string]any, len(e.Steps))
	for i := range e.Steps {
		steps[e.Steps[i].Name] = e.Steps[i].Outputs
	}
	return &respond.Scope{Parameters: e.Parameters, Steps: steps, Globals: globalsOf(ctx, e)}
}

// shown returns inputs as the API shows them: each as JSON.
func shown(inputs map[string]any) map[string]string {
	all := make(map[string]string, len(inputs))
	for name, v := range inputs {
		text := quoted(v)
		if len(text) > maxShown {
			text = strings.ToValidUTF8(text[:maxShown], "") + "…"
		}
		all[name] = text
	}
	return all
}

// quoted writes a value as JSON, strings in quotation marks.
func quoted(v any) string {
	list := respond.Text([]any{v})
	return list[1 : len(list)-1]
}

func sleep(rec *stepRecord, inputs map[string]any) progress {
	if rec.Until.IsZero() {
		until, err := respond.SleepUntil(inputs, time.Now())
		if err != nil {
			return failed(badInputs(err))
		}
		rec.Until = until
	}
	if time.Now().Before(rec.Until) {
		return progress{again: rec.Until}
	}
	return progress{outcome: respond.Success}
}

// call makes the step's call as the run's role, in the unit of work that also
// records the step. It returns the answer as a document, or what else became of it.
func (s *Service) call(ctx context.Context, e *execution, rec *stepRecord, inputs map[string]any) (any, *progress, error) {
	service, api := respond.Text(inputs["Service"]), respond.Text(inputs["Api"])
	op, ok := s.env.Operation(service, strings.ToUpper(api[:min(1, len(api))])+api[min(1, len(api)):])
	if !ok {
		return nil, new(failed(badInputs(fmt.Errorf("the operation %s of the service %s is not served here", api, service)))), nil
	}
	document := maps.Clone(inputs)
	for _, name := range []string{"Service", "Api", "PropertySelector", "DesiredValues"} {
		delete(document, name)
	}
	request, err := wire.DecodeJSONDocument(op, document)
	if err != nil {
		return nil, new(failed(badInputs(err))), nil
	}
	as, err := s.as(ctx, e)
	if err != nil {
		return nil, s.refused(ctx, rec, "AssumeRole", err), infrastructure(ctx, err)
	}
	out, err := s.env.AWS.Invoke(as, op, request)
	if err != nil {
		return nil, s.refused(ctx, rec, op.About().Name, err), infrastructure(ctx, err)
	}
	answer, err := wire.EncodeJSONDocument(op, out)
	if err != nil {
		return nil, new(failed(badOutputs(err))), nil
	}
	return answer, nil, nil
}

// infrastructure returns err when it is no answer to the call but a reason to
// start the unit of work again.
func infrastructure(ctx context.Context, err error) error {
	var e *aws.Error
	if errors.Is(err, store.ErrConflict) || ctx.Err() != nil || !errors.As(err, &e) {
		return err
	}
	return nil
}

// refused makes a failure of a refusal, unless it may pass: then the call is made
// again a little later.
func (s *Service) refused(ctx context.Context, rec *stepRecord, operation string, err error) *progress {
	var e *aws.Error
	if !errors.As(err, &e) {
		return nil
	}
	if mayPass(e) && rec.Retries < maxRetries {
		rec.Retries++
		s.env.Log.InfoContext(ctx, "the call of a runbook's step is tried again", "step", rec.Name, "operation", operation, "error", err)
		return &progress{again: time.Now().Add(time.Second << (rec.Retries - 1))}
	}
	return new(failed(callFailed(operation, e)))
}

// take keeps the outputs of a step.
func take(step *respond.Step, rec *stepRecord, answer any) progress {
	outputs, size := make(map[string]any, len(step.Outputs)), 0
	for _, o := range step.Outputs {
		v, err := o.Take(answer)
		if err != nil {
			return failed(badOutputs(err))
		}
		if size += len(respond.Text(v)); size > maxStepOutput {
			return failed(badOutputs(fmt.Errorf("the outputs are longer than %d bytes", maxStepOutput)))
		}
		outputs[o.Name] = v
	}
	rec.Outputs = outputs
	return progress{outcome: respond.Success}
}

// matches looks whether the property that a step selects has a desired value.
func matches(inputs map[string]any, answer any) (bool, any, error) {
	v, err := respond.Select(respond.Text(inputs["PropertySelector"]), answer)
	if err != nil {
		return false, nil, err
	}
	desired, _ := inputs["DesiredValues"].([]any)
	is := respond.Text(v)
	return slices.ContainsFunc(desired, func(d any) bool { return respond.Text(d) == is }), v, nil
}

func assert(inputs map[string]any, answer any) progress {
	ok, v, err := matches(inputs, answer)
	if err != nil {
		return failed(badOutputs(err))
	}
	if !ok {
		return failed(badOutputs(fmt.Errorf("the property %s is %s, which is none of the desired values %s",
			inputs["PropertySelector"], quoted(v), quoted(inputs["DesiredValues"]))))
	}
	return progress{outcome: respond.Success}
}

func wait(step *respond.Step, rec *stepRecord, inputs map[string]any, answer any) progress {
	ok, _, err := matches(inputs, answer)
	if ok && err == nil {
		return progress{outcome: respond.Success}
	}
	limit := step.Timeout
	if limit == 0 {
		limit = defaultWait
	}
	now := time.Now()
	if rec.Until.IsZero() {
		rec.Until = now.Add(limit)
	}
	end := rec.Until
	if !now.Before(end) {
		f := badOutputs(fmt.Errorf("the property %s had none of the desired values within %s", inputs["PropertySelector"], limit))
		return progress{outcome: respond.TimedOut, failure: f}
	}
	next := now.Add(pollEvery)
	if next.After(end) {
		next = end
	}
	rec.Retries = 0
	return progress{again: next}
}
