// Package storetest holds every store backend to the same promises.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// A Maker makes an empty backend for one test. It closes it at the test's end.
// again, when not nil, closes the backend and opens it anew on the same data.
type Maker func(t *testing.T) (b store.Backend, again func() store.Backend)

// Run runs the suite over the backends that open makes, with rows sealed by seal.
func Run(t *testing.T, seal store.Sealer, open Maker) {
	tests := map[string]func(*testing.T, *world){
		"unit/get_put_delete":               getPutDelete,
		"unit/places_are_apart":             placesAreApart,
		"unit/private_copies":               privateCopies,
		"unit/writes_need_a_unit":           writesNeedAUnit,
		"unit/finished_units_stay_finished": finishedUnits,
		"unit/savepoints":                   savepoints,
		"unit/update_joins":                 updateJoins,
		"unit/hooks":                        hooks,
		"unit/bounds":                       bounds,
		"unit/ids":                          ids,
		"conflict/changed_row":              changedRow,
		"conflict/absent_row":               absentRow,
		"conflict/deleted_and_made_again":   deletedAndMadeAgain,
		"conflict/phantom":                  phantom,
		"conflict/reread":                   reread,
		"conflict/nothing_is_written":       nothingIsWritten,
		"conflict/update_retries":           updateRetries,
		"page/order_and_bounds":             pageOrder,
		"page/own_writes":                   pageOwnWrites,
		"page/everywhere":                   everywhere,
		"page/against_a_model":              againstModel,
		"index/pages":                       indexPages,
		"index/own_writes":                  indexOwnWrites,
		"index/moves_with_the_row":          indexMoves,
		"sealed/rows_are_opaque":            rowsAreOpaque,
		"sealed/rows_cannot_be_swapped":     rowsCannotBeSwapped,
		"sealed/wrong_key":                  wrongKey,
		"outbox/with_the_commit":            outboxWithCommit,
		"outbox/release":                    outboxRelease,
		"outbox/several_relays":             outboxSeveral,
		"outbox/damaged":                    outboxDamaged,
		"due/damaged":                       dueDamaged,
		"due/order_and_lease":               dueOrder,
		"due/fence":                         dueFence,
		"due/replace_and_unschedule":        dueReplace,
		"due/several_schedulers":            dueSeveral,
		"watch/changes":                     watchChanges,
		"race/transfers":                    transfers,
		"race/limit":                        limit,
		"race/readers_see_whole_units":      wholeUnits,
		"durable/reopened":                  reopened,
		"reseal/all":                        resealAll,
		"reseal/unnoticed":                  resealUnnoticed,
		"reseal/resumes":                    resealResumes,
		"reseal/races_writes":               resealRaces,
		"reseal/overtaken":                  resealOvertaken,
		"reseal/without_the_key":            resealWithoutTheKey,
		"reseal/waits_for_the_key":          resealWaits,
		"reseal/needs_the_old_key":          resealNeedsTheOldKey,
		"reseal/damaged":                    resealDamaged,
		"reseal/restored":                   resealRestored,
		"reseal/restored_damaged":           resealRestoredDamaged,
		"dump/round_trip":                   dumpRoundTrip,
		"dump/one_instant":                  dumpOneInstant,
		"dump/damaged":                      dumpDamaged,
		"dump/into_full":                    dumpIntoFull,
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) {
			w := &world{seal: seal, open: open}
			w.backend, w.again = open(t)
			w.Store = store.Open(w.backend, seal)
			tests[name](t, w)
		})
	}
}

// A world is a store for one test.
type world struct {
	*store.Store
	seal    store.Sealer
	open    Maker
	backend store.Backend
	again   func() store.Backend
}

var (
	here  = store.Place{Account: "111122223333", Region: "eu-central-1"}
	there = store.Place{Account: "111122223333", Region: "us-east-1"}
	other = store.Place{Account: "444455556666", Region: "eu-central-1"}
)

type item struct {
	Name  string
	Count int
	Tags  []string
}

// items is the table that most tests use, indexed by the items' tags. It is hot: its
// rows in memory must not be told from those in the backend.
func (w *world) items() *store.Table[item] {
	return store.NewTable(w.Store, "test.items", store.Hot[item](), store.Index("tag", func(i *item) []string { return i.Tags })).In(here)
}

// plain is a table without indexes, of which nothing is in memory.
func (w *world) plain() *store.Table[item] {
	return store.NewTable[item](w.Store, "test.plain").In(here)
}

func (w *world) do(t *testing.T, fn func(ctx context.Context) error) {
	t.Helper()
	if err := w.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// put commits items under their names.
func (w *world) put(t *testing.T, table *store.Table[item], items ...item) {
	t.Helper()
	w.do(t, func(ctx context.Context) error {
		for _, i := range items {
			if err := table.Put(ctx, i.Name, &i); err != nil {
				return err
			}
		}
		return nil
	})
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func wantIDs(t *testing.T, what string, page []store.Entry[item], err error, want ...string) {
	t.Helper()
	var got []string
	for _, e := range page {
		got = append(got, e.ID)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: %v, %v; want %v", what, got, err, want)
	}
}

func event(id string) aws.Event {
	return aws.Event{Stream: "test", ID: id, Type: "Tested", Account: here.Account, Region: here.Region, Data: []byte(`{"id":"` + id + `"}`)}
}

func name(n int) string { return fmt.Sprintf("item-%04d", n) }
