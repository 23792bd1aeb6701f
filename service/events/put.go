package events

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"time"

	"sumun.dev/api/eventsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/pattern"
	"sumun.dev/store"
)

// maxEntries is the size of all entries of one PutEvents together, in bytes.
// User Guide, "Calculating PutEvents event entry size".
const maxEntries = 262_144

// isoSeconds is how events tell the time.
const isoSeconds = "2006-01-02T15:04:05Z"

func (s *Service) putEvents(ctx context.Context, in *eventsapi.PutEventsRequest) (*eventsapi.PutEventsResponse, error) {
	if in.EndpointId != nil {
		return nil, aws.ValidationException.New("EndpointId is not supported: this plane does not serve global endpoints.")
	}
	size := 0
	for _, e := range in.Entries {
		size += sizeOf(&e)
	}
	if size > maxEntries {
		return nil, aws.ValidationException.New("Total size of the entries in the request is over the limit.")
	}
	out := &eventsapi.PutEventsResponse{}
	failed := int32(0)
	for _, e := range in.Entries {
		id, refused := s.putEvent(ctx, &e)
		var err *aws.Error
		switch {
		case refused == nil:
			out.Entries = append(out.Entries, eventsapi.PutEventsResultEntry{EventId: &id})
		case errors.As(refused, &err):
			out.Entries = append(out.Entries, eventsapi.PutEventsResultEntry{ErrorCode: &err.Code, ErrorMessage: &err.Message})
			failed++
		default:
			return nil, refused
		}
	}
	out.FailedEntryCount = &failed
	return out, nil
}

// sizeOf counts an entry as AWS does: 14 bytes for the time, and the UTF-8 of
// the rest.
func sizeOf(e *eventsapi.PutEventsRequestEntry) int {
	n := len(text(e.Source)) + len(text(e.DetailType)) + len(text(e.Detail))
	if e.Time != nil {
		n += 14
	}
	for _, r := range e.Resources {
		n += len(r)
	}
	return n
}

// What an entry can be refused for; the code stands in its result.
var (
	invalidArgument = aws.ErrorKind{Code: "InvalidArgument"}
	malformedDetail = aws.ErrorKind{Code: "MalformedDetail"}
	notAuthorized   = aws.ErrorKind{Code: "NotAuthorizedForSourceException"}
)

// putEvent puts one event on its bus and returns its id.
func (s *Service) putEvent(ctx context.Context, e *eventsapi.PutEventsRequestEntry) (string, error) {
	call := aws.CallOf(ctx)
	for _, must := range []struct {
		name  string
		value *string
	}{{"Source", e.Source}, {"DetailType", e.DetailType}, {"Detail", e.Detail}} {
		if text(must.value) == "" {
			return "", invalidArgument.New("Parameter %s is not valid. Reason: %s is a required argument.", must.name, must.name)
		}
	}
	if strings.HasPrefix(*e.Source, "aws.") {
		return "", notAuthorized.New("Not authorized for the source.")
	}
	detail := []byte(*e.Detail)
	if trimmed := strings.TrimLeft(*e.Detail, " \t\r\n"); !json.Valid(detail) || trimmed[0] != '{' {
		return "", malformedDetail.New("Detail is malformed.")
	}
	now := time.Now()
	if e.Time != nil {
		now = *e.Time
	}
	v, err := aws.NewBusEvent(*e.Source, *e.DetailType, call.Account, call.Region, now, json.RawMessage(detail), e.Resources...)
	if err != nil {
		return "", malformedDetail.New("Detail is malformed.")
	}
	arn := busNamed(call, e.EventBusName)
	if arn.Region != call.Region {
		return "", invalidArgument.New("Parameter EventBusName is not valid. Reason: the event bus is in another region.")
	}
	name, ok := strings.CutPrefix(arn.Resource, "event-bus/")
	if !ok || arn.Service != "events" || arn.Partition != call.Partition {
		return "", invalidArgument.New("Parameter EventBusName is not valid. Reason: Provided Arn is not in correct format.")
	}
	if _, err := s.buses.At(arn).Get(ctx, name); errors.Is(err, store.ErrNotFound) && name != defaultBus {
		return v.ID, nil // AWS takes the event and drops it
	} else if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	return v.ID, emit(ctx, store.Place{Account: arn.Account, Region: arn.Region}, name, v, nil)
}

// emit puts an event on a bus's stream.
func emit(ctx context.Context, to store.Place, bus string, v *aws.BusEvent, attrs map[string]string) error {
	e, err := v.On(bus, time.Now())
	if err != nil {
		return err
	}
	e.ID, e.Account, e.Region = v.ID+"/"+bus, to.Account, to.Region
	maps.Copy(e.Attrs, attrs)
	store.Emit(ctx, e)
	return nil
}

func dashed(b [16]byte) string {
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// testEventPattern matches one event against one pattern. The event must have
// the fields that every event has, says the API reference.
func (s *Service) testEventPattern(_ context.Context, in *eventsapi.TestEventPatternRequest) (*eventsapi.TestEventPatternResponse, error) {
	p, err := pattern.Parse([]byte(in.EventPattern))
	if err != nil {
		return nil, invalidPattern(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(in.Event), &fields); err != nil {
		return nil, aws.ValidationException.New("Parameter Event is not valid.")
	}
	for _, name := range []string{"id", "account", "source", "time", "region", "resources", "detail-type"} {
		if _, ok := fields[name]; !ok {
			return nil, aws.ValidationException.New("Parameter Event is not valid. Reason: the event lacks %s.", name)
		}
	}
	ok, err := p.Matches([]byte(in.Event))
	if errors.Is(err, pattern.ErrEvent) {
		return nil, aws.ValidationException.New("Parameter Event is not valid.")
	}
	if err != nil {
		return nil, err
	}
	return &eventsapi.TestEventPatternResponse{Result: &ok}, nil
}
