package ssm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/respond"
	"sumun.dev/store"
	"sumun.dev/wire"
)

const (
	maxTags       = 50
	maxRunning    = 5000      // in an account and region
	maxParameters = 256 << 10 // bytes of all of a run
)

func (s *Service) startAutomationExecution(ctx context.Context, in *ssmapi.StartAutomationExecutionRequest) (*ssmapi.StartAutomationExecutionResult, error) {
	if err := served(in); err != nil {
		return nil, err
	}
	fingerprint, err := fingerprintOf(in)
	if err != nil {
		return nil, err
	}
	if id, err := s.again(ctx, in, fingerprint); err != nil || id != "" {
		return &ssmapi.StartAutomationExecutionResult{AutomationExecutionId: &id}, err
	}
	book, err := s.definition(ctx, in)
	if err != nil {
		return nil, err
	}
	e, err := s.newExecution(ctx, book, in)
	if err != nil {
		return nil, err
	}
	if err := s.room(ctx); err != nil {
		return nil, err
	}
	if err := s.assumable(ctx, e); err != nil {
		return nil, err
	}
	if err := s.keep(ctx, e, fingerprint); err != nil {
		return nil, err
	}
	store.Schedule(ctx, store.Due{Kind: jobStep, ID: e.ID, At: e.Started})
	return &ssmapi.StartAutomationExecutionResult{AutomationExecutionId: &e.ID}, nil
}

// served refuses what has no effect here yet: to ignore it would be to promise it.
func served(in *ssmapi.StartAutomationExecutionRequest) error {
	if in.Mode != nil && *in.Mode == ssmapi.ExecutionModeInteractive {
		return aws.UnsupportedOperation.New("Sumun does not serve the Mode Interactive of StartAutomationExecution yet.")
	}
	for _, p := range []struct {
		given bool
		name  string
	}{
		{len(in.Targets) > 0, "Targets"}, {in.TargetParameterName != nil, "TargetParameterName"}, {len(in.TargetMaps) > 0, "TargetMaps"},
		{in.MaxConcurrency != nil, "MaxConcurrency"}, {in.MaxErrors != nil, "MaxErrors"}, {len(in.TargetLocations) > 0, "TargetLocations"},
		{in.TargetLocationsURL != nil, "TargetLocationsURL"}, {in.AlarmConfiguration != nil, "AlarmConfiguration"},
	} {
		if p.given {
			return aws.UnsupportedOperation.New("Sumun does not serve the parameter %s of StartAutomationExecution yet.", p.name)
		}
	}
	return nil
}

// fingerprintOf tells requests apart that carry the same client token.
func fingerprintOf(in *ssmapi.StartAutomationExecutionRequest) (string, error) {
	b, err := json.Marshal([]any{in.DocumentName, in.DocumentVersion, in.Parameters, in.Mode, in.Tags})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// again returns the execution that an earlier request with the same token began.
func (s *Service) again(ctx context.Context, in *ssmapi.StartAutomationExecutionRequest, fingerprint string) (string, error) {
	if in.ClientToken == nil {
		return "", nil
	}
	t, err := s.tokens.Get(ctx, *in.ClientToken)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if t.Request != fingerprint {
		return "", ssmapi.IdempotentParameterMismatch.New("The client token %s was used with other parameters.", *in.ClientToken)
	}
	return t.Execution, nil
}

// definition returns the runbook that a request names.
func (s *Service) definition(ctx context.Context, in *ssmapi.StartAutomationExecutionRequest) (*respond.Runbook, error) {
	n := nameOf(ctx, in.DocumentName)
	book := s.document(n.name)
	if book == nil || !n.here(ctx) {
		return nil, ssmapi.AutomationDefinitionNotFoundException.New("Automation definition %s does not exist.", in.DocumentName)
	}
	for _, v := range []string{n.version, text(in.DocumentVersion)} {
		if !known(v) {
			return nil, ssmapi.AutomationDefinitionVersionNotFoundException.New("Version %s of automation definition %s does not exist.", v, n.name)
		}
	}
	return book, nil
}

func (s *Service) newExecution(ctx context.Context, book *respond.Runbook, in *ssmapi.StartAutomationExecutionRequest) (*execution, error) {
	call := aws.CallOf(ctx)
	e := &execution{
		ID: aws.UUID(), Document: book.Name, Version: onlyVersion, Text: book.Text, By: call.Principal.ARN.String(), Token: text(in.ClientToken),
		Status: ssmapi.AutomationExecutionStatusInProgress, Started: time.Now().UTC().Truncate(time.Millisecond), Run: book.Begin(),
	}
	var err error
	if e.Tags, err = tagsOf(in.Tags); err != nil {
		return nil, err
	}
	if e.Parameters, e.Role, err = bind(ctx, book, e, in.Parameters); err != nil {
		return nil, err
	}
	if len(respond.Text(map[string]any(e.Parameters))) > maxParameters {
		return nil, ssmapi.InvalidAutomationExecutionParametersException.New("The parameters are longer than %d bytes.", maxParameters)
	}
	if e.Role == "" {
		return nil, aws.UnsupportedOperation.New("Sumun runs %s only as a role: its assumeRole is empty.", book.Name)
	}
	for i := range book.Steps {
		step := &book.Steps[i]
		e.Steps = append(e.Steps, stepRecord{ID: aws.UUID(), Name: step.Name, Action: step.Action, Status: ssmapi.AutomationExecutionStatusPending})
	}
	return e, nil
}

func tagsOf(in []ssmapi.Tag) (map[string]string, error) {
	if len(in) > maxTags {
		return nil, ssmapi.TooManyTagsError.New("An automation execution can have at most %d tags.", maxTags)
	}
	tags := make(map[string]string, len(in))
	for _, t := range in {
		if _, twice := tags[t.Key]; twice {
			return nil, aws.ValidationException.New("Duplicate tag key %s.", t.Key)
		}
		tags[t.Key] = t.Value
	}
	return tags, nil
}

// bind resolves what a runbook is given, and the role it runs as.
func bind(ctx context.Context, book *respond.Runbook, e *execution, given map[string][]string) (map[string]any, string, error) {
	globals := globalsOf(ctx, e)
	values, err := book.Bind(given, globals)
	if err != nil {
		return nil, "", ssmapi.InvalidAutomationExecutionParametersException.New("%s", err.Error())
	}
	role, err := (&respond.Scope{Parameters: values, Globals: globals}).Fill(book.AssumeRole)
	if err != nil {
		return nil, "", ssmapi.InvalidAutomationExecutionParametersException.New("The assumeRole of the runbook cannot be resolved: %v.", err)
	}
	return values, respond.Text(role), nil
}

// globalsOf returns the system variables of a run.
func globalsOf(ctx context.Context, e *execution) map[string]string {
	call := aws.CallOf(ctx)
	suffix := "amazonaws.com"
	if call.Partition == "aws-cn" {
		suffix += ".cn"
	}
	return map[string]string{
		respond.GlobalDate: e.Started.Format("2006-01-02"), respond.GlobalDateTime: e.Started.Format("2006-01-02_15.04.05"),
		respond.GlobalRegion: string(call.Region), respond.GlobalAccount: string(call.Account), respond.GlobalPartition: call.Partition,
		respond.GlobalURLSuffix: suffix, respond.AutomationRun: e.ID,
	}
}

// room refuses a run too many. It counts outside the unit of work: starts and ends
// of other runs are no reason to begin this one again.
func (s *Service) room(ctx context.Context) error {
	call := aws.CallOf(ctx)
	page, err := s.running.In(store.Place{Account: call.Account, Region: call.Region}).Page(context.Background(), store.Range{Limit: maxRunning})
	if err == nil && len(page) >= maxRunning {
		return ssmapi.AutomationExecutionLimitExceededException.New("The number of automation executions that run at the same time has reached the limit of %d.", maxRunning)
	}
	return err
}

// assumable tries the role before a run is promised, as AWS does.
func (s *Service) assumable(ctx context.Context, e *execution) error {
	_, err := s.as(ctx, e)
	var refused *aws.Error
	if errors.As(err, &refused) && refused.Status < 500 {
		return ssmapi.InvalidAutomationExecutionParametersException.New("The defined assume role is unable to be assumed.")
	}
	return err
}

// as returns a context for calls in a session of the run's role.
func (s *Service) as(ctx context.Context, e *execution) (context.Context, error) {
	role, err := aws.ParseARN(e.Role)
	if err != nil || role.Service != "iam" || role.Account != aws.CallOf(ctx).Account {
		return nil, aws.AccessDenied.New("%s is not a role of this account.", e.Role)
	}
	return s.env.AWS.As(wire.OnBehalf(ctx, executionARN(ctx, e.ID)), role, "Automation-"+e.ID)
}

// keep writes a new execution down.
func (s *Service) keep(ctx context.Context, e *execution, fingerprint string) error {
	if err := s.executions.Insert(ctx, e.ID, e); err != nil {
		return err
	}
	if err := s.history.Insert(ctx, historyID(e), &start{e.ID}); err != nil {
		return err
	}
	if err := s.running.Put(ctx, e.ID, &start{e.ID}); err != nil {
		return err
	}
	if e.Token == "" {
		return nil
	}
	return s.tokens.Insert(ctx, e.Token, &token{e.ID, fingerprint})
}
