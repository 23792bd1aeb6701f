package events

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// jobRoute finds the rules of an event that has more deliveries than its batch
// has room for.
const jobRoute = "events.route"

// A unit of work is bounded (store.MaxBatch), and one that is too large would
// come again for ever and hold up the stream. So few events come together, each
// schedules little at once, and the rest as a due record of its own, piece by
// piece: in the worst case an event writes less than two megabytes.
const batch = 32

// A room is what may be scheduled in one go.
type room struct{ deliveries, bytes int }

var (
	atOnce = room{100, 512 << 10}
	alone  = room{5000, 16 << 20} // more than any one rule needs
)

// take reports whether there was room, and takes it.
func (r *room) take(dues []store.Due) bool {
	r.deliveries -= len(dues)
	for _, d := range dues {
		r.bytes -= len(d.Payload)
	}
	return r.deliveries >= 0 && r.bytes >= 0
}

// A routing is what is left to do for an event: the rules behind After.
type routing struct {
	Bus, After string
	Received   time.Time
	Attrs      map[string]string
}

// putOff has the rest done as a due record, which has the event behind the
// routing: the event is JSON already, and may be nearly as long as a record may.
func (r routing) putOff(ctx context.Context, e aws.Event) error {
	r.Attrs = e.Attrs
	head, err := json.Marshal(r)
	if err != nil {
		return err
	}
	payload := append(append(head, '\n'), e.Data...)
	store.Schedule(ctx, store.Due{Kind: jobRoute, ID: e.ID, At: r.Received, Payload: payload})
	return nil
}

// routeDue goes on with an event that was put off. It reads the rules itself:
// the cache belongs to the stream's reader.
func (s *Service) routeDue(ctx context.Context, due store.Due) error {
	head, data, _ := bytes.Cut(due.Payload, []byte("\n"))
	var rest routing
	if err := json.Unmarshal(head, &rest); err != nil {
		s.env.Log.Error("event dropped: its record cannot be read", "event", due.ID, "error", err)
		return nil
	}
	var on rules
	if err := s.load(ctx, &on, rest.Bus); err != nil {
		return err
	}
	return s.route(ctx, &on, rest, aws.Event{ID: due.ID, Data: data, Attrs: rest.Attrs}, alone)
}
