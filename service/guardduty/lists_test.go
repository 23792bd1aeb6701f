package guardduty

import (
	"errors"
	"testing"
	"testing/synctest"

	"sumun.dev/detect/intel"
	"sumun.dev/store"
)

// Whoever needs a place's lists while they are compiled waits for them; what changes
// meanwhile is compiled again, and what fails is tried again by the next.
func TestListsAreWaitedFor(t *testing.T) {
	place, administrator := store.Place{Account: other, Region: "us-east-1"}, store.Place{Account: account, Region: "us-east-1"}
	synctest.Test(t, func(t *testing.T) {
		l := &loaded{places: map[store.Place]*compiling{}, compiled: map[store.Place]map[string]compiled{}}
		step, failure := make(chan error), errors.New("the store is away")
		compiles, uses, back := 0, 0, make(chan error, 2)
		have := func() {
			back <- l.have(place, func(r *compiling) ([]*intel.List, error) {
				compiles++
				l.mu.Lock()
				r.of = administrator
				l.mu.Unlock()
				return nil, <-step
			}, func([]*intel.List) { uses++ })
		}
		both := func(compiled, used int, want error, steps ...func() error) {
			t.Helper()
			go have()
			synctest.Wait()
			go have()
			for _, s := range steps {
				synctest.Wait()
				if len(back) > 0 {
					t.Fatal("somebody has not waited")
				}
				step <- s()
			}
			if a, b := <-back, <-back; !errors.Is(a, want) || !errors.Is(b, want) || compiles != compiled || uses != used {
				t.Errorf("%v, %v after %d compilings, %d in use", a, b, compiles, uses)
			}
		}
		good := func() error { return nil }
		both(1, 0, failure, func() error { return failure })
		// The administrator's sets change while they are read.
		both(3, 1, nil, func() error { l.changed(store.Change{Place: administrator}); return nil }, good)
		both(3, 1, nil)
		l.changed(store.Change{Place: place})
		both(4, 2, nil, good)
	})
}
