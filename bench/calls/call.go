package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/api/kmsapi"
	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/bench/program"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/wire"
)

// A call is one that can be measured.
type call struct {
	op wire.AnyOperation

	// request returns the n-th request. What it is about is made by prepare before;
	// nil when nothing has to be there.
	request func(n int) any
	prepare func(ctx context.Context, p *program.Program) (request func(n int) any, err error)

	once bool // a request is sent once: what it makes must have a new name
}

var calls = []call{
	{op: &stsapi.GetCallerIdentity, request: always(&stsapi.GetCallerIdentityRequest{})},
	{op: &iamapi.GetUser, request: always(&iamapi.GetUserRequest{})},
	{op: &iamapi.CreateUser, request: newUser, once: true},
	{op: &ssmapi.GetParametersByPath, prepare: parameters},
	{op: &secretsmanagerapi.GetSecretValue, prepare: secret},
	{op: &kmsapi.Encrypt, prepare: encrypt},
	{op: &kmsapi.Decrypt, prepare: decrypt},
	{op: &kmsapi.GenerateDataKey, prepare: generateDataKey},
	{op: &kmsapi.Sign, prepare: sign},
}

func always(in any) func(int) any { return func(int) any { return in } }

// named finds a call by its operation's name.
func named(name string) (call, error) {
	i := slices.IndexFunc(calls, func(c call) bool { return c.op.About().Name == name })
	if i < 0 {
		return call{}, fmt.Errorf("-call: one of %s", strings.Join(names(), ", "))
	}
	return calls[i], nil
}

func names() []string {
	var all []string
	for _, c := range calls {
		all = append(all, c.op.About().Name)
	}
	return all
}

func newUser(n int) any {
	return &iamapi.CreateUserRequest{UserName: fmt.Sprintf("bench-%d-%d", time.Now().UnixNano(), n)}
}

// signed returns the bytes of the n-th request.
func (c *call) signed(api string, as sigv4.Credentials, n int) ([]byte, error) {
	w, err := wire.EncodeRequest(c.op, c.request(n), api)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(w.Method, api+w.RawPath, bytes.NewReader(w.Body))
	if err != nil {
		return nil, err
	}
	r.Header = w.Header.Clone()
	sigv4.Sign(r, w.Body, as, sigv4.Scope{Region: program.Region, Service: c.op.About().Service.SigningName}, 0, time.Now())
	var out bytes.Buffer
	err = r.Write(&out)
	return out.Bytes(), err
}

// parameters makes ten parameters that are read together.
func parameters(ctx context.Context, p *program.Program) (func(int) any, error) {
	for i := range 10 {
		in := &ssmapi.PutParameterRequest{
			Name: fmt.Sprintf("/bench/app/value-%d", i), Value: "a value of some length, as people have them", Type: new(ssmapi.ParameterTypeString),
		}
		if _, err := program.Call(ctx, p, &ssmapi.PutParameter, in); err != nil {
			return nil, err
		}
	}
	return always(&ssmapi.GetParametersByPathRequest{Path: "/bench/app"}), nil
}

// secret makes a secret under AWS's key: each read's KMS Decrypt is authorised and
// on record as well.
func secret(ctx context.Context, p *program.Program) (func(int) any, error) {
	_, err := program.Call(ctx, p, &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{
		Name: "bench/app", SecretString: new(`{"username":"app","password":"a password of some length"}`),
	})
	return always(&secretsmanagerapi.GetSecretValueRequest{SecretId: "bench/app"}), err
}
