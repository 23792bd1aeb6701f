package guardduty

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source/dns"
	"sumun.dev/finding"
	"sumun.dev/store"
)

// counts are what a running GuardDuty has seen.
type counts struct{ malformed atomic.Uint64 }

// Malformed returns how many DNS records could not be read and were skipped.
func (s *Service) Malformed() uint64 { return s.counts.malformed.Load() }

// queries looks for what is suspicious in a batch of DNS queries of one account
// and region. A record that cannot be read is counted and skipped, so that it
// does not keep the others waiting for ever.
func (s *Service) queries(ctx context.Context, events []aws.Event) error {
	call := aws.CallOf(ctx)
	if _, err := s.listsOf(store.Place{Account: call.Account, Region: call.Region}); err != nil {
		return err
	}
	reader := dns.NewReader()
	var found []finding.Suspicion
	var unread error
	for i := range events {
		r, err := reader.Read(events[i].Data)
		if err != nil {
			s.counts.malformed.Add(1)
			unread = err
			continue
		}
		if r.DNS.Instance == "" {
			continue // no resource of the account's: there would be nothing to respond on
		}
		r.Account, r.Region, r.ID = call.Account, call.Region, events[i].ID
		s.see(r, func(one finding.Suspicion) { found = append(found, one) })
	}
	if unread != nil {
		s.env.Log.Warn("DNS query records cannot be read, are skipped", "skipped", s.Malformed(), "last", unread)
	}
	if len(found) == 0 {
		return nil
	}
	d, err := s.detector(ctx)
	if err != nil || d == nil || !d.Enabled {
		return err
	}
	return s.keep(ctx, d, found, false)
}

// see lets the engine judge a record.
func (s *Service) see(r *record.Record, found func(finding.Suspicion)) {
	s.judging.Lock()
	defer s.judging.Unlock()
	s.engine().See(r, found)
}

// keep adds suspicions to the findings they belong to, each finding written once.
func (s *Service) keep(ctx context.Context, d *detector, found []finding.Suspicion, sample bool) error {
	home, now := s.home(ctx, d), time.Now()
	suppress, err := s.suppression(ctx)
	if err != nil {
		return err
	}
	changed := map[string]*kept{}
	var order []string
	for _, one := range found {
		id := one.In(home)
		k := changed[id]
		if k != nil {
			k.Again(one, now)
			continue
		}
		k, err := s.findings.Get(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			k = &kept{Finding: *finding.Open(home, one, now)}
			k.Sample = sample
			k.Suppressed = suppress(k)
			k.Archived = k.Suppressed
		case err != nil:
			return err
		default:
			k.Again(one, now)
		}
		changed[id] = k
		order = append(order, id)
	}
	for _, id := range order {
		if err := s.tell(ctx, d, changed[id], now); err != nil {
			return err
		}
	}
	return nil
}
