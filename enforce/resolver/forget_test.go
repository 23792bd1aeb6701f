package resolver_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	mdns "github.com/miekg/dns"

	"sumun.dev/enforce/resolver"
)

// After Forget a query is logged again, although its answer still lasts.
func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log sink
		s := start(t, resolver.Config{Log: &log}, snapshotOf(t))
		for want := 1; want <= 2; want++ {
			for range 2 {
				resolve(t, s, host, query(t, "good.test", mdns.TypeA))
			}
			synctest.Wait()
			if n := log.len(); n != want {
				t.Errorf("%d records, want %d", n, want)
			}
			s.Forget(func() {})
		}
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// What was queued before Forget does not reach the log that comes after.
func TestForgetDropsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log sink
		full := true
		log.before = func() error {
			if full {
				return errors.New("full")
			}
			return nil
		}
		s := start(t, resolver.Config{Log: &log}, snapshotOf(t))
		resolve(t, s, host, query(t, "good.test", mdns.TypeA)) // refused, comes again
		synctest.Wait()
		resolve(t, s, host, query(t, "good.test", mdns.TypeTXT)) // waits behind it
		swapped := false
		s.Forget(func() { swapped, full = true, false })
		resolve(t, s, host, query(t, "good.test", mdns.TypeAAAA))
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if !swapped || log.len() != 1 || log.records[0].Type != "AAAA" {
			t.Errorf("swapped %t, logged %+v", swapped, log.records)
		}
	})
}
