package kms

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/duetest"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

const (
	yardAccount = aws.Account("111122223333")
	yardHome    = aws.Region("us-east-1")
	yardAbroad  = aws.Region("eu-west-1")
)

// A yard is KMS over a real store, called as the gate does.
type yard struct {
	t       testing.TB
	backend store.Backend
	store   *store.Store
	service *Service
}

func newYard(t testing.TB) *yard {
	y := yardOn(t, memory.New(), seal.NewRoot(seal.GenerateKey()))
	t.Cleanup(func() { y.store.Close() })
	return y
}

func yardOn(t testing.TB, b store.Backend, root *seal.Root) *yard {
	y := &yard{t: t, backend: b, store: store.Open(b, root)}
	y.service = New(service.Env{Store: y.store, Log: slog.New(slog.DiscardHandler)})
	return y
}

func (y *yard) in(r aws.Region) context.Context {
	return aws.WithCall(y.t.Context(), &aws.Call{
		Partition: "aws", Account: yardAccount, Region: r, Service: "kms", Operation: "Test", RequestID: "r",
		Principal: &aws.Principal{Kind: aws.Root, Account: yardAccount, ARN: aws.ARN{Partition: "aws", Service: "iam", Account: yardAccount, Resource: "root"}},
	})
}

// serve has an operation served in a unit of work.
func serve[In, Out any](y *yard, r aws.Region, op *wire.Operation[In, Out], in In) (out Out, err error) {
	y.t.Helper()
	routes := y.service.Routes()
	at := slices.IndexFunc(routes, func(r wire.Route) bool { return r.Operation == wire.AnyOperation(op) })
	ctx := y.in(r)
	aws.CallOf(ctx).Operation = op.Name
	err = y.store.Update(ctx, func(ctx context.Context) error {
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

func served[In, Out any](y *yard, r aws.Region, op *wire.Operation[In, Out], in In) Out {
	y.t.Helper()
	out, err := serve(y, r, op, in)
	if err != nil {
		y.t.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// settle does all that is due.
func (y *yard) settle() {
	y.t.Helper()
	jobs := y.service.Jobs()
	duetest.Settle(y.t, y.store, func(d store.Due) context.Context { return y.in(d.Place.Region) }, func(ctx context.Context, d store.Due) error {
		return jobs[slices.IndexFunc(jobs, func(j service.Job) bool { return j.Kind == d.Kind })].Run(ctx, d)
	})
}

// keep puts a key as it is.
func (y *yard) keep(r aws.Region, k *key) {
	y.t.Helper()
	if err := y.store.Update(y.in(r), func(ctx context.Context) error { return y.service.keys.Put(ctx, k.ID, k) }); err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) kept(r aws.Region, id string) *key {
	y.t.Helper()
	k, err := y.service.keys.Get(y.in(r), keyNamed(id))
	if err != nil {
		y.t.Fatal(err)
	}
	return k
}

// enable enables a key as EnableKey does.
func (y *yard) enable(id string) {
	y.t.Helper()
	k := y.kept(yardHome, id)
	k.Disabled = false
	err := y.store.Update(y.in(yardHome), func(ctx context.Context) error {
		y.service.resumeRotation(ctx, k)
		return y.service.keys.Put(ctx, k.ID, k)
	})
	if err != nil {
		y.t.Fatal(err)
	}
}

// told returns the types of all events on their way.
func (y *yard) told() []string {
	y.t.Helper()
	records, err := y.store.ClaimOutbox(y.t.Context(), 1000)
	if err != nil {
		y.t.Fatal(err)
	}
	var all []string
	for _, r := range records {
		all = append(all, r.Type)
	}
	return all
}

// keyNamed returns a key id for a short name; an id stays what it is.
func keyNamed(name string) string {
	if validKeyID(name) {
		return name
	}
	return fmt.Sprintf("00000000-0000-4000-8000-%x", sha256.Sum256([]byte(name)))[:36]
}

func symmetricKey(id string) *key {
	b, err := mat.Generate("SYMMETRIC_DEFAULT")
	if err != nil {
		panic(err)
	}
	first := newMaterialID()
	return &key{
		ID: keyNamed(id), Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT", Origin: "AWS_KMS", Created: time.Now(),
		Materials: []material{{ID: first, Bytes: b}}, Current: first,
	}
}

func externalKey(id, spec string) *key {
	return &key{ID: keyNamed(id), Spec: spec, Usage: "ENCRYPT_DECRYPT", Origin: "EXTERNAL", Created: time.Now()}
}

// An envelope is what GetParametersForImport gave out.
type envelope struct {
	token     []byte
	algorithm string
	public    *rsa.PublicKey
}

func (y *yard) envelope(r aws.Region, id string, algorithm kmsapi.AlgorithmSpec) envelope {
	y.t.Helper()
	out := served(y, r, &kmsapi.GetParametersForImport, &kmsapi.GetParametersForImportRequest{KeyId: keyNamed(id), WrappingAlgorithm: algorithm, WrappingKeySpec: kmsapi.WrappingKeySpecRsa2048})
	public, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		y.t.Fatal(err)
	}
	return envelope{out.ImportToken, string(algorithm), public.(*rsa.PublicKey)}
}

// wrap wraps material by RSAES_OAEP_SHA_256 or RSA_AES_KEY_WRAP_SHA_256.
func (e envelope) wrap(plain []byte) []byte {
	inner, rest := plain, []byte(nil)
	if e.algorithm == "RSA_AES_KEY_WRAP_SHA_256" {
		inner = make([]byte, 32)
		rand.Read(inner)
		var err error
		if rest, err = mat.WrapKWP(inner, plain); err != nil {
			panic(err)
		}
	}
	b, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, e.public, inner, nil)
	if err != nil {
		panic(err)
	}
	return append(b, rest...)
}

// forever imports material that does not expire.
func (e envelope) forever(id string, plain []byte) *kmsapi.ImportKeyMaterialRequest {
	return &kmsapi.ImportKeyMaterialRequest{
		KeyId: keyNamed(id), ImportToken: e.token, EncryptedKeyMaterial: e.wrap(plain), ExpirationModel: new(kmsapi.ExpirationModelTypeKeyMaterialDoesNotExpire),
	}
}
