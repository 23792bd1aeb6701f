package parameters

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"sumun.dev/store"
)

// jobPolicy does what a parameter's policy says. AWS looks at policies from time
// to time; here each is a due record.
const jobPolicy = "ssm.parameterPolicy"

// A duty says which policy of which version is due.
type duty struct {
	Name    string
	Version int64
	Policy  int // its place in the list
}

func dutyID(name string, i int) string { return name + ":" + strconv.Itoa(i) }

// lastTime is the last that a due record can have. What is due later is not ordered.
var lastTime = time.Unix(0, math.MaxInt64)

// schedule orders what the parameter's policies ask for. What lies in the past, a
// notice earlier than the parameter, is due at once.
func schedule(ctx context.Context, p *parameter) {
	for i := range p.Policies {
		if p.Policies[i].Type == noChangeNotification {
			p.Policies[i].At = again(&p.Policies[i], p.Modified)
		}
		if p.Policies[i].Status != statusPending || p.Policies[i].At.After(lastTime) {
			continue
		}
		payload, _ := json.Marshal(duty{p.Name, p.Number, i}) // strings and numbers
		store.Schedule(ctx, store.Due{Kind: jobPolicy, ID: dutyID(p.Name, i), At: p.Policies[i].At, Payload: payload})
	}
}

// again is when a parameter that changed at this time has not changed for too long.
func again(p *policy, changed time.Time) time.Time {
	var t policyText
	if json.Unmarshal([]byte(p.Text), &t) != nil {
		return p.At
	}
	period, err := t.period()
	if err != nil {
		return p.At
	}
	return changed.Add(period)
}

func unschedule(ctx context.Context, name string, policies []policy) {
	for i := range policies {
		store.Unschedule(ctx, jobPolicy, dutyID(name, i))
	}
}

// enforce deletes what has expired and tells of what is to be told.
func (s *Service) enforce(ctx context.Context, due store.Due) error {
	var d duty
	if err := json.Unmarshal(due.Payload, &d); err != nil {
		return nil // written by nobody; to try again is of no use
	}
	p, err := s.parameters.Get(ctx, d.Name)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if p.Number != d.Version || d.Policy >= len(p.Policies) {
		return nil // another version has policies of its own
	}
	one := &p.Policies[d.Policy]
	if one.Type == expiration {
		if err := tellPolicy(ctx, p, one, "The parameter has expired and was deleted."); err != nil {
			return err
		}
		return s.remove(ctx, p)
	}
	one.Status = statusFinished
	reason := "The parameter has not been changed since " + p.Modified.UTC().Format(time.RFC3339) + "."
	if one.Type == expirationNotification {
		reason = "The parameter will expire soon."
	}
	if err := tellPolicy(ctx, p, one, reason); err != nil {
		return err
	}
	return s.parameters.Put(ctx, p.Name, p)
}
