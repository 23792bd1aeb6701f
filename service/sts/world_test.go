package sts

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/oidc"
	"sumun.dev/engine/seal"
	"sumun.dev/policy"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/wire"
)

const account, other = aws.Account("111122223333"), aws.Account("444455556666")

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`

// A world is what other services keep; in a plane IAM and Organizations do.
type world struct {
	roles   map[aws.ARN]*Role
	codes   map[string]string // MFA codes, by serial number
	tokens  map[string]*oidc.Provider
	asserts map[string]string // metadata
	orgs    map[aws.Account]*policy.Membership
}

func (w *world) Role(_ context.Context, arn aws.ARN) (*Role, error) {
	// Like IAM, by account and name: the partition is not looked at.
	for have, r := range w.roles {
		if have.Account == arn.Account && have.Resource == arn.Resource {
			return r, nil
		}
	}
	return nil, ErrNoRole
}

func (w *world) VerifyMFA(_ context.Context, _ *aws.Principal, serial, code string) error {
	if code == "" || w.codes[serial] != code {
		return accessDenied.New("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
	}
	return nil
}

func (w *world) OIDC(_ context.Context, arn aws.ARN) (*oidc.Provider, error) {
	if p := w.tokens[arn.String()]; p != nil {
		return p, nil
	}
	return nil, ErrNoProvider
}

func (w *world) SAML(_ context.Context, arn aws.ARN) (string, error) {
	if m := w.asserts[arn.String()]; m != "" {
		return m, nil
	}
	return "", ErrNoProvider
}

func (w *world) ManagedPolicy(_ context.Context, _ aws.Account, arn string) (string, error) {
	if arn == "arn:aws:iam::aws:policy/ReadOnlyAccess" || arn == "arn:aws:iam::111122223333:policy/p" {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*:Get*","Resource":"*"}]}`, nil
	}
	return "", fmt.Errorf("%w: %s", store.ErrNotFound, arn)
}

func (w *world) membership(_ context.Context, a aws.Account) (*policy.Membership, error) {
	return w.orgs[a], nil
}

func newWorld() *world {
	arn := aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "role/ci/deploy"}
	return &world{
		roles: map[aws.ARN]*Role{arn: {ARN: arn, ID: "AROAEXAMPLE", Name: "deploy", Trust: trust, MaxSession: 2 * time.Hour, Tags: map[string]string{"team": "a"}}},
		codes: map[string]string{"arn:aws:iam::111122223333:mfa/alice": "123456"}, tokens: map[string]*oidc.Provider{}, asserts: map[string]string{},
		orgs: map[aws.Account]*policy.Membership{account: {Organization: "o-1", Management: true}, other: {Organization: "o-1"}, "777788889999": {Organization: "o-2"}},
	}
}

func (w *world) service(t testing.TB, tokens *oidc.Verifier) *Service {
	s := store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))
	t.Cleanup(func() { s.Close() })
	return w.serviceOn(s, tokens)
}

func (w *world) serviceOn(s *store.Store, tokens *oidc.Verifier) *Service {
	return New(service.Env{Store: s, Log: slog.New(slog.DiscardHandler)}, Known{
		Roles: w, MFA: w, Providers: w, Managed: w, Tokens: tokens, Membership: w.membership,
		RootAccess: func(_ context.Context, a aws.Account) (string, []string, error) {
			if m := w.orgs[a]; m != nil && m.Management {
				return m.Organization, []string{"RootCredentialsManagement"}, nil
			}
			return "", nil, nil
		},
		Holder: func(_ context.Context, id string) (aws.Account, bool) {
			return "999900001111", id == "AKIAGIVENBYSOMEBODYX"
		},
	})
}

func newService(t testing.TB) *Service { return newWorld().service(t, oidc.New(oidc.Options{})) }

func as(t testing.TB, p *aws.Principal) context.Context {
	return aws.WithCall(t.Context(), &aws.Call{Partition: "aws", Account: p.Account, Region: "us-east-1", Service: "sts", Principal: p})
}

var (
	alice  = &aws.Principal{Kind: aws.User, Account: account, Name: "alice", ID: "AIDAEXAMPLE", AccessKeyID: "AKIAEXAMPLE", ARN: aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "user/alice"}}
	root   = &aws.Principal{Kind: aws.Root, Account: account, ID: string(account), AccessKeyID: "AKIAROOT", ARN: aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "root"}}
	worker = &aws.Principal{Kind: aws.Service, Account: account, Name: "ssm.amazonaws.com", ID: "ssm.amazonaws.com"}
	nobody = &aws.Principal{}
)

func ask() *stsapi.AssumeRoleRequest {
	return &stsapi.AssumeRoleRequest{RoleArn: "arn:aws:iam::111122223333:role/ci/deploy", RoleSessionName: "s1"}
}

func arns(all ...string) []stsapi.PolicyDescriptorType {
	var list []stsapi.PolicyDescriptorType
	for _, a := range all {
		list = append(list, stsapi.PolicyDescriptorType{Arn: &a})
	}
	return list
}

func session(t testing.TB, s *Service, p *aws.Principal, in *stsapi.AssumeRoleRequest) *stsapi.AssumeRoleResponse {
	t.Helper()
	out, err := s.assumeRole(as(t, p), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// call asks the operation as the gate does: it touches, lets the policies of what is
// touched decide, and serves, in one unit of work.
func call[In, Out any](t testing.TB, s *Service, p *aws.Principal, op *wire.Operation[In, Out], in In) (Out, []wire.Touch, error) {
	t.Helper()
	var out Out
	var touches []wire.Touch
	err := s.env.Store.Update(as(t, p), func(ctx context.Context) error {
		for _, r := range s.Routes() {
			if r.Operation != wire.AnyOperation(op) {
				continue
			}
			var err error
			if touches, err = r.Touches(ctx, in); err != nil {
				return err
			}
			if proven := touches[0].Principal; proven != nil {
				c := *aws.CallOf(ctx)
				c.Principal, c.Account = proven, proven.Account
				ctx = aws.WithCall(ctx, &c)
			}
			for _, touch := range touches {
				if err := decide(ctx, touch); err != nil {
					return err
				}
			}
			any, err := r.Serve(ctx, in)
			if err == nil {
				out = any.(Out)
			}
			return err
		}
		t.Fatalf("%s is not served", op.About())
		return nil
	})
	return out, touches, err
}

// decide asks the trust policy; the caller's own policies allow everything.
func decide(ctx context.Context, touch wire.Touch) error {
	if touch.Open != "" || touch.Policy == "" {
		return nil
	}
	kind := policy.Resource
	if touch.PolicyKind == "trust" {
		kind = policy.Trust
	}
	doc, err := policy.Parse([]byte(touch.Policy), kind)
	if err != nil {
		return err
	}
	all, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`), policy.Identity)
	if err != nil {
		return err
	}
	req := &policy.Request{
		Principal: aws.CallOf(ctx).Principal, Action: touch.Action, Resource: touch.Resource.String(), ResourceAccount: touch.Resource.Account, Context: policy.MapOf(touch.Conditions),
	}
	d := policy.Authorize(req, &policy.Policies{Resource: &policy.Attached{Document: doc}, Identity: []*policy.Attached{{Document: all}}})
	if !d.Allowed() {
		return accessDenied.New("%s", d.Sentence(req))
	}
	return nil
}
