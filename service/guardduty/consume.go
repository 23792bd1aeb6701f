package guardduty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/detect/source/dns"
	"sumun.dev/finding"
	"sumun.dev/service"
	"sumun.dev/store"
)

// counts are what a running GuardDuty has seen.
type counts struct{ malformed atomic.Uint64 }

// Malformed returns how many records could not be read and were skipped.
func (s *Service) Malformed() uint64 { return s.counts.malformed.Load() }

// Followers lists what GuardDuty judges: the trail, the query log of all resolvers,
// and logs that were sent in.
func (s *Service) Followers() []service.Follower {
	return []service.Follower{
		{Name: "guardduty-dns", Stream: aws.DNSStream, MaxBatch: 1024, New: func() service.Memory { return s.newWatcher(aws.DNSStream, queries()) }},
		{Name: "guardduty-trail", Stream: aws.TrailStream, MaxBatch: 1024, Linger: 200 * time.Millisecond, New: func() service.Memory { return s.newWatcher(aws.TrailStream, deed) }},
		{Name: "guardduty-ingest", Stream: aws.IngestStream, MaxBatch: 64, New: func() service.Memory { return s.newWatcher(aws.IngestStream, log) }},
	}
}

// queries returns what reads an event of the query log.
func queries() func(*aws.Event, func(*record.Record)) error {
	reader := dns.NewReader()
	return func(e *aws.Event, take func(*record.Record)) error {
		r, err := reader.Read(e.Data)
		if err == nil && r.DNS.Instance != "" { // else there would be nothing to respond on
			take(r)
		}
		return err
	}
}

// deed reads an event of the trail.
func deed(e *aws.Event, take func(*record.Record)) error {
	r, err := cloudtrail.Read(e.Data)
	if err == nil {
		take(r)
	}
	return err
}

// log reads an event with records of a log that was sent in. Times that no clock of
// AWS can have told would age what is known of others: such records are skipped.
func log(e *aws.Event, take func(*record.Record)) error {
	var text string
	if err := json.Unmarshal(e.Data, &text); err != nil {
		return err
	}
	var report source.Report
	strange := 0
	err := source.Read(e.Stream, []byte(text), &report, func(r *record.Record) {
		if r.Strange(e.Time) {
			strange++
			return
		}
		take(r)
	})
	if err != nil {
		return err
	}
	if strange > 0 {
		return fmt.Errorf("%d records of a log that was sent in lie before AWS began, or in the future", strange)
	}
	if n := report.Unread(); n > 0 {
		return fmt.Errorf("%d records of a log that was sent in: %s", n, report.Bad[0].Why)
	}
	return nil
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
	found = slices.Clone(found) // attacks are added
	groups := together{s: s, d: d, by: map[string]*group{}}
	for i := 0; i < len(found); i++ {
		one := found[i]
		id := one.In(home)
		k := changed[id]
		if k == nil {
			var err error
			k, err = s.findings.Get(ctx, id)
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
		} else {
			k.Again(one, now)
		}
		if sample || k.Archived { // by hand or by a filter: it is no part of an attack
			continue
		}
		attack, err := groups.add(ctx, one)
		if err != nil {
			return err
		}
		if attack != nil {
			found = append(found, *attack)
		}
	}
	if err := groups.keep(ctx, now); err != nil {
		return err
	}
	for _, id := range order {
		if err := s.tell(ctx, d, changed[id], now); err != nil {
			return err
		}
	}
	return nil
}
