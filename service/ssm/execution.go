package ssm

import (
	"context"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/respond"
)

func (s *Service) getAutomationExecution(ctx context.Context, in *ssmapi.GetAutomationExecutionRequest) (*ssmapi.GetAutomationExecutionResult, error) {
	e, err := s.execution(ctx, in.AutomationExecutionId)
	if err != nil {
		return nil, err
	}
	book, err := s.runbook(e)
	if err != nil {
		return nil, err
	}
	m := metadata(e)
	out := &ssmapi.AutomationExecution{
		AutomationExecutionId: m.AutomationExecutionId, DocumentName: m.DocumentName, DocumentVersion: m.DocumentVersion,
		ExecutionStartTime: m.ExecutionStartTime, ExecutionEndTime: m.ExecutionEndTime, AutomationExecutionStatus: m.AutomationExecutionStatus,
		StepExecutions: []ssmapi.StepExecution{}, StepExecutionsTruncated: new(false), Parameters: parametersOf(e), Outputs: m.Outputs,
		FailureMessage: m.FailureMessage, Mode: m.Mode, ExecutedBy: m.ExecutedBy, CurrentStepName: m.CurrentStepName, CurrentAction: m.CurrentAction,
		Targets: []ssmapi.Target{}, ResolvedTargets: noTargets(), ProgressCounters: counters(e),
	}
	for i := range e.Steps {
		out.StepExecutions = append(out.StepExecutions, shownStep(e, book, i))
	}
	return &ssmapi.GetAutomationExecutionResult{AutomationExecution: out}, nil
}

// noTargets is what AWS shows of an execution without targets.
func noTargets() *ssmapi.ResolvedTargets {
	return &ssmapi.ResolvedTargets{ParameterValues: []string{}, Truncated: new(false)}
}

// metadata is what lists show of an execution.
func metadata(e *execution) ssmapi.AutomationExecutionMetadata {
	m := ssmapi.AutomationExecutionMetadata{
		AutomationExecutionId: &e.ID, DocumentName: &e.Document, DocumentVersion: &e.Version, AutomationExecutionStatus: &e.Status,
		ExecutionStartTime: &e.Started, ExecutionEndTime: instant(e.Ended), ExecutedBy: &e.By, Outputs: e.Outputs, Mode: new(ssmapi.ExecutionModeAuto),
		AutomationType: new(ssmapi.AutomationTypeLocal), Targets: []ssmapi.Target{},
	}
	if m.Outputs == nil {
		m.Outputs = map[string][]string{}
	}
	if e.Failure != "" && e.ended() {
		m.FailureMessage = &e.Failure
	}
	if rec := e.record(e.Run.At); rec != nil {
		m.CurrentStepName, m.CurrentAction = &rec.Name, &rec.Action
	}
	return m
}

// parametersOf returns what the runbook was given, defaults among it.
func parametersOf(e *execution) map[string][]string {
	all := make(map[string][]string, len(e.Parameters))
	for name, v := range e.Parameters {
		all[name] = respond.Words(v)
	}
	return all
}

func counters(e *execution) *ssmapi.ProgressCounters {
	count := map[status]int32{}
	for i := range e.Steps {
		count[e.Steps[i].Status]++
	}
	return &ssmapi.ProgressCounters{
		TotalSteps: new(int32(len(e.Steps))), SuccessSteps: new(count[ssmapi.AutomationExecutionStatusSuccess]),
		FailedSteps: new(count[ssmapi.AutomationExecutionStatusFailed]), CancelledSteps: new(count[ssmapi.AutomationExecutionStatusCancelled]),
		TimedOutSteps: new(count[ssmapi.AutomationExecutionStatusTimedOut]),
	}
}

// shownStep is what the API shows of a step.
func shownStep(e *execution, book *respond.Runbook, i int) ssmapi.StepExecution {
	rec := &e.Steps[i]
	out := ssmapi.StepExecution{
		StepName: &rec.Name, Action: &rec.Action, StepExecutionId: &rec.ID, StepStatus: &rec.Status, Inputs: rec.Inputs,
		ExecutionStartTime: instant(rec.Started), ExecutionEndTime: instant(rec.Ended), OverriddenParameters: map[string][]string{},
	}
	if step, ok := book.Step(rec.Name); ok {
		out.OnFailure, out.MaxAttempts, out.IsEnd = &step.OnFailure, new(int32(step.MaxAttempts)), &step.End
		out.IsCritical = new(step.IsCritical())
		if step.Timeout > 0 {
			out.TimeoutSeconds = new(int64(step.Timeout / time.Second))
		}
		if step.Next != "" {
			out.NextStep = &step.Next
		}
		out.ValidNextSteps = book.Following(rec.Name)
	}
	if rec.Status == ssmapi.AutomationExecutionStatusSuccess {
		out.ResponseCode = new("0")
	}
	if len(rec.Outputs) > 0 {
		out.Outputs = map[string][]string{}
		for name, v := range rec.Outputs {
			out.Outputs[name] = respond.Words(v)
		}
	}
	if f := rec.Failure; f != nil {
		out.FailureMessage = &f.Message
		out.FailureDetails = &ssmapi.FailureDetails{FailureStage: &f.Stage, FailureType: &f.Type, Details: map[string][]string{}}
	}
	return out
}

// instant is a time for the API, nil when there is none.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
