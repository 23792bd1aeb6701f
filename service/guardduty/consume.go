package guardduty

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect"
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/detect/source/dns"
	"sumun.dev/finding"
	"sumun.dev/store"
)

// counts are what a running GuardDuty has seen.
type counts struct{ malformed atomic.Uint64 }

// Malformed returns how many records could not be read and were skipped.
func (s *Service) Malformed() uint64 { return s.counts.malformed.Load() }

// A judge looks for what is suspicious in one stream. Its engine is made for the
// first record: where nobody is watched, rules cost nothing.
type judge struct {
	mu     sync.Mutex // guards the engine
	engine func() *detect.Engine
}

func (s *Service) newJudge(rules func() []*rule.Rule) *judge {
	return &judge{engine: sync.OnceValue(func() *detect.Engine {
		return detect.NewEngine(detect.Options{Rules: rules(), Lists: func(account aws.Account, region aws.Region) intel.Lists {
			return s.book.At(store.Place{Account: account, Region: region})
		}})
	})}
}

// rulesFor returns the rules for records of a class.
func rulesFor(class record.Class) func() []*rule.Rule {
	return func() []*rule.Rule {
		return slices.DeleteFunc(detect.Rules(), func(r *rule.Rule) bool { return r.Class != class })
	}
}

// queries looks for what is suspicious in a batch of DNS queries of one account
// and region.
func (s *Service) queries(ctx context.Context, events []aws.Event) error {
	reader := dns.NewReader()
	return s.look(ctx, s.dns, events, func(b []byte) (*record.Record, error) {
		r, err := reader.Read(b)
		if err == nil && r.DNS.Instance == "" {
			return nil, nil // no resource of the account's: there would be nothing to respond on
		}
		return r, err
	})
}

// calls looks for what is suspicious in a batch of CloudTrail records of one
// account and region, and learns from them what is normal there.
func (s *Service) calls(ctx context.Context, events []aws.Event) error {
	return s.look(ctx, s.trail, events, cloudtrail.Read)
}

// look keeps what is suspicious about events, where a detector is enabled. A
// record that cannot be read is counted and skipped, so that it does not keep the
// others waiting for ever; nil without an error is passed over.
func (s *Service) look(ctx context.Context, j *judge, events []aws.Event, read func([]byte) (*record.Record, error)) error {
	d, err := s.detector(ctx)
	if err != nil || d == nil || !d.Enabled {
		return err
	}
	call := aws.CallOf(ctx)
	if _, err := s.listsOf(store.Place{Account: call.Account, Region: call.Region}); err != nil {
		return err
	}
	var found []finding.Suspicion
	var unread error
	for i := range events {
		e := &events[i]
		r, err := read(e.Data)
		if err != nil {
			s.counts.malformed.Add(1)
			unread = err
			continue
		}
		if r == nil {
			continue
		}
		r.Account, r.Region, r.ID, r.Origin = call.Account, call.Region, e.ID, record.Origin{File: e.Stream}
		j.see(r, func(one finding.Suspicion) { found = append(found, one) })
	}
	if unread != nil {
		s.env.Log.Warn("records cannot be read, are skipped", "skipped", s.Malformed(), "last", unread)
	}
	if len(found) == 0 {
		return nil
	}
	return s.keep(ctx, d, found, false)
}

// see lets the engine judge a record, and then learn from it.
func (j *judge) see(r *record.Record, found func(finding.Suspicion)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.engine()
	e.See(r, found)
	e.Learn(r)
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
