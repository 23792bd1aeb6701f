package securityhub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// A change of a finding stands under the finding's key, the time and a number.
type change struct {
	At      time.Time
	Created bool
	Source  securityhubapi.FindingHistoryUpdateSourceType
	By      string // who changed it: a product, or a principal
	Updates []update
}

type update struct{ Field, Old, New string }

const (
	keepHistory = 90 * 24 * time.Hour // API Reference, GetFindingHistory
	maxUpdates  = 100                 // in a change
	maxShown    = 1000                // bytes of a value
)

func changeRow(key string, at time.Time) string { return key + "/" + at.UTC().Format(rowTime) }

// note keeps what has changed in a finding.
func (s *Service) note(ctx context.Context, k *kept, old map[string]any, source securityhubapi.FindingHistoryUpdateSourceType, now time.Time) error {
	c := &change{At: now, Created: old == nil, Source: source, By: k.ProductArn}
	if source == securityhubapi.FindingHistoryUpdateSourceTypeBatchUpdateFindings {
		c.By = identity(aws.CallOf(ctx))
	}
	if old != nil {
		differences("", old, k.parsed(), func(u update) {
			if len(c.Updates) < maxUpdates && u.Field != "ProcessedAt" {
				c.Updates = append(c.Updates, u)
			}
		})
	}
	if err := s.forgetHistory(ctx, keyOf(k.ProductArn, k.ID), now.Add(-keepHistory)); err != nil {
		return err
	}
	// Several changes at one instant stand in the order they were made.
	for n := 0; ; n++ {
		err := s.changes.Insert(ctx, fmt.Sprintf("%s/%04d", changeRow(keyOf(k.ProductArn, k.ID), now), n), c)
		if !errors.Is(err, store.ErrExists) {
			return err
		}
	}
}

func identity(call *aws.Call) string {
	if arn := call.Principal.ARN; !arn.IsZero() {
		return arn.String()
	}
	return call.Principal.Name
}

// differences tells of what differs between two objects, member by member; lists
// count as one value.
func differences(under string, old, now map[string]any, tell func(update)) {
	var names []string
	for name := range old {
		names = append(names, name)
	}
	for name := range now {
		if _, both := old[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		a, b := old[name], now[name]
		was, isObject := a.(map[string]any)
		is, staysObject := b.(map[string]any)
		if isObject && (staysObject || b == nil) || staysObject && a == nil {
			differences(under+name+".", was, is, tell)
			continue
		}
		if before, after := shown(a), shown(b); before != after {
			tell(update{under + name, cut(before), cut(after)})
		}
	}
}

func shown(v any) string {
	if v == nil {
		return ""
	}
	return text(v)
}

func cut(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "")
}

// getFindingHistory returns what has changed in the last 90 days, the latest first.
func (s *Service) getFindingHistory(ctx context.Context, in *securityhubapi.GetFindingHistoryRequest) (*securityhubapi.GetFindingHistoryResponse, error) {
	if _, err := s.hub(ctx); err != nil {
		return nil, err
	}
	id := in.FindingIdentifier
	key := keyOf(id.ProductArn, id.Id)
	now := time.Now()
	from, to := now.Add(-keepHistory), now
	if in.StartTime != nil && in.StartTime.After(from) {
		from = *in.StartTime
	}
	if in.EndTime != nil {
		to = *in.EndTime
	}
	if from.After(to) {
		return nil, invalid("StartTime", "StartTime should be before EndTime")
	}
	call := aws.CallOf(ctx)
	bind := []string{"securityhub:GetFindingHistory", string(call.Account), string(call.Region), key, value(in.StartTime).String(), value(in.EndTime).String()}
	after, err := s.env.Store.OpenToken(bind, value(in.NextToken))
	if err != nil {
		return nil, invalid("NextToken", "The token is not valid, or was returned for another request")
	}
	if after == "" {
		after = changeRow(key, to) + "/~" // behind all of that instant
	}
	limit := 100
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	page, err := s.changes.Page(ctx, store.Range{Prefix: key + "/", After: after, Limit: limit + 1, Desc: true})
	if err != nil {
		return nil, err
	}
	out := &securityhubapi.GetFindingHistoryResponse{Records: []securityhubapi.FindingHistoryRecord{}}
	for i, e := range page {
		if e.Value.At.Before(from) {
			break
		}
		if i == limit {
			out.NextToken = new(s.env.Store.NextToken(bind, page[i-1].ID))
			break
		}
		out.Records = append(out.Records, e.Value.record(id))
	}
	return out, nil
}

func (c *change) record(id *securityhubapi.AwsSecurityFindingIdentifier) securityhubapi.FindingHistoryRecord {
	r := securityhubapi.FindingHistoryRecord{
		FindingIdentifier: id, UpdateTime: &c.At, FindingCreated: &c.Created,
		UpdateSource: &securityhubapi.FindingHistoryUpdateSource{Type: &c.Source, Identity: &c.By},
		Updates:      []securityhubapi.FindingHistoryUpdate{},
	}
	for _, u := range c.Updates {
		r.Updates = append(r.Updates, securityhubapi.FindingHistoryUpdate{UpdatedField: &u.Field, OldValue: &u.Old, NewValue: &u.New})
	}
	return r
}

// forgetHistory removes the first changes of a finding that are no longer shown.
// It is called with each change, so that they do not become many.
func (s *Service) forgetHistory(ctx context.Context, key string, before time.Time) error {
	page, err := s.changes.Page(ctx, store.Range{Prefix: key + "/", Limit: 2})
	if err != nil {
		return err
	}
	return s.removeChanges(ctx, page, before)
}

// removeChanges removes those of a page that are not after a time.
func (s *Service) removeChanges(ctx context.Context, page []store.Entry[change], before time.Time) error {
	for _, e := range page {
		if e.Value.At.After(before) {
			return nil
		}
		if err := s.changes.Delete(ctx, e.ID); err != nil {
			return err
		}
	}
	return nil
}
