package plane

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/engine/database/databasetest"
	"sumun.dev/plane/config"
	"sumun.dev/store"
)

// killedRotation names the variable that makes the test binary a process that
// rotates a secret and dies of it; what it says is a fate.
const killedRotation = "SUMUN_TEST_KILLED_ROTATION"

// A fate says in which commit a process is killed: one of those that are about
// secrets or their rotations, counted from RotateSecret's.
type fate struct {
	Settings config.Config
	Function string
	Commit   int
	After    bool // else before
}

const killedToken = "11111111-1111-1111-1111-111111111111"

// A guillotine is a backend in whose commits the process dies.
type guillotine struct {
	store.Backend
	fate  fate
	armed atomic.Bool
	n     atomic.Int64
}

func (g *guillotine) Commit(ctx context.Context, b *store.Batch) error {
	if !g.armed.Load() || !ofSecrets(b) {
		return g.Backend.Commit(ctx, b)
	}
	now := g.n.Add(1)-1 == int64(g.fate.Commit)
	if now && !g.fate.After {
		die()
	}
	err := g.Backend.Commit(ctx, b)
	if now {
		die()
	}
	return err
}

// die is kill -9.
func die() {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func ofSecrets(b *store.Batch) bool {
	for i := range b.Writes {
		if strings.HasPrefix(b.Writes[i].Table, "secretsmanager") {
			return true
		}
	}
	for i := range b.Complete {
		if strings.HasPrefix(b.Complete[i].Kind, "secretsmanager.") {
			return true
		}
	}
	return false
}

// TestKilledRotationChild is the process that the tests below have killed.
func TestKilledRotationChild(t *testing.T) {
	text := os.Getenv(killedRotation)
	if text == "" {
		t.Skip("is a part of TestKilledRotation")
	}
	g := &guillotine{}
	if err := json.Unmarshal([]byte(text), &g.fate); err != nil {
		t.Fatal(err)
	}
	p, err := New(t.Context(), g.fate.Settings, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true,
		backend: func(b store.Backend) store.Backend { g.Backend = b; return g }})
	if err != nil {
		t.Fatal(err)
	}
	defer end(t, p)
	g.armed.Store(true)
	must(t, p, &api.RotateSecret, &api.RotateSecretRequest{SecretId: "app", ClientRequestToken: new(killedToken),
		RotationLambdaARN: new("arn:aws:lambda:us-east-1:" + string(p.Account()) + ":function:" + g.fate.Function), RotationRules: &api.RotationRulesType{AutomaticallyAfterDays: new(int64(30))}})
	for { // who started this process waits for its end
		d := must(t, p, &api.DescribeSecret, &api.DescribeSecretRequest{SecretId: "app"})
		if d.LastRotatedDate != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestKilledRotationOfPostgreSQL(t *testing.T) {
	s := databasetest.Postgres(t)
	s.Exec(t, "CREATE ROLE app LOGIN PASSWORD 'first'")
	killedRotations(t, &rotated{Server: s, functions: "SecretsManagerRDSPostgreSQLRotation", alter: "ALTER ROLE app PASSWORD "}, "SingleUser")
}

func TestKilledRotationOfMariaDB(t *testing.T) {
	s := databasetest.MariaDB(t)
	s.Exec(t, "CREATE USER app@'127.0.0.1' IDENTIFIED BY 'first'")
	killedRotations(t, &rotated{Server: s, functions: "SecretsManagerRDSMariaDBRotation", alter: "ALTER USER app@'127.0.0.1' IDENTIFIED BY "}, "MultiUser")
}

// killedRotations kills a process before and after each commit of a rotation. A
// version of the secret works then; after a restart the rotation comes to its end
// by itself.
func killedRotations(t *testing.T, s *rotated, strategy string) {
	first := t.TempDir()
	f := fate{Settings: config.Default(), Function: s.functions + strategy}
	f.Settings.Data = filepath.Join(first, "data")
	p, err := openDurable(t, f.Settings)
	if err != nil {
		t.Fatal(err)
	}
	prepare(t, p, s)
	end(t, p)
	each := 1
	if testing.Short() {
		each = 3
	}
	for ; ; f.Commit += each {
		for _, f.After = range []bool{false, true} {
			s.Exec(t, s.alter+"'first'")
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(first)); err != nil {
				t.Fatal(err)
			}
			f.Settings.Data = filepath.Join(dir, "data")
			if err := os.Chmod(filepath.Join(f.Settings.Data, RootKeyFile), 0o600); err != nil { // copies are open to all
				t.Fatal(err)
			}
			f.Settings.Databases = []config.Database{{Name: "app", Engine: string(s.Engine), Host: s.Host, Port: s.Port}}
			if !dies(t, f) {
				if f.Commit < 8 {
					t.Fatalf("a rotation has %d commits only", f.Commit)
				}
				return
			}
			now := time.Now()
			t.Run(fmt.Sprintf("commit %d, after %t", f.Commit, f.After), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Until(now))
					survives(t, s, f)
				})
			})
		}
	}
}

func openDurable(t *testing.T, cfg config.Config) (*Plane, error) {
	return New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true})
}

// dies runs a process that rotates, and reports whether it was killed.
func dies(t *testing.T, f fate) bool {
	t.Helper()
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledRotationChild$")
	cmd.Env = append(os.Environ(), killedRotation+"="+string(text))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Run()
	if err == nil {
		return false
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the process failed by itself: %v\n%s", err, said.Bytes())
	}
	return true
}

// survives opens the plane on what a process has left.
func survives(t *testing.T, s *rotated, f fate) {
	// Without a database nothing goes on there: what the process has left is tried. The
	// last step needs none; when it moves the labels meanwhile, they are read again.
	without := f.Settings
	without.Databases = nil
	p, err := openDurable(t, without)
	if err != nil {
		t.Fatal(err)
	}
	works := false
	for _, stage := range []string{"AWSCURRENT", "AWSPENDING", "AWSCURRENT"} {
		out, err := byRoot(t, p, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: "app", VersionStage: &stage})
		if err != nil {
			continue
		}
		login, _ := loginOf(t, out)
		works = works || s.Try(t.Context(), login) == nil
	}
	if !works {
		t.Error("no version of the secret logs in")
	}
	end(t, p)

	if p, err = openDurable(t, f.Settings); err != nil {
		t.Fatal(err)
	}
	defer end(t, p)
	w := &rotation{T: t, rotated: s, plane: p}
	w.passes(time.Minute)
	now, is := w.login("app", "AWSCURRENT")
	w.logsIn("the current credential", now, true)
	if f.Commit == 0 && !f.After { // nothing was begun
		if labels := w.stages("app"); is == killedToken || labels["AWSPENDING"] != "" {
			t.Errorf("of a call that was not done there is %v", labels)
		}
		return
	}
	if is != killedToken {
		t.Errorf("the rotation has not come to its end: %v", w.stages("app"))
	}
	if before, _ := w.login("app", "AWSPREVIOUS"); before.User == now.User {
		w.logsIn("the old password", before, false)
	}
}
