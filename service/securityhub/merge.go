package securityhub

import (
	"context"
	"slices"
	"time"

	"sumun.dev/api/securityhubapi"
)

// An order says how a provider's updates come.
type order bool

const (
	anyOrder order = false // what is not newer than what is known is ignored
	inOrder  order = true  // what is as old as what is known still follows it
)

// take imports a finding that is in good form: as a new one, or as its provider's
// update of one that is there.
// User Guide, "Creating and updating findings with BatchImportFindings".
func (s *Service) take(ctx context.Context, f *securityhubapi.AwsSecurityFinding, o order, now time.Time) error {
	const source = securityhubapi.FindingHistoryUpdateSourceTypeBatchImportFindings
	k, err := s.find(ctx, f.ProductArn, f.Id)
	if err != nil {
		return err
	}
	f.ProcessedAt = new(stamp(now))
	if k == nil {
		complete(f)
		return s.change(ctx, &kept{}, f, source, now)
	}
	old, err := k.finding()
	if err != nil {
		return err
	}
	if !newer(f.UpdatedAt, old.UpdatedAt, o) {
		return nil
	}
	merge(old, f, k.Overridden)
	return s.change(ctx, k, f, source, now)
}

// change keeps a finding that is new or not what it was, notes the change and
// tells others.
func (s *Service) change(ctx context.Context, k *kept, f *securityhubapi.AwsSecurityFinding, source securityhubapi.FindingHistoryUpdateSourceType, now time.Time) error {
	var old map[string]any
	if k.Row != "" {
		old = k.parsed()
	}
	if err := s.put(ctx, k, f, now); err != nil {
		return err
	}
	if err := s.note(ctx, k, old, source, now); err != nil {
		return err
	}
	return publish(ctx, k, now)
}

func newer(a, b string, o order) bool {
	then, _ := parseTime(b)
	at, err := parseTime(a)
	return err == nil && (at.After(then) || o == inOrder && at.Equal(then))
}

// complete fills in what a new finding's provider has left open.
func complete(f *securityhubapi.AwsSecurityFinding) {
	f.FindingProviderFields = provided(f, nil)
	apply(f, nil)
	if f.RecordState == nil {
		f.RecordState = new(securityhubapi.RecordStateActive)
	}
	if f.Workflow == nil || f.Workflow.Status == nil {
		f.Workflow = &securityhubapi.Workflow{Status: new(securityhubapi.WorkflowStatusNew)}
	}
	if f.WorkflowState == nil {
		f.WorkflowState = new(securityhubapi.WorkflowStateNew)
	}
}

// merge makes f, a provider's update, the successor of old. What customers use
// for their investigation stays as it is.
func merge(old, f *securityhubapi.AwsSecurityFinding, overridden []string) {
	f.Note, f.UserDefinedFields, f.VerificationState = old.Note, old.UserDefinedFields, old.VerificationState
	f.Workflow, f.WorkflowState = old.Workflow, old.WorkflowState
	if f.RecordState == nil {
		f.RecordState = old.RecordState
	}
	if reopens(old, f) {
		f.Workflow = &securityhubapi.Workflow{Status: new(securityhubapi.WorkflowStatusNew)}
	}
	f.FindingProviderFields = provided(f, old.FindingProviderFields)
	f.Confidence, f.Criticality, f.RelatedFindings, f.Severity, f.Types = keepOverridden(old, f, overridden)
	apply(f, overridden)
}

// reopens reports whether a notified or resolved finding needs attention again.
// API Reference, "Workflow".
func reopens(old, f *securityhubapi.AwsSecurityFinding) bool {
	switch status(old) {
	case securityhubapi.WorkflowStatusNotified, securityhubapi.WorkflowStatusResolved:
	default:
		return false
	}
	if value(old.RecordState) == securityhubapi.RecordStateArchived && value(f.RecordState) == securityhubapi.RecordStateActive {
		return true
	}
	if compliance(old) != securityhubapi.ComplianceStatusPassed {
		return false
	}
	now := compliance(f)
	return now != "" && now != securityhubapi.ComplianceStatusPassed
}

func compliance(f *securityhubapi.AwsSecurityFinding) securityhubapi.ComplianceStatus {
	if f.Compliance == nil {
		return ""
	}
	return value(f.Compliance.Status)
}

// The fields of which the provider's values stand in FindingProviderFields. At the
// top they are the provider's too, until the customer sets them.
const (
	confidence  = "Confidence"
	criticality = "Criticality"
	related     = "RelatedFindings"
	severity    = "Severity"
	types       = "Types"
)

// provided returns the provider's values: those of FindingProviderFields, else
// those at the top, else what they were.
func provided(f *securityhubapi.AwsSecurityFinding, before *securityhubapi.FindingProviderFields) *securityhubapi.FindingProviderFields {
	p, was := securityhubapi.FindingProviderFields{}, securityhubapi.FindingProviderFields{}
	if f.FindingProviderFields != nil {
		p = *f.FindingProviderFields
	}
	if before != nil {
		was = *before
	}
	p.Confidence = first(p.Confidence, f.Confidence, was.Confidence)
	p.Criticality = first(p.Criticality, f.Criticality, was.Criticality)
	if p.RelatedFindings == nil {
		p.RelatedFindings = f.RelatedFindings
	}
	if p.RelatedFindings == nil {
		p.RelatedFindings = was.RelatedFindings
	}
	if p.Types == nil {
		p.Types = f.Types
	}
	if p.Types == nil {
		p.Types = was.Types
	}
	p.Severity = first(providedSeverity(p.Severity, f.Severity), was.Severity)
	return &p
}

// providedSeverity takes from the top what FindingProviderFields does not say.
func providedSeverity(p *securityhubapi.FindingProviderSeverity, top *securityhubapi.Severity) *securityhubapi.FindingProviderSeverity {
	if top == nil {
		return p
	}
	full := whole(*top)
	if p == nil {
		p = &securityhubapi.FindingProviderSeverity{}
	}
	return &securityhubapi.FindingProviderSeverity{Label: first(p.Label, full.Label), Original: first(p.Original, full.Original)}
}

func first[T any](of ...*T) *T {
	for _, p := range of {
		if p != nil {
			return p
		}
	}
	return nil
}

// keepOverridden returns f's values, but old's of those that the customer has set.
func keepOverridden(old, f *securityhubapi.AwsSecurityFinding, overridden []string) (c, cr *int32, r []securityhubapi.RelatedFinding, sev *securityhubapi.Severity, t []string) {
	pick := func(field string) *securityhubapi.AwsSecurityFinding {
		if slices.Contains(overridden, field) {
			return old
		}
		return f
	}
	return pick(confidence).Confidence, pick(criticality).Criticality, pick(related).RelatedFindings, pick(severity).Severity, pick(types).Types
}

// apply gives the fields at the top the provider's values, except those that the
// customer has set.
func apply(f *securityhubapi.AwsSecurityFinding, overridden []string) {
	p := f.FindingProviderFields
	free := func(field string) bool { return !slices.Contains(overridden, field) }
	if free(confidence) {
		f.Confidence = p.Confidence
	}
	if free(criticality) {
		f.Criticality = p.Criticality
	}
	if free(related) {
		f.RelatedFindings = p.RelatedFindings
	}
	if free(types) {
		f.Types = p.Types
	}
	if !free(severity) || p.Severity == nil {
		return
	}
	sev := securityhubapi.Severity{Label: p.Severity.Label, Original: p.Severity.Original}
	if f.Severity != nil {
		sev.Product = f.Severity.Product
		if value(f.Severity.Label) == value(sev.Label) {
			sev.Normalized = f.Severity.Normalized
		}
	}
	full := whole(sev)
	f.Severity = &full
}
