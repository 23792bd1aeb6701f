package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"sumun.dev/aws"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// ServeHTTP is the way of a call from outside. What enters is recorded, whatever
// becomes of it.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := g.welcome(w, r)
	for _, step := range [...]func(*visit) error{
		g.admit,        // there is room for one more, and the request is one
		g.recognise,    // which service, operation and protocol
		g.authenticate, // who signed it
		g.place,        // the account and region it works on
		g.limit,        // not faster than its quota
		g.decode,       // bytes to types, constraints checked
		g.perform,      // authorise, serve, encode, record: one unit of work
	} {
		if v.err = g.guarded(v, step); v.err != nil {
			break
		}
	}
	if v.match == nil {
		v.match = &wire.Match{} // it did not get as far as that
	}
	g.report(v) // a read or a refusal into the trail, the rest into the log
	g.answer(v)
	g.leave(v)
}

// A visit is one call from outside on its way through the gate.
type visit struct {
	w   http.ResponseWriter
	r   *http.Request
	ctx context.Context

	id       string // the request id
	began    time.Time
	admitted bool
	release  func() // gives back the memory that its body holds; nil when it holds none

	signature *sigv4.Signature // what the request says; nil when it is not signed
	unsigned  error            // why there is no signature
	request   wire.Request
	match     *wire.Match
	call      *aws.Call // set once the signature is proven
	in        any
	response  *wire.Response

	deed deed
	err  error
}

// perform authorises, serves and encodes. The answer goes out only when the
// change and its record are committed together: no audit, no answer.
func (g *Gateway) perform(v *visit) error {
	if v.match.Route == nil {
		m := v.match.Operation.About()
		return aws.UnsupportedOperation.New("%s of %s is not served here yet.", m.Name, m.Service.ID)
	}
	ctx := aws.WithCall(v.ctx, v.call)
	for attempt := 1; ; attempt++ {
		err := g.attempt(ctx, v)
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
		if attempt == maxAttempts {
			return busy(err)
		}
		if attempt == freeAttempts {
			done, err := g.turns.wait(ctx, v.call)
			if err != nil {
				return err
			}
			defer done()
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// attempt does the work once. When something that it read has changed meanwhile,
// the gate starts again at touch, so that what was authorised is what is served.
func (g *Gateway) attempt(ctx context.Context, v *visit) error {
	v.deed = deed{call: v.call, about: v.match.Operation.About(), in: v.in}
	ctx, journal := withJournal(ctx)
	ctx, unit := g.Store.Begin(ctx)
	err := g.do(ctx, v.match.Route, &v.deed)
	if err == nil {
		v.response, err = v.match.Encode(v.deed.out, v.id)
	}
	// What is called reading and leaves something behind all the same is recorded
	// with that, like any change. A call that belongs to no account, since nobody has
	// proven who asks, stands in nobody's trail.
	if err == nil && v.deed.call.Account != "" && (!v.deed.about.Reads() || !unit.Empty()) {
		store.Emit(ctx, g.record(&v.deed))
		v.deed.recorded = true
	}
	if err == nil {
		err = unit.Commit(ctx)
	}
	if !errors.Is(err, store.ErrConflict) {
		g.audit.add(journal.events...)
	}
	if err != nil {
		v.response, v.deed.recorded = nil, false
	}
	return err
}

// do authorises and serves one call, whether it comes from outside or inside.
func (g *Gateway) do(ctx context.Context, route *wire.Route, d *deed) (err error) {
	defer g.recoverFrom(ctx, d, &err)
	if d.touches, err = route.Touches(ctx, d.in); err != nil {
		return err
	}
	if len(d.touches) > 0 && d.touches[0].Principal != nil {
		proven := *d.call
		proven.Principal, proven.Account = d.touches[0].Principal, d.touches[0].Principal.Account
		d.call, ctx = &proven, aws.WithCall(ctx, &proven)
	}
	if err := g.authorise(ctx, d); err != nil {
		return err
	}
	d.out, err = route.Serve(wire.WithAuthorised(ctx, &d.touches), d.in)
	return err
}
