package plane

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/api/kmsapi"
	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/wire"
)

// BenchmarkCalls is the whole way of a call but the network: signature, policy,
// service, audit, on a durable store. The calls per second of the real program are
// bench/calls.
func BenchmarkCalls(b *testing.B) {
	p := begun(b, b.TempDir())
	defer end(b, p)
	as := benchCaller(b, p)
	made, err := byRoot(b, p, &kmsapi.CreateKey, &kmsapi.CreateKeyRequest{})
	if err != nil {
		b.Fatal(err)
	}
	key, about := *made.KeyMetadata.Arn, map[string]string{"purpose": "bench", "tenant": "4711"}
	encrypt := &kmsapi.EncryptRequest{KeyId: key, Plaintext: make([]byte, 1024), EncryptionContext: about}
	out, err := byRoot(b, p, &kmsapi.Encrypt, encrypt)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := byRoot(b, p, &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{Name: "app", SecretString: new("a password of some length")}); err != nil {
		b.Fatal(err)
	}
	for i := range 10 {
		in := &ssmapi.PutParameterRequest{Name: "/app/value-" + strconv.Itoa(i), Value: "a value", Type: new(ssmapi.ParameterTypeString)}
		if _, err := byRoot(b, p, &ssmapi.PutParameter, in); err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range []struct {
		op wire.AnyOperation
		in any
	}{
		{&stsapi.GetCallerIdentity, &stsapi.GetCallerIdentityRequest{}},
		{&kmsapi.Encrypt, encrypt},
		{&kmsapi.Decrypt, &kmsapi.DecryptRequest{CiphertextBlob: out.CiphertextBlob, EncryptionContext: about}},
		{&kmsapi.GenerateDataKey, &kmsapi.GenerateDataKeyRequest{KeyId: key, NumberOfBytes: new(int32(32)), EncryptionContext: about}},
		{&secretsmanagerapi.GetSecretValue, &secretsmanagerapi.GetSecretValueRequest{SecretId: "app"}},
		{&ssmapi.GetParametersByPath, &ssmapi.GetParametersByPathRequest{Path: "/app"}},
	} {
		b.Run(c.op.About().Name, func(b *testing.B) { benchCall(b, p, as, c.op, c.in) })
	}
}

// benchCaller is a user who may do what is measured, and has the key to sign it.
func benchCaller(b *testing.B, p *Plane) sigv4.Credentials {
	b.Helper()
	const may = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["kms:Encrypt","kms:Decrypt","kms:GenerateDataKey"],"Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:purpose":"bench"}}},
		{"Effect":"Allow","Action":["ssm:GetParametersByPath","secretsmanager:GetSecretValue"],"Resource":"*"}]}`
	if _, err := byRoot(b, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "caller"}); err != nil {
		b.Fatal(err)
	}
	if _, err := byRoot(b, p, &iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: "caller", PolicyName: "may", PolicyDocument: may}); err != nil {
		b.Fatal(err)
	}
	out, err := byRoot(b, p, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: new("caller")})
	if err != nil {
		b.Fatal(err)
	}
	return sigv4.Credentials{KeyID: out.AccessKey.AccessKeyId, Secret: out.AccessKey.SecretAccessKey}
}

func benchCall(b *testing.B, p *Plane, as sigv4.Credentials, op wire.AnyOperation, in any) {
	w, err := wire.EncodeRequest(op, in, "http://127.0.0.1:4566")
	if err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequest(w.Method, "http://127.0.0.1:4566"+w.RawPath, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header = w.Header.Clone()
	sigv4.Sign(r, w.Body, as, sigv4.Scope{Region: "us-east-1", Service: op.About().Service.SigningName}, 0, time.Now())
	r.RequestURI, r.RemoteAddr, r.ContentLength = "/", "127.0.0.1:1", int64(len(w.Body))
	api := p.API()
	body, answer := bytes.NewReader(w.Body), answered{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(w.Body)
		r.Body = io.NopCloser(body)
		clear(answer.header)
		api.ServeHTTP(&answer, r)
		if answer.status != http.StatusOK {
			b.Fatal(answer.status)
		}
	}
}

// answered takes an answer that nobody reads.
type answered struct {
	header http.Header
	status int
}

func (a *answered) Header() http.Header         { return a.header }
func (a *answered) WriteHeader(status int)      { a.status = status }
func (a *answered) Write(b []byte) (int, error) { return len(b), nil }
