package window

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds int) Event { return Event{At: start.Add(time.Duration(seconds) * time.Second)} }

func TestEnoughWithinTheSpan(t *testing.T) {
	c := New(3, 10*time.Second, 10)
	for _, step := range []struct {
		key    string
		at     int
		enough bool
	}{
		{"a", 0, false}, {"a", 5, false}, {"b", 6, false}, {"a", 10, true}, {"a", 16, false}, {"a", 20, true},
		{"a", 31, false}, {"a", 32, false}, {"a", 30, true}, // out of order
		{"a", 1, false}, // too old to matter
	} {
		if got := c.Add(step.key, at(step.at)); (got != nil) != step.enough {
			t.Errorf("%s at %d: %v", step.key, step.at, got)
		}
	}
}

func TestDistinctValues(t *testing.T) {
	c := New(2, time.Minute, 10)
	add := func(value string, second int) bool {
		e := at(second)
		e.Value = value
		return c.Add("k", e) != nil
	}
	if add("x", 0) || add("x", 1) || add("x", 50) {
		t.Error("one value is enough")
	}
	if !add("y", 100) {
		t.Error("x was last seen 50 s before, and is not counted")
	}
	c.Forget("k")
	if add("y", 101) || c.Len() != 1 {
		t.Error("what is forgotten is counted")
	}
}

func TestQuietKeysAreForgotten(t *testing.T) {
	c := New(2, time.Hour, 3)
	for i := range 4 {
		c.Add(fmt.Sprint(i), at(i))
	}
	if c.Len() != 3 || c.Add("0", at(9)) != nil || c.Add("3", at(9)) == nil {
		t.Errorf("%d keys", c.Len())
	}
}

// A counter that is written and read in the middle counts as one that never was.
func TestSavedInTheMiddle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	one, other := New(4, 30*time.Second, 5), New(4, 30*time.Second, 5)
	for i := range 2000 {
		if i%17 == 0 {
			b, err := other.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			other = New(4, 30*time.Second, 5)
			if err := other.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
		}
		key, e := fmt.Sprint(r.IntN(8)), at(i+r.IntN(9))
		if r.IntN(2) == 0 {
			e.Value = fmt.Sprint(r.IntN(6))
		}
		if a, b := one.Add(key, e), other.Add(key, e); fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("%d: %v, %v", i, a, b)
		}
	}
	if err := other.UnmarshalBinary([]byte("{")); err == nil {
		t.Error("rubbish is read")
	}
}

// Keys whose events are too old for anything to add up with are not kept.
func TestOldKeysAreDropped(t *testing.T) {
	c := New(2, 10*time.Second, 1000)
	for i := range 500 {
		c.Add(fmt.Sprint(i), at(i))
		if c.Len() > 25 {
			t.Fatalf("%d keys after %d seconds", c.Len(), i)
		}
	}
	if c.Add("499", at(505)) == nil || c.Add("480", at(506)) != nil {
		t.Error("what belongs together is dropped, or what does not is counted")
	}
	// One forged time makes it forget next to nothing.
	far := c.Len()
	c.Add("x", at(1<<30))
	if c.Len() < far-2 {
		t.Errorf("%d keys of %d", c.Len(), far)
	}
}
