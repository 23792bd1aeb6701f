package gateway

import (
	"context"
	"errors"
	"sync"
	"testing"

	"sumun.dev/aws"
)

func TestTurnsComeOneByOne(t *testing.T) {
	var all turns
	var wait sync.WaitGroup
	n := 0 // guarded by the turn
	for range 50 {
		wait.Go(func() {
			done, err := all.wait(t.Context(), &aws.Call{Account: "111122223333", Service: "iam"})
			if err != nil {
				t.Error(err)
				return
			}
			defer done()
			n++
		})
	}
	wait.Wait()
	if n != 50 || len(all.lines) != 0 {
		t.Errorf("%d turns, %d lines left", n, len(all.lines))
	}
}

func TestTurnsOfOthersAreNotWaitedFor(t *testing.T) {
	var all turns
	done, err := all.wait(t.Context(), &aws.Call{Account: "111122223333", Service: "iam"})
	if err != nil {
		t.Fatal(err)
	}
	other, err := all.wait(t.Context(), &aws.Call{Account: "444455556666", Service: "iam"})
	if err != nil {
		t.Fatal(err)
	}
	other()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := all.wait(gone, &aws.Call{Account: "111122223333", Service: "iam"}); !errors.Is(err, context.Canceled) {
		t.Errorf("who has left got %v", err)
	}
	done()
	if len(all.lines) != 0 {
		t.Errorf("%d lines left", len(all.lines))
	}
}
