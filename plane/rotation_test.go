package plane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/iamapi"
	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/engine/database"
	"sumun.dev/engine/database/databasetest"
	"sumun.dev/plane/config"
	"sumun.dev/wire"
)

func TestRotationOfPostgreSQL(t *testing.T) {
	s := databasetest.Postgres(t)
	s.Exec(t, "CREATE ROLE app LOGIN PASSWORD 'first'")
	rotations(t, &rotated{Server: s, functions: "SecretsManagerRDSPostgreSQLRotation", alter: "ALTER ROLE app PASSWORD "})
}

func TestRotationOfMariaDB(t *testing.T) {
	s := databasetest.MariaDB(t)
	s.Exec(t, "CREATE USER app@'127.0.0.1' IDENTIFIED BY 'first'")
	rotations(t, &rotated{Server: s, functions: "SecretsManagerRDSMariaDBRotation", alter: "ALTER USER app@'127.0.0.1' IDENTIFIED BY "})
}

// rotated is a server with the user app, and how it is spoken to.
type rotated struct {
	*databasetest.Server
	functions, alter string
}

// rotations plays what can become of rotations, each on a plane of its own in
// virtual time. While a plane waits for the server, whose time is the real one, the
// plane's clock stands.
func rotations(t *testing.T, s *rotated) {
	now := time.Now() // certificates are valid then
	for _, c := range []struct {
		name string
		play func(*rotation)
	}{
		{"single", singleUser}, {"alternating", alternatingUsers}, {"astray", astray}, {"stopped", stopped}, {"undone", undone},
		{"cancelled", cancelled}, {"deleted", deleted}, {"windows", windows}, {"replicas", replicas}, {"tested", tested},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Exec(t, s.alter+"'first'")
			outside, end := outsideBubbles()
			defer end()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(now))
				c.play(newRotation(t, s, outside))
			})
		})
	}
}

// outsideBubbles runs what bubbles must not hold: processes.
func outsideBubbles() (run func(func()), end func()) {
	calls, done := make(chan func()), make(chan struct{})
	go func() {
		for call := range calls {
			call()
			done <- struct{}{}
		}
	}()
	return func(call func()) { calls <- call; <-done }, func() { close(calls) }
}

// A rotation is a plane with a secret of the user app, and the functions' roles.
type rotation struct {
	*testing.T
	*rotated
	plane   *Plane
	outside func(func())

	mu     sync.Mutex
	events []string
}

func newRotation(t *testing.T, s *rotated, outside func(func())) *rotation {
	cfg := config.Default()
	cfg.Data = config.Memory
	cfg.Databases = []config.Database{{Name: "app", Engine: string(s.Engine), Host: s.Host, Port: s.Port}}
	if strings.HasSuffix(t.Name(), "/single") { // within the hour of the certificate
		cfg.Databases[0].TLS, cfg.Databases[0].CA = "verify", s.CA
	}
	p, err := New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, p) })
	w := &rotation{T: t, rotated: s, plane: p, outside: outside}
	if _, err := p.Watch(aws.TrailStream, "test", func(e aws.Event) {
		if name := rotationEvent(t, &e); name != "" {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, name)
		}
	}); err != nil {
		t.Fatal(err)
	}
	prepare(t, p, s)
	return w
}

// prepare makes the functions' roles, and the secrets of the administrator and of app.
func prepare(t testing.TB, p *Plane, s *rotated) {
	t.Helper()
	for _, strategy := range []string{"SingleUser", "MultiUser"} {
		must(t, p, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: s.functions + strategy,
			AssumeRolePolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`})
		may(t, p, s.functions+strategy, "DescribeSecret", "GetSecretValue", "PutSecretValue", "GetRandomPassword", "UpdateSecretVersionStage")
	}
	admin := must(t, p, &api.CreateSecret, &api.CreateSecretRequest{Name: "admin", SecretString: new(s.text(s.Host, s.Admin, ""))})
	must(t, p, &api.CreateSecret, &api.CreateSecretRequest{Name: "app", SecretString: new(s.text(s.Host, database.Login{User: "app", Password: "first"}, `,"masterarn":"`+*admin.ARN+`"`))})
}

func (s *rotated) text(host string, as database.Login, more string) string {
	return fmt.Sprintf(`{"engine":%q,"host":%q,"port":%d,"username":%q,"password":%q%s}`, s.Engine, host, s.Port, as.User, as.Password, more)
}

// may gives a role rights on secrets, and no others.
func may(t testing.TB, p *Plane, role string, actions ...string) {
	t.Helper()
	for i := range actions {
		actions[i] = `"secretsmanager:` + actions[i] + `"`
	}
	must(t, p, &iamapi.PutRolePolicy, &iamapi.PutRolePolicyRequest{RoleName: role, PolicyName: "rotate",
		PolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[` + strings.Join(actions, ",") + `],"Resource":"*"}]}`})
}

// must is byRoot for what has to succeed.
func must[In, Out any](t testing.TB, p *Plane, op *wire.Operation[In, Out], in In) Out {
	t.Helper()
	out, err := byRoot(t, p, op, in)
	if err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	return out
}

// begin has a secret rotated from now on, every 30 days; it returns the new version's id.
func (w *rotation) begin(name, strategy string) string {
	w.Helper()
	in := &api.RotateSecretRequest{SecretId: name, RotationLambdaARN: new("arn:aws:lambda:us-east-1:" + string(w.plane.Account()) + ":function:" + w.functions + strategy),
		RotationRules: &api.RotationRulesType{AutomaticallyAfterDays: new(int64(30))}}
	return *must(w, w.plane, &api.RotateSecret, in).VersionId
}

// starts has the server run again.
func (w *rotation) starts() {
	w.Helper()
	var err error
	w.outside(func() { err = w.Start(context.Background()) })
	if err != nil {
		w.Fatal(err)
	}
}

// passes lets virtual time pass, until all that falls due has been done.
func (w *rotation) passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// login is what a version of a secret, by its label, says.
func (w *rotation) login(name, stage string) (as database.Login, version string) {
	w.Helper()
	return loginOf(w, must(w, w.plane, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: name, VersionStage: &stage}))
}

func loginOf(t testing.TB, out *api.GetSecretValueResponse) (as database.Login, version string) {
	t.Helper()
	var text struct{ Username, Password string }
	if err := json.Unmarshal([]byte(*out.SecretString), &text); err != nil {
		t.Fatal(err)
	}
	return database.Login{User: text.Username, Password: text.Password}, *out.VersionId
}

// logsIn tries a credential on the server itself.
func (w *rotation) logsIn(what string, as database.Login, want bool) {
	w.Helper()
	err := w.Try(w.Context(), as)
	if want && err != nil || !want && !errors.Is(err, database.ErrLogin) {
		w.Errorf("%s logs in: %v, want %t", what, err, want)
	}
}

// stages are the labels of a secret, with the versions that have them.
func (w *rotation) stages(name string) map[string]string {
	w.Helper()
	all := map[string]string{}
	for id, stages := range must(w, w.plane, &api.DescribeSecret, &api.DescribeSecretRequest{SecretId: name}).VersionIdsToStages {
		for _, s := range stages {
			all[s] = id
		}
	}
	return all
}

// rotationEvent is the name of what the service tells about rotations; empty of others.
func rotationEvent(t testing.TB, e *aws.Event) string {
	t.Helper()
	var record struct{ EventName, EventType, EventSource string }
	if err := json.Unmarshal(e.Data, &record); err != nil {
		t.Error(err)
	}
	if record.EventType != "AwsServiceEvent" || record.EventSource != "secretsmanager.amazonaws.com" {
		return ""
	}
	return record.EventName
}

// told are the events about rotations since the beginning, in their order: the
// trail keeps them 90 days only.
func (w *rotation) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

func (w *rotation) wasTold(want ...string) {
	w.Helper()
	if got := w.told(); !slices.Equal(got, want) {
		w.Errorf("the trail tells %q, want %q", got, want)
	}
}

func singleUser(w *rotation) {
	first, was := w.login("app", "AWSCURRENT")
	w.logsIn("the first password", first, true)
	token := w.begin("app", "SingleUser")
	w.passes(time.Second)
	w.wasTold("RotationStarted", "RotationSucceeded")
	second, is := w.login("app", "AWSCURRENT")
	if is != token || w.stages("app")["AWSPREVIOUS"] != was || second.Password == first.Password {
		w.Errorf("%s is current; the labels are %v", is, w.stages("app"))
	}
	w.logsIn("the old password", first, false)
	w.logsIn("the new password", second, true)
}

func alternatingUsers(w *rotation) {
	first, _ := w.login("app", "AWSCURRENT")
	w.begin("app", "MultiUser")
	w.passes(time.Second)
	clone, _ := w.login("app", "AWSCURRENT")
	if clone.User != "app_clone" {
		w.Errorf("the other user is %s", clone)
	}
	w.logsIn("the user before", first, true)
	w.logsIn("the other user", clone, true)
	w.begin("app", "MultiUser")
	w.passes(time.Second)
	third, _ := w.login("app", "AWSCURRENT")
	if third.User != "app" {
		w.Errorf("then the user is %s", third)
	}
	w.logsIn("the old password", first, false)
	w.logsIn("the other user, once more", clone, true)
	w.logsIn("the new password", third, true)

	// A failure at the end changes nothing for the user in use.
	may(w, w.plane, w.functions+"MultiUser", "DescribeSecret", "GetSecretValue", "PutSecretValue", "GetRandomPassword")
	w.begin("app", "MultiUser")
	w.passes(time.Hour - time.Minute)
	w.logsIn("after a failure the current credential", third, true)
	w.wasTold("RotationStarted", "RotationSucceeded", "RotationStarted", "RotationSucceeded", "RotationStarted", "RotationFailed")
}

// astray is a secret that names a host that the settings do not: its new value is
// made and never set.
func astray(w *rotation) {
	must(w, w.plane, &api.CreateSecret, &api.CreateSecretRequest{Name: "astray", SecretString: new(w.text("127.0.0.2", database.Login{User: "app", Password: "first"}, ""))})
	was := w.stages("astray")["AWSCURRENT"]
	token := w.begin("astray", "SingleUser")
	w.passes(10 * time.Minute)
	w.wasTold("RotationStarted", "RotationFailed")
	if now := w.stages("astray"); now["AWSCURRENT"] != was || now["AWSPENDING"] != token {
		w.Errorf("after a failure: %v", now)
	}
	first, _ := w.login("app", "AWSCURRENT")
	w.logsIn("after a failure elsewhere the password", first, true)
}

// stopped: a server that does not answer makes the rotation fail after five
// attempts; it is taken up again, and ends when the server has returned.
func stopped(w *rotation) {
	first, was := w.login("app", "AWSCURRENT")
	w.outside(w.Stop)
	token := w.begin("app", "SingleUser")
	w.passes((2 + 8 + 32 + 128 - 1) * time.Second)
	w.wasTold("RotationStarted")
	w.passes(2 * time.Second)
	w.wasTold("RotationStarted", "RotationFailed")
	w.passes(5 * time.Minute)
	w.wasTold("RotationStarted", "RotationFailed")
	if now := w.stages("app"); now["AWSCURRENT"] != was || now["AWSPENDING"] != token {
		w.Errorf("after a failure: %v", now)
	}
	w.starts()
	w.logsIn("after a failure the password", first, true)
	pending, _ := w.login("app", "AWSPENDING")
	w.passes(time.Hour)
	w.wasTold("RotationStarted", "RotationFailed", "RotationStarted", "RotationSucceeded")
	second, is := w.login("app", "AWSCURRENT")
	if is != token || second != pending {
		w.Errorf("%s is current, not what was made first", is)
	}
	w.logsIn("the old password", first, false)
	w.logsIn("the new password", second, true)
}

// undone: when the last step fails for good, the database is told the current
// password again; so it is when the rotation is taken up again in vain.
func undone(w *rotation) {
	role := w.functions + "SingleUser"
	may(w, w.plane, role, "DescribeSecret", "GetSecretValue", "PutSecretValue", "GetRandomPassword")
	first, was := w.login("app", "AWSCURRENT")
	token := w.begin("app", "SingleUser")
	w.passes(time.Second)
	pending, _ := w.login("app", "AWSPENDING")
	w.logsIn("between the attempts the new password", pending, true)
	w.passes(4 * time.Minute)
	w.wasTold("RotationStarted", "RotationFailed")
	if now := w.stages("app"); now["AWSCURRENT"] != was || now["AWSPENDING"] != token {
		w.Errorf("after a failure: %v", now)
	}
	w.logsIn("after a failure the current password", first, true)
	w.logsIn("after a failure the new password", pending, false)
	w.passes(time.Hour + 4*time.Minute)
	w.wasTold("RotationStarted", "RotationFailed", "RotationStarted", "RotationFailed")
	w.logsIn("after two failures the current password", first, true)

	may(w, w.plane, role, "DescribeSecret", "GetSecretValue", "PutSecretValue", "GetRandomPassword", "UpdateSecretVersionStage")
	w.passes(time.Hour)
	w.wasTold("RotationStarted", "RotationFailed", "RotationStarted", "RotationFailed", "RotationStarted", "RotationSucceeded")
	if _, is := w.login("app", "AWSCURRENT"); is != token {
		w.Errorf("%s is current", is)
	}
	w.logsIn("the old password", first, false)
	w.logsIn("the new password", pending, true)

	// A value that somebody puts after a failure is not rotated away within the hour.
	may(w, w.plane, role, "DescribeSecret", "GetSecretValue", "GetRandomPassword")
	w.begin("app", "SingleUser")
	w.passes(4 * time.Minute)
	before := w.told()
	put := must(w, w.plane, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "app", SecretString: new(w.text(w.Host, pending, ""))})
	w.passes(2 * time.Hour)
	w.wasTold(before...)
	if _, is := w.login("app", "AWSCURRENT"); is != *put.VersionId {
		w.Errorf("%s is current", is)
	}
}

// cancelled: a rotation that is cancelled midway stays where it is; one of its two
// credentials works, and the next rotation goes on from there.
func cancelled(w *rotation) {
	first, was := w.login("app", "AWSCURRENT")
	may(w, w.plane, w.functions+"SingleUser", "DescribeSecret", "GetSecretValue", "PutSecretValue", "GetRandomPassword")
	token := w.begin("app", "SingleUser")
	w.passes(time.Second) // the last step has failed for the first time
	if _, err := byRoot(w, w.plane, &api.RotateSecret, &api.RotateSecretRequest{SecretId: "app"}); !api.InvalidRequestException.Is(err) {
		w.Errorf("a rotation meanwhile: %v", err)
	}
	out := must(w, w.plane, &api.CancelRotateSecret, &api.CancelRotateSecretRequest{SecretId: "app"})
	if out.VersionId == nil || *out.VersionId != token {
		w.Errorf("cancelled: %v", out.VersionId)
	}
	w.passes(100 * 24 * time.Hour)
	w.wasTold("RotationStarted", "RotationAbandoned")
	if now := w.stages("app"); now["AWSCURRENT"] != was || now["AWSPENDING"] != token {
		w.Errorf("after the end: %v", now)
	}
	pending, _ := w.login("app", "AWSPENDING")
	w.logsIn("the pending password", pending, true)

	may(w, w.plane, w.functions+"SingleUser", "DescribeSecret", "GetSecretValue", "PutSecretValue", "GetRandomPassword", "UpdateSecretVersionStage")
	if again := w.begin("app", "SingleUser"); again != token {
		w.Errorf("the next rotation is to %s", again)
	}
	w.passes(time.Second)
	w.wasTold("RotationStarted", "RotationAbandoned", "RotationStarted", "RotationSucceeded")
	second, _ := w.login("app", "AWSCURRENT")
	if second != pending {
		w.Error("the next rotation has made another password")
	}
	w.logsIn("the old password", first, false)
	w.logsIn("the new password", second, true)
}

// deleted: a secret that is to be deleted midway in its rotation keeps both
// credentials; once it is restored the rotation is taken up again.
func deleted(w *rotation) {
	first, was := w.login("app", "AWSCURRENT")
	may(w, w.plane, w.functions+"SingleUser", "DescribeSecret", "GetSecretValue", "PutSecretValue", "GetRandomPassword")
	token := w.begin("app", "SingleUser")
	w.passes(time.Second) // the last step has failed for the first time
	must(w, w.plane, &api.DeleteSecret, &api.DeleteSecretRequest{SecretId: "app"})
	w.passes(24 * time.Hour)
	want := []string{"RotationStarted", "StartSecretVersionDelete", "StartSecretVersionDelete", "RotationAbandoned"}
	w.wasTold(want...)
	may(w, w.plane, w.functions+"SingleUser", "DescribeSecret", "GetSecretValue", "PutSecretValue", "GetRandomPassword", "UpdateSecretVersionStage")
	must(w, w.plane, &api.RestoreSecret, &api.RestoreSecretRequest{SecretId: "app"})
	if now := w.stages("app"); now["AWSCURRENT"] != was || now["AWSPENDING"] != token {
		w.Fatalf("after it was restored: %v", now)
	}
	pending, _ := w.login("app", "AWSPENDING")
	w.logsIn("the pending password", pending, true)
	w.passes(time.Hour + time.Second)
	w.wasTold(append(want, "CancelSecretVersionDelete", "CancelSecretVersionDelete", "RotationStarted", "RotationSucceeded")...)
	second, is := w.login("app", "AWSCURRENT")
	if is != token || second != pending {
		w.Errorf("%s is current, not what was made first", is)
	}
	w.logsIn("the old password", first, false)
	w.logsIn("the new password", second, true)
}

// windows: rotations fall due by themselves, and not when a value was put meanwhile.
func windows(w *rotation) {
	w.begin("app", "SingleUser")
	w.passes(time.Second)
	var seen []database.Login
	for range 3 {
		now, _ := w.login("app", "AWSCURRENT")
		for _, before := range seen {
			w.logsIn("a password of before", before, false)
		}
		w.logsIn("the current password", now, true)
		seen = append(seen, now)
		next := *must(w, w.plane, &api.DescribeSecret, &api.DescribeSecretRequest{SecretId: "app"}).NextRotationDate
		opens := next.Truncate(24 * time.Hour)
		w.passes(time.Until(opens) - time.Second)
		if same, _ := w.login("app", "AWSCURRENT"); same != now {
			w.Errorf("rotated before %s", opens)
		}
		w.passes(time.Until(next))
	}
	want := slices.Repeat([]string{"RotationStarted", "RotationSucceeded"}, 4)
	w.wasTold(want...)

	w.passes(20 * 24 * time.Hour)
	now, _ := w.login("app", "AWSCURRENT")
	must(w, w.plane, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "app", SecretString: new(w.text(w.Host, now, ""))})
	w.passes(20 * 24 * time.Hour)
	w.wasTold(want...)
	w.passes(12 * 24 * time.Hour)
	w.wasTold(slices.Repeat([]string{"RotationStarted", "RotationSucceeded"}, 5)...)
}

// replicas: a replica follows the rotation with values of its own.
func replicas(w *rotation) {
	const far = aws.Region("eu-west-1")
	there := func(stage string) (database.Login, string) {
		w.Helper()
		out, err := byRootIn(w, w.plane, w.plane.Account(), far, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: "app", VersionStage: &stage})
		if err != nil {
			w.Fatal(err)
		}
		return loginOf(w, out)
	}
	must(w, w.plane, &api.ReplicateSecretToRegions, &api.ReplicateSecretToRegionsRequest{SecretId: "app", AddReplicaRegions: []api.ReplicaRegionType{{Region: new(string(far))}}})
	first, was := there("AWSCURRENT")
	w.logsIn("the replica's password", first, true)
	token := w.begin("app", "SingleUser")
	w.passes(time.Second)
	second, is := there("AWSCURRENT")
	if _, before := there("AWSPREVIOUS"); is != token || before != was {
		w.Errorf("the replica has %s, and before it %s", is, before)
	}
	w.logsIn("the replica's old password", first, false)
	w.logsIn("the replica's new password", second, true)
	versions, err := byRootIn(w, w.plane, w.plane.Account(), far, &api.ListSecretVersionIds, &api.ListSecretVersionIdsRequest{SecretId: "app"})
	if err != nil || len(versions.Versions) != 2 {
		w.Errorf("the replica has %d versions: %v", len(versions.Versions), err)
	}
	if d := must(w, w.plane, &api.DescribeSecret, &api.DescribeSecretRequest{SecretId: "app"}); len(d.ReplicationStatus) != 1 || *d.ReplicationStatus[0].Status != api.StatusTypeInSync {
		w.Errorf("the state of the replica: %v", d.ReplicationStatus)
	}
	// The replica's value is its own: without the primary it reads all the same.
	if _, err := byRootIn(w, w.plane, w.plane.Account(), far, &api.StopReplicationToReplica, &api.StopReplicationToReplicaRequest{SecretId: "app"}); err != nil {
		w.Fatal(err)
	}
	must(w, w.plane, &api.DeleteSecret, &api.DeleteSecretRequest{SecretId: "app", ForceDeleteWithoutRecovery: new(true)})
	w.passes(time.Minute)
	if alone, _ := there("AWSCURRENT"); alone != second {
		w.Error("without the primary the replica says something else")
	}
}

// tested: without RotateImmediately the configuration is tried by testSecret, and
// nothing stays of it, also when an earlier rotation has left a version.
func tested(w *rotation) {
	first, was := w.login("app", "AWSCURRENT")
	later := func() string {
		w.Helper()
		return *must(w, w.plane, &api.RotateSecret, &api.RotateSecretRequest{SecretId: "app", RotateImmediately: new(false),
			RotationLambdaARN: new("arn:aws:lambda:us-east-1:" + string(w.plane.Account()) + ":function:" + w.functions + "SingleUser"),
			RotationRules:     &api.RotationRulesType{AutomaticallyAfterDays: new(int64(30))}}).VersionId
	}
	untouched := func(pending string) {
		w.Helper()
		if now := w.stages("app"); now["AWSCURRENT"] != was || now["AWSPENDING"] != pending {
			w.Errorf("after a test: %v", now)
		}
		versions := must(w, w.plane, &api.ListSecretVersionIds, &api.ListSecretVersionIdsRequest{SecretId: "app", IncludeDeprecated: new(true)}).Versions
		want := 1
		if pending != "" {
			want = 2
		}
		if len(versions) != want {
			w.Errorf("after a test the secret has %d versions, want %d", len(versions), want)
		}
		w.logsIn("after a test the password", first, true)
	}
	later()
	w.passes(time.Second)
	want := []string{"TestRotationStarted", "TestRotationSucceeded"}
	w.wasTold(want...)
	untouched("")

	w.Exec(w, w.alter+"'other'")
	later()
	w.passes(time.Second)
	want = append(want, "TestRotationStarted", "TestRotationFailed")
	w.wasTold(want...)
	w.Exec(w, w.alter+"'first'")
	untouched("")

	// What an unfinished rotation has left is kept, and the next one goes on from it.
	w.outside(w.Stop)
	left := w.begin("app", "SingleUser")
	w.passes(time.Minute)
	must(w, w.plane, &api.CancelRotateSecret, &api.CancelRotateSecretRequest{SecretId: "app"})
	w.starts()
	want = append(want, "RotationStarted", "RotationAbandoned")
	if test := later(); test == left {
		w.Error("the unfinished version itself is tested")
	}
	w.passes(time.Second)
	want = append(want, "TestRotationStarted", "TestRotationSucceeded")
	w.wasTold(want...)
	untouched(left)

	if again := w.begin("app", "SingleUser"); again != left {
		w.Errorf("the next rotation is to %s", again)
	}
	w.passes(time.Second)
	w.wasTold(append(want, "RotationStarted", "RotationSucceeded")...)
	second, _ := w.login("app", "AWSCURRENT")
	w.logsIn("the old password", first, false)
	w.logsIn("the new password", second, true)
}
