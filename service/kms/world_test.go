package kms

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
	"sumun.dev/engine/seal"
	"sumun.dev/policy"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

const account, other = aws.Account("111122223333"), aws.Account("444455556666")

// A crypt is KMS over a real store, with the evaluator that the gate has, for callers
// who have no policies of their own unless they are root.
type crypt struct {
	t       testing.TB
	store   *store.Store
	service *Service
	caller  *aws.Principal

	routes   []wire.Route
	policies *policy.Cache
}

// people know every user and role: alice's unique id is AIDAALICE…
type people struct{}

func (people) UniqueID(_ context.Context, arn aws.ARN) (string, error) {
	kind, name, _ := strings.Cut(arn.Resource, "/")
	if name == "gone" {
		return "", store.ErrNotFound
	}
	return idOf(kind, arn.Account, name), nil
}

func (people) Named(_ context.Context, id string) (aws.ARN, error) {
	kind := "user"
	if strings.HasPrefix(id, "AROA") {
		kind = "role"
	}
	return aws.ARN{Partition: "aws", Service: "iam", Account: aws.Account(id[4:16]), Resource: kind + "/" + strings.ToLower(id[16:])}, nil
}

func idOf(kind string, a aws.Account, name string) string {
	prefix := "AIDA"
	if kind == "role" {
		prefix = "AROA"
	}
	return prefix + string(a) + strings.ToUpper(name)
}

func newCrypt(t testing.TB) *crypt {
	w := &crypt{t: t, store: store.Open(memory.New(), seal.NewRoot(seal.GenerateKey())), caller: root(account), policies: new(policy.Cache)}
	t.Cleanup(func() { w.store.Close() })
	w.service = New(service.Env{Store: w.store, Log: slog.New(slog.DiscardHandler), Principals: people{}})
	w.routes = w.service.Routes()
	return w
}

func root(a aws.Account) *aws.Principal {
	return &aws.Principal{Kind: aws.Root, Account: a, ID: string(a), ARN: aws.ARN{Partition: "aws", Service: "iam", Account: a, Resource: "root"}}
}

func user(a aws.Account, name string) *aws.Principal {
	return &aws.Principal{Kind: aws.User, Account: a, Name: name, ID: idOf("user", a, name), ARN: aws.ARN{Partition: "aws", Service: "iam", Account: a, Resource: "user/" + name}}
}

func role(a aws.Account, name string) *aws.Principal {
	return &aws.Principal{Kind: aws.AssumedRole, Account: a, ID: idOf("role", a, name) + ":s", ARN: aws.ARN{Partition: "aws", Service: "sts", Account: a, Resource: "assumed-role/" + name + "/s"},
		Session: &aws.Session{Name: "s", IssuerName: name, IssuerID: idOf("role", a, name), Issuer: aws.ARN{Partition: "aws", Service: "iam", Account: a, Resource: "role/" + name}}}
}

func (w *crypt) as(p *aws.Principal) *crypt {
	same := *w
	same.caller = p
	return &same
}

func (w *crypt) ctx(operation string) context.Context {
	a := w.caller.Account
	if a == "" {
		a = account
	}
	return aws.WithCall(w.t.Context(), &aws.Call{Partition: "aws", Account: a, Region: "us-east-1", Service: "kms", Operation: operation, Principal: w.caller, Time: time.Now()})
}

// key makes a key whose policy leaves all to its account's own policies.
func (w *crypt) key(spec, usage string) string {
	w.t.Helper()
	b, err := mat.Generate(mat.Spec(spec))
	if err != nil {
		w.t.Fatal(err)
	}
	k := &key{
		ID: aws.UUID(), Spec: spec, Usage: usage, Origin: "AWS_KMS", Created: time.Now(), Current: randomHex(32),
		Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}`,
	}
	k.Materials = []material{{ID: k.Current, Bytes: b}}
	w.put(k)
	return k.ID
}

func (w *crypt) put(k *key) {
	w.t.Helper()
	home := w.as(root(account))
	err := w.store.Update(home.ctx("CreateKey"), func(ctx context.Context) error { return w.service.keys.Put(ctx, k.ID, k) })
	if err != nil {
		w.t.Fatal(err)
	}
}

// change changes a key's record.
func (w *crypt) change(id string, f func(*key)) {
	w.t.Helper()
	k, err := w.service.keys.Get(w.as(root(account)).ctx(""), id)
	if err != nil {
		w.t.Fatal(err)
	}
	f(k)
	w.put(k)
}

func arnOf(id string) string { return "arn:aws:kms:us-east-1:111122223333:key/" + id }

// call authorises and serves in a unit of work, as the gate does.
func call[In, Out any](w *crypt, op *wire.Operation[In, Out], in In) (out Out, err error) {
	r := w.routes[slices.IndexFunc(w.routes, func(r wire.Route) bool { return r.Operation == wire.AnyOperation(op) })]
	err = w.store.Update(w.ctx(op.Name), func(ctx context.Context) error {
		touches, err := r.Touches(ctx, in)
		if err != nil {
			return err
		}
		for i := range touches {
			if err := w.decide(&touches[i]); err != nil {
				return err
			}
		}
		answer, err := r.Serve(wire.WithAuthorised(ctx, &touches), in)
		if err == nil {
			out = answer.(Out)
		}
		return err
	})
	return out, err
}

func (w *crypt) decide(t *wire.Touch) error {
	req := &policy.Request{Principal: w.caller, Action: t.Action, Resource: "*", ResourceAccount: t.Owner(), Context: policy.MapOf(t.Conditions)}
	if !t.Resource.IsZero() {
		req.Resource = t.Resource.String()
	}
	p := &policy.Policies{}
	if t.Policy != "" {
		doc, err := w.policies.Parse(t.Policy, policy.Key)
		if err != nil {
			return fmt.Errorf("policy of %s: %w", t.Resource, err)
		}
		p.Resource = &policy.Attached{Document: doc}
	}
	for _, g := range t.Grants {
		doc, err := w.policies.Parse(g.Document, policy.Resource)
		if err != nil {
			return fmt.Errorf("grant %s: %w", g.Document, err)
		}
		p.Grants = append(p.Grants, &policy.Attached{Document: doc, Source: g.ID})
	}
	if d := policy.Authorize(req, p); !d.Allowed() {
		return aws.AccessDenied.New("%s", d.Sentence(req))
	}
	return nil
}

func must[In, Out any](w *crypt, op *wire.Operation[In, Out], in In) Out {
	w.t.Helper()
	out, err := call(w, op, in)
	if err != nil {
		w.t.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// refused expects an error of this kind.
func refused[In, Out any](w *crypt, kind aws.ErrorKind, op *wire.Operation[In, Out], in In) {
	w.t.Helper()
	if _, err := call(w, op, in); !kind.Is(err) {
		w.t.Errorf("%s: %v, want %s", op.Name, err, kind.Code)
	}
}
