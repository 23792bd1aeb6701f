package ssm

import (
	"context"
	"fmt"
	"testing"

	"sumun.dev/api/ssmapi"
	"sumun.dev/engine/seal/sealtest"
	"sumun.dev/respond"
	"sumun.dev/store"
	"sumun.dev/store/killtest"
)

const killedRuns = 30

// durable opens a world on disk, in real time.
func durable(t testing.TB, dir string) *world {
	t.Helper()
	w := &world{t: t, backend: killtest.Open(t, dir), root: sealtest.RootIn(t, dir), runbooks: respond.Builtin()}
	w.begin()
	return w
}

// TestChild is the process that TestKilledProcesses kills.
func TestChild(t *testing.T) {
	w := durable(t, killtest.Folder(t))
	killtest.Begin()
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
	killtest.Run(t, "TestChild", dir, nil)

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
