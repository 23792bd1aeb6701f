package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"sumun.dev/api/eventsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/pattern"
	"sumun.dev/engine/transform"
	"sumun.dev/store"
)

// match schedules a delivery for each target of each rule that the events
// match. It runs in a unit of work that also moves the stream's position on, so
// every event is matched once, whatever happens in between.
func (s *Service) match(ctx context.Context, events []aws.Event) error {
	fresh := map[string]*rules{} // brought up to date in this unit
	for _, e := range events {
		name := e.Attrs["bus"]
		if name == "" {
			name = defaultBus
		}
		if fresh[name] == nil {
			r, err := s.refresh(ctx, name)
			if err != nil {
				return err
			}
			fresh[name] = r
		}
		all := routing{Bus: name, Received: time.Now()}
		if err := s.route(ctx, fresh[name], all, e, atOnce); err != nil {
			return err
		}
	}
	return nil
}

// route schedules the deliveries of one event, as many as there is room for; the
// rest is put off.
func (s *Service) route(ctx context.Context, on *rules, rest routing, e aws.Event, left room) error {
	names, err := on.set.Match(e.Data, nil)
	if err != nil {
		// The event came through this plane's own door; it is not lost, it is
		// on the stream, but no rule can take it.
		s.env.Log.Error("event not matched", "event", e.ID, "bus", rest.Bus, "error", err)
	}
	quiet := reading(e)
	slices.Sort(names)
	for _, name := range names {
		r := on.by[name]
		if name <= rest.After || quiet && r.State != eventsapi.RuleStateEnabledWithAllCloudtrailManagementEvents {
			continue
		}
		dues, err := s.deliveries(ctx, r, e, rest.Received)
		if err != nil {
			return err
		}
		if !left.take(dues) {
			return rest.putOff(ctx, e)
		}
		for _, d := range dues {
			store.Schedule(ctx, d)
		}
		rest.After = name
	}
	return nil
}

// reading tells that an event reports an API call that reads only. Such events
// reach rules only if they ask for them. User Guide, "Read-only management
// events from AWS services".
func reading(e aws.Event) bool {
	if e.Attrs["detail-type"] != "AWS API Call via CloudTrail" {
		return false
	}
	var v struct {
		Detail struct {
			ReadOnly bool `json:"readOnly"`
		} `json:"detail"`
	}
	return json.Unmarshal(e.Data, &v) == nil && v.Detail.ReadOnly
}

// maxInput bounds what a delivery may carry, so that a due record holds it; an
// event has less than half of it.
const maxInput = 600_000

// deliveries returns the deliveries of an event to all targets of a rule. What
// cannot be delivered at all is told in the log and does not hold up the rest.
func (s *Service) deliveries(ctx context.Context, r *rule, e aws.Event, received time.Time) ([]store.Due, error) {
	var all []store.Due
	var v struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(e.Data, &v); err != nil || v.ID == "" {
		v.ID = e.ID
	}
	arn := ruleARN(aws.CallOf(ctx), r.Bus, r.Name).String()
	for _, t := range r.Targets {
		if e.Attrs["forwarded"] != "" && t.kind() == toBus {
			continue // from bus to bus once, not on to a third: so loops end
		}
		input, err := t.input(e.Data, transform.Reserved{RuleARN: arn, RuleName: r.Name, Ingestion: received.UTC().Format(isoSeconds)})
		if err == nil && len(input) > maxInput {
			err = fmt.Errorf("input of %d bytes", len(input))
		}
		if err != nil {
			s.env.Log.Error("event not delivered", "rule", arn, "target", t.ARN, "event", v.ID, "error", err)
			continue
		}
		d := delivery{Bus: r.Bus, Rule: r.Name, Target: t.ID, Event: v.ID, Received: received, Input: input}
		due, err := d.due(received)
		if err != nil {
			return nil, err
		}
		all = append(all, due)
	}
	return all, nil
}

// input makes what a target receives from an event.
func (t *target) input(event []byte, known transform.Reserved) ([]byte, error) {
	switch {
	case t.Input != nil:
		return []byte(*t.Input), nil
	case t.Transform != nil:
		tpl, err := transform.ParseTemplate(t.Transform.InputTemplate, t.Transform.InputPathsMap)
		if err != nil {
			return nil, err
		}
		return tpl.Render(event, known, maxInput)
	case t.InputPath != nil && *t.InputPath != "":
		p, err := transform.ParsePath(*t.InputPath)
		if err != nil {
			return nil, err
		}
		part, ok := p.Select(event)
		if !ok {
			return []byte("null"), nil
		}
		return part, nil
	}
	return event, nil
}

// The cache holds the rules of each bus, compiled. It learns from the store what
// has changed, before whoever changed it has an answer.
type cache struct {
	mu    sync.Mutex
	buses map[busKey]*rules
}

type busKey struct {
	place store.Place
	bus   string
}

// rules are the enabled rules with a pattern of one bus.
type rules struct {
	set   *pattern.Set[string]
	by    map[string]*rule
	stale map[string]bool // names that have changed; guarded by the cache
}

// changed notes that a rule is not what it was.
func (c *cache) changed(ch store.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch.ID == "" {
		clear(c.buses)
		return
	}
	bus, name, _ := strings.Cut(ch.ID, ":")
	if r := c.buses[busKey{ch.Place, bus}]; r != nil {
		r.stale[name] = true
	}
}

// take returns the rules of a bus and the names to read again, all when the
// bus is new. What changes from now on is noted for the next time.
func (c *cache) take(k busKey) (r *rules, stale map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r = c.buses[k]
	if r == nil {
		r = &rules{stale: map[string]bool{}}
		if c.buses == nil {
			c.buses = map[busKey]*rules{}
		}
		c.buses[k] = r
		return r, nil
	}
	stale, r.stale = r.stale, map[string]bool{}
	return r, stale
}

// forget drops a bus that could not be brought up to date.
func (c *cache) forget(k busKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.buses, k)
}

// refresh returns the rules of a bus as they are now. It must be called at most
// once for a bus in a unit of work, since a unit reads the same row the same way.
func (s *Service) refresh(ctx context.Context, name string) (*rules, error) {
	call := aws.CallOf(ctx)
	k := busKey{store.Place{Account: call.Account, Region: call.Region}, name}
	r, stale := s.cache.take(k)
	var err error
	if r.set == nil {
		err = s.load(ctx, r, name)
	} else {
		err = s.reload(ctx, r, name, stale)
	}
	if err != nil {
		s.cache.forget(k)
		return nil, err
	}
	return r, nil
}

func (s *Service) load(ctx context.Context, r *rules, bus string) error {
	r.by = map[string]*rule{}
	all := map[string]*pattern.Pattern{}
	for e, err := range s.rules.All(ctx, ruleID(bus, "")) {
		if err != nil {
			return err
		}
		if p := s.compile(e.Value); p != nil {
			r.by[e.Value.Name], all[e.Value.Name] = e.Value, p
		}
	}
	r.set = pattern.NewSet(all)
	return nil
}

func (s *Service) reload(ctx context.Context, r *rules, bus string, stale map[string]bool) error {
	for name := range stale {
		one, err := s.rules.Get(ctx, ruleID(bus, name))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		var p *pattern.Pattern
		if err == nil {
			p = s.compile(one)
		}
		if p == nil {
			delete(r.by, name)
			r.set = r.set.Without(name)
			continue
		}
		r.by[name] = one
		r.set = r.set.With(name, p)
	}
	return nil
}

// compile returns the pattern of a rule that wants events, nil otherwise.
func (s *Service) compile(r *rule) *pattern.Pattern {
	if !r.enabled() || r.Pattern == "" {
		return nil
	}
	p, err := pattern.Parse([]byte(r.Pattern))
	if err != nil {
		// It was valid when the rule was put; one rule must not stop the bus.
		s.env.Log.Error("rule not applied: its pattern is not valid any more", "rule", r.Name, "bus", r.Bus, "error", err)
		return nil
	}
	return p
}
