package ssm

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// Detail types and members are those of the Systems Manager User Guide, "Amazon
// EventBridge event examples for Systems Manager". AWS tells of ends only.
const (
	stepChanged      = "EC2 Automation Step Status-change Notification"
	executionChanged = "EC2 Automation Execution Status-change Notification"

	eventTime = "Jan 2, 2006 3:04:05 PM"
)

type detail struct {
	ExecutionID       string          `json:"ExecutionId"`
	Definition        string          `json:"Definition"`
	DefinitionVersion json.RawMessage `json:"DefinitionVersion"` // AWS writes 1.0
	Status            status          `json:"Status"`
	EndTime           string          `json:"EndTime"`
	StartTime         string          `json:"StartTime"`
	Time              json.RawMessage `json:"Time"` // milliseconds that it took
	StepName          string          `json:"StepName,omitempty"`
	Action            string          `json:"Action,omitempty"`
	ExecutedBy        string          `json:"ExecutedBy,omitempty"`
}

// tellStep puts the end of a step on the event bus.
func (s *Service) tellStep(ctx context.Context, e *execution, rec *stepRecord) error {
	d := e.detail(rec.Status, rec.Started, rec.Ended)
	d.StepName, d.Action = rec.Name, rec.Action
	return tell(ctx, e, stepChanged, d)
}

// tellExecution puts the end of a run on the event bus.
func (s *Service) tellExecution(ctx context.Context, e *execution) error {
	d := e.detail(e.Status, e.Started, e.Ended)
	d.ExecutedBy = e.By
	return tell(ctx, e, executionChanged, d)
}

func (e *execution) detail(st status, from, to time.Time) detail {
	took := strconv.FormatFloat(float64(to.Sub(from).Milliseconds()), 'f', 1, 64)
	return detail{
		ExecutionID: e.ID, Definition: e.Document, DefinitionVersion: json.RawMessage(e.Version + ".0"), Status: st,
		StartTime: from.UTC().Format(eventTime), EndTime: to.UTC().Format(eventTime), Time: json.RawMessage(took),
	}
}

func tell(ctx context.Context, e *execution, detailType string, d detail) error {
	call := aws.CallOf(ctx)
	now := time.Now()
	told, err := aws.NewBusEvent("aws.ssm", detailType, call.Account, call.Region, now, d,
		executionARN(ctx, e.ID).String(), call.ARN("ssm", "automation-definition/"+e.Document+":"+e.Version).String())
	if err != nil {
		return err
	}
	event, err := told.On("default", now)
	if err != nil {
		return err
	}
	store.Emit(ctx, event)
	return nil
}
