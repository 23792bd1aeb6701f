package guardduty

import (
	"context"
	"errors"
	"time"

	"sumun.dev/detect"
	"sumun.dev/finding"
	"sumun.dev/store"
)

// The trail, the query log and what is sent in are judged by different watchers, at
// different nodes perhaps. What any of them finds of one instance meets here, where
// findings are kept. User Guide, "GuardDuty Extended Threat Detection".

const (
	jobGroup  = "guardduty.group" // what an instance did, once it is over
	groupLife = 49 * time.Hour    // more than signals are remembered
)

// A group is what an instance did of late, kept under its id.
type group struct {
	Detector string // another one begins anew
	Did      detect.Group
	Last     time.Time // that something was added
}

// together are the groups that one unit of work changes, each written once.
type together struct {
	s     *Service
	d     *detector
	by    map[string]*group
	order []string
}

// add adds a suspicion to what its instance did of late, and returns the attack that
// this makes with it, nil for none.
func (t *together) add(ctx context.Context, one finding.Suspicion) (*finding.Suspicion, error) {
	instance := detect.InstanceOf(&one)
	if instance == "" {
		return nil, nil
	}
	g := t.by[instance]
	if g == nil {
		var err error
		g, err = t.s.groups.Get(ctx, instance)
		if errors.Is(err, store.ErrNotFound) || err == nil && g.Detector != t.d.ID {
			g = &group{Detector: t.d.ID}
		} else if err != nil {
			return nil, err
		}
		t.by[instance] = g
		t.order = append(t.order, instance)
	}
	return g.Did.Add(instance, instance, one), nil
}

// keep writes what was added.
func (t *together) keep(ctx context.Context, now time.Time) error {
	for _, instance := range t.order {
		g := t.by[instance]
		g.Last = now
		store.Schedule(ctx, store.Due{Kind: jobGroup, ID: instance, At: now.Add(groupLife)})
		if err := t.s.groups.Put(ctx, instance, g); err != nil {
			return err
		}
	}
	return nil
}

// groupDue forgets an instance that did nothing more.
func (s *Service) groupDue(ctx context.Context, due store.Due) error {
	g, err := s.groups.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if end := g.Last.Add(groupLife); time.Now().Before(end) {
		store.Schedule(ctx, store.Due{Kind: jobGroup, ID: due.ID, At: end})
		return nil
	}
	return s.groups.Delete(ctx, due.ID)
}
