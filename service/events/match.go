package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
		if err := s.route(ctx, fresh[name], name, e); err != nil {
			return err
		}
	}
	return nil
}

// route schedules the deliveries of one event.
func (s *Service) route(ctx context.Context, on *rules, bus string, e aws.Event) error {
	names, err := on.set.Match(e.Data, nil)
	if err != nil {
		// The event came through this plane's own door; it is not lost, it is
		// on the stream, but no rule can take it.
		s.env.Log.Error("event not matched", "event", e.ID, "bus", bus, "error", err)
	}
	quiet := reading(e)
	for _, name := range names {
		r := on.by[name]
		if quiet && r.State != eventsapi.RuleStateEnabledWithAllCloudtrailManagementEvents {
			continue
		}
		if err := s.invoke(ctx, r, e); err != nil {
			return err
		}
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

// invoke schedules the delivery of an event to all targets of a rule, now.
func (s *Service) invoke(ctx context.Context, r *rule, e aws.Event) error {
	forwarded := e.Attrs["forwarded"] != ""
	var v struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(e.Data, &v); err != nil {
		return fmt.Errorf("read event %s: %w", e.ID, err)
	}
	now := time.Now()
	for _, t := range r.Targets {
		arn, err := aws.ParseARN(t.ARN)
		if err != nil {
			return fmt.Errorf("target %s of rule %s: %w", t.ID, r.Name, err)
		}
		if kindOf(arn) == toBus && forwarded {
			continue // from bus to bus once, not on to a third: so loops end
		}
		d := delivery{Bus: r.Bus, Rule: r.Name, Target: t.ID, Event: v.ID, Received: now, Input: e.Data}
		if d.Input, err = t.input(e.Data, transform.Reserved{
			RuleARN: ruleARN(aws.CallOf(ctx), r.Bus, r.Name).String(), RuleName: r.Name, Ingestion: now.UTC().Format(isoSeconds),
		}); err != nil {
			return fmt.Errorf("input of target %s of rule %s: %w", t.ID, r.Name, err)
		}
		if err := d.schedule(ctx, now); err != nil {
			return err
		}
	}
	return nil
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
		return tpl.Render(event, known), nil
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
		p, err := e.Value.compile()
		if err != nil {
			return err
		}
		if p != nil {
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
			if p, err = one.compile(); err != nil {
				return err
			}
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
func (r *rule) compile() (*pattern.Pattern, error) {
	if !r.enabled() || r.Pattern == "" {
		return nil, nil
	}
	p, err := pattern.Parse([]byte(r.Pattern))
	if err != nil {
		return nil, fmt.Errorf("rule %s on %s: %w", r.Name, r.Bus, err)
	}
	return p, nil
}
