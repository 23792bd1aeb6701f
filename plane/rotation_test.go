package plane

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"sumun.dev/api/iamapi"
	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/engine/database"
	"sumun.dev/engine/database/databasetest"
	"sumun.dev/plane/config"
)

func TestRotationOfPostgreSQL(t *testing.T) {
	s := databasetest.Postgres(t)
	s.Exec(t, "CREATE ROLE app LOGIN PASSWORD 'first'")
	rotates(t, s, "SecretsManagerRDSPostgreSQLRotationSingleUser")
}

func TestRotationOfMariaDB(t *testing.T) {
	s := databasetest.MariaDB(t)
	s.Exec(t, "CREATE USER app@'127.0.0.1' IDENTIFIED BY 'first'")
	rotates(t, s, "SecretsManagerRDSMariaDBRotationSingleUser")
}

// rotates rotates a user's password in a database, and then fails to rotate that
// of a secret whose server the settings do not name.
func rotates(t *testing.T, server *databasetest.Server, function string) {
	cfg := config.Default()
	cfg.Data = config.Memory
	cfg.Databases = []config.Database{{Name: "app", Engine: string(server.Engine), Host: server.Host, Port: server.Port, TLS: "verify", CA: server.CA}}
	p, err := New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true})
	if err != nil {
		t.Fatal(err)
	}
	defer end(t, p)
	functionARN := "arn:aws:lambda:us-east-1:" + string(p.Account()) + ":function:" + function
	if _, err := byRoot(t, p, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: function,
		AssumeRolePolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`}); err != nil {
		t.Fatal(err)
	}
	if _, err := byRoot(t, p, &iamapi.PutRolePolicy, &iamapi.PutRolePolicyRequest{RoleName: function, PolicyName: "rotate",
		PolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["secretsmanager:DescribeSecret","secretsmanager:GetSecretValue",
			"secretsmanager:PutSecretValue","secretsmanager:UpdateSecretVersionStage","secretsmanager:GetRandomPassword"],"Resource":"*"}]}`}); err != nil {
		t.Fatal(err)
	}
	made := func(name, host string) {
		t.Helper()
		text := fmt.Sprintf(`{"engine":%q,"host":%q,"port":%d,"username":"app","password":"first"}`, server.Engine, host, server.Port)
		if _, err := byRoot(t, p, &api.CreateSecret, &api.CreateSecretRequest{Name: name, SecretString: &text}); err != nil {
			t.Fatal(err)
		}
	}
	begin := func(name string) string {
		t.Helper()
		out, err := byRoot(t, p, &api.RotateSecret, &api.RotateSecretRequest{SecretId: name, RotationLambdaARN: &functionARN,
			RotationRules: &api.RotationRulesType{AutomaticallyAfterDays: new(int64(30))}})
		if err != nil {
			t.Fatal(err)
		}
		return *out.VersionId
	}
	login := func(name, stage string) (as database.Login, version string) {
		t.Helper()
		out, err := byRoot(t, p, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: name, VersionStage: &stage})
		if err != nil {
			t.Fatal(err)
		}
		var text struct{ Username, Password string }
		if err := json.Unmarshal([]byte(*out.SecretString), &text); err != nil {
			t.Fatal(err)
		}
		return database.Login{User: text.Username, Password: text.Password}, *out.VersionId
	}
	stages := func(name string) map[string][]string {
		t.Helper()
		out, err := byRoot(t, p, &api.DescribeSecret, &api.DescribeSecretRequest{SecretId: name})
		if err != nil {
			t.Fatal(err)
		}
		return out.VersionIdsToStages
	}
	wait := func(what string, done func() bool) {
		t.Helper()
		for range 600 {
			if done() {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("%s did not come", what)
	}

	made("app", server.Host)
	first, was := login("app", "AWSCURRENT")
	if err := server.Try(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	token := begin("app")
	wait("the end of the rotation", func() bool { return slices.Equal(stages("app")[token], []string{"AWSCURRENT"}) })
	if got := stages("app")[was]; !slices.Equal(got, []string{"AWSPREVIOUS"}) {
		t.Errorf("the version before has %q", got)
	}
	second, is := login("app", "AWSCURRENT")
	if is != token || second.Password == first.Password {
		t.Errorf("the current version is %s", is)
	}
	if err := server.Try(t.Context(), first); !errors.Is(err, database.ErrLogin) {
		t.Errorf("the old password: %v", err)
	}
	if err := server.Try(t.Context(), second); err != nil {
		t.Errorf("the new password: %v", err)
	}

	// A secret that names another host: its new value is made and never set.
	made("astray", "127.0.0.2")
	_, was = login("astray", "AWSCURRENT")
	token = begin("astray")
	wait("the new value", func() bool {
		_, err := byRoot(t, p, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: "astray", VersionStage: new("AWSPENDING")})
		return err == nil
	})
	time.Sleep(time.Second) // setSecret fails at once
	if now := stages("astray"); !slices.Equal(now[was], []string{"AWSCURRENT"}) || !slices.Equal(now[token], []string{"AWSPENDING"}) {
		t.Errorf("after a failure: %v", now)
	}
	if err := server.Try(t.Context(), second); err != nil {
		t.Errorf("after a failure elsewhere: %v", err)
	}
}
