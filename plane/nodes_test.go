package plane

import (
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sumun.dev/api/iamapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane/config"
	"sumun.dev/store"
	"sumun.dev/store/postgres/postgrestest"
)

// node starts a plane over a database, with the root key in its folder.
func node(t *testing.T, database string, key []byte, change ...func(*config.Config)) *Plane {
	t.Helper()
	cfg := config.Default()
	cfg.Data, cfg.AccountID, cfg.Store.Postgres = t.TempDir(), "111122223333", database
	for _, f := range change {
		f(&cfg)
	}
	if key != nil {
		if err := os.WriteFile(filepath.Join(cfg.Data, RootKeyFile), key, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: cfg.Spine.NATS == "", NoUpstreams: true, NoNote: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, p) })
	return p
}

// keyOf reads the key that a node lets others of its cluster begin with.
func keyOf(t *testing.T, p *Plane) []byte {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(p.config.Data, RootKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// ask makes a call without parameters of a node, over its API, and returns the
// status and the request id.
func ask(p *Plane, key sigv4.Credentials, service, body string) (status int, id string) {
	r := httptest.NewRequest("POST", "http://127.0.0.1/", strings.NewReader(body))
	r.RequestURI = "/"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sigv4.Sign(r, []byte(body), key, sigv4.Scope{Region: "us-east-1", Service: service}, 0, time.Now())
	w := httptest.NewRecorder()
	p.API().ServeHTTP(w, r)
	return w.Code, w.Header().Get("X-Amzn-Requestid")
}

// whoAmI asks a node whom a key belongs to, and returns the status.
func whoAmI(p *Plane, key sigv4.Credentials) int {
	status, _ := ask(p, key, "sts", "Action=GetCallerIdentity&Version=2011-06-15")
	return status
}

// What is taken away on one node is gone on every other within five seconds, also
// when the database cuts the connection on which that node hears of it.
func TestRevocationsReachEveryNode(t *testing.T) {
	database := postgrestest.Schema(t)
	shared := overNATS(t)
	one := node(t, database, nil, shared)
	other := node(t, database+"&application_name=sumun_test_other", keyOf(t, one), shared)
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())

	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = byRoot(t, one, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "alice"})
	must(err)
	made, err := byRoot(t, one, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: new("alice")})
	must(err)
	alice := sigv4.Credentials{KeyID: made.AccessKey.AccessKeyId, Secret: made.AccessKey.SecretAccessKey}
	_, err = byRoot(t, one, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: "app", AssumeRolePolicyDocument: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"test.amazonaws.com"},"Action":"sts:AssumeRole"}}`})
	must(err)
	session := sessionOf(t, one)
	own, keyBehind := ownSession(t, one)

	for name, c := range map[string]struct {
		key    sigv4.Credentials
		revoke func() error
	}{
		"key_made_inactive": {alice, func() error {
			_, err := byRoot(t, one, &iamapi.UpdateAccessKey, &iamapi.UpdateAccessKeyRequest{UserName: new("alice"), AccessKeyId: alice.KeyID, Status: iamapi.StatusTypeInactive})
			return err
		}},
		"key_behind_a_session_deleted": {own, func() error {
			_, err := byRoot(t, one, &iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyRequest{UserName: new("bob"), AccessKeyId: keyBehind})
			return err
		}},
		"role_deleted": {session, func() error {
			_, err := byRoot(t, one, &iamapi.DeleteRole, &iamapi.DeleteRoleRequest{RoleName: "app"})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := whoAmI(other, c.key); got != 200 {
				t.Fatalf("before: %d", got)
			}
			_, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sumun_test_other' AND query LIKE 'LISTEN%'`)
			must(err)
			must(c.revoke())
			revoked := time.Now()
			for whoAmI(other, c.key) == 200 {
				if time.Since(revoked) > store.MaxSilence {
					t.Fatalf("%s after it was revoked, it still counts", store.MaxSilence)
				}
				time.Sleep(5 * time.Millisecond)
			}
			t.Logf("revoked on the other node after %s", time.Since(revoked))
		})
	}
}

// sessionOf makes a session of the role app, as the service test does.
func sessionOf(t *testing.T, p *Plane) sigv4.Credentials {
	t.Helper()
	c := p.current.Load()
	ctx := aws.WithCall(t.Context(), &aws.Call{
		Principal: &aws.Principal{Kind: aws.Service, Name: "test.amazonaws.com", Account: "111122223333"},
		Partition: "aws", Account: "111122223333", Region: "us-east-1", Time: time.Now(),
	})
	out, err := stsapi.AssumeRole.Call(ctx, c.gate.InsideAny("test"), &stsapi.AssumeRoleRequest{RoleArn: "arn:aws:iam::111122223333:role/app", RoleSessionName: "s"})
	if err != nil {
		t.Fatal(err)
	}
	return sigv4.Credentials{KeyID: out.Credentials.AccessKeyId, Secret: out.Credentials.SecretAccessKey, Token: out.Credentials.SessionToken}
}

// ownSession makes a user bob with a session of his own, and returns his key's id too.
func ownSession(t *testing.T, p *Plane) (sigv4.Credentials, string) {
	t.Helper()
	made, err := byRoot(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	key, err := byRoot(t, p, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: new("bob")})
	if err != nil {
		t.Fatal(err)
	}
	arn, err := aws.ParseARN(made.User.Arn)
	if err != nil {
		t.Fatal(err)
	}
	ctx := aws.WithCall(t.Context(), &aws.Call{
		Principal: &aws.Principal{Kind: aws.User, Account: arn.Account, ARN: arn, ID: made.User.UserId, Name: "bob", AccessKeyID: key.AccessKey.AccessKeyId},
		Partition: "aws", Account: arn.Account, Region: "us-east-1", Time: time.Now(),
	})
	out, err := stsapi.GetSessionToken.Call(ctx, p.current.Load().gate.InsideAny("test"), &stsapi.GetSessionTokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return sigv4.Credentials{KeyID: out.Credentials.AccessKeyId, Secret: out.Credentials.SecretAccessKey, Token: out.Credentials.SessionToken}, key.AccessKey.AccessKeyId
}

// What a policy, a group or a boundary allows on one node, it allows on every other
// within five seconds, and no longer.
func TestPermissionsReachEveryNode(t *testing.T) {
	database := postgrestest.Schema(t)
	one := node(t, database, nil)
	other := node(t, database, keyOf(t, one))
	const allow, deny = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}}`, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*","Resource":"*"}}`
	const policy = "arn:aws:iam::111122223333:policy/bound"
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	drop := func(_ any, err error) error { return err }
	do(drop(byRoot(t, one, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "carol"})))
	do(drop(byRoot(t, one, &iamapi.CreateGroup, &iamapi.CreateGroupRequest{GroupName: "staff"})))
	do(drop(byRoot(t, one, &iamapi.CreatePolicy, &iamapi.CreatePolicyRequest{PolicyName: "bound", PolicyDocument: allow})))
	made, err := byRoot(t, one, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: new("carol")})
	do(err)
	carol := sigv4.Credentials{KeyID: made.AccessKey.AccessKeyId, Secret: made.AccessKey.SecretAccessKey}
	status := func(p *Plane) int {
		got, _ := ask(p, carol, "iam", "Action=GetUser&Version=2010-05-08")
		return got
	}
	for _, step := range []struct {
		name string
		do   func() error
		want int
	}{
		{"in_a_group_without_policies", func() error {
			return drop(byRoot(t, one, &iamapi.AddUserToGroup, &iamapi.AddUserToGroupRequest{GroupName: "staff", UserName: "carol"}))
		}, 403},
		{"the_group_gets_a_policy", func() error {
			return drop(byRoot(t, one, &iamapi.PutGroupPolicy, &iamapi.PutGroupPolicyRequest{GroupName: "staff", PolicyName: "p", PolicyDocument: allow}))
		}, 200},
		{"out_of_the_group", func() error {
			return drop(byRoot(t, one, &iamapi.RemoveUserFromGroup, &iamapi.RemoveUserFromGroupRequest{GroupName: "staff", UserName: "carol"}))
		}, 403},
		{"in_again", func() error {
			return drop(byRoot(t, one, &iamapi.AddUserToGroup, &iamapi.AddUserToGroupRequest{GroupName: "staff", UserName: "carol"}))
		}, 200},
		{"bounded_by_a_new_version", func() error {
			err := drop(byRoot(t, one, &iamapi.PutUserPermissionsBoundary, &iamapi.PutUserPermissionsBoundaryRequest{UserName: "carol", PermissionsBoundary: policy}))
			if err != nil {
				return err
			}
			return drop(byRoot(t, one, &iamapi.CreatePolicyVersion, &iamapi.CreatePolicyVersionRequest{PolicyArn: policy, PolicyDocument: deny, SetAsDefault: new(true)}))
		}, 403},
		{"the_old_version_again", func() error {
			return drop(byRoot(t, one, &iamapi.SetDefaultPolicyVersion, &iamapi.SetDefaultPolicyVersionRequest{PolicyArn: policy, VersionId: "v1"}))
		}, 200},
		{"a_deny_is_attached_to_the_group", func() error {
			err := drop(byRoot(t, one, &iamapi.AttachGroupPolicy, &iamapi.AttachGroupPolicyRequest{GroupName: "staff", PolicyArn: policy}))
			if err != nil {
				return err
			}
			return drop(byRoot(t, one, &iamapi.SetDefaultPolicyVersion, &iamapi.SetDefaultPolicyVersionRequest{PolicyArn: policy, VersionId: "v2"}))
		}, 403},
	} {
		do(step.do())
		changed := time.Now()
		for status(other) != step.want {
			if time.Since(changed) > store.MaxSilence {
				t.Fatalf("%s: %s later the other node does not know", step.name, store.MaxSilence)
			}
			time.Sleep(5 * time.Millisecond)
		}
		if got := status(one); got != step.want {
			t.Errorf("%s: on the node itself %d, want %d", step.name, got, step.want)
		}
	}
}
