package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/kmsapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/gateway"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/policy"
	"sumun.dev/spine/memory"
	"sumun.dev/store"
	storememory "sumun.dev/store/memory"
	"sumun.dev/wire"
)

// house is a gate with real store and spine, and three small services behind it.
type house struct {
	t     testing.TB
	gate  *gateway.Gateway
	store *store.Store
	spine *memory.Spine
	keys  *store.Table[key]
	log   *bytes.Buffer

	mu     sync.Mutex
	users  map[string]*user // by access key id
	during func(context.Context)
	inside wire.Caller
}

type key struct{ ID, Description string }

type user struct {
	secret, token string
	principal     *aws.Principal
	policies      *policy.Policies
}

func (h *house) Credential(_ context.Context, id, token string) (*gateway.Credential, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[id]
	if u == nil || u.token != token {
		return nil, &aws.Error{Code: "InvalidClientTokenId"}
	}
	if s := u.principal.Session; s != nil && !time.Now().Before(s.Expires) {
		return nil, &aws.Error{Code: "ExpiredToken"}
	}
	return &gateway.Credential{Principal: u.principal, Secret: []byte(u.secret)}, nil
}

func (h *house) Policies(_ context.Context, p *aws.Principal) (*policy.Policies, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, u := range h.users {
		if u.principal.ARN == p.ARN {
			return u.policies, nil
		}
	}
	return &policy.Policies{}, nil
}

const account = "111122223333"

// user adds one, allowed what the statements say.
func (h *house) user(name string, statements ...string) sigv4.Credentials {
	h.t.Helper()
	doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`), policy.Identity)
	if err != nil {
		h.t.Fatal(err)
	}
	u := &user{secret: "secret-of-" + name, policies: &policy.Policies{Identity: []*policy.Attached{{Document: doc, Source: "inline:" + name + "/p"}}}}
	id := "AKIA" + strings.ToUpper(name) + "0000"
	u.principal = &aws.Principal{Kind: aws.User, Account: account, Name: name, ID: "AIDA" + name, AccessKeyID: id,
		ARN: aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "user/" + name}}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users[id] = u
	return sigv4.Credentials{KeyID: id, Secret: u.secret}
}

func allow(actions string) string {
	return `{"Effect":"Allow","Action":` + actions + `,"Resource":"*"}`
}

func newHouse(t testing.TB, change func(*gateway.Options)) *house {
	t.Helper()
	h := &house{t: t, users: map[string]*user{}, log: &bytes.Buffer{}}
	h.store = store.Open(storememory.New(), seal.NewRoot(seal.GenerateKey()))
	h.spine = memory.New(memory.Options{})
	o := gateway.Options{Store: h.store, Publish: h.spine.Publish, Identities: h, Log: slog.New(slog.NewTextHandler(h.log, nil)), Metrics: prometheus.NewRegistry()}
	if change != nil {
		change(&o)
	}
	h.store = o.Store
	h.keys = store.NewTable[key](h.store, "kms.keys")
	h.gate = gateway.New(o)
	h.gate.Mount(
		kmsapi.CreateKey.To(h.createKey, touch[*kmsapi.CreateKeyRequest]("kms:CreateKey")),
		kmsapi.DescribeKey.To(h.describeKey, touch[*kmsapi.DescribeKeyRequest]("kms:DescribeKey")),
		kmsapi.ListKeys.To(func(context.Context, *kmsapi.ListKeysRequest) (*kmsapi.ListKeysResponse, error) { panic("a mistake") }, touch[*kmsapi.ListKeysRequest]("kms:ListKeys")),
		kmsapi.ListAliases.To(func(context.Context, *kmsapi.ListAliasesRequest) (*kmsapi.ListAliasesResponse, error) {
			return nil, nil
		},
			func(context.Context, *kmsapi.ListAliasesRequest) ([]wire.Touch, error) { return nil, nil }),
		stsapi.GetCallerIdentity.To(whoAmI, func(context.Context, *stsapi.GetCallerIdentityRequest) ([]wire.Touch, error) {
			return []wire.Touch{{Action: "sts:GetCallerIdentity", Open: "anyone may ask who they are"}}, nil
		}),
		guarddutyapi.CreateDetector.To(h.createDetector, touch[*guarddutyapi.CreateDetectorRequest]("guardduty:CreateDetector")),
	)
	h.gate.Know(&kmsapi.Encrypt)
	h.inside = h.gate.Inside("guardduty", &kmsapi.CreateKey, &kmsapi.DescribeKey)
	return h
}

func touch[In any](actions ...string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, _ In) ([]wire.Touch, error) {
		var all []wire.Touch
		for _, a := range actions {
			all = append(all, wire.Touch{Action: a, Resource: aws.CallOf(ctx).ARN("kms", "key/k")})
		}
		return all, nil
	}
}

func whoAmI(ctx context.Context, _ *stsapi.GetCallerIdentityRequest) (*stsapi.GetCallerIdentityResponse, error) {
	p := aws.CallOf(ctx).Principal
	return &stsapi.GetCallerIdentityResponse{Account: new(string(p.Account)), Arn: new(p.ARN.String()), UserId: new(p.ID)}, nil
}

func (h *house) createKey(ctx context.Context, in *kmsapi.CreateKeyRequest) (*kmsapi.CreateKeyResponse, error) {
	n := 0
	for range h.keys.All(ctx, "") {
		n++
	}
	if h.during != nil {
		h.during(ctx)
	}
	k := &key{ID: fmt.Sprintf("k%d", n), Description: *in.Description}
	if err := h.keys.Put(ctx, k.ID, k); err != nil {
		return nil, err
	}
	if k.Description == "fails" {
		return nil, kmsapi.LimitExceededException.New("too many keys")
	}
	return &kmsapi.CreateKeyResponse{KeyMetadata: &kmsapi.KeyMetadata{KeyId: k.ID, Description: &k.Description}}, nil
}

func (h *house) describeKey(ctx context.Context, in *kmsapi.DescribeKeyRequest) (*kmsapi.DescribeKeyResponse, error) {
	k, err := h.keys.Get(ctx, in.KeyId)
	if errors.Is(err, store.ErrNotFound) {
		return nil, kmsapi.NotFoundException.New("Key '%s' does not exist", in.KeyId)
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return &kmsapi.DescribeKeyResponse{KeyMetadata: &kmsapi.KeyMetadata{KeyId: k.ID, Description: &k.Description}}, nil
}

// createDetector makes a key on the way, and fails afterwards when it is asked to.
func (h *house) createDetector(ctx context.Context, in *guarddutyapi.CreateDetectorRequest) (*guarddutyapi.CreateDetectorResponse, error) {
	_, _ = kmsapi.DescribeKey.Call(ctx, h.inside, &kmsapi.DescribeKeyRequest{KeyId: "missing"})
	out, err := kmsapi.CreateKey.Call(ctx, h.inside, &kmsapi.CreateKeyRequest{Description: new("for the detector")})
	if err != nil {
		return nil, err
	}
	if !in.Enable {
		return nil, guarddutyapi.BadRequestException.New("not enabled")
	}
	return &guarddutyapi.CreateDetectorResponse{DetectorId: &out.KeyMetadata.KeyId}, nil
}

// An ask is a request to be signed.
type ask struct {
	method, path, query, host, target, contentType, body, service, region string
	change                                                                func(*http.Request) // after signing
}

func kms(operation, body string) ask {
	return ask{target: "TrentService." + operation, contentType: "application/x-amz-json-1.1", body: body, service: "kms"}
}

func sts(body string) ask {
	return ask{contentType: "application/x-www-form-urlencoded", body: body, service: "sts"}
}

func (h *house) send(c sigv4.Credentials, a ask) *httptest.ResponseRecorder {
	h.t.Helper()
	or := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	or(&a.method, "POST")
	or(&a.path, "/")
	or(&a.host, "127.0.0.1:4566")
	or(&a.region, "eu-central-1")
	url := "http://" + a.host + a.path
	if a.query != "" {
		url += "?" + a.query
	}
	r := httptest.NewRequest(a.method, url, strings.NewReader(a.body))
	r.RequestURI = strings.TrimPrefix(url, "http://"+a.host)
	r.RemoteAddr = "192.0.2.7:4711"
	r.Header.Set("User-Agent", "test/1")
	if a.target != "" {
		r.Header.Set("X-Amz-Target", a.target)
	}
	if a.contentType != "" {
		r.Header.Set("Content-Type", a.contentType)
	}
	if c.KeyID != "" {
		sigv4.Sign(r, []byte(a.body), c, sigv4.Scope{Region: a.region, Service: a.service}, 0, time.Now())
	}
	if a.change != nil {
		a.change(r)
	}
	w := httptest.NewRecorder()
	h.gate.ServeHTTP(w, r)
	return w
}

// trail drains the gate and returns all records: those of the queue from the
// spine, and those that were committed with a change from the outbox.
func (h *house) trail() []aws.Event {
	h.t.Helper()
	ctx := context.Background()
	if err := h.gate.Drain(ctx); err != nil {
		h.t.Fatal(err)
	}
	for {
		out, err := h.store.ClaimOutbox(ctx, 100)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(out) == 0 {
			break
		}
		for _, o := range out {
			if err := h.spine.Publish(ctx, o.Event); err != nil {
				h.t.Fatal(err)
			}
		}
		if err := h.store.DoneOutbox(ctx, out); err != nil {
			h.t.Fatal(err)
		}
	}
	var all []aws.Event
	for d, err := range h.spine.Replay(ctx, aws.TrailStream, time.Time{}) {
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, d.Event)
	}
	return all
}

func names(events []aws.Event) string {
	var s []string
	for _, e := range events {
		s = append(s, strings.TrimSuffix(e.Attrs["eventName"]+" "+e.Attrs["errorCode"], " "))
	}
	return strings.Join(s, ", ")
}
