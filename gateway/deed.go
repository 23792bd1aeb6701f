package gateway

import (
	"context"
	"sync"

	"sumun.dev/aws"
	"sumun.dev/gateway/trail"
	"sumun.dev/policy"
	"sumun.dev/wire"
)

// A deed is what a call has done so far, for its record.
type deed struct {
	call     *aws.Call
	about    *wire.Meta
	in, out  any
	err      *aws.Error
	touches  []wire.Touch
	recorded bool // the record goes with the unit of work

	// What the gate decided about the touches, and from what.
	own      *policy.Policies     // the caller's
	mine     *policy.Membership   // of the caller's account
	theirs   []*policy.Membership // of the account of each touch's resource; nil while all are the caller's
	at       int                  // which touch decided last
	decision policy.Decision
	denied   bool
	question question // about one touch; here, so that it costs no memory of its own
}

// record writes the deed down. The decision is no part of CloudTrail's record; it
// stands beside it, for those who ask why.
func (g *Gateway) record(d *deed) aws.Event {
	resources := make([]aws.ARN, len(d.touches))
	for i := range d.touches {
		// Who is denied another account's resource has named it, by a part of its name
		// perhaps. What was found by that is not the caller's to know.
		if owner := d.touches[i].Owner(); d.denied && owner != "" && owner != d.call.Account {
			continue
		}
		resources[i] = d.touches[i].Resource
	}
	e := trail.Record(d.call, d.about, d.in, d.out, d.err, resources...)
	if why := d.why(); why != "" {
		e.Attrs["decision"] = why
	}
	if d.denied {
		e.Attrs[explained] = g.diagnosis(d)
	}
	return e
}

// why names what decided: "allowed by identity: inline:alice/keys #0".
func (d *deed) why() string {
	if d.decision == (policy.Decision{}) && !d.denied {
		return ""
	}
	s := d.decision.Outcome.String() + " by " + d.decision.By.String()
	if source := d.decision.Source(); source != "" {
		s += ": " + source + " " + d.decision.Label()
	}
	return s
}

// A journal collects the records of reads and refusals that services cause in
// one unit of work. It is kept back until the unit's fate is known, because an
// attempt that conflicts has not happened.
type journal struct {
	outside context.Context // as it was before the unit of work

	mu     sync.Mutex
	events []aws.Event
}

type journalKey struct{}

func withJournal(ctx context.Context) (context.Context, *journal) {
	j := &journal{outside: ctx}
	return context.WithValue(ctx, journalKey{}, j), j
}

func journalOf(ctx context.Context) *journal {
	j, _ := ctx.Value(journalKey{}).(*journal)
	return j
}

// outside returns a context that does not see the unit of work: what a call has
// not committed yet must not decide what it may do, nor be remembered as if it had.
func outside(ctx context.Context) context.Context {
	if j := journalOf(ctx); j != nil {
		return j.outside
	}
	return ctx
}

func (j *journal) note(e aws.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
}
