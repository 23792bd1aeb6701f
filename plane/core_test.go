package plane

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/plane/config"
	"sumun.dev/service/iam"
	"sumun.dev/service/organizations"
	"sumun.dev/service/sts"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// begun starts a plane without listeners.
func begun(t testing.TB, data string) *Plane {
	t.Helper()
	p, err := begin(t, data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func begin(t testing.TB, data string) (*Plane, error) {
	cfg := config.Default()
	cfg.Data = data
	return New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true})
}

func end(t testing.TB, p *Plane) {
	t.Helper()
	if err := p.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

// byRoot makes a call as the management account's root user, through the gate.
func byRoot[In, Out any](t testing.TB, p *Plane, op *wire.Operation[In, Out], in In) (Out, error) {
	return byRootOf(t, p, p.Account(), op, in)
}

// byRootOf makes a call as an account's root user, through the gate.
func byRootOf[In, Out any](t testing.TB, p *Plane, account aws.Account, op *wire.Operation[In, Out], in In) (Out, error) {
	t.Helper()
	return byRootIn(t, p, account, "us-east-1", op, in)
}

// byRootIn makes a call as an account's root user in a region, through the gate.
func byRootIn[In, Out any](t testing.TB, p *Plane, account aws.Account, region aws.Region, op *wire.Operation[In, Out], in In) (Out, error) {
	t.Helper()
	ctx := aws.WithCall(t.Context(), &aws.Call{
		Principal: &aws.Principal{Kind: aws.Root, Account: account, ARN: aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "root"}},
		Partition: "aws", Account: account, Region: region,
	})
	return op.Call(ctx, p.current.Load().gate.InsideAny("test"), in)
}

func users(t testing.TB, p *Plane) (all []string) {
	t.Helper()
	out, err := byRoot(t, p, &iamapi.ListUsers, &iamapi.ListUsersRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range out.Users {
		all = append(all, u.UserName)
	}
	return all
}

func TestResetForgetsState(t *testing.T) {
	p := begun(t, config.Memory)
	defer end(t, p)
	if _, err := byRoot(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "alice"}); err != nil {
		t.Fatal(err)
	}
	if got := users(t, p); len(got) != 2 {
		t.Errorf("users are %v", got)
	}
	if err := p.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := users(t, p); len(got) != 1 || got[0] != "administrator" {
		t.Errorf("after a reset users are %v", got)
	}
}

func BenchmarkReset(b *testing.B) {
	p := begun(b, config.Memory)
	defer end(b, p)
	for b.Loop() {
		if err := p.Reset(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// A circle is a service that needs what it serves itself, by way of another.
type circle struct{ needs []wire.AnyOperation }

func (circle) Routes() []wire.Route           { return nil }
func (c circle) Needs() []wire.AnyOperation   { return c.needs }
func needing(ops ...wire.AnyOperation) circle { return circle{ops} }

func TestNeedsHaveNoCircle(t *testing.T) {
	c := &core{services: []named{
		{name: "sts", serve: needing(&iamapi.GetRole)}, {name: "iam", serve: needing()}, {name: "ssm", serve: needing(&stsapi.AssumeRole, &iamapi.GetRole)},
	}}
	if err := c.checkNeeds(); err != nil {
		t.Errorf("no circle: %v", err)
	}
	c.services[1].serve = needing(&stsapi.AssumeRole)
	if err := c.checkNeeds(); err == nil || !strings.Contains(err.Error(), "circle") {
		t.Errorf("sts needs iam needs sts: %v", err)
	}
	c.services = []named{{name: "iam", serve: needing(&iamapi.GetRole)}}
	if err := c.checkNeeds(); err == nil {
		t.Error("a service that needs itself is no circle")
	}
}

func TestDataNeedTheirRootKey(t *testing.T) {
	folder := t.TempDir()
	p := begun(t, folder)
	account := p.Account()
	if _, err := byRoot(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "alice"}); err != nil {
		t.Fatal(err)
	}
	end(t, p)
	key := filepath.Join(folder, RootKeyFile)
	for _, file := range []string{key, filepath.Join(folder, "credentials.json")} {
		if s, err := os.Stat(file); err != nil || s.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, s.Mode(), err)
		}
	}
	credentials, err := os.ReadFile(filepath.Join(folder, "credentials.json"))
	if err != nil {
		t.Fatal(err)
	}

	right, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if p, err := begin(t, folder); err == nil {
		end(t, p)
		t.Error("starts without its root key")
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("a new root key is made for old data")
	}
	elsewhere := t.TempDir()
	end(t, begun(t, elsewhere))
	wrong, err := os.ReadFile(filepath.Join(elsewhere, RootKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, wrong, 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := begin(t, folder); err == nil {
		end(t, p)
		t.Error("starts with another's root key")
	} else if !errors.Is(err, store.ErrWrongKey) {
		t.Errorf("with another's root key: %v", err)
	}

	if err := os.WriteFile(key, right, 0o600); err != nil {
		t.Fatal(err)
	}
	p = begun(t, folder)
	defer end(t, p)
	if p.Account() != account {
		t.Errorf("the account was %s and is %s", account, p.Account())
	}
	if got := users(t, p); len(got) != 2 {
		t.Errorf("users are %v", got)
	}
	if again, err := os.ReadFile(filepath.Join(folder, "credentials.json")); err != nil || string(again) != string(credentials) {
		t.Errorf("the second start changes the keys, %v", err)
	}
	if len(p.Credentials()) != 0 {
		t.Error("the second start still knows the secrets")
	}
}

// A session ends with its role, whatever it asks; also when another role has got
// the name.
func TestCredentialsEndWithTheirRole(t *testing.T) {
	p := begun(t, config.Memory)
	defer end(t, p)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"test.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	role := &iamapi.CreateRoleRequest{RoleName: "r", AssumeRolePolicyDocument: trust}
	made, err := byRoot(t, p, &iamapi.CreateRole, role)
	if err != nil {
		t.Fatal(err)
	}
	c := p.current.Load()
	ctx := asService(t.Context(), "test.amazonaws.com", store.Place{Account: c.born.Account, Region: "us-east-1"})
	out, err := stsapi.AssumeRole.Call(ctx, c.gate.InsideAny("test"), &stsapi.AssumeRoleRequest{RoleArn: made.Role.Arn, RoleSessionName: "session"})
	if err != nil {
		t.Fatal(err)
	}
	key, token := out.Credentials.AccessKeyId, out.Credentials.SessionToken
	var who identities
	for _, s := range c.services {
		switch serve := s.serve.(type) {
		case *iam.Service:
			who.iam = serve
		case *sts.Service:
			who.sts = serve
		case *organizations.Service:
			who.organizations = serve
		}
	}
	if _, err := who.Credential(t.Context(), key, token); err != nil {
		t.Fatal(err)
	}
	if _, err := who.Credential(t.Context(), key, ""); !errors.Is(err, errUnknownToken) {
		t.Errorf("without its token: %v", err)
	}
	if _, err := byRoot(t, p, &iamapi.DeleteRole, &iamapi.DeleteRoleRequest{RoleName: "r"}); err != nil {
		t.Fatal(err)
	}
	if _, err := who.Credential(t.Context(), key, token); !errors.Is(err, errUnknownToken) {
		t.Errorf("without its role: %v", err)
	}
	if _, err := byRoot(t, p, &iamapi.CreateRole, role); err != nil {
		t.Fatal(err)
	}
	if _, err := who.Credential(t.Context(), key, token); !errors.Is(err, errUnknownToken) {
		t.Errorf("with another role of its name: %v", err)
	}
}
