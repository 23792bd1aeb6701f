// Package ssm is AWS Systems Manager: Automation, and Parameter Store through its package parameters.
//
// Routes is its table of contents. start.go begins a run of a runbook; step.go
// does one step at a time, as a due record whose unit of work holds the step's
// call, its result and the order for the next step: whatever happens to the
// process, each step's effects are there once. action.go knows the actions,
// package respond the language of runbooks.
package ssm

import (
	"slices"

	"sumun.dev/api/ssmapi"
	"sumun.dev/respond"
	"sumun.dev/service"
	"sumun.dev/service/ssm/parameters"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves Systems Manager.
type Service struct {
	env        service.Env
	documents  []*respond.Runbook // in the order of their names
	executions *store.Table[execution]
	history    *store.Table[start] // which execution began when
	running    *store.Table[start] // the executions that have not ended
	tokens     *store.Table[token]
	parameters *parameters.Service
}

// New returns Systems Manager with these runbooks, which each account has, and
// Parameter Store. env.AWS must be able to call whatever is served: runbooks choose
// their calls.
func New(env service.Env, runbooks []*respond.Runbook, values *parameters.Service) *Service {
	return &Service{
		env: env, documents: runbooks, parameters: values,
		executions: store.NewTable[execution](env.Store, "ssm.executions"),
		history:    store.NewTable[start](env.Store, "ssm.history"),
		running:    store.NewTable[start](env.Store, "ssm.running"),
		tokens:     store.NewTable[token](env.Store, "ssm.tokens"),
	}
}

// Routes lists what Systems Manager serves.
func (s *Service) Routes() []wire.Route {
	return slices.Concat([]wire.Route{
		ssmapi.StartAutomationExecution.To(s.startAutomationExecution, s.touchStart),
		ssmapi.GetAutomationExecution.To(s.getAutomationExecution, touchExecution(s, "ssm:GetAutomationExecution", func(in *ssmapi.GetAutomationExecutionRequest) string { return in.AutomationExecutionId })),
		ssmapi.StopAutomationExecution.To(s.stopAutomationExecution, touchExecution(s, "ssm:StopAutomationExecution", func(in *ssmapi.StopAutomationExecutionRequest) string { return in.AutomationExecutionId })),
		ssmapi.DescribeAutomationExecutions.To(s.describeAutomationExecutions, touchAll[*ssmapi.DescribeAutomationExecutionsRequest]("ssm:DescribeAutomationExecutions")),
		ssmapi.DescribeAutomationStepExecutions.To(s.describeAutomationStepExecutions, touchExecution(s, "ssm:DescribeAutomationStepExecutions", func(in *ssmapi.DescribeAutomationStepExecutionsRequest) string { return in.AutomationExecutionId })),

		ssmapi.GetDocument.To(s.getDocument, touchDocument("ssm:GetDocument", func(in *ssmapi.GetDocumentRequest) string { return in.Name })),
		ssmapi.DescribeDocument.To(s.describeDocument, touchDocument("ssm:DescribeDocument", func(in *ssmapi.DescribeDocumentRequest) string { return in.Name })),
		ssmapi.ListDocuments.To(s.listDocuments, touchAll[*ssmapi.ListDocumentsRequest]("ssm:ListDocuments")),
	}, s.parameters.Routes())
}

// Needs lists what Parameter Store calls; what runbooks call, their authors choose.
func (s *Service) Needs() []wire.AnyOperation { return s.parameters.Needs() }

// Jobs lists what Systems Manager does later.
func (s *Service) Jobs() []service.Job {
	return append([]service.Job{{Kind: jobStep, Run: s.step}, {Kind: jobExpire, Run: s.expire}}, s.parameters.Jobs()...)
}
