package secretsmanager

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal/sealtest"
	"sumun.dev/store"
	"sumun.dev/store/killtest"
	"sumun.dev/wire"
)

const abroad = aws.Region("eu-west-1")

// What happens to each secret, step by step. The last step depends on the secret: it
// falls due for deletion, is deleted by force, or leaves a replica that stands alone.
const (
	created = iota + 1
	replicated
	changed
	ended
)

const killedSecrets = 18

func durableWorld(t testing.TB, folder string) *world {
	w := newWorld(t)
	w.backend, w.root = killtest.Open(t, folder), sealtest.RootIn(t, folder)
	w.begin()
	return w
}

func (w *world) close() {
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

// elsewhere is the same world, called in another region.
func (w *world) elsewhere(r aws.Region) *world {
	same, call := *w, *aws.CallOf(w.ctx)
	call.Region = r
	same.ctx = aws.WithCall(w.t.Context(), &call)
	return &same
}

// again does what may have been done before the process was killed: then it is
// refused with an error of this kind.
func again[In, Out any](w *world, done aws.ErrorKind, op *wire.Operation[In, Out], in In) {
	w.t.Helper()
	if _, err := do(w, op, in); err != nil && !done.Is(err) {
		w.t.Fatalf("%s: %v", op.Name, err)
	}
}

// acknowledged is how far each secret has come, as far as somebody was told.
func acknowledged(t testing.TB, folder string) map[int]int {
	text, err := os.ReadFile(filepath.Join(folder, "journal"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	far := map[int]int{}
	for line := range strings.Lines(string(text)) {
		var i, step int
		if _, err := fmt.Sscan(line, &i, &step); err != nil {
			t.Fatalf("journal: %q: %v", line, err)
		}
		far[i] = step
	}
	return far
}

// TestKilledSecretsProcess is the process that TestKilledSecrets kills.
func TestKilledSecretsProcess(t *testing.T) {
	folder := killtest.Folder(t)
	w := durableWorld(t, folder)
	defer w.close()
	far := acknowledged(t, folder)
	journal, err := os.OpenFile(filepath.Join(folder, "journal"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	killtest.Begin()
	w.settle()
	for i := range killedSecrets {
		for step := far[i] + 1; step <= ended; step++ {
			w.step(i, step)
			if _, err := fmt.Fprintln(journal, i, step); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (w *world) step(i, step int) {
	w.t.Helper()
	name := fmt.Sprint("s", i)
	switch step {
	case created:
		must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: name, SecretString: new("one"), ClientRequestToken: token(1)})
	case replicated:
		again(w, api.InvalidParameterException, &api.ReplicateSecretToRegions, &api.ReplicateSecretToRegionsRequest{SecretId: name, AddReplicaRegions: []api.ReplicaRegionType{{Region: new(string(abroad))}}})
	case changed:
		must(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: name, SecretString: new("two"), ClientRequestToken: token(2)})
	case ended:
		w.end(i, name)
	}
}

func (w *world) end(i int, name string) {
	w.t.Helper()
	if i%3 == 2 {
		again(w.elsewhere(abroad), api.InvalidRequestException, &api.StopReplicationToReplica, &api.StopReplicationToReplicaRequest{SecretId: name})
	} else {
		_, err := do(w, &api.RemoveRegionsFromReplication, &api.RemoveRegionsFromReplicationRequest{SecretId: name, RemoveReplicaRegions: []string{string(abroad)}})
		if err != nil && !api.InvalidParameterException.Is(err) && !api.InvalidRequestException.Is(err) && !api.ResourceNotFoundException.Is(err) {
			w.t.Fatal(err)
		}
	}
	if i%3 != 0 {
		must(w, &api.DeleteSecret, &api.DeleteSecretRequest{SecretId: name, ForceDeleteWithoutRecovery: new(true)})
		return
	}
	_, err := do(w, &api.DeleteSecret, &api.DeleteSecretRequest{SecretId: name})
	if err != nil && !api.InvalidRequestException.Is(err) && !api.ResourceNotFoundException.Is(err) {
		w.t.Fatal(err)
	}
	w.endWindow(name)
	w.settle()
}

// endWindow ends the recovery window of a secret, if it is still there.
func (w *world) endWindow(name string) {
	w.t.Helper()
	err := w.store.Update(w.ctx, func(ctx context.Context) error {
		sec, err := w.service.secret(ctx, name)
		if api.ResourceNotFoundException.Is(err) {
			return nil
		}
		if err != nil {
			return err
		}
		sec.Deletion = new(time.Now().Add(-time.Second))
		store.Schedule(ctx, store.Due{Kind: deletion, ID: sec.ID, At: *sec.Deletion})
		return w.service.save(ctx, sec)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestKilledSecrets: secrets are made, replicated, changed and deleted by a process
// that is killed again and again. At each instant every secret that is there has
// a current version that opens, every replica is in step with its primary and
// encrypted on its own, nothing that was acknowledged is lost, and nothing is left
// of what was deleted.
func TestKilledSecrets(t *testing.T) {
	folder := t.TempDir()
	killtest.Run(t, "TestKilledSecretsProcess", folder, func() { wholeIn(t, folder) })
	wholeIn(t, folder)
	w := durableWorld(t, folder)
	defer w.close()
	for i := range killedSecrets {
		name := fmt.Sprint("s", i)
		if _, err := do(w, &api.DescribeSecret, &api.DescribeSecretRequest{SecretId: name}); !api.ResourceNotFoundException.Is(err) {
			t.Errorf("%s: %v", name, err)
		}
		_, err := do(w.elsewhere(abroad), &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: name, SecretString: new("three")})
		if alone := i%3 == 2; alone && err != nil || !alone && !api.ResourceNotFoundException.Is(err) {
			t.Errorf("%s in %s: %v", name, abroad, err)
		}
	}
}

func wholeIn(t *testing.T, folder string) {
	t.Helper()
	far := acknowledged(t, folder)
	w := durableWorld(t, folder)
	defer w.close()
	home, there := w.whole(), w.elsewhere(abroad).whole()
	for i, step := range far {
		name := fmt.Sprint("s", i)
		if step < ended-1 && home[name] == "" || step == changed && home[name] != "two" && home[name] != "" {
			t.Errorf("%s has come to step %d, and is %q", name, step, home[name])
		}
		if step == replicated && there[name] == "" || step == ended && i%3 == 2 && there[name] != "two" {
			t.Errorf("%s has come to step %d, and its replica is %q", name, step, there[name])
		}
	}
}

// whole fails the test when a secret of a region is there in part only, and returns
// the current values.
func (w *world) whole() map[string]string {
	w.t.Helper()
	secrets, err := w.service.secrets.Page(w.ctx, store.Range{})
	if err != nil {
		w.t.Fatal(err)
	}
	values, versions := map[string]string{}, 0
	for _, e := range secrets {
		sec := e.Value.at(aws.CallOf(w.ctx).ARN("secretsmanager", "secret:"+e.ID))
		for id := range sec.Versions {
			if v := w.opens(sec, id); id == sec.Stages[current] {
				values[sec.Name] = v
			}
			versions++
		}
		if values[sec.Name] == "" {
			w.t.Errorf("%s has no current version in %s", sec.Name, sec.arn.Region)
		}
		w.inStep(sec)
	}
	rows, err := w.service.versions.Page(w.ctx, store.Range{})
	if err != nil || len(rows) != versions {
		w.t.Errorf("%d secrets have %d versions, and %d are kept; %v", len(secrets), versions, len(rows), err)
	}
	places, err := w.service.order.Page(w.ctx, store.Range{})
	if err != nil || len(places) != (len(byDate)+1)*len(secrets) {
		w.t.Errorf("%d secrets have %d places; %v", len(secrets), len(places), err)
	}
	return values
}

func (w *world) opens(sec *secret, id string) string {
	w.t.Helper()
	v, err := w.service.version(w.ctx, sec, id)
	if err != nil {
		w.t.Errorf("%s: %v", sec.arn, err)
		return ""
	}
	c, err := w.service.open(w.ctx, sec, v)
	if err != nil {
		w.t.Errorf("%s: %v", sec.arn, err)
	}
	return string(c.Bytes)
}

// inStep fails the test when a secret and its replica do not agree.
func (w *world) inStep(sec *secret) {
	w.t.Helper()
	if sec.isReplica() {
		from, err := w.service.named(w.ctx, sec.in(sec.Primary), sec.Name)
		if err != nil || from == nil || from.replicaIn(string(sec.arn.Region)) < 0 {
			w.t.Errorf("%s follows a secret that knows nothing of it; %v", sec.arn, err)
		}
		return
	}
	for _, r := range sec.Replicas {
		to, err := w.service.named(w.ctx, sec.in(r.Region), sec.Name)
		if err != nil || to == nil || r.Status != string(api.StatusTypeInSync) {
			w.t.Errorf("%s is %s in %s, %v", sec.arn, r.Status, r.Region, err)
			continue
		}
		id := sec.Stages[current]
		if to.Stages[current] != id || w.elsewhere(aws.Region(r.Region)).opens(to, id) != w.opens(sec, id) {
			w.t.Errorf("%s has another value in %s", sec.arn, r.Region)
		}
		mine, err := w.service.version(w.ctx, sec, id)
		theirs, failed := w.service.version(w.ctx, to, id)
		if err != nil || failed != nil || bytes.Equal(mine.DataKey, theirs.DataKey) {
			w.t.Errorf("%s has no data key of its own in %s; %v, %v", sec.arn, r.Region, err, failed)
		}
	}
}
