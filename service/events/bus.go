package events

import (
	"context"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/eventsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

func (s *Service) createEventBus(ctx context.Context, in *eventsapi.CreateEventBusRequest) (*eventsapi.CreateEventBusResponse, error) {
	call := aws.CallOf(ctx)
	if in.EventSourceName != nil {
		return nil, eventsapi.ResourceNotFoundException.New("Event source %s does not exist.", *in.EventSourceName)
	}
	if strings.Contains(in.Name, "/") {
		return nil, aws.ValidationException.New("Event bus name must not contain '/'.")
	}
	if err := unsupported(in.KmsKeyIdentifier, in.DeadLetterConfig, in.LogConfig); err != nil {
		return nil, err
	}
	tags, err := tagged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	if in.Name == defaultBus {
		return nil, eventsapi.ResourceAlreadyExistsException.New("Event bus %s already exists.", in.Name)
	}
	all, err := s.buses.Page(ctx, store.Range{Limit: maxBuses + 1})
	if err != nil {
		return nil, err
	}
	if len(all) >= maxBuses {
		return nil, tooMany()
	}
	now := time.Now()
	b := &bus{Name: in.Name, Description: text(in.Description), Tags: tags, Created: now, Modified: now}
	if err := s.buses.Insert(ctx, in.Name, b); errors.Is(err, store.ErrExists) {
		return nil, eventsapi.ResourceAlreadyExistsException.New("Event bus %s already exists.", in.Name)
	} else if err != nil {
		return nil, err
	}
	return &eventsapi.CreateEventBusResponse{EventBusArn: new(busARN(call, in.Name).String()), Description: in.Description}, nil
}

// unsupported refuses what a bus cannot do here, rather than to ignore it.
func unsupported(key *string, dead *eventsapi.DeadLetterConfig, log *eventsapi.LogConfig) error {
	switch {
	case text(key) != "":
		return aws.ValidationException.New("KmsKeyIdentifier is not supported: events are sealed under the plane's own key.")
	case dead != nil && text(dead.Arn) != "":
		return noDeadLetters()
	case log != nil && log.Level != nil && *log.Level != eventsapi.LevelOff:
		return aws.ValidationException.New("LogConfig is not supported: this plane does not deliver logs of event buses.")
	}
	return nil
}

func noDeadLetters() error {
	return aws.ValidationException.New("DeadLetterConfig is not supported: this plane does not serve Amazon SQS yet.")
}

func (s *Service) describeEventBus(ctx context.Context, in *eventsapi.DescribeEventBusRequest) (*eventsapi.DescribeEventBusResponse, error) {
	call := aws.CallOf(ctx)
	name, err := own(call, in.Name)
	if err != nil {
		return nil, err
	}
	b, err := s.bus(ctx, name)
	if err != nil {
		return nil, err
	}
	return &eventsapi.DescribeEventBusResponse{
		Name: &b.Name, Arn: new(busARN(call, b.Name).String()), Description: optional(b.Description), Policy: optional(b.Policy),
		CreationTime: moment(b.Created), LastModifiedTime: moment(b.Modified),
	}, nil
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *Service) updateEventBus(ctx context.Context, in *eventsapi.UpdateEventBusRequest) (*eventsapi.UpdateEventBusResponse, error) {
	call := aws.CallOf(ctx)
	if err := unsupported(in.KmsKeyIdentifier, in.DeadLetterConfig, in.LogConfig); err != nil {
		return nil, err
	}
	name, err := own(call, in.Name)
	if err != nil {
		return nil, err
	}
	b, err := s.bus(ctx, name)
	if err != nil {
		return nil, err
	}
	b.Description = text(in.Description)
	if err := s.putBus(ctx, b); err != nil {
		return nil, err
	}
	return &eventsapi.UpdateEventBusResponse{Arn: new(busARN(call, name).String()), Name: &name, Description: in.Description}, nil
}

// putBus keeps a changed bus.
func (s *Service) putBus(ctx context.Context, b *bus) error {
	b.Modified = time.Now()
	if b.Created.IsZero() {
		b.Created = b.Modified
	}
	return s.buses.Put(ctx, b.Name, b)
}

func (s *Service) deleteEventBus(ctx context.Context, in *eventsapi.DeleteEventBusRequest) (*eventsapi.DeleteEventBusResponse, error) {
	name, err := own(aws.CallOf(ctx), &in.Name)
	if err != nil {
		return nil, err
	}
	if name == defaultBus {
		return nil, aws.ValidationException.New("Cannot delete event bus default.")
	}
	rules, err := s.rules.Page(ctx, store.Range{Prefix: ruleID(name, ""), Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(rules) > 0 {
		return nil, aws.ValidationException.New("Event bus %s can't be deleted since it has rules.", name)
	}
	// A bus that does not exist is deleted already, says the API reference.
	if err := s.buses.Delete(ctx, name); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &eventsapi.DeleteEventBusResponse{}, nil
}

func (s *Service) listEventBuses(ctx context.Context, in *eventsapi.ListEventBusesRequest) (*eventsapi.ListEventBusesResponse, error) {
	prefix := text(in.NamePrefix)
	r, bind, err := s.page(ctx, in.Limit, in.NextToken, prefix)
	if err != nil {
		return nil, err
	}
	all, err := s.withDefault(ctx, prefix, r)
	if err != nil {
		return nil, err
	}
	all, token := next(s, bind, r, all)
	out := &eventsapi.ListEventBusesResponse{NextToken: token, EventBuses: []eventsapi.EventBus{}}
	for _, e := range all {
		b := e.Value
		out.EventBuses = append(out.EventBuses, eventsapi.EventBus{
			Name: &b.Name, Arn: new(busARN(aws.CallOf(ctx), b.Name).String()), Description: optional(b.Description), Policy: optional(b.Policy),
			CreationTime: moment(b.Created), LastModifiedTime: moment(b.Modified),
		})
	}
	return out, nil
}

// withDefault returns a page of buses in which the default bus has its place
// even though it has no record.
func (s *Service) withDefault(ctx context.Context, prefix string, r store.Range) ([]store.Entry[bus], error) {
	r.Prefix = prefix
	all, err := s.buses.Page(ctx, r)
	if err != nil || !strings.HasPrefix(defaultBus, prefix) || defaultBus <= r.After {
		return all, err
	}
	for i, e := range all {
		if e.ID == defaultBus {
			return all, nil
		}
		if e.ID > defaultBus {
			all = append(all[:i], append([]store.Entry[bus]{{ID: defaultBus, Value: &bus{Name: defaultBus}}}, all[i:]...)...)
			return all[:min(len(all), r.Limit)], nil
		}
	}
	if len(all) < r.Limit {
		all = append(all, store.Entry[bus]{ID: defaultBus, Value: &bus{Name: defaultBus}})
	}
	return all, nil
}
