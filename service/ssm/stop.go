package ssm

import (
	"context"

	"sumun.dev/api/ssmapi"
	"sumun.dev/respond"
	"sumun.dev/store"
)

func (s *Service) stopAutomationExecution(ctx context.Context, in *ssmapi.StopAutomationExecutionRequest) (*ssmapi.StopAutomationExecutionResult, error) {
	e, err := s.execution(ctx, in.AutomationExecutionId)
	if err != nil {
		return nil, err
	}
	if e.ended() {
		return nil, ssmapi.InvalidAutomationStatusUpdateException.New("The execution %s has already ended with the status %s.", e.ID, e.Status)
	}
	book, err := s.runbook(e)
	if err != nil {
		return nil, err
	}
	if in.Type != nil && *in.Type == ssmapi.StopTypeComplete {
		return &ssmapi.StopAutomationExecutionResult{}, s.complete(ctx, e, book)
	}
	return &ssmapi.StopAutomationExecutionResult{}, s.cancel(ctx, e, book)
}

// complete ends a run after the step that is under way, at once when none is.
func (s *Service) complete(ctx context.Context, e *execution, book *respond.Runbook) error {
	if rec := e.record(e.Run.At); rec != nil && !rec.Started.IsZero() {
		e.Stopping = true
		return s.executions.Put(ctx, e.ID, e)
	}
	store.Unschedule(ctx, jobStep, e.ID)
	return s.end(ctx, e, book, e.Run.End, e.Failure)
}

// cancel ends a run at once, but for what onCancel asks for.
func (s *Service) cancel(ctx context.Context, e *execution, book *respond.Runbook) error {
	if e.Run.Cancelling {
		return nil // it is on its way
	}
	if rec := e.record(e.Run.At); rec != nil && !rec.Started.IsZero() {
		rec.Status, rec.Ended = ssmapi.AutomationExecutionStatusCancelled, now()
		if err := s.tellStep(ctx, e, rec); err != nil {
			return err
		}
	}
	e.Run = book.Cancel(e.Run)
	if e.Run.Done() {
		store.Unschedule(ctx, jobStep, e.ID)
		return s.end(ctx, e, book, respond.Cancelled, "")
	}
	e.Status = ssmapi.AutomationExecutionStatusCancelling
	return s.later(ctx, e, now())
}
