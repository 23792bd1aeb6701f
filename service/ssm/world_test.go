package ssm

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/route53resolverapi"
	"sumun.dev/api/securityhubapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/respond"
	"sumun.dev/service"
	"sumun.dev/service/ssm/parameters"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

// A world is Systems Manager with a real store, a scheduler, and two tiny services
// whose state is in the same store: a domain list and a book of findings.
type world struct {
	t        testing.TB
	store    *store.Store
	service  *Service
	backend  store.Backend
	root     *seal.Root
	runbooks []*respond.Runbook
	domains  *store.Table[domainList]
	findings *store.Table[finding]

	calls   []string // "operation as session"
	trouble []error  // what the next calls answer
	events  []aws.Event
}

type domainList struct {
	Domains []string
	Updates int
}

type finding struct{ Workflow, Note string }

type roleKey struct{}

// As lets every role be assumed whose name does not say otherwise.
func (w *world) As(ctx context.Context, role aws.ARN, session string) (context.Context, error) {
	if strings.HasSuffix(role.Resource, "/distrusting") {
		return nil, aws.AccessDenied.New("User: ssm.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: %s", role)
	}
	return context.WithValue(ctx, roleKey{}, role.Resource+"/"+session), nil
}

// Invoke serves a call in the unit of work, and undoes it when it fails.
func (w *world) Invoke(ctx context.Context, op wire.AnyOperation, in any) (out any, err error) {
	as, _ := ctx.Value(roleKey{}).(string)
	w.calls = append(w.calls, op.About().Name+" as "+as)
	if len(w.trouble) > 0 {
		err, w.trouble = w.trouble[0], w.trouble[1:]
		if err != nil {
			return nil, err
		}
	}
	if strings.Contains(as, "/powerless/") {
		return nil, aws.AccessDenied.New("User: arn:aws:sts::%s:assumed-role/powerless is not authorized to perform: %s because no identity-based policy allows the action", account, op.About())
	}
	err = w.store.Update(ctx, func(ctx context.Context) error {
		switch in := in.(type) {
		case *route53resolverapi.UpdateFirewallDomainsRequest:
			out, err = w.updateDomains(ctx, in)
		case *securityhubapi.BatchUpdateFindingsRequest:
			out, err = w.updateFindings(ctx, in)
		case *route53resolverapi.GetFirewallDomainListRequest:
			out, err = w.getDomains(ctx, in)
		default:
			err = aws.UnsupportedOperation.New("%s is not served", op.About())
		}
		return err
	})
	return out, err
}

func (w *world) updateDomains(ctx context.Context, in *route53resolverapi.UpdateFirewallDomainsRequest) (*route53resolverapi.UpdateFirewallDomainsResponse, error) {
	l, err := w.domains.Get(ctx, in.FirewallDomainListId)
	if err != nil {
		return nil, route53resolverapi.ResourceNotFoundException.New("Can't find the resource with ID %q.", in.FirewallDomainListId)
	}
	l.Updates++
	for _, d := range in.Domains {
		l.Domains = slices.DeleteFunc(l.Domains, func(o string) bool { return o == d })
		if in.Operation == route53resolverapi.FirewallDomainUpdateOperationAdd {
			l.Domains = append(l.Domains, d)
		}
	}
	status := route53resolverapi.FirewallDomainListStatusComplete
	return &route53resolverapi.UpdateFirewallDomainsResponse{Id: &in.FirewallDomainListId, Status: &status}, w.domains.Put(ctx, in.FirewallDomainListId, l)
}

func (w *world) getDomains(ctx context.Context, in *route53resolverapi.GetFirewallDomainListRequest) (*route53resolverapi.GetFirewallDomainListResponse, error) {
	l, err := w.domains.Get(ctx, in.FirewallDomainListId)
	if err != nil {
		return nil, err
	}
	return &route53resolverapi.GetFirewallDomainListResponse{FirewallDomainList: &route53resolverapi.FirewallDomainList{
		Id: &in.FirewallDomainListId, DomainCount: new(int32(len(l.Domains)))}}, nil
}

func (w *world) updateFindings(ctx context.Context, in *securityhubapi.BatchUpdateFindingsRequest) (*securityhubapi.BatchUpdateFindingsResponse, error) {
	out := &securityhubapi.BatchUpdateFindingsResponse{}
	for _, id := range in.FindingIdentifiers {
		f, err := w.findings.Get(ctx, id.Id)
		if err != nil || id.ProductArn != "arn:aws:securityhub:us-east-1::product/aws/guardduty" {
			out.UnprocessedFindings = append(out.UnprocessedFindings, securityhubapi.BatchUpdateFindingsUnprocessedFinding{FindingIdentifier: &id, ErrorCode: "FindingNotFound"})
			continue
		}
		f.Workflow, f.Note = string(*in.Workflow.Status), in.Note.Text
		out.ProcessedFindings = append(out.ProcessedFindings, id)
		if err := w.findings.Put(ctx, id.Id, f); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func operation(service, name string) (wire.AnyOperation, bool) {
	for _, op := range []wire.AnyOperation{&route53resolverapi.UpdateFirewallDomains, &route53resolverapi.GetFirewallDomainList, &securityhubapi.BatchUpdateFindings} {
		if op.About().Service.Name == service && op.About().Name == name {
			return op, true
		}
	}
	return nil, false
}

const (
	account = "111122223333"
	other   = "444455556666"
	listID  = "rslvr-fdl-0123456789"
)

// inWorld runs a test in a bubble, so that waiting takes no time.
func inWorld(t *testing.T, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		w := &world{t: t, backend: memory.New(), root: seal.NewRoot(seal.GenerateKey()), runbooks: respond.Builtin()}
		w.begin()
		err := w.store.Update(w.in(account, "set up"), func(ctx context.Context) error {
			return errors.Join(w.domains.Put(ctx, listID, &domainList{}), w.findings.Put(ctx, "finding-1", &finding{Workflow: "NEW"}))
		})
		if err != nil {
			t.Fatal(err)
		}
		test(w)
	})
}

// begin starts the service anew on what is stored, as after a crash.
func (w *world) begin() {
	w.store = store.Open(w.backend, w.root)
	w.domains = store.NewTable[domainList](w.store, "test.domains")
	w.findings = store.NewTable[finding](w.store, "test.findings")
	env := service.Env{Store: w.store, AWS: w, Log: slog.New(slog.DiscardHandler), Operation: operation}
	public, err := parameters.ReadPublic(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.service = New(env, w.runbooks, parameters.New(env, public))
}

// with adds a runbook.
func (w *world) with(name, text string) {
	w.t.Helper()
	r, err := respond.Parse(name, []byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	w.runbooks = append(w.runbooks, r)
	w.begin()
}

func (w *world) in(who aws.Account, operation string) context.Context {
	arn := aws.ARN{Partition: "aws", Service: "iam", Account: who, Resource: "user/alice"}
	return aws.WithCall(w.t.Context(), &aws.Call{Partition: "aws", Account: who, Region: "us-east-1", Service: "ssm", Operation: operation,
		Principal: &aws.Principal{Kind: aws.User, Account: who, ARN: arn, Name: "alice"}})
}

// callAs serves an operation in a unit of work, as the gate does.
func callAs[In, Out any](w *world, who aws.Account, op *wire.Operation[In, Out], request In) (out Out, touches []wire.Touch, err error) {
	w.t.Helper()
	at := slices.IndexFunc(w.service.Routes(), func(r wire.Route) bool { return r.Operation == wire.AnyOperation(op) })
	if at < 0 {
		w.t.Fatalf("%s is not served", op.About())
	}
	route := w.service.Routes()[at]
	err = w.store.Update(w.in(who, op.Name), func(ctx context.Context) error {
		var err error
		if touches, err = route.Touches(ctx, request); err != nil {
			return err
		}
		answer, err := route.Serve(ctx, request)
		if err == nil {
			out = answer.(Out)
		}
		return err
	})
	return out, touches, err
}

func call[In, Out any](w *world, op *wire.Operation[In, Out], request In) (Out, error) {
	w.t.Helper()
	out, _, err := callAs(w, account, op, request)
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

// block is a request to block a domain as a role.
func block(role string) *ssmapi.StartAutomationExecutionRequest {
	return &ssmapi.StartAutomationExecutionRequest{DocumentName: "Sumun-BlockDomain", Parameters: map[string][]string{
		"AutomationAssumeRole": {"arn:aws:iam::" + account + ":role/" + role}, "Domain": {"bad.example.com"},
		"FirewallDomainListId": {listID}, "FindingId": {"finding-1"},
	}}
}

// start starts a run and returns its id.
func (w *world) start(in *ssmapi.StartAutomationExecutionRequest) string {
	w.t.Helper()
	return *must(w, &ssmapi.StartAutomationExecution, in).AutomationExecutionId
}

func (w *world) get(id string) *ssmapi.AutomationExecution {
	w.t.Helper()
	return must(w, &ssmapi.GetAutomationExecution, &ssmapi.GetAutomationExecutionRequest{AutomationExecutionId: id}).AutomationExecution
}

// claim returns what is due now.
func (w *world) claim() []store.Due {
	w.t.Helper()
	dues, err := w.store.ClaimDue(w.t.Context(), time.Now(), time.Minute, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return dues
}

// job does a due record in the unit that ctx carries.
func (w *world) job(ctx context.Context, d store.Due) error {
	store.Complete(ctx, d)
	for _, job := range w.service.Jobs() {
		if job.Kind == d.Kind {
			return job.Run(ctx, d)
		}
	}
	return errors.New("no such job")
}

// work does once what is due now, and returns how much that was.
func (w *world) work() int {
	w.t.Helper()
	dues := w.claim()
	for _, d := range dues {
		if err := w.store.Update(w.in(d.Place.Account, d.Kind), func(ctx context.Context) error { return w.job(ctx, d) }); err != nil {
			w.t.Fatal(err)
		}
	}
	return len(dues)
}

// advance lets time pass, doing what falls due.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	for end := time.Now().Add(d); ; {
		if w.work() > 0 {
			continue
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

// told returns the details of the events since the last time, as "type status step".
func (w *world) told() []string {
	w.t.Helper()
	out, err := w.store.ClaimOutbox(w.t.Context(), 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.DoneOutbox(w.t.Context(), out); err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, o := range out {
		w.events = append(w.events, o.Event)
		var v struct {
			Detail struct{ Status, StepName string }
		}
		if err := json.Unmarshal(o.Data, &v); err != nil {
			w.t.Fatal(err)
		}
		kind := strings.Fields(o.Type)[2]
		all = append(all, strings.TrimSpace(kind+" "+v.Detail.Status+" "+v.Detail.StepName))
	}
	return all
}

// blocked returns the domains of the list and how often it was changed.
func (w *world) blocked() *domainList {
	w.t.Helper()
	l, err := w.domains.Get(w.in(account, "look"), listID)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// summary shows a run as "status: step=status …".
func summary(e *ssmapi.AutomationExecution) string {
	parts := []string{string(*e.AutomationExecutionStatus) + ":"}
	for _, s := range e.StepExecutions {
		parts = append(parts, *s.StepName+"="+string(*s.StepStatus))
	}
	return strings.Join(parts, " ")
}
