package iam

import (
	"sync"
	"sync/atomic"
	"testing"
)

// Guesses that come together are as many as those that come one after another.
func TestGuessesAreCountedBeforeTheyAreLookedAt(t *testing.T) {
	var g guesses
	var may atomic.Int32
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if g.may("serial", 7) {
				may.Add(1)
			}
		})
	}
	all.Wait()
	if may.Load() != guessesMost {
		t.Errorf("%d guesses", may.Load())
	}
	if g.may("serial", 6) {
		t.Error("a call that began in the step before has guesses of its own")
	}
	if !g.may("other", 7) || !g.may("serial", 8) {
		t.Error("another device or step has no guesses")
	}
	for range 100 {
		if !g.may("right", 8) {
			t.Fatal("codes that are right are counted")
		}
		g.right("right", 8)
	}
}
