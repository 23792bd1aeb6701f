package identitycenter

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/identitystoreapi"
	"sumun.dev/api/ssoadminapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/policy"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

const owner, other = aws.Account("111122223333"), aws.Account("444455556666")

// A world is Identity Center over a real store, in an organisation of two accounts.
// Roles are made in the scenarios, by the whole plane.
type world struct {
	t        testing.TB
	store    *store.Store
	service  *Service
	instance string // ARN
	id       string // of the identity store
}

func newWorld(t testing.TB, sources ...Source) *world {
	w := &world{t: t, store: store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))}
	t.Cleanup(func() { w.store.Close() })
	w.service = New(service.Env{Store: w.store, Log: slog.New(slog.DiscardHandler)}, Options{
		Membership: func(_ context.Context, a aws.Account) (*policy.Membership, error) {
			return &policy.Membership{Organization: "o-exampleorgid", Management: a == owner}, nil
		},
		Account: func(context.Context, aws.Account) (string, string, error) {
			return "workload", "workload@example.com", nil
		},
		Link:          func(context.Context, aws.Account) error { return nil },
		ManagedPolicy: func(arn string) bool { return strings.HasSuffix(arn, "/ReadOnlyAccess") },
	})
	w.service.Use("http://plane.example", sources...)
	w.instance = *must(w, &ssoadminapi.CreateInstance, &ssoadminapi.CreateInstanceRequest{}).InstanceArn
	w.id = *must(w, &ssoadminapi.DescribeInstance, &ssoadminapi.DescribeInstanceRequest{InstanceArn: w.instance}).IdentityStoreId
	return w
}

func in(ctx context.Context, a aws.Account) context.Context {
	return aws.WithCall(ctx, &aws.Call{
		Partition: "aws", Account: a, Region: "us-east-1", Service: "sso", Operation: "Test", Time: time.Now(), Host: "plane.example",
		Principal: &aws.Principal{Kind: aws.Root, Account: a, ARN: aws.ARN{Partition: "aws", Service: "iam", Account: a, Resource: "root"}},
	})
}

func (w *world) routes() []wire.Route {
	s := w.service
	return slices.Concat(s.Admin().Routes(), s.IdentityStore().Routes(), s.OIDC().Routes(), s.Portal().Routes(), s.Directory().Routes())
}

// serve serves a call in a unit of work, as the gate does.
func serve(w *world, who aws.Account, r wire.Route, request any) (out any, err error) {
	err = w.store.Update(in(w.t.Context(), who), func(ctx context.Context) error {
		touches, err := r.Touches(ctx, request)
		if err != nil {
			return err
		}
		if len(touches) == 0 {
			return errors.New("nothing is touched")
		}
		out, err = r.Serve(ctx, request)
		return err
	})
	return out, err
}

func call[In, Out any](w *world, who aws.Account, op *wire.Operation[In, Out], request In) (out Out, err error) {
	w.t.Helper()
	routes := w.routes()
	at := slices.IndexFunc(routes, func(r wire.Route) bool { return r.Operation == wire.AnyOperation(op) })
	answer, err := serve(w, who, routes[at], request)
	if err == nil {
		out = answer.(Out)
	}
	return out, err
}

func must[In, Out any](w *world, op *wire.Operation[In, Out], request In) Out {
	w.t.Helper()
	out, err := call(w, owner, op, request)
	if err != nil {
		w.t.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// person makes a user, and returns the id.
func (w *world) person(name string) string {
	w.t.Helper()
	return must(w, &identitystoreapi.CreateUser, &identitystoreapi.CreateUserRequest{
		IdentityStoreId: w.id, UserName: &name, DisplayName: &name, Name: &identitystoreapi.Name{GivenName: &name, FamilyName: &name},
	}).UserId
}

func (w *world) named(name string) *user {
	w.t.Helper()
	row, err := one(in(w.t.Context(), owner), w.service.users, "by", byName(w.id, name))
	if err != nil {
		w.t.Fatal(err)
	}
	if row == nil {
		return nil
	}
	return row.Value
}

// due runs what is due of a kind.
func (w *world) due(kind string) {
	w.t.Helper()
	dues, err := w.store.ClaimDue(w.t.Context(), time.Now().Add(time.Hour), time.Minute, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range dues {
		for _, j := range w.service.Jobs() {
			if j.Kind != d.Kind || d.Kind != kind {
				continue
			}
			err := w.store.Update(in(w.t.Context(), d.Place.Account), func(ctx context.Context) error {
				store.Complete(ctx, d)
				return j.Run(ctx, d)
			})
			if err != nil {
				w.t.Fatal(err)
			}
		}
	}
}
