package plane

import (
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// A node published and died before it said so: who goes on with its outbox publishes
// what is missing, and nothing twice, however much others have published since.
func TestWhatADeadNodePublishedIsNotPublishedAgain(t *testing.T) {
	one, other := cluster(t)
	event := func(id string) aws.Event {
		return aws.Event{Stream: aws.IngestStream, ID: id, Type: "test", Account: "111122223333", Region: "us-east-1", Time: time.Now(), Data: []byte(`""`)}
	}
	was, ahead, missing, first := event("was"), event("ahead"), event("missing"), event("first")
	ahead.Time = ahead.Time.Add(time.Hour) // as who puts events on a bus may say
	if err := one.current.Load().publish(t.Context(), was, ahead); err != nil {
		t.Fatal(err)
	}
	for range 100 { // more messages than a node reads back when it starts
		if err := other.current.Load().publish(t.Context(), event(rand.Text())); err != nil {
			t.Fatal(err)
		}
	}
	got := other.current.Load().unpublished(t.Context(), []store.Outgoing{{Event: ahead, Again: true}, {Event: was, Again: true}, {Event: missing, Again: true}, {Event: first}})
	if ids := []string{"missing", "first"}; !slices.Equal(ids, idsOf(got)) {
		t.Errorf("%v is published, want %v", idsOf(got), ids)
	}
	if got := other.current.Load().unpublished(t.Context(), []store.Outgoing{{Event: ahead, Again: true}}); len(got) > 0 {
		t.Error("what happens in the future is published again")
	}
}

func idsOf(events []aws.Event) (ids []string) {
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}
