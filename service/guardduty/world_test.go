package guardduty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/spine"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

// A world is GuardDuty with a real store, a relay that notes what it tells, and a
// scheduler.
type world struct {
	t       *testing.T
	store   *store.Store
	service *Service
	backend *memory.Backend
	root    *seal.Root
	lists   string
	feeds   Feeds
	told    []aws.Event
	queries int

	readings map[int]*reading // by follower
}

// inWorld runs a test in a bubble, so that waiting takes no time.
func inWorld(t *testing.T, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		w := &world{t: t, backend: memory.New(), root: seal.NewRoot(seal.GenerateKey()), lists: t.TempDir(), readings: map[int]*reading{}}
		w.begin()
		test(w)
	})
}

// begin starts the service anew on what is stored, as after a crash.
func (w *world) begin() {
	w.t.Helper()
	w.store = store.Open(w.backend, w.root)
	w.service = New(service.Env{Store: w.store, Log: slog.New(slog.DiscardHandler), Lists: w.lists})
	w.service.Follow(w.feeds)
	for _, r := range w.readings {
		r.memory = nil
	}
	if err := w.service.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

const account, other = "111122223333", "444455556666"

func in(ctx context.Context, account aws.Account, operation string) context.Context {
	return within(ctx, account, "us-east-1", operation)
}

func within(ctx context.Context, account aws.Account, region aws.Region, operation string) context.Context {
	return aws.WithCall(ctx, &aws.Call{Partition: "aws", Account: account, Region: region, Service: "guardduty", Operation: operation,
		Principal: &aws.Principal{Kind: aws.Root, Account: account}})
}

// call serves an operation in a unit of work, as the gate does.
func call[In, Out any](w *world, op *wire.Operation[In, Out], request In) (Out, error) {
	return callAs(w, account, op, request)
}

func callAs[In, Out any](w *world, who aws.Account, op *wire.Operation[In, Out], request In) (out Out, err error) {
	w.t.Helper()
	routes := w.service.Routes()
	at := slices.IndexFunc(routes, func(r wire.Route) bool { return r.Operation == wire.AnyOperation(op) })
	if at < 0 {
		w.t.Fatalf("%s is not served", op.About())
	}
	err = w.store.Update(in(w.t.Context(), who, op.Name), func(ctx context.Context) error {
		if _, err := routes[at].Touches(ctx, request); err != nil {
			return err
		}
		answer, err := routes[at].Serve(ctx, request)
		if err == nil {
			out = answer.(Out)
		}
		return err
	})
	return out, err
}

func must[In, Out any](w *world, op *wire.Operation[In, Out], request In) Out {
	w.t.Helper()
	out, err := call(w, op, request)
	if err != nil {
		w.t.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// refused checks that a call fails with BadRequestException and this sentence.
func refused[In, Out any](w *world, op *wire.Operation[In, Out], request In, message string) {
	w.t.Helper()
	_, err := call(w, op, request)
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != "BadRequestException" || e.Message != message {
		w.t.Errorf("%s: got %v, want: %s", op.Name, err, message)
	}
}

const notOwned = "The request is rejected because the input detectorId is not owned by the current account."

// detector makes the account's detector.
func (w *world) detector() string {
	w.t.Helper()
	return *must(w, &guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Enable: true}).DetectorId
}

const host = "i-0123456789abcdef0"

// query has an instance ask for a name.
func (w *world) query(names ...string) { w.queryAs(account, host, names...) }

func (w *world) queryAs(who aws.Account, instance string, names ...string) {
	w.t.Helper()
	var events []aws.Event
	for _, name := range names {
		w.queries++
		record := fmt.Sprintf(`{"version":"1.100000","account_id":%q,"region":"us-east-1","vpc_id":"vpc-0a1b2c3d","query_timestamp":%q,"query_name":%q,"query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[],"srcaddr":"10.0.0.7","srcport":"5353","transport":"UDP","srcids":{"instance":%q}}`,
			who, time.Now().UTC().Format(time.RFC3339), name+".", instance)
		events = append(events, aws.Event{Stream: aws.DNSStream, ID: fmt.Sprint(w.queries), Type: "DNSQuery", Account: who, Region: "us-east-1", Time: time.Now(), Data: []byte(record)})
	}
	w.consume(who, events...)
}

func (w *world) consume(who aws.Account, events ...aws.Event) {
	w.t.Helper()
	w.consumeAs(0, who, "us-east-1", events...)
}

// A reading is how far a follower is, as the plane keeps it.
type reading struct {
	memory         service.Memory
	events         []spine.Delivery // of the stream
	saved, counted uint64
}

// consumeAs puts events on the stream of a follower, by its place among them, and
// hands them to it.
func (w *world) consumeAs(follower int, who aws.Account, region aws.Region, events ...aws.Event) {
	w.t.Helper()
	r := w.reading(follower)
	from := len(r.events)
	for _, e := range events {
		e.Account, e.Region, e.Time = who, region, time.Now()
		r.events = append(r.events, spine.Delivery{Event: e, Position: uint64(len(r.events) + 1)})
	}
	w.take(r, r.events[from:])
}

func (w *world) reading(follower int) *reading {
	r := w.readings[follower]
	if r == nil {
		r = &reading{}
		w.readings[follower] = r
	}
	if r.memory == nil { // what came since the last saving comes again
		r.memory = w.service.Followers()[follower].New()
		if again := r.events[r.saved:]; len(again) > 0 {
			w.take(r, again)
		}
	}
	return r
}

// take does what the plane does with a batch.
func (w *world) take(r *reading, batch []spine.Delivery) {
	w.t.Helper()
	last := batch[len(batch)-1].Position
	err := w.store.Update(w.t.Context(), func(ctx context.Context) error {
		saved, err := r.memory.Take(ctx, service.Batch{Events: batch, Last: last, Done: r.counted, In: func(p store.Place) context.Context { return within(ctx, p.Account, p.Region, "Take") }})
		if err == nil && !store.UnitOf(ctx).Empty() {
			store.AfterCommit(ctx, func() { r.saved, r.counted = max(r.saved, saved), max(r.counted, last) })
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// relay notes what was told.
func (w *world) relay() int {
	w.t.Helper()
	out, err := w.store.ClaimOutbox(w.t.Context(), 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range out {
		w.told = append(w.told, o.Event)
	}
	if err := w.store.DoneOutbox(w.t.Context(), out); err != nil {
		w.t.Fatal(err)
	}
	return len(out)
}

// work does once what is due now, and returns how much that was.
func (w *world) work() int {
	w.t.Helper()
	dues, err := w.store.ClaimDue(w.t.Context(), time.Now(), time.Minute, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range dues {
		err := w.store.Update(in(w.t.Context(), d.Place.Account, d.Kind), func(ctx context.Context) error {
			store.Complete(ctx, d)
			for _, job := range w.service.Jobs() {
				if job.Kind == d.Kind {
					return job.Run(ctx, d)
				}
			}
			return fmt.Errorf("no job %s", d.Kind)
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return len(dues)
}

// advance lets time pass, stopping at each due record.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	for end := time.Now().Add(d); ; {
		for w.relay()+w.work() > 0 {
		}
		next, ok, err := w.store.NextDue(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		if !ok || next.After(end) {
			time.Sleep(time.Until(end))
			return
		}
		time.Sleep(time.Until(next))
	}
}

// events returns what was told on a stream.
func (w *world) events(stream string) []aws.Event {
	for w.relay() > 0 {
	}
	return slices.DeleteFunc(slices.Clone(w.told), func(e aws.Event) bool { return e.Stream != stream })
}

// findings lists all findings of the account.
func (w *world) findings(d string) []guarddutyapi.Finding {
	w.t.Helper()
	var all []guarddutyapi.Finding
	for next := (*string)(nil); ; {
		page := must(w, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: d, NextToken: next})
		if len(page.FindingIds) > 0 {
			all = append(all, must(w, &guarddutyapi.GetFindings, &guarddutyapi.GetFindingsRequest{DetectorId: d, FindingIds: page.FindingIds}).Findings...)
		}
		if next = page.NextToken; next == nil || *next == "" {
			return all
		}
	}
}

func asJSON(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}
