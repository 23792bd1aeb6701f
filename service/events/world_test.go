package events

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

// A world is EventBridge with a real store, and just enough around it: a relay,
// a scheduler, and SSM as a service that others provide.
type world struct {
	t       *testing.T
	store   *store.Store
	service *Service
	backend *memory.Backend
	root    *seal.Root

	mu      sync.Mutex
	started []start // runbooks that SSM was asked to start
	refuse  error   // what SSM answers
}

type start struct {
	role, session string
	in            *ssmapi.StartAutomationExecutionRequest
}

type roleKey struct{}

func (w *world) As(ctx context.Context, role aws.ARN, session string) (context.Context, error) {
	if strings.HasSuffix(role.Resource, "/distrusted") {
		return nil, aws.AccessDenied.New("not trusted")
	}
	return context.WithValue(ctx, roleKey{}, [2]string{role.String(), session}), nil
}

func (w *world) Invoke(ctx context.Context, op wire.AnyOperation, in any) (any, error) {
	request, ok := in.(*ssmapi.StartAutomationExecutionRequest)
	if !ok {
		return nil, aws.AccessDenied.New("%s is not among the needs", op.About())
	}
	as := ctx.Value(roleKey{}).([2]string)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started = append(w.started, start{as[0], as[1], request})
	return &ssmapi.StartAutomationExecutionResult{}, w.refuse
}

// inWorld runs a test in a bubble, so that retries take no time.
func inWorld(t *testing.T, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		w := &world{t: t, backend: memory.New(), root: seal.NewRoot(seal.GenerateKey())}
		w.begin()
		test(w)
	})
}

// begin starts the service anew on what is stored, as after a crash.
func (w *world) begin() {
	w.store = store.Open(w.backend, w.root)
	w.service = New(service.Env{Store: w.store, AWS: w, Log: slog.New(slog.DiscardHandler)})
}

const account, other = "111122223333", "444455556666"

func in(ctx context.Context, account aws.Account, operation string) context.Context {
	return aws.WithCall(ctx, &aws.Call{Partition: "aws", Account: account, Region: "us-east-1", Service: "events", Operation: operation,
		Principal: &aws.Principal{Kind: aws.Root, Account: account}})
}

// call serves an operation in a unit of work, as the gate does.
func call[In, Out any](w *world, op *wire.Operation[In, Out], request In) (Out, error) {
	return callAs(w, account, op, request)
}

func callAs[In, Out any](w *world, who aws.Account, op *wire.Operation[In, Out], request In) (out Out, err error) {
	w.t.Helper()
	at := slices.IndexFunc(w.service.Routes(), func(r wire.Route) bool { return r.Operation == wire.AnyOperation(op) })
	if at < 0 {
		w.t.Fatalf("%s is not served", op.About())
	}
	route := w.service.Routes()[at]
	err = w.store.Update(in(w.t.Context(), who, op.Name), func(ctx context.Context) error {
		if _, err := route.Touches(ctx, request); err != nil {
			return err
		}
		answer, err := route.Serve(ctx, request)
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

// refused checks that a call fails with code and message.
func refused[In, Out any](w *world, op *wire.Operation[In, Out], request In, code, message string) {
	w.t.Helper()
	_, err := call(w, op, request)
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != code || e.Message != message {
		w.t.Errorf("%s: got %v, want %s: %s", op.Name, err, code, message)
	}
}

// relay takes what was emitted to the consumer, and returns it.
func (w *world) relay() []aws.Event {
	w.t.Helper()
	out, err := w.store.ClaimOutbox(w.t.Context(), 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []aws.Event
	for _, o := range out {
		all = append(all, o.Event)
		err := w.store.Update(in(w.t.Context(), o.Account, "match"), func(ctx context.Context) error { return w.service.match(ctx, []aws.Event{o.Event}) })
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.store.DoneOutbox(w.t.Context(), out); err != nil {
		w.t.Fatal(err)
	}
	return all
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
			return errors.New("no such job")
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return len(dues)
}

// settle lets everything happen that happens now.
func (w *world) settle() {
	for len(w.relay())+w.work() > 0 {
	}
}

// advance lets time pass, stopping at each due record.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	for end := time.Now().Add(d); ; {
		w.settle()
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

func (w *world) parameters(i int) string {
	w.t.Helper()
	if i >= len(w.started) {
		w.t.Fatalf("%d runbooks were started", len(w.started))
	}
	b, err := json.Marshal(w.started[i].in.Parameters)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}
