package ssm

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

const (
	defaultPage = 50
	maxLooked   = 1000 // executions that one call looks at for its filters
)

func (s *Service) describeAutomationExecutions(ctx context.Context, in *ssmapi.DescribeAutomationExecutionsRequest) (*ssmapi.DescribeAutomationExecutionsResult, error) {
	wanted, err := executionFilters(in.Filters)
	if err != nil {
		return nil, err
	}
	bind := s.bind(ctx, "DescribeAutomationExecutions", filterText(in.Filters))
	after, err := s.env.Store.OpenToken(bind, text(in.NextToken))
	if err != nil {
		return nil, ssmapi.InvalidNextToken.New("The specified token isn't valid.")
	}
	limit := limitOf(in.MaxResults)
	out := &ssmapi.DescribeAutomationExecutionsResult{AutomationExecutionMetadataList: []ssmapi.AutomationExecutionMetadata{}}
	for looked := 0; ; {
		page, err := s.history.Page(ctx, store.Range{After: after, Limit: defaultPage, Desc: true})
		if err != nil {
			return nil, err
		}
		for _, row := range page {
			e, err := s.executions.Get(ctx, row.Value.Execution)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, err
			}
			if err == nil && wanted(e) {
				if len(out.AutomationExecutionMetadataList) == limit {
					out.NextToken = new(s.env.Store.NextToken(bind, after))
					return out, nil
				}
				out.AutomationExecutionMetadataList = append(out.AutomationExecutionMetadataList, metadata(e))
			}
			after = row.ID
		}
		if len(page) < defaultPage {
			return out, nil
		}
		if looked += len(page); looked >= maxLooked {
			out.NextToken = new(s.env.Store.NextToken(bind, after))
			return out, nil
		}
	}
}

// executionFilters returns what all filters together say of an execution.
// Systems Manager API Reference, AutomationExecutionFilter.
func executionFilters(filters []ssmapi.AutomationExecutionFilter) (func(*execution) bool, error) {
	var all []func(*execution) bool
	for i, f := range filters {
		if slices.ContainsFunc(filters[:i], func(o ssmapi.AutomationExecutionFilter) bool { return o.Key == f.Key }) {
			return nil, ssmapi.InvalidFilterKey.New("The filter key %s is used twice.", f.Key)
		}
		one, err := executionFilter(f)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return func(e *execution) bool {
		return !slices.ContainsFunc(all, func(is func(*execution) bool) bool { return !is(e) })
	}, nil
}

func executionFilter(f ssmapi.AutomationExecutionFilter) (func(*execution) bool, error) {
	one := func(is func(e *execution, v string) bool) func(*execution) bool {
		return func(e *execution) bool {
			return slices.ContainsFunc(f.Values, func(v string) bool { return is(e, v) })
		}
	}
	switch f.Key {
	case ssmapi.AutomationExecutionFilterKeyDocumentNamePrefix:
		return one(func(e *execution, v string) bool { return strings.HasPrefix(e.Document, v) }), nil
	case ssmapi.AutomationExecutionFilterKeyExecutionStatus:
		for _, v := range f.Values {
			if !slices.Contains(status("").Values(), v) {
				return nil, ssmapi.InvalidFilterValue.New("The filter value %s of ExecutionStatus is not valid.", v)
			}
		}
		return one(func(e *execution, v string) bool { return string(e.Status) == v }), nil
	case ssmapi.AutomationExecutionFilterKeyExecutionId:
		return one(func(e *execution, v string) bool { return e.ID == v }), nil
	case ssmapi.AutomationExecutionFilterKeyCurrentAction:
		return one(func(e *execution, v string) bool { rec := e.record(e.Run.At); return rec != nil && rec.Action == v }), nil
	case ssmapi.AutomationExecutionFilterKeyStartTimeBefore, ssmapi.AutomationExecutionFilterKeyStartTimeAfter:
		return startFilter(f)
	case ssmapi.AutomationExecutionFilterKeyAutomationType:
		return one(func(_ *execution, v string) bool { return v == string(ssmapi.AutomationTypeLocal) }), nil
	case ssmapi.AutomationExecutionFilterKeyTagKey:
		return one(func(e *execution, v string) bool { _, ok := e.Tags[v]; return ok }), nil
	}
	// No execution here has a parent, a target group, a subtype or an OpsItem.
	return func(*execution) bool { return false }, nil
}

func startFilter(f ssmapi.AutomationExecutionFilter) (func(*execution) bool, error) {
	if len(f.Values) != 1 {
		return nil, ssmapi.InvalidFilterValue.New("The filter %s takes one value.", f.Key)
	}
	at, err := time.Parse(time.RFC3339, f.Values[0])
	if err != nil {
		return nil, ssmapi.InvalidFilterValue.New("The filter value %s of %s is not a time such as 2026-01-02T15:04:05Z.", f.Values[0], f.Key)
	}
	if f.Key == ssmapi.AutomationExecutionFilterKeyStartTimeBefore {
		return func(e *execution) bool { return e.Started.Before(at) }, nil
	}
	return func(e *execution) bool { return e.Started.After(at) }, nil
}

func (s *Service) describeAutomationStepExecutions(ctx context.Context, in *ssmapi.DescribeAutomationStepExecutionsRequest) (*ssmapi.DescribeAutomationStepExecutionsResult, error) {
	e, err := s.execution(ctx, in.AutomationExecutionId)
	if err != nil {
		return nil, err
	}
	book, err := s.runbook(e)
	if err != nil {
		return nil, err
	}
	wanted, err := stepFilters(in.Filters)
	if err != nil {
		return nil, err
	}
	var all []*stepRecord
	for i := range e.Steps {
		if wanted(&e.Steps[i]) {
			all = append(all, &e.Steps[i])
		}
	}
	reverse := in.ReverseOrder != nil && *in.ReverseOrder
	if reverse {
		slices.Reverse(all)
	}
	parts := []string{e.ID, "forward"}
	if reverse {
		parts[1] = "reverse"
	}
	for _, f := range in.Filters {
		parts = append(parts, string(f.Key), strings.Join(f.Values, "\n"))
	}
	page, next, err := pageOf(ctx, s, "DescribeAutomationStepExecutions", parts, all, func(r *stepRecord) string { return r.ID }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ssmapi.DescribeAutomationStepExecutionsResult{StepExecutions: []ssmapi.StepExecution{}, NextToken: next}
	for _, rec := range page {
		i := slices.IndexFunc(e.Steps, func(r stepRecord) bool { return r.ID == rec.ID })
		out.StepExecutions = append(out.StepExecutions, shownStep(e, book, i))
	}
	return out, nil
}

// stepFilters returns what all filters together say of a step. Systems Manager API
// Reference, StepExecutionFilter.
func stepFilters(filters []ssmapi.StepExecutionFilter) (func(*stepRecord) bool, error) {
	for _, f := range filters {
		if f.Key != ssmapi.StepExecutionFilterKeyStartTimeBefore && f.Key != ssmapi.StepExecutionFilterKeyStartTimeAfter {
			continue
		}
		if _, err := time.Parse(time.RFC3339, f.Values[0]); err != nil || len(f.Values) > 1 {
			return nil, ssmapi.InvalidFilterValue.New("The filter value %s of %s is not a time such as 2026-01-02T15:04:05Z.", f.Values[0], f.Key)
		}
	}
	return func(r *stepRecord) bool {
		return !slices.ContainsFunc(filters, func(f ssmapi.StepExecutionFilter) bool {
			return !slices.ContainsFunc(f.Values, func(v string) bool { return stepIs(r, f.Key, v) })
		})
	}, nil
}

func stepIs(r *stepRecord, key ssmapi.StepExecutionFilterKey, v string) bool {
	switch key {
	case ssmapi.StepExecutionFilterKeyStepExecutionStatus:
		return string(r.Status) == v
	case ssmapi.StepExecutionFilterKeyStepExecutionId:
		return r.ID == v
	case ssmapi.StepExecutionFilterKeyStepName:
		return r.Name == v
	case ssmapi.StepExecutionFilterKeyAction:
		return r.Action == v
	}
	at, err := time.Parse(time.RFC3339, v)
	if err != nil || r.Started.IsZero() {
		return false
	}
	if key == ssmapi.StepExecutionFilterKeyStartTimeBefore {
		return r.Started.Before(at)
	}
	return key == ssmapi.StepExecutionFilterKeyStartTimeAfter && r.Started.After(at)
}

func limitOf(most *int32) int {
	if most == nil {
		return defaultPage
	}
	return int(*most)
}

// bind says what a page token is good for.
func (s *Service) bind(ctx context.Context, operation string, more ...string) []string {
	call := aws.CallOf(ctx)
	return append([]string{"ssm:" + operation, string(call.Account), string(call.Region)}, more...)
}

func filterText(filters []ssmapi.AutomationExecutionFilter) string {
	var b strings.Builder
	for _, f := range filters {
		b.WriteString(string(f.Key) + "\x00" + strings.Join(f.Values, "\x01") + "\x02")
	}
	return b.String()
}

// pageOf returns a page of what is in memory as a whole, and the token of the
// next. What stands under the token's id has been shown.
func pageOf[T any](ctx context.Context, s *Service, operation string, parts []string, all []T, id func(T) string, next *string, most *int32) ([]T, *string, error) {
	bind := s.bind(ctx, operation, parts...)
	after, err := s.env.Store.OpenToken(bind, text(next))
	if err != nil {
		return nil, nil, ssmapi.InvalidNextToken.New("The specified token isn't valid.")
	}
	if after != "" {
		i := slices.IndexFunc(all, func(v T) bool { return id(v) == after })
		all = all[i+1:]
	}
	limit := limitOf(most)
	if len(all) <= limit {
		return all, nil, nil
	}
	return all[:limit], new(s.env.Store.NextToken(bind, id(all[limit-1]))), nil
}
