package rotate_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/engine/database"
	"sumun.dev/engine/database/databasetest"
	"sumun.dev/service/secretsmanager/rotate"
	"sumun.dev/wire"
)

const (
	secretARN = "arn:aws:secretsmanager:us-east-1:111122223333:secret:app-a1b2c3"
	masterARN = "arn:aws:secretsmanager:us-east-1:111122223333:secret:admin-a1b2c3"
	functions = "arn:aws:lambda:us-east-1:111122223333:function:"
)

// secrets answers the five calls that a function makes, from a map: what stands in
// for the service here is as small as the functions' view of it.
type secrets struct {
	texts  map[string]string            // secret/version → text
	stages map[string]map[string]string // secret → label → version
	fails  func(op string) error        // nil: nothing does
	roles  []string
}

func (s *secrets) As(ctx context.Context, role aws.ARN, session string) (context.Context, error) {
	s.roles = append(s.roles, role.String())
	return ctx, nil
}

func (s *secrets) Invoke(_ context.Context, op wire.AnyOperation, in any) (any, error) {
	if s.fails != nil {
		if err := s.fails(op.About().Name); err != nil {
			return nil, err
		}
	}
	switch in := in.(type) {
	case *api.DescribeSecretRequest:
		out := &api.DescribeSecretResponse{RotationEnabled: new(true), VersionIdsToStages: map[string][]string{}}
		for label, id := range s.stages[in.SecretId] {
			out.VersionIdsToStages[id] = append(out.VersionIdsToStages[id], label)
		}
		return out, nil
	case *api.GetSecretValueRequest:
		text, there := s.texts[in.SecretId+"/"+s.stages[in.SecretId][*in.VersionStage]]
		if !there {
			return nil, api.ResourceNotFoundException.New("no %s", *in.VersionStage)
		}
		return &api.GetSecretValueResponse{SecretString: &text}, nil
	case *api.GetRandomPasswordRequest:
		return &api.GetRandomPasswordResponse{RandomPassword: new(rand.Text())}, nil
	case *api.PutSecretValueRequest:
		s.texts[in.SecretId+"/"+*in.ClientRequestToken] = *in.SecretString
		return &api.PutSecretValueResponse{}, nil
	case *api.UpdateSecretVersionStageRequest:
		of := s.stages[in.SecretId]
		of["AWSPREVIOUS"], of["AWSCURRENT"] = of["AWSCURRENT"], *in.MoveToVersionId
		delete(of, "AWSPENDING")
		return &api.UpdateSecretVersionStageResponse{}, nil
	}
	return nil, fmt.Errorf("no %T", in)
}

// login is what a version, by its label, says.
func (s *secrets) login(t *testing.T, label string) database.Login {
	t.Helper()
	var text struct{ Username, Password string }
	if err := json.Unmarshal([]byte(s.texts[secretARN+"/"+s.stages[secretARN][label]]), &text); err != nil {
		t.Fatalf("%s: %v", label, err)
	}
	return database.Login{User: text.Username, Password: text.Password}
}

// A world is a database with the user app, whose secret rotates.
type world struct {
	*databasetest.Server
	secrets   *secrets
	functions *rotate.Functions
	name      string // of the engine in functions' names
}

func newWorld(t *testing.T, s *databasetest.Server, name string) *world {
	text := func(user, password, more string) string {
		return fmt.Sprintf(`{"engine":%q,"host":%q,"port":%d,"username":%q,"password":%q%s}`, s.Engine, s.Host, s.Port, user, password, more)
	}
	w := &world{Server: s, name: name, secrets: &secrets{
		texts: map[string]string{
			secretARN + "/v1": text("app", "first", `,"masterarn":"`+masterARN+`","comment":{"keep":12345678901234567890}`),
			masterARN + "/v1": text(s.Admin.User, s.Admin.Password, ""),
		},
		stages: map[string]map[string]string{secretARN: {"AWSCURRENT": "v1"}, masterARN: {"AWSCURRENT": "v1"}},
	}}
	w.functions = rotate.New(w.secrets, []rotate.Database{{Server: s.Server.Server, Account: "111122223333"}})
	return w
}

var steps = []string{rotate.Create, rotate.Set, rotate.Test, rotate.Finish}

// rotate does all steps, each twice, as after a crash between a step and its record.
func (w *world) rotate(t *testing.T, strategy, token string) {
	t.Helper()
	w.secrets.stages[secretARN]["AWSPENDING"] = token
	for _, step := range steps {
		for range 2 {
			if err := w.invoke(t, strategy, step, token); err != nil {
				t.Fatalf("%s: %v", step, err)
			}
		}
	}
}

func (w *world) invoke(t *testing.T, strategy, step, token string) error {
	t.Helper()
	function, err := aws.ParseARN(functions + "SecretsManagerRDS" + w.name + "Rotation" + strategy)
	if err != nil || !w.functions.Has(function) {
		t.Fatalf("%s is no function: %v", function, err)
	}
	return w.functions.Invoke(context.Background(), function, step, secretARN, token)
}

func (w *world) logsIn(t *testing.T, as database.Login, want bool) {
	t.Helper()
	err := w.Try(context.Background(), as)
	if want && err != nil || !want && !errors.Is(err, database.ErrLogin) {
		t.Errorf("%s logs in: %v, want %t", as, err, want)
	}
}

func TestPostgreSQL(t *testing.T) {
	s := databasetest.Postgres(t)
	s.Exec(t, "CREATE ROLE app LOGIN PASSWORD 'first'")
	suite(t, newWorld(t, s, "PostgreSQL"), "ALTER ROLE app PASSWORD")
}

func TestMariaDB(t *testing.T) {
	s := databasetest.MariaDB(t)
	s.Exec(t, "CREATE USER app@'127.0.0.1' IDENTIFIED BY 'first'")
	suite(t, newWorld(t, s, "MariaDB"), "ALTER USER app@'127.0.0.1' IDENTIFIED BY")
}

func suite(t *testing.T, w *world, alter string) {
	first := w.secrets.login(t, "AWSCURRENT")
	w.logsIn(t, first, true)

	w.rotate(t, "SingleUser", "v2")
	second := w.secrets.login(t, "AWSCURRENT")
	w.logsIn(t, first, false)
	w.logsIn(t, second, true)
	if text := w.secrets.texts[secretARN+"/v2"]; !strings.Contains(text, `"keep":12345678901234567890`) {
		t.Errorf("what the customer keeps in the secret is gone: %s", strings.ReplaceAll(text, second.Password, "…"))
	}
	if role := "arn:aws:iam::111122223333:role/SecretsManagerRDS" + w.name + "RotationSingleUser"; !slices.Contains(w.secrets.roles, role) {
		t.Errorf("ran as %q", w.secrets.roles)
	}

	// A call that fails in any step leaves the current credential working, and the
	// rotation can go on from there.
	for i, c := range []struct{ step, call string }{
		{rotate.Create, "GetRandomPassword"}, {rotate.Create, "PutSecretValue"}, {rotate.Set, "GetSecretValue"}, {rotate.Test, "GetSecretValue"}, {rotate.Finish, "DescribeSecret"},
	} {
		token := fmt.Sprintf("fails-%d", i)
		w.secrets.stages[secretARN]["AWSPENDING"] = token
		for _, step := range steps {
			if step == c.step {
				w.secrets.fails = func(op string) error {
					if op == c.call {
						return aws.AccessDenied.New("no")
					}
					return nil
				}
				if err := w.invoke(t, "SingleUser", step, token); !aws.AccessDenied.Is(err) {
					t.Errorf("%s of %s: %v", c.call, step, err)
				}
				w.secrets.fails = nil
				if step == rotate.Create || step == rotate.Set {
					w.logsIn(t, w.secrets.login(t, "AWSCURRENT"), true)
				} else { // the database has the pending one, which is kept
					w.logsIn(t, w.secrets.login(t, "AWSPENDING"), true)
				}
			}
			if err := w.invoke(t, "SingleUser", step, token); err != nil {
				t.Fatalf("%s after %s failed: %v", step, c.call, err)
			}
		}
		w.logsIn(t, w.secrets.login(t, "AWSCURRENT"), true)
	}

	// Somebody has changed the password back to the one before.
	before := w.secrets.login(t, "AWSPREVIOUS")
	w.Exec(t, alter+" '"+before.Password+"'")
	w.rotate(t, "SingleUser", "v3")
	third := w.secrets.login(t, "AWSCURRENT")
	w.logsIn(t, before, false)
	w.logsIn(t, third, true)

	// Somebody has changed it to what no version says: nothing changes.
	w.Exec(t, alter+" 'lost'")
	w.secrets.stages[secretARN]["AWSPENDING"] = "v4"
	if err := w.invoke(t, "SingleUser", rotate.Create, "v4"); err != nil {
		t.Fatal(err)
	}
	if err := w.invoke(t, "SingleUser", rotate.Set, "v4"); err == nil || !strings.Contains(err.Error(), "nor the previous") {
		t.Errorf("of a lost password: %v", err)
	}
	w.logsIn(t, database.Login{User: "app", Password: "lost"}, true)
	w.Exec(t, alter+" '"+third.Password+"'")
	delete(w.secrets.stages[secretARN], "AWSPENDING")

	// Alternating users: the one in use goes on logging in.
	w.rotate(t, "MultiUser", "v5")
	clone := w.secrets.login(t, "AWSCURRENT")
	if clone.User != "app_clone" {
		t.Errorf("the other user is %s", clone)
	}
	w.logsIn(t, third, true)
	w.logsIn(t, clone, true)
	w.rotate(t, "MultiUser", "v6")
	w.logsIn(t, third, false)
	w.logsIn(t, clone, true)
	w.logsIn(t, w.secrets.login(t, "AWSCURRENT"), true)

	// A secret does not choose whom the plane connects to.
	w.secrets.texts[secretARN+"/v7"] = strings.Replace(w.secrets.texts[secretARN+"/v6"], w.Host, "169.254.169.254", 1)
	w.secrets.stages[secretARN]["AWSPENDING"] = "v7"
	for _, step := range []string{rotate.Set, rotate.Test} {
		if err := w.invoke(t, "SingleUser", step, "v7"); err == nil || !strings.Contains(err.Error(), "stands in the plane's settings") {
			t.Errorf("%s of a foreign host: %v", step, err)
		}
	}
}

func TestOtherFunctionsAreNotServed(t *testing.T) {
	f := rotate.New(&secrets{}, nil)
	for _, name := range []string{functions + "mine", functions + "SecretsManagerRDSOracleRotationSingleUser", functions + "SecretsManagerRDSMySQLRotationSingleUser:1", "arn:aws:iam::111122223333:role/SecretsManagerRDSMySQLRotationSingleUser"} {
		function, err := aws.ParseARN(name)
		if err != nil {
			t.Fatal(err)
		}
		if f.Has(function) || f.Invoke(context.Background(), function, rotate.Test, secretARN, "v1") == nil {
			t.Errorf("%s is served", name)
		}
	}
}
