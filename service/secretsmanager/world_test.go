package secretsmanager

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"sumun.dev/api/kmsapi"
	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/duetest"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

const account, region = aws.Account("111122223333"), aws.Region("us-east-1")

// A world is Secrets Manager on a real store, with a small KMS beside it: one key,
// which authenticates the encryption context.
type world struct {
	t       testing.TB
	ctx     context.Context
	backend store.Backend
	root    *seal.Root
	store   *store.Store
	service *Service

	key    cipher.AEAD
	refuse error // what the KMS answers
	calls  []string
}

func newWorld(t testing.TB) *world {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, backend: memory.New(), root: seal.NewRoot(seal.GenerateKey())}
	if w.key, err = cipher.NewGCM(block); err != nil {
		t.Fatal(err)
	}
	w.ctx = aws.WithCall(t.Context(), &aws.Call{Partition: "aws", Account: account, Region: region, Service: "secretsmanager", Time: time.Now(),
		Principal: &aws.Principal{Kind: aws.Root, Account: account, ARN: aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "root"}}})
	w.begin()
	return w
}

// begin starts the service anew on what is stored, as after a crash.
func (w *world) begin() {
	w.store = store.Open(w.backend, w.root)
	w.service = New(service.Env{Store: w.store, AWS: w, Log: slog.New(slog.DiscardHandler), Principals: nobody{}})
}

// nobody is a plane without users.
type nobody struct{}

func (nobody) UniqueID(context.Context, aws.ARN) (string, error) { return "", store.ErrNotFound }
func (nobody) Named(context.Context, string) (aws.ARN, error)    { return aws.ARN{}, store.ErrNotFound }

func (w *world) As(context.Context, aws.ARN, string) (context.Context, error) {
	return nil, errors.New("nobody assumes roles here")
}

func (w *world) Invoke(ctx context.Context, op wire.AnyOperation, in any) (any, error) {
	w.calls = append(w.calls, op.About().Name)
	if w.refuse != nil {
		return nil, w.refuse
	}
	nonce := make([]byte, w.key.NonceSize())
	switch in := in.(type) {
	case *kmsapi.GenerateDataKeyRequest:
		plain := make([]byte, 32)
		rand.Read(plain)
		rand.Read(nonce)
		bound, err := json.Marshal(in.EncryptionContext)
		return &kmsapi.GenerateDataKeyResponse{Plaintext: plain, CiphertextBlob: w.key.Seal(nonce, nonce, plain, bound), KeyId: &in.KeyId}, err
	case *kmsapi.DecryptRequest:
		bound, err := json.Marshal(in.EncryptionContext)
		if err != nil {
			return nil, err
		}
		plain, err := w.key.Open(nil, in.CiphertextBlob[:len(nonce)], in.CiphertextBlob[len(nonce):], bound)
		if err != nil {
			return nil, kmsapi.InvalidCiphertextException.New("")
		}
		return &kmsapi.DecryptResponse{Plaintext: plain, KeyId: in.KeyId}, nil
	case *api.GetSecretValueRequest:
		return w.service.getValue(ctx, in)
	}
	return nil, fmt.Errorf("%s is not among the needs", op.About())
}

// do serves an operation in a unit of work, as the gate does.
func do[In, Out any](w *world, op *wire.Operation[In, Out], in In) (out Out, err error) {
	routes := w.service.Routes()
	at := slices.IndexFunc(routes, func(r wire.Route) bool { return r.Operation == wire.AnyOperation(op) })
	err = w.store.Update(w.ctx, func(ctx context.Context) error {
		if _, err := routes[at].Touches(ctx, in); err != nil {
			return err
		}
		answer, err := routes[at].Serve(ctx, in)
		if err == nil {
			out = answer.(Out)
		}
		return err
	})
	return out, err
}

func must[In, Out any](w *world, op *wire.Operation[In, Out], in In) Out {
	w.t.Helper()
	out, err := do(w, op, in)
	if err != nil {
		w.t.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

func (w *world) read(id string) string {
	w.t.Helper()
	return *must(w, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: id}).SecretString
}

// settle does all that is due.
func (w *world) settle() {
	w.t.Helper()
	jobs := w.service.Jobs()
	duetest.Settle(w.t, w.store, func(store.Due) context.Context { return w.ctx }, func(ctx context.Context, d store.Due) error {
		return jobs[slices.IndexFunc(jobs, func(j service.Job) bool { return j.Kind == d.Kind })].Run(ctx, d)
	})
}

// told takes the service events that are on their way to the trail.
func (w *world) told() (all []string) {
	w.t.Helper()
	out, err := w.store.ClaimOutbox(w.ctx, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range out {
		var record struct {
			Name  string            `json:"eventName"`
			About map[string]string `json:"additionalEventData"`
		}
		if err := json.Unmarshal(e.Data, &record); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, record.Name+" of "+record.About["SecretVersionId"]+record.About["ReplicaRegion"])
	}
	return all
}
