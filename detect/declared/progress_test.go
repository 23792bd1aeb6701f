package declared

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/detect/window"
)

// TestStepsOfOneMomentComeInAnyOrder writes each story as steps and the seconds that
// they came at.
func TestStepsOfOneMomentComeInAnyOrder(t *testing.T) {
	start := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		why, story string
		want       bool
	}{
		{"in order", "0@1 1@2 2@3", true},
		{"in one second", "0@1 1@1 2@1", true},
		{"the last comes first", "2@1 1@1 0@1", true},
		{"the middle comes last", "0@1 2@1 1@1", true},
		{"begun before", "0@1 2@5 1@5", true},
		{"begun before, and again", "0@1 0@5 2@5 1@5", true},
		{"a second too early", "0@1 2@4 1@5", false},
		{"never begun", "2@1 1@1", false},
		{"one is missing", "2@1 0@1 2@2", false},
		{"too far apart", "0@1 1@2 2@3700", false},
	} {
		p := newProgress(3, time.Hour)
		var all []window.Event
		for n, step := range strings.Fields(c.story) {
			var i, second int
			if _, err := fmt.Sscanf(step, "%d@%d", &i, &second); err != nil {
				t.Fatal(err)
			}
			b, err := p.MarshalBinary() // a restart between any two changes nothing
			if err != nil {
				t.Fatal(err)
			}
			before := p.Held()
			p = newProgress(3, time.Hour)
			if err := p.UnmarshalBinary(b); err != nil || p.Held() != before {
				t.Fatalf("%s: %v, holds %d, not %d", c.why, err, p.Held(), before)
			}
			if done := p.step("ann", i, window.Event{At: start.Add(time.Duration(second) * time.Second), Note: fmt.Sprint(n)}); done != nil {
				all = done
			}
		}
		if (all != nil) != c.want || c.want && len(all) != 3 {
			t.Errorf("%s: %v", c.why, all)
		}
		if !slices.IsSortedFunc(all, func(a, b window.Event) int { return a.At.Compare(b.At) }) {
			t.Errorf("%s: %v", c.why, all)
		}
	}
}

func TestOneRecordIsOneStep(t *testing.T) {
	p := newProgress(2, time.Hour)
	e := window.Event{At: time.Unix(1, 0), Note: "the same"}
	if p.step("ann", 1, e) != nil || p.step("ann", 0, e) != nil {
		t.Error("one record was two steps")
	}
	if p.step("ann", 1, window.Event{At: e.At, Note: "another"}) == nil {
		t.Error("the next record was none")
	}
}

func TestWhatWaitsIsBounded(t *testing.T) {
	p := newProgress(3, time.Hour)
	for n := range 10_000 {
		p.step(fmt.Sprint(n%1000), 2, window.Event{At: time.Unix(1, 0), Note: fmt.Sprint(n)})
	}
	if n := len(p.early.Keys); n != maxEarly || p.Len() != 0 {
		t.Errorf("%d keys wait, %d have begun", n, p.Len())
	}
	p.step("x", 0, window.Event{At: time.Unix(2, 0)})
	if len(p.early.Keys) != 0 {
		t.Error("what came early waits longer than its moment")
	}
}

func TestProgressOfBefore(t *testing.T) {
	p := newProgress(2, time.Hour)
	if err := p.UnmarshalBinary([]byte(`[{"k":"ann","v":[{"t":"2026-03-03T09:00:00Z"}]}]`)); err != nil || p.next("ann") != 1 {
		t.Errorf("%v, the next step is %d", err, p.next("ann"))
	}
}
