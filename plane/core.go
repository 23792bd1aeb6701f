package plane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"sumun.dev/aws"
	"sumun.dev/enforce/metadata"
	"sumun.dev/gateway"
	"sumun.dev/plane/config"
	"sumun.dev/service"
	"sumun.dev/service/route53resolver"
	"sumun.dev/spine"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// A core is all of a plane that a reset makes anew: state, log, services, gate.
type core struct {
	store   *store.Store
	spine   spine.Spine
	keys    *Keys // nil: the plane keeps nothing
	gate    *gateway.Gateway
	pages   http.Handler // of Identity Center, for people's browsers
	console http.Handler // AWS Sign-In's, likewise
	log     *slog.Logger
	metrics *prometheus.Registry
	born    *birth

	principals service.Principals // once IAM is built
	roles      *instanceRoles     // likewise

	metadata  *metadata.Service // for instances
	addresses *addresses        // where they are

	firewall *route53resolver.Service
	retired  atomic.Bool // what the firewall says no longer counts

	oneSpine bool // other nodes read the same
	roster   roster
	followed *prometheus.CounterVec
	logs     chan struct{} // has a value for each log that is being taken in

	jobs   map[string]job
	marks  *store.Table[mark]
	shares *store.Table[progress]
	births *store.Table[birth]

	services []named
	stops    []func()           // of the subscriptions
	end      context.CancelFunc // no new background work
	abort    context.CancelFunc // nor that under way
	loops    sync.WaitGroup
}

// A named service is a service with its place in the API.
type named struct {
	name      string // the IAM prefix: "ssm"
	principal string // "ssm.amazonaws.com"
	serve     service.Service
}

// newCore opens the backends, builds the services and begins to work. again
// holds what a reset keeps of the core before.
func newCore(ctx context.Context, cfg *config.Config, o Options, again *birth) (_ *core, err error) {
	c := &core{log: o.Log, metrics: prometheus.NewRegistry(), jobs: map[string]job{}, logs: make(chan struct{}, logAtOnce)}
	resolverMetrics(c.metrics, o.resolver)
	c.followed = followedMetric(c.metrics)
	if c.store, c.spine, c.keys, err = openBackends(ctx, cfg, o, o.Log); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil && c.gate != nil {
			err = errors.Join(err, c.gate.Drain(ctx))
		}
		if err != nil {
			err = errors.Join(err, c.spine.Close(ctx), c.store.Close())
		}
	}()
	c.marks = store.NewTable(c.store, "plane.marks", store.Global[mark]()).In(store.Place{})
	c.shares = store.NewTable(c.store, "plane.shares", store.Global[progress]()).In(store.Place{})
	c.oneSpine = cfg.Spine.NATS != ""
	c.births = store.NewTable(c.store, "plane.births", store.Global[birth]()).In(store.Place{})
	if err := c.build(ctx, cfg, o, again); err != nil {
		return nil, err
	}
	if err := c.checkNeeds(); err != nil {
		return nil, err
	}
	net, err := newNetwork(cfg, c.born.Account)
	if err != nil {
		return nil, err
	}
	hosts, err := instances(cfg, c.born.Account)
	if err != nil {
		return nil, err
	}
	c.metadata = metadata.New(hosts, c.roles, c.log)
	c.firewall.OnChange(func(f *route53resolver.Firewall) {
		if c.retired.Load() {
			return
		}
		if err := o.resolver.SetSnapshot(net.snapshot(f)); err != nil {
			c.log.Error("the resolver keeps its old rules", "error", err)
		}
	})
	return c, c.begin(ctx, cfg)
}

// mount lets the gate serve a service and takes note of its background work.
func (c *core) mount(s *wire.Service, serve service.Service) {
	c.gate.Mount(serve.Routes()...)
	n := named{name: s.Prefix, principal: s.EventSource, serve: serve}
	c.services = append(c.services, n)
	if js, ok := serve.(service.Scheduling); ok {
		for _, j := range js.Jobs() {
			c.jobs[j.Kind] = job{j, n.principal}
		}
	}
}

// begin starts the services, then what runs in the background.
func (c *core) begin(ctx context.Context, cfg *config.Config) error {
	for _, s := range c.services {
		if st, ok := s.serve.(service.Starter); ok {
			if err := st.Start(ctx); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	if c.keys != nil {
		if err := c.keys.beat(ctx); err != nil {
			return err
		}
	}
	if err := c.loadLists(ctx, cfg); err != nil {
		return err
	}
	for _, s := range c.services {
		consuming, ok := s.serve.(service.Consuming)
		if !ok {
			continue
		}
		for _, consumer := range consuming.Consumers() {
			if err := c.subscribe(ctx, s.principal, consumer); err != nil {
				return fmt.Errorf("%s: %w", consumer.Name, err)
			}
		}
	}
	loop, end := context.WithCancel(context.WithoutCancel(ctx))
	work, abort := context.WithCancel(context.WithoutCancel(ctx))
	c.end, c.abort = end, abort
	if c.keys != nil {
		c.loops.Go(func() { c.keys.run(loop) })
		c.loops.Go(func() { c.keys.attend(loop) })
		c.loops.Go(func() { c.keys.stay(loop) })
	}
	for _, s := range c.services {
		if following, ok := s.serve.(service.Following); ok {
			for _, f := range following.Followers() {
				c.follow(loop, s.principal, f)
			}
		}
	}
	c.loops.Go(func() { c.addresses.follow(loop) })
	c.loops.Go(func() { c.relay(loop) })
	c.loops.Go(func() { c.schedule(loop, work) })
	return nil
}

// close finishes the due work that is claimed, the readers and the calls under way,
// writes down what waits and closes the backends. Work that does not end before
// ctx does is left behind: closed backends refuse it, so it is done again after
// the next start.
func (c *core) close(ctx context.Context) error {
	c.end()
	err := within(ctx, c.loops.Wait)
	c.abort()
	err = errors.Join(err, within(ctx, func() {
		for _, stop := range c.stops {
			stop()
		}
	}))
	if c.keys != nil {
		err = errors.Join(err, c.keys.leave(ctx))
	}
	// What units have emitted since the relay ended stays in the outbox.
	return errors.Join(err, c.gate.Drain(ctx), c.spine.Close(ctx), c.store.Close())
}

// within waits until do has returned, or ctx has ended.
func within(ctx context.Context, do func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("background work was still under way: %w", ctx.Err())
	}
}

// checkNeeds refuses a graph of services that call each other in a circle.
func (c *core) checkNeeds() error {
	needs := map[string][]string{}
	for _, s := range c.services {
		if n, ok := s.serve.(service.Needer); ok {
			for _, op := range n.Needs() {
				needs[s.name] = append(needs[s.name], op.About().Service.Prefix)
			}
		}
	}
	const entered, left = 1, 2
	state := map[string]int{}
	var visit func(string) error
	visit = func(name string) error {
		if state[name] == left {
			return nil
		}
		if state[name] == entered {
			return fmt.Errorf("the services' needs run in a circle through %s", name)
		}
		state[name] = entered
		for _, next := range needs[name] {
			if err := visit(next); err != nil {
				return err
			}
		}
		state[name] = left
		return nil
	}
	for name := range needs {
		if err := visit(name); err != nil {
			return err
		}
	}
	return nil
}

// env is what a service called name is given; it may call needs.
func (c *core) env(cfg *config.Config, o Options, name string, needs ...wire.AnyOperation) service.Env {
	return service.Env{
		Store: c.store, AWS: c.gate.Inside(name, needs...), Log: c.log.With("service", name), Principals: c.principals,
		Quotas: cfg.Quotas == "aws", Lists: o.lists(cfg), Operation: c.gate.Operation,
	}
}

// publish writes telemetry to the spine.
func (c *core) publish(ctx context.Context, events ...aws.Event) error {
	return c.spine.Publish(ctx, events...)
}

// ready says why calls are not served, nil when they are.
func (c *core) ready() error {
	if err := c.store.InTouch(); err != nil {
		return err
	}
	_, _, err := c.store.NextDue(context.Background())
	return err
}
