package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// maxHops is how many services may pass a call on. The needs of the services form
// no cycle, so this many are never there; it stops what a mistake would begin.
const maxHops = 8

// Inside returns the caller with which a service calls the operations that it has
// declared, and no others. service is its name in amazonaws.com: "ssm".
func (g *Gateway) Inside(service string, needs ...wire.AnyOperation) wire.Caller {
	declared := make(map[wire.AnyOperation]bool, len(needs))
	for _, op := range needs {
		declared[op] = true
	}
	return &inside{gate: g, service: service + ".amazonaws.com", declared: declared}
}

// InsideAny returns a caller for a service whose users choose what it calls, such
// as Systems Manager Automation.
func (g *Gateway) InsideAny(service string) wire.Caller {
	return &inside{gate: g, service: service + ".amazonaws.com"}
}

// inside is the gate as a service sees it: no bytes and no signature, but the same
// authorisation and the same audit.
type inside struct {
	gate     *Gateway
	service  string
	declared map[wire.AnyOperation]bool // nil: any
}

// Invoke makes a call for the caller that ctx carries, in its unit of work when it
// has one: then what the call writes is committed with the rest, or not at all.
func (i *inside) Invoke(ctx context.Context, op wire.AnyOperation, in any) (any, error) {
	if i.declared != nil && !i.declared[op] {
		return nil, fmt.Errorf("%w: %s calls %s", errNotDeclared, i.service, op.About())
	}
	ctx, err := hop(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %s calls %s", err, i.service, op.About())
	}
	ctx = wire.OnBehalf(ctx, aws.ARN{}) // whom this service acts for is not whom the next one does
	call := i.pass(aws.CallOf(ctx), op.About())
	if region := wire.RegionOf(ctx); region != "" {
		if !op.About().Service.Global {
			call.Region = region
		}
		ctx = wire.InRegion(ctx, "")
	}
	d := &deed{call: call, about: op.About(), in: in}
	err = i.perform(aws.WithCall(ctx, call), op, d)
	i.gate.metrics.count(d.about, err)
	if err != nil {
		return nil, err
	}
	return d.out, nil
}

type hopKey struct{}

// hop counts how often a call has been passed on.
func hop(ctx context.Context) (context.Context, error) {
	n, _ := ctx.Value(hopKey{}).(int)
	if n >= maxHops {
		return nil, errTooManyHops
	}
	return context.WithValue(ctx, hopKey{}, n+1), nil
}

var errTooManyHops = errors.New("gateway: services pass a call on without end")

// pass makes the call that follows from outer.
func (i *inside) pass(outer *aws.Call, about *wire.Meta) *aws.Call {
	c := *outer
	c.Service, c.Operation = about.Service.Prefix, about.Name
	c.RequestID, c.Time = aws.UUID(), time.Now()
	if about.Service.Global {
		c.Region = i.gate.Region
	}
	if !i.itself(outer) && !i.again(outer, about) {
		c.Via = append(slices.Clip(outer.Via), i.service)
	}
	c.UserAgent, c.Referer, c.TLS = i.service, "", nil
	c.Source = aws.ARN{}
	if c.Principal.Kind == aws.Service {
		c.Source = outer.Source
	}
	return &c
}

// again reports whether a service calls an operation of its own for the caller who
// called it, as a batch does for each of its items: nothing is passed on then.
func (i *inside) again(outer *aws.Call, about *wire.Meta) bool {
	return outer.Service == about.Service.Prefix && i.service == outer.Service+".amazonaws.com"
}

// itself reports whether a service acts as itself, or in a session of a role that
// it has assumed, and not on behalf of a caller.
func (i *inside) itself(c *aws.Call) bool {
	p := c.Principal
	if len(c.Via) > 0 || p.IsZero() || c.SourceIP.IsValid() {
		return false
	}
	return p.Kind == aws.Service || p.Session != nil && p.Session.InvokedBy == i.service
}

func (i *inside) perform(ctx context.Context, op wire.AnyOperation, d *deed) error {
	g := i.gate
	if err := g.inTouch(); err != nil {
		return err
	}
	route := g.operations().served[op]
	if route == nil {
		return aws.UnsupportedOperation.New("%s of %s is not served here yet.", d.about.Name, d.about.Service.ID)
	}
	err := g.Store.Update(ctx, func(ctx context.Context) error {
		*d = deed{call: d.call, about: d.about, in: d.in}
		if err := g.do(ctx, route, d); err != nil {
			return err
		}
		if !d.about.Reads() {
			store.Emit(ctx, g.record(d))
			d.recorded = true
		}
		return nil
	})
	if errors.Is(err, store.ErrConflict) {
		return err // the outer unit starts again
	}
	if err != nil {
		d.err, d.recorded = g.sayable(ctx, d, err), false
	}
	g.memory.note(d)
	if d.recorded {
		return nil
	}
	if j := journalOf(ctx); j != nil {
		j.note(g.record(d))
	} else {
		g.audit.add(g.record(d))
	}
	if d.err != nil {
		return d.err
	}
	return nil
}

// As returns a context whose calls are made in a new session of role.
func (i *inside) As(ctx context.Context, role aws.ARN, session string) (context.Context, error) {
	if i.gate.Assume == nil {
		return nil, errors.New("gateway: nobody assumes roles")
	}
	outer := aws.CallOf(ctx)
	c := *outer
	c.Principal = &aws.Principal{Kind: aws.Service, Name: i.service, Account: role.Account}
	c.Account, c.Via, c.SourceIP, c.TLS = role.Account, nil, netip.Addr{}, nil
	c.UserAgent, c.Referer, c.RequestID, c.Time = i.service, "", aws.UUID(), time.Now()
	c.Source = wire.SourceOf(ctx)
	p, err := i.gate.Assume(aws.WithCall(ctx, &c), role, session)
	if err != nil {
		return nil, err
	}
	as := c
	as.Source = aws.ARN{}
	as.Principal, as.Account = p, p.Account
	if p.Session != nil && p.Session.InvokedBy == "" {
		invoked, with := *p, *p.Session
		with.InvokedBy = i.service
		invoked.Session = &with
		as.Principal = &invoked
	}
	return aws.WithCall(ctx, &as), nil
}
