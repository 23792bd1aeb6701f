package ssm

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/respond"
	"sumun.dev/store"
)

const jobStep = "ssm.step"

// maxRun bounds a run's record; a step whose outputs would pass it fails.
const maxRun = 768 << 10

// step does the step that a run is at. What its call writes, what is recorded of
// it and the order for the next step are one commit.
func (s *Service) step(ctx context.Context, due store.Due) error {
	e, err := s.executions.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if e.ended() {
		return nil
	}
	book, err := s.runbook(e)
	if err != nil {
		return s.end(ctx, e, nil, respond.Failed, "The runbook of this execution cannot be read: "+err.Error())
	}
	step, ok := book.Step(e.Run.At)
	if !ok {
		return s.end(ctx, e, book, e.Run.End, e.Failure)
	}
	rec := e.record(step.Name)
	if rec.Started.IsZero() {
		rec.Started, rec.Status = now(), ssmapi.AutomationExecutionStatusInProgress
	}
	p, err := s.do(ctx, e, step, rec)
	if err != nil {
		return err
	}
	if p.again.IsZero() && p.outcome != respond.Success && rec.Attempts+1 < step.MaxAttempts {
		rec.Attempts, rec.Retries, rec.Until = rec.Attempts+1, 0, time.Time{}
		p.again = time.Now().Add(time.Second << (rec.Attempts - 1))
	}
	if !p.again.IsZero() {
		return s.later(ctx, e, p.again)
	}
	return s.conclude(ctx, e, book, rec, p)
}

// later has the run go on at a time.
func (s *Service) later(ctx context.Context, e *execution, at time.Time) error {
	store.Schedule(ctx, store.Due{Kind: jobStep, ID: e.ID, At: at})
	return s.executions.Put(ctx, e.ID, e)
}

// conclude ends a step and sends the run where the runbook says.
func (s *Service) conclude(ctx context.Context, e *execution, book *respond.Runbook, rec *stepRecord, p progress) error {
	rec.Ended, rec.Status, rec.Failure = now(), status(p.outcome), p.failure
	if b, err := json.Marshal(e); err != nil || len(b) > maxRun {
		rec.Outputs, rec.Inputs = nil, nil
		p.outcome, p.failure = respond.Failed, badOutputs(errTooMuch)
		rec.Status, rec.Failure = status(p.outcome), p.failure
	}
	if p.failure != nil {
		e.Failure = p.failure.Message
	}
	if err := s.tellStep(ctx, e, rec); err != nil {
		return err
	}
	e.Run = book.After(e.Run, p.outcome, p.jump)
	if e.Stopping {
		e.Run.At = ""
	}
	if e.Run.Done() {
		return s.end(ctx, e, book, e.Run.End, e.Failure)
	}
	return s.later(ctx, e, time.Now())
}

var errTooMuch = errors.New("the execution holds more than can be recorded")

// end ends a run. A failure that the runbook goes on after is not the run's.
func (s *Service) end(ctx context.Context, e *execution, book *respond.Runbook, o respond.Outcome, why string) error {
	e.Status, e.Ended, e.Run.At, e.Run.End = status(o), now(), "", o
	e.Failure = ""
	if o == respond.Failed || o == respond.TimedOut {
		e.Failure = why
	}
	if book != nil {
		e.Outputs = e.outputs(ctx, book)
	}
	if err := s.tellExecution(ctx, e); err != nil {
		return err
	}
	if err := s.running.Delete(ctx, e.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	store.Schedule(ctx, store.Due{Kind: jobExpire, ID: e.ID, At: e.Ended.Add(kept)})
	return s.executions.Put(ctx, e.ID, e)
}

// outputs collects the runbook's outputs; those of steps that were not reached
// are left out.
func (e *execution) outputs(ctx context.Context, book *respond.Runbook) map[string][]string {
	scope := e.scope(ctx)
	all := map[string][]string{}
	for _, name := range book.Outputs {
		if v, err := scope.Fill("{{ " + name + " }}"); err == nil {
			all[name] = respond.Words(v)
		}
	}
	return all
}

// now is the time as the API shows it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
