package resolver_test

import (
	"context"
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
			s.Forget()
		}
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
