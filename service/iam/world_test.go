package iam

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

const account, other = aws.Account("111122223333"), aws.Account("444455556666")

// A world is IAM over a real store.
type world struct {
	t       testing.TB
	store   *store.Store
	service *Service
	caller  *aws.Principal
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, store: store.Open(memory.New(), seal.NewRoot(seal.GenerateKey())), caller: rootOf(account)}
	t.Cleanup(func() { w.store.Close() })
	w.service = New(service.Env{Store: w.store, Log: slog.New(slog.DiscardHandler)})
	return w
}

func rootOf(a aws.Account) *aws.Principal {
	return &aws.Principal{Kind: aws.Root, Account: a, ID: string(a), ARN: aws.ARN{Partition: "aws", Service: "iam", Account: a, Resource: "root"}}
}

// as returns the same world with another caller.
func (w *world) as(p *aws.Principal) *world {
	same := *w
	same.caller = p
	return &same
}

func (w *world) ctx() context.Context {
	return aws.WithCall(w.t.Context(), &aws.Call{Partition: "aws", Account: w.caller.Account, Region: "us-east-1", Service: "iam", Principal: w.caller})
}

func (w *world) route(op wire.AnyOperation) wire.Route {
	w.t.Helper()
	at := slices.IndexFunc(w.service.Routes(), func(r wire.Route) bool { return r.Operation == op })
	if at < 0 {
		w.t.Fatalf("%s is not served", op.About())
	}
	return w.service.Routes()[at]
}

// call serves an operation in a unit of work, as the gate does.
func call[In, Out any](w *world, op *wire.Operation[In, Out], request In) (out Out, err error) {
	route := w.route(op)
	err = w.store.Update(w.ctx(), func(ctx context.Context) error {
		touches, err := route.Touches(ctx, request)
		if err != nil {
			return err
		}
		if len(touches) == 0 {
			return errors.New("nothing is touched")
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

// touched returns what an operation touches.
func (w *world) touched(op wire.AnyOperation, request any) []wire.Touch {
	w.t.Helper()
	var touches []wire.Touch
	err := w.store.Update(w.ctx(), func(ctx context.Context) (err error) {
		touches, err = w.route(op).Touches(ctx, request)
		return err
	})
	if err != nil {
		w.t.Fatalf("%s: %v", op.About(), err)
	}
	return touches
}

func (w *world) user(name string) *iamapi.User {
	w.t.Helper()
	return must(w, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: name}).User
}

func (w *world) key(user string) *iamapi.AccessKey {
	w.t.Helper()
	return must(w, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: &user}).AccessKey
}

func (w *world) role(name string) *iamapi.Role {
	w.t.Helper()
	return must(w, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: name, AssumeRolePolicyDocument: trust}).Role
}

func (w *world) put(user, document string) {
	w.t.Helper()
	must(w, &iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: user, PolicyName: "p", PolicyDocument: document})
}

const (
	trust   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
	allowed = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`
)

// long returns a document that IAM counts as n characters.
func long(n int) string {
	const empty = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:user/"}]}`
	return strings.Replace(empty, "user/", "user/"+strings.Repeat("a", n-len(empty)), 1)
}
