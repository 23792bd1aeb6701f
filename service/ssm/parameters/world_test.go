package parameters

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
)

// A world is Parameter Store on a real store.
type world struct {
	t       testing.TB
	ctx     context.Context
	store   *store.Store
	service *Service
}

const account = "111122223333"

func newWorld(t testing.TB, quotas bool) *world {
	return worldOn(t, store.Open(memory.New(), seal.NewRoot(seal.GenerateKey())), quotas)
}

func worldOn(t testing.TB, s *store.Store, quotas bool) *world {
	public, err := ReadPublic(nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: s}
	w.service = New(service.Env{Store: w.store, Log: slog.New(slog.DiscardHandler), Quotas: quotas}, public)
	w.ctx = aws.WithCall(t.Context(), &aws.Call{Partition: "aws", Account: account, Region: "us-east-1", Service: "ssm", Time: time.Now(), Operation: "GetParameter",
		Principal: &aws.Principal{Kind: aws.Root, Account: account, ARN: aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "root"}}})
	return w
}

// do runs an operation in a unit of work.
func do[In, Out any](w *world, serve func(context.Context, In) (Out, error), in In) (out Out, err error) {
	err = w.store.Update(w.ctx, func(ctx context.Context) (err error) { out, err = serve(ctx, in); return err })
	return out, err
}

func (w *world) put(name, value string) error {
	_, err := do(w, w.service.putParameter, &ssmapi.PutParameterRequest{Name: name, Value: value, Type: new(ssmapi.ParameterTypeString)})
	return err
}

func (w *world) overwrite(name, value string) error {
	_, err := do(w, w.service.putParameter, &ssmapi.PutParameterRequest{Name: name, Value: value, Overwrite: new(true)})
	return err
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// fill makes n parameters, ten in each folder.
func (w *world) fill(n int) {
	for at := 0; at < n; at += 1000 {
		w.must(w.store.Update(w.ctx, func(ctx context.Context) error {
			for i := at; i < min(n, at+1000); i++ {
				name := fmt.Sprintf("/app/%06d/value-%d", i/10, i%10)
				p := &parameter{Name: name, Oldest: 1, version: version{Number: 1, Type: ssmapi.ParameterTypeString, Value: "a value of some length, as people have them", Modified: time.Now(), By: "arn:aws:iam::111122223333:root"}}
				if err := w.service.parameters.Insert(ctx, name, p); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

var errStop = errors.New("the process ends here")
