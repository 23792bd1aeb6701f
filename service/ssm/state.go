package ssm

import (
	"context"
	"errors"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/respond"
	"sumun.dev/store"
)

type status = ssmapi.AutomationExecutionStatus

// An execution is a run of a runbook, with all its steps.
type execution struct {
	ID         string
	Document   string
	Version    string
	Text       string // the document as it was when the run began
	Parameters values
	Role       string            // the ARN of the role that the steps are made as
	By         string            // the ARN of who started it
	Tags       map[string]string `json:",omitempty"`
	Token      string            `json:",omitempty"`
	Status     status
	Started    time.Time
	Ended      time.Time           `json:",omitzero"`
	Failure    string              `json:",omitempty"`
	Outputs    map[string][]string `json:",omitempty"`
	Run        respond.Run
	Stopping   bool `json:",omitempty"` // ends after the step that is under way
	Steps      []stepRecord
}

// A stepRecord is what is known of a step; all steps have one from the start.
type stepRecord struct {
	ID, Name, Action string
	Status           status
	Started          time.Time         `json:",omitzero"`
	Ended            time.Time         `json:",omitzero"`
	Inputs           map[string]string `json:",omitempty"` // resolved, as JSON
	Outputs          values            `json:",omitempty"`
	Failure          *failure          `json:",omitempty"`
	Attempts         int               `json:",omitempty"` // that have failed
	Retries          int               `json:",omitempty"` // within the attempt, after what may pass
	Until            time.Time         `json:",omitzero"`  // when a sleep or an attempt at waiting ends
}

// values are parameters or outputs by name. Integers stay integers when they are
// read back.
type values map[string]any

// UnmarshalJSON reads values in the types that runbooks have.
func (v *values) UnmarshalJSON(text []byte) error {
	all, err := respond.Canonical(text)
	if err != nil {
		return err
	}
	*v, _ = all.(map[string]any)
	return nil
}

// A start stands in the history, whose ids order by time.
type start struct{ Execution string }

// A token makes StartAutomationExecution idempotent.
type token struct{ Execution, Request string }

// historyID orders executions by their start.
func historyID(e *execution) string {
	return e.Started.UTC().Format("2006-01-02T15:04:05.000000000Z") + "/" + e.ID
}

func (e *execution) ended() bool { return !e.Ended.IsZero() }

// record returns the record of a step.
func (e *execution) record(name string) *stepRecord {
	for i := range e.Steps {
		if e.Steps[i].Name == name {
			return &e.Steps[i]
		}
	}
	return nil
}

func (s *Service) execution(ctx context.Context, id string) (*execution, error) {
	e, err := s.executions.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ssmapi.AutomationExecutionNotFoundException.New("Automation execution %s does not exist.", id)
	}
	return e, err
}

// runbook returns the document that e began with, even when a newer one has
// taken its place.
func (s *Service) runbook(e *execution) (*respond.Runbook, error) {
	if r := s.document(e.Document); r != nil && r.Text == e.Text {
		return r, nil
	}
	return respond.Parse(e.Document, []byte(e.Text))
}

func (s *Service) document(name string) *respond.Runbook {
	for _, r := range s.documents {
		if r.Name == name {
			return r
		}
	}
	return nil
}
