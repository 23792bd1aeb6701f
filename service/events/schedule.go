package events

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"sumun.dev/aws"
	"sumun.dev/engine/schedule"
	"sumun.dev/store"
)

const jobSchedule = "events.schedule"

// A plan is what a schedule's due record carries: the expression it was made
// for, so that a record of an expression that has changed since does nothing.
type plan struct{ Expression string }

// reschedule puts the schedule of a rule in order after a change. An expression
// that stays keeps its beat.
func (s *Service) reschedule(ctx context.Context, r *rule) error {
	id := ruleID(r.Bus, r.Name)
	if r.Schedule == "" || !r.enabled() {
		store.Unschedule(ctx, jobSchedule, id)
		return nil
	}
	old, err := s.rules.Get(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && old.enabled() && old.Schedule == r.Schedule {
		return nil
	}
	sched, err := schedule.Parse(r.Schedule)
	if err != nil {
		return err
	}
	return plan{r.Schedule}.schedule(ctx, id, sched.Next(time.Now()))
}

func (p plan) schedule(ctx context.Context, id string, at time.Time) error {
	if at.IsZero() {
		return nil // a date that never comes
	}
	payload, err := json.Marshal(p)
	if err != nil {
		return err
	}
	store.Schedule(ctx, store.Due{Kind: jobSchedule, ID: id, At: at, Payload: payload})
	return nil
}

// tick makes the event of a schedule that is due, and orders the next.
func (s *Service) tick(ctx context.Context, due store.Due) error {
	r, err := s.rules.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var p plan
	if err := json.Unmarshal(due.Payload, &p); err != nil || p.Expression != r.Schedule || !r.enabled() {
		return nil
	}
	sched, err := schedule.Parse(r.Schedule)
	if err != nil {
		return nil
	}
	// Beats missed while the plane was down are not made up for: the next one
	// is the first that lies ahead.
	next := sched.Next(due.At)
	if now := time.Now(); next.Before(now) {
		next = sched.Skip(due.At, now)
	}
	if err := p.schedule(ctx, due.ID, next); err != nil {
		return err
	}
	call := aws.CallOf(ctx)
	beat, err := aws.NewBusEvent("aws.events", "Scheduled Event", call.Account, call.Region, due.At, struct{}{}, ruleARN(call, r.Bus, r.Name).String())
	if err != nil {
		return err
	}
	data, err := json.Marshal(beat)
	if err != nil {
		return err
	}
	dues, err := s.deliveries(ctx, r, aws.Event{ID: due.ID, Data: data}, time.Now())
	for _, d := range dues {
		store.Schedule(ctx, d)
	}
	return err
}
