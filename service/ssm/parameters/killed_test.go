package parameters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/engine/seal/sealtest"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/duetest"
	"sumun.dev/store/killtest"
)

const (
	killedParameters = 60
	lateParameter    = "/late" // whose time has not come
	far              = `[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2199-01-01T00:00:00Z"}},` +
		`{"Type":"ExpirationNotification","Version":"1.0","Attributes":{"Before":"1","Unit":"Days"}}]`
)

func durableWorld(t testing.TB, folder string) *world {
	return worldOn(t, store.Open(killtest.Open(t, folder), sealtest.RootIn(t, folder)), false)
}

func (w *world) close() {
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

// settle does all that is due.
func (w *world) settle() {
	w.t.Helper()
	jobs := w.service.Jobs()
	duetest.Settle(w.t, w.store, func(store.Due) context.Context { return w.ctx }, func(ctx context.Context, d store.Due) error {
		return jobs[slices.IndexFunc(jobs, func(j service.Job) bool { return j.Kind == d.Kind })].Run(ctx, d)
	})
}

func (w *world) told() int {
	w.t.Helper()
	records, err := w.store.ClaimOutbox(w.t.Context(), 10_000)
	w.must(err)
	return len(records)
}

// TestKilledExpirationsProcess is the process that TestKilledExpirations kills.
func TestKilledExpirationsProcess(t *testing.T) {
	w := durableWorld(t, killtest.Folder(t))
	defer w.close()
	killtest.Begin()
	w.settle()
}

// TestKilledExpirations: parameters that expire while the process is killed again and
// again go whole, with their versions, and are told of once: the notice, the
// expiration, the deletion. One whose time has not come keeps its value.
func TestKilledExpirations(t *testing.T) {
	folder := t.TempDir()
	w := durableWorld(t, folder)
	for i := range killedParameters {
		name := fmt.Sprint("/killed/", i)
		w.putFar(name)
		w.must(w.overwrite(name, "second"))
		w.must(w.store.Update(w.ctx, func(ctx context.Context) error {
			p, err := w.service.parameters.Get(ctx, name)
			if err != nil {
				return err
			}
			for at := range p.Policies { // the notice first
				p.Policies[at].At = time.Now().Add(-time.Duration(at+1) * time.Second)
			}
			schedule(ctx, p)
			return w.service.parameters.Put(ctx, name, p)
		}))
	}
	w.putFar(lateParameter)
	before := w.told()
	w.close()

	gone := 0
	check := func() {
		w := durableWorld(t, folder)
		defer w.close()
		gone = 0
		for i := range killedParameters {
			if !w.wholeOrGone(fmt.Sprint("/killed/", i)) {
				gone++
			}
		}
	}
	killtest.Run(t, "TestKilledExpirationsProcess", folder, check)
	if check(); gone != killedParameters {
		t.Errorf("%d of %d parameters are gone", gone, killedParameters)
	}
	w = durableWorld(t, folder)
	defer w.close()
	out, err := do(w, w.service.getParameter, &ssmapi.GetParameterRequest{Name: lateParameter})
	if err != nil || *out.Parameter.Value != "first" {
		t.Errorf("the one that is not due: %v", err)
	}
	if told := w.told() - before; told != 3*killedParameters {
		t.Errorf("%d events of %d parameters, want three of each", told, killedParameters)
	}
}

func (w *world) putFar(name string) {
	w.t.Helper()
	_, err := do(w, w.service.putParameter, &ssmapi.PutParameterRequest{
		Name: name, Value: "first", Type: new(ssmapi.ParameterTypeString), Tier: new(ssmapi.ParameterTierAdvanced), Policies: new(far),
	})
	w.must(err)
}

// wholeOrGone reports whether a parameter is there, and fails the test when it is in
// part only.
func (w *world) wholeOrGone(name string) bool {
	w.t.Helper()
	p, err := w.service.parameters.Get(w.ctx, name)
	there := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		w.t.Fatal(err)
	}
	old, err := w.service.versions.Get(w.ctx, versionID(name, 1))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		w.t.Fatal(err)
	}
	if there != (err == nil) || there && (p.Value != "second" || old.Value != "first") {
		w.t.Errorf("%s is there: %v, its first version: %v", name, there, err)
	}
	return there
}
