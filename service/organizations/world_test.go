package organizations

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

const management, stranger = aws.Account("111122223333"), aws.Account("444455556666")

// A world is Organizations over a real store.
type world struct {
	t       testing.TB
	store   *store.Store
	service *Service
	caller  aws.Account
}

// begun keeps which accounts have been begun; IAM does it in a plane.
type begun struct {
	*store.Table[begunAccount]
	fail error
}

type begunAccount struct{ Role string }

func (b *begun) AddMember(ctx context.Context, account aws.Account, role string, _ aws.Account) error {
	if err := b.Insert(ctx, string(account), &begunAccount{role}); err != nil {
		return err
	}
	return b.fail
}

func (b *begun) AddLinkedRole(ctx context.Context, account aws.Account, service string) error {
	return b.Put(ctx, string(account)+"/"+service, &begunAccount{"linked"})
}

func newWorld(t testing.TB) *world {
	return openWorld(t, false)
}

func openWorld(t testing.TB, quotas bool) *world {
	w := &world{t: t, store: store.Open(memory.New(), seal.NewRoot(seal.GenerateKey())), caller: management}
	t.Cleanup(func() { w.store.Close() })
	owners := &begun{Table: store.NewTable(w.store, "test.begun", store.Global[begunAccount]()).In(store.Place{})}
	w.service = New(service.Env{Store: w.store, Log: slog.New(slog.DiscardHandler), Quotas: quotas}, owners)
	return w
}

// as returns the same world with the root user of another account as its caller.
func (w *world) as(a aws.Account) *world {
	same := *w
	same.caller = a
	return &same
}

func (w *world) ctx() context.Context {
	p := &aws.Principal{Kind: aws.Root, Account: w.caller, ID: string(w.caller), ARN: aws.ARN{Partition: "aws", Service: "iam", Account: w.caller, Resource: "root"}}
	return aws.WithCall(w.t.Context(), &aws.Call{Partition: "aws", Account: w.caller, Region: "us-east-1", Service: "organizations", Principal: p})
}

func (w *world) route(op wire.AnyOperation) wire.Route {
	w.t.Helper()
	at := slices.IndexFunc(w.service.Routes(), func(r wire.Route) bool { return r.Operation == op })
	if at < 0 {
		w.t.Fatalf("%s is not served", op.About())
	}
	return w.service.Routes()[at]
}

// asked serves an operation in a unit of work, as the gate does, without asking
// policies.
func asked(w *world, op wire.AnyOperation, request any) (out any, touches []wire.Touch, err error) {
	route := w.route(op)
	err = w.store.Update(w.ctx(), func(ctx context.Context) (err error) {
		if touches, err = route.Touches(ctx, request); err != nil {
			return err
		}
		if len(touches) == 0 {
			return errors.New("nothing is touched")
		}
		out, err = route.Serve(ctx, request)
		return err
	})
	return out, touches, err
}

func call[In, Out any](w *world, op *wire.Operation[In, Out], request In) (Out, error) {
	out, _, err := asked(w, op, request)
	if err != nil {
		var none Out
		return none, err
	}
	return out.(Out), nil
}

func must[In, Out any](w *world, op *wire.Operation[In, Out], request In) Out {
	w.t.Helper()
	out, err := call(w, op, request)
	if err != nil {
		w.t.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// refused checks that a call fails as kind, for the reason when there is one.
func refused[In, Out any](w *world, op *wire.Operation[In, Out], request In, kind aws.ErrorKind, reason string) {
	w.t.Helper()
	_, err := call(w, op, request)
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != kind.Code || reason != "" && reasonOf(e) != reason {
		w.t.Errorf("%s: got %v (%s), want %s %s", op.Name, err, reasonOf(e), kind.Code, reason)
	}
}

func reasonOf(e *aws.Error) string {
	if e == nil {
		return ""
	}
	switch r := e.Fields["Reason"].(type) {
	case organizationsapi.ConstraintViolationExceptionReason:
		return string(r)
	case organizationsapi.InvalidInputExceptionReason:
		return string(r)
	case organizationsapi.HandshakeConstraintViolationExceptionReason:
		return string(r)
	}
	return ""
}

// due does what has fallen due by a time, as the scheduler does.
func (w *world) due(at time.Time) {
	w.t.Helper()
	for {
		dues, err := w.store.ClaimDue(w.t.Context(), at, time.Minute, 10)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(dues) == 0 {
			return
		}
		for _, d := range dues {
			if err := w.run(d); err != nil {
				w.t.Fatalf("%s: %v", d.Kind, err)
			}
		}
	}
}

func (w *world) run(d store.Due) error {
	jobs := w.service.Jobs()
	job := jobs[slices.IndexFunc(jobs, func(j service.Job) bool { return j.Kind == d.Kind })]
	return w.store.Update(w.as(d.Place.Account).ctx(), func(ctx context.Context) error {
		store.Complete(ctx, d)
		return job.Run(ctx, d)
	})
}

// An org is an organisation of a test, by its ids.
type org struct{ id, root string }

// found makes an organisation with all features, whose control policies are enabled.
func (w *world) found() org {
	w.t.Helper()
	o := must(w, &organizationsapi.CreateOrganization, &organizationsapi.CreateOrganizationRequest{}).Organization
	root := *must(w, &organizationsapi.ListRoots, &organizationsapi.ListRootsRequest{}).Roots[0].Id
	for _, t := range []organizationsapi.PolicyType{organizationsapi.PolicyTypeServiceControlPolicy, organizationsapi.PolicyTypeResourceControlPolicy} {
		must(w, &organizationsapi.EnablePolicyType, &organizationsapi.EnablePolicyTypeRequest{RootId: root, PolicyType: t})
	}
	return org{*o.Id, root}
}

// member makes an account and returns its number.
func (w *world) member(name string) aws.Account {
	w.t.Helper()
	request := must(w, &organizationsapi.CreateAccount, &organizationsapi.CreateAccountRequest{Email: name + "@example.com", AccountName: name})
	w.due(time.Now())
	st := must(w, &organizationsapi.DescribeCreateAccountStatus, &organizationsapi.DescribeCreateAccountStatusRequest{CreateAccountRequestId: *request.CreateAccountStatus.Id}).CreateAccountStatus
	if st.AccountId == nil {
		w.t.Fatalf("the account was not made: %v", *st.FailureReason)
	}
	return aws.Account(*st.AccountId)
}

func (w *world) unit(parent, name string) string {
	w.t.Helper()
	return *must(w, &organizationsapi.CreateOrganizationalUnit, &organizationsapi.CreateOrganizationalUnitRequest{ParentId: parent, Name: name}).OrganizationalUnit.Id
}

func (w *world) policy(t organizationsapi.PolicyType, name, content string) string {
	w.t.Helper()
	return *must(w, &organizationsapi.CreatePolicy, &organizationsapi.CreatePolicyRequest{Type: t, Name: name, Content: content}).Policy.PolicySummary.Id
}

const (
	denyIAM   = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}`
	denySTS   = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:*","Resource":"*"}]}`
	allowRead = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"organizations:Describe*","Resource":"*"}]}`
)

// long is a service control policy of n characters.
func long(n int) string {
	const empty = `{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Deny","Action":"iam:*","Resource":"*"}]}`
	return strings.Replace(empty, `"Sid":"`, `"Sid":"`+strings.Repeat("a", n-len(empty)), 1)
}
