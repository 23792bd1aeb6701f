package cloudtrail

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/aws"
)

// pageSize is the default and the most that LookupEvents returns.
const pageSize = 50

func (s *Service) lookupEvents(ctx context.Context, in *cloudtrailapi.LookupEventsRequest) (*cloudtrailapi.LookupEventsResponse, error) {
	q, err := searchOf(in)
	if err != nil {
		return nil, err
	}
	bound := boundTo(ctx, in)
	var after *bookmark
	if in.NextToken != nil {
		if after, err = s.openToken(bound, *in.NextToken); err != nil {
			return nil, err
		}
	}
	limit := pageSize
	if in.MaxResults != nil {
		limit = int(min(max(*in.MaxResults, 1), pageSize))
	}
	found, more, err := s.find(ctx, q, after, limit)
	if err != nil {
		return nil, err
	}
	out := &cloudtrailapi.LookupEventsResponse{Events: make([]cloudtrailapi.Event, 0, len(found))}
	for i := range found {
		out.Events = append(out.Events, found[i].event())
	}
	if more != nil {
		text, err := json.Marshal(more)
		if err != nil {
			return nil, err
		}
		out.NextToken = new(s.env.Store.NextToken(bound, string(text)))
	}
	return out, nil
}

// searchOf reads the request. CloudTrail API Reference, LookupEvents.
func searchOf(in *cloudtrailapi.LookupEventsRequest) (search, error) {
	q := search{from: time.Now().Add(-history).UnixMilli(), to: 1<<47 - 1}
	if in.EventCategory != nil {
		return q, aws.UnsupportedOperation.New("Sumun does not record CloudTrail Insights events: EventCategory %s cannot be looked up.", *in.EventCategory)
	}
	if len(in.LookupAttributes) > 1 {
		return q, cloudtrailapi.InvalidLookupAttributesException.New("You can specify only one lookup attribute.")
	}
	for _, a := range in.LookupAttributes {
		q.key, q.value = a.AttributeKey, a.AttributeValue
		if q.key == cloudtrailapi.LookupAttributeKeyReadOnly && q.value != "true" && q.value != "false" {
			return q, cloudtrailapi.InvalidLookupAttributesException.New("The value of the lookup attribute ReadOnly must be true or false.")
		}
	}
	if in.StartTime != nil && in.EndTime != nil && in.StartTime.After(*in.EndTime) {
		return q, cloudtrailapi.InvalidTimeRangeException.New("The start time %s is after the end time %s.",
			in.StartTime.UTC().Format(time.RFC3339), in.EndTime.UTC().Format(time.RFC3339))
	}
	// Records show whole seconds, so that is what both ends are compared with.
	if in.StartTime != nil {
		q.from = max(q.from, secondUp(*in.StartTime)*1000)
	}
	if in.EndTime != nil {
		q.to = in.EndTime.Unix()*1000 + 999
	}
	if q.key == cloudtrailapi.LookupAttributeKeyEventId {
		if at, ok := timeOf(q.value); ok {
			q.from, q.to = max(q.from, at), min(q.to, at)
		}
	}
	return q, nil
}

// secondUp is the first whole second that is not before t.
func secondUp(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// boundTo is what a token must be used with again.
func boundTo(ctx context.Context, in *cloudtrailapi.LookupEventsRequest) []string {
	call := aws.CallOf(ctx)
	bound := []string{"cloudtrail:LookupEvents", string(call.Account), string(call.Region), when(in.StartTime), when(in.EndTime)}
	for _, a := range in.LookupAttributes {
		bound = append(bound, string(a.AttributeKey), a.AttributeValue)
	}
	return bound
}

func when(t *time.Time) string {
	if t == nil {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

func (s *Service) openToken(bound []string, token string) (*bookmark, error) {
	text, err := s.env.Store.OpenToken(bound, token)
	b := new(bookmark)
	if err != nil || text == "" || json.Unmarshal([]byte(text), b) != nil {
		return nil, cloudtrailapi.InvalidNextTokenException.New("The next token is not valid, or was used with other parameters than it was returned for.")
	}
	return b, nil
}

// event is the record as LookupEvents shows it. What a record does not have is
// left out, as AWS does; Resources is always there.
func (r *record) event() cloudtrailapi.Event {
	e := cloudtrailapi.Event{
		EventId:         &r.id,
		EventName:       &r.name,
		ReadOnly:        &r.readOnly,
		EventTime:       new(time.UnixMilli(r.at).UTC().Truncate(time.Second)),
		EventSource:     &r.source,
		Resources:       []cloudtrailapi.Resource{},
		CloudTrailEvent: new(string(r.data)),
	}
	if r.key != "" {
		e.AccessKeyId = &r.key
	}
	if r.user != "" {
		e.Username = &r.user
	}
	types := lines(r.types)
	for i, name := range lines(r.resources) {
		resource := cloudtrailapi.Resource{ResourceName: &name}
		if i < len(types) && types[i] != "" {
			resource.ResourceType = &types[i]
		}
		e.Resources = append(e.Resources, resource)
	}
	return e
}
