package ssm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/engine/seal/sealtest"
	"sumun.dev/respond"
	"sumun.dev/store"
	"sumun.dev/store/sqlite"
)

// childFolder names the variable that makes the test binary a scheduler to be killed.
const childFolder = "SUMUN_TEST_SSM_FOLDER"

const (
	killedRuns = 30
	maxKills   = 15
)

// durable opens a world on disk, in real time.
func durable(t testing.TB, dir string) *world {
	t.Helper()
	backend, err := sqlite.Open(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, backend: backend, root: sealtest.RootIn(t, dir), runbooks: respond.Builtin()}
	w.begin()
	return w
}

// TestChild is the process that TestKilledProcesses kills.
func TestChild(t *testing.T) {
	dir := os.Getenv(childFolder)
	if dir == "" {
		t.Skip("is a part of TestKilledProcesses")
	}
	w := durable(t, dir)
	for {
		n := 0
		for _, d := range w.claim() {
			if d.Kind == jobStep {
				n++
			}
			if err := w.store.Update(w.in(d.Place.Account, d.Kind), func(ctx context.Context) error { return w.job(ctx, d) }); err != nil {
				t.Fatal(err)
			}
		}
		if n == 0 {
			break
		}
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestKilledProcesses: a scheduler that is killed again and again at random
// instants does every step of every run, once.
func TestKilledProcesses(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	w := durable(t, dir)
	err := w.store.Update(w.in(account, "set up"), func(ctx context.Context) error {
		if err := w.findings.Put(ctx, "finding-1", &finding{Workflow: "NEW"}); err != nil {
			return err
		}
		return w.domains.Put(ctx, listID, &domainList{})
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i := range killedRuns {
		in := block("responder")
		in.Parameters["Domain"] = []string{fmt.Sprintf("bad%d.example.com", i)}
		ids = append(ids, w.start(in))
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	kills := 0
	for kills < maxKills && !child(t, dir, time.Duration(5+rand.IntN(40)+10*kills)*time.Millisecond) {
		kills++
	}
	t.Logf("killed %d times", kills)
	if kills == maxKills && !child(t, dir, time.Minute) {
		t.Fatal("a scheduler that nobody kills comes to no end")
	}

	w = durable(t, dir)
	defer func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, id := range ids {
		if got := summary(w.get(id)); got != "Success: BlockDomain=Success ResolveFinding=Success" {
			t.Errorf("%s: %s", id, got)
		}
	}
	if l := w.blocked(); l.Updates != killedRuns || len(l.Domains) != killedRuns {
		t.Errorf("%d domains by %d updates, want %d", len(l.Domains), l.Updates, killedRuns)
	}
	if told := w.told(); len(told) != 3*killedRuns {
		t.Errorf("%d events, want %d", len(told), 3*killedRuns)
	}
	if page, err := w.service.running.In(store.Place{Account: account, Region: "us-east-1"}).Page(t.Context(), store.Range{}); err != nil || len(page) != 0 {
		t.Errorf("%d runs still run, %v", len(page), err)
	}
	if l := must(w, &ssmapi.DescribeAutomationExecutions, &ssmapi.DescribeAutomationExecutionsRequest{}); len(l.AutomationExecutionMetadataList) != killedRuns {
		t.Errorf("%d executions are listed", len(l.AutomationExecutionMetadataList))
	}
}

// child runs a scheduler for at most d, and reports whether it has come to its end.
func child(t *testing.T, dir string, d time.Duration) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childFolder+"="+dir, "GORACE=atexit_sleep_ms=0")
	done := make(chan error, 1)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { done <- cmd.Wait() }()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("the child failed by itself: %v", err)
		}
		return true
	case <-timer.C:
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Logf("kill: %v", err)
	}
	<-done
	return false
}
