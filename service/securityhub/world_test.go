package securityhub

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

	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/finding"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

// A world is Security Hub with a real store, a relay that notes what it tells, and
// a scheduler.
type world struct {
	t       testing.TB
	store   *store.Store
	service *Service
	told    []aws.Event
}

// inWorld runs a test in a bubble, so that waiting takes no time.
func inWorld(t *testing.T, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		test(newWorld(t))
	})
}

// inHub is inWorld with Security Hub enabled.
func inHub(t *testing.T, test func(w *world)) {
	inWorld(t, func(w *world) {
		must(w, &securityhubapi.EnableSecurityHub, &securityhubapi.EnableSecurityHubRequest{})
		test(w)
	})
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, store: store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))}
	w.service = New(service.Env{Store: w.store, Log: slog.New(slog.DiscardHandler)})
	return w
}

const account, other = "111122223333", "444455556666"

func in(ctx context.Context, account aws.Account, operation string) context.Context {
	return aws.WithCall(ctx, &aws.Call{Partition: "aws", Account: account, Region: "us-east-1", Service: "securityhub", Operation: operation,
		Principal: &aws.Principal{Kind: aws.Root, Account: account, ARN: aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "root"}}})
}

// call serves an operation in a unit of work, as the gate does.
func call[In, Out any](w *world, op *wire.Operation[In, Out], request In) (Out, error) {
	return callAs(w, account, op, request)
}

func callAs[In, Out any](w *world, who aws.Account, op *wire.Operation[In, Out], request In) (out Out, err error) {
	w.t.Helper()
	route := w.route(op)
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

func (w *world) route(op wire.AnyOperation) wire.Route {
	w.t.Helper()
	routes := w.service.Routes()
	at := slices.IndexFunc(routes, func(r wire.Route) bool { return r.Operation == op })
	if at < 0 {
		w.t.Fatalf("%s is not served", op.About())
	}
	return routes[at]
}

func must[In, Out any](w *world, op *wire.Operation[In, Out], request In) Out {
	w.t.Helper()
	out, err := call(w, op, request)
	if err != nil {
		w.t.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// refused checks that a call fails with this code and sentence.
func refused[In, Out any](w *world, op *wire.Operation[In, Out], request In, kind aws.ErrorKind, message string) {
	w.t.Helper()
	_, err := call(w, op, request)
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != kind.Code || e.Message != message {
		w.t.Errorf("%s: got %v, want %s: %s", op.Name, err, kind.Code, message)
	}
}

// relay notes what was told.
func (w *world) relay() int {
	w.t.Helper()
	out, err := w.store.ClaimOutbox(w.t.Context(), 1000)
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

// A guardDutyFinding is one as GuardDuty keeps it.
func guardDutyFinding(domain string) *finding.Finding {
	home := finding.Home{Partition: "aws", Account: account, Region: "us-east-1", Detector: "12abc34d567e8fa901bc2d34e56789f0"}
	now := time.Now()
	return finding.Open(home, finding.Suspicion{
		Type: "Backdoor:EC2/C&CActivity.B!DNS", At: now, Instance: finding.Instance{ID: "i-0123456789abcdef0", VPC: "vpc-0a1b2c3d"},
		DNS: &finding.DNSRequest{Domain: domain, Protocol: "UDP"}, Threat: finding.Threat{List: "list", Entry: domain},
	}, now)
}

// tell has GuardDuty tell of a finding.
func (w *world) tell(f *finding.Finding, action string) {
	w.t.Helper()
	e, err := f.Told(action)
	if err != nil {
		w.t.Fatal(err)
	}
	w.consume(e)
}

func (w *world) consume(events ...aws.Event) {
	w.t.Helper()
	err := w.store.Update(in(w.t.Context(), account, "securityhub-guardduty"), func(ctx context.Context) error {
		return w.service.Consumers()[0].Handle(ctx, events)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// all returns the findings that match.
func (w *world) all(filters *securityhubapi.AwsSecurityFindingFilters) []securityhubapi.AwsSecurityFinding {
	w.t.Helper()
	var all []securityhubapi.AwsSecurityFinding
	request := &securityhubapi.GetFindingsRequest{Filters: filters, MaxResults: new(int32(100))}
	for {
		out := must(w, &securityhubapi.GetFindings, request)
		all = append(all, out.Findings...)
		if out.NextToken == nil {
			return all
		}
		request.NextToken = out.NextToken
	}
}

// one returns the only finding there is.
func (w *world) one() *securityhubapi.AwsSecurityFinding {
	w.t.Helper()
	all := w.all(nil)
	if len(all) != 1 {
		w.t.Fatalf("%d findings, want one", len(all))
	}
	return &all[0]
}

// events returns the details of what EventBridge was told since it was asked last.
func (w *world) events() []event {
	w.t.Helper()
	w.relay()
	var all []event
	for _, e := range w.told {
		if e.Stream != aws.BusStream {
			w.t.Fatalf("told on stream %s", e.Stream)
		}
		var v event
		if err := json.Unmarshal(e.Data, &v); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, v)
	}
	w.told = nil
	return all
}

// An event is the envelope as EventBridge's rules see it.
type event struct {
	ID, Source, Account, Region, Time string
	DetailType                        string `json:"detail-type"`
	Resources                         []string
	Detail                            struct {
		Findings []securityhubapi.AwsSecurityFinding
	}
}
