package secretsmanager

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// jobStep is the kind of the due records of rotations under way: one a secret, by
// its id. The record says which step is next. A step is done outside the unit of
// work that removes its record, since a database takes no part in it: when the
// process ends in between the step is done again, and each can be.
const jobStep = "secretsmanager.rotation"

// Attempts of one step: after 2, 8, 32 and 128 seconds. A rotation that has failed
// begins again after a while: what is current may not log in where what has failed
// could not be undone. "Secrets Manager retries the entire rotation process multiple
// times": User Guide, "Rotation by Lambda function".
const (
	mostFailures = 5
	firstPause   = 2 * time.Second
	retryAfter   = time.Hour
)

// The steps in order. User Guide, "Lambda function rotation".
var steps = map[string]string{"createSecret": "setSecret", "setSecret": "testSecret", "testSecret": "finishSecret"}

// undo is the step after one that has failed for good when the database may have
// been changed already. It is noted before it is done: a step before it that is done
// again would find what it has undone.
const undo = "undo"

var errUndone = errors.New("undone")

// A progress is how far a rotation is.
type progress struct {
	Token    string
	Was      string // the version that was current at the beginning
	Step     string
	Test     bool // only testSecret, and the version goes again
	Failures int
}

// begin attaches AWSPENDING to the version that is to come. It has no value before
// the function's first step.
func (s *Service) begin(ctx context.Context, sec *secret, token string) error {
	sec.Stages[pending], sec.Rotation.Token = token, token
	if err := s.tell(ctx, sec, "RotationStarted", nil); err != nil {
		return err
	}
	return s.proceed(ctx, sec, &progress{Token: token, Was: sec.Stages[current], Step: "createSecret"}, 0)
}

// beginTest tries the current value as if it were new, with the caller's rights on
// it. AWSPENDING is lent to it when it stands on what an earlier rotation has left.
func (s *Service) beginTest(ctx context.Context, sec *secret, token string) error {
	sec.Rotation.Test, sec.Rotation.Left = true, sec.unfinished()
	v, err := s.version(ctx, sec, sec.Stages[current])
	if err != nil {
		return err
	}
	value, err := s.open(ctx, sec, v)
	if err != nil {
		return err
	}
	defer clear(value.Bytes)
	if err := s.putVersion(ctx, sec, token, value, []string{pending}); err != nil {
		return err
	}
	sec.Rotation.Token = token
	if err := s.tell(ctx, sec, "TestRotationStarted", nil); err != nil {
		return err
	}
	return s.proceed(ctx, sec, &progress{Token: token, Was: sec.Stages[current], Step: "testSecret", Test: true}, 0)
}

func (s *Service) proceed(ctx context.Context, sec *secret, p *progress, pause time.Duration) error {
	due, err := p.due(sec, time.Now().Add(pause))
	if err == nil {
		store.Schedule(ctx, due)
	}
	return err
}

// step does what a due record says. It reads outside the unit of work, which so
// expects nothing to stay as it is and is not done again when the function writes.
func (s *Service) step(ctx context.Context, due store.Due) error {
	var p progress
	if err := json.Unmarshal(due.Payload, &p); err != nil {
		s.env.Log.Error("rotation dropped: its record cannot be read", "secret", due.ID, "error", err)
		return nil
	}
	sec, err := s.due(store.Outside(ctx), due)
	if err != nil {
		return err
	}
	if sec == nil || sec.Rotation == nil || sec.Rotation.Token != p.Token {
		// The rotation is over, unless what was read is older than this record: read
		// in the unit it must be what is kept, or the unit does not commit and is
		// done again.
		sec, err := s.due(ctx, due)
		if err != nil || sec == nil || sec.Rotation == nil || sec.Rotation.Token != p.Token {
			return err
		}
		return s.proceed(ctx, sec, &p, 0)
	}
	if now := sec.Stages[current]; sec.Deletion != nil || now != p.Was && now != p.Token || now != p.Token && sec.Stages[pending] != p.Token {
		return s.abandon(ctx, due, &p)
	}
	err = s.invoke(ctx, sec, &p)
	if ctx.Err() != nil {
		return ctx.Err() // the plane ends; the record stays
	}
	if err != nil {
		p.Failures++
		s.env.Log.Warn("a step of a rotation failed", "secret", sec.arn, "step", p.Step, "failures", p.Failures, "error", err)
		switch {
		case p.Failures < mostFailures && !p.Test:
			return s.proceed(ctx, sec, &p, firstPause<<(2*(p.Failures-1)))
		case p.Step == undo || p.Step == "createSecret" || p.Test:
			return s.end(ctx, due, &p, err)
		}
		if err := s.tell(ctx, sec, "RotationFailed", err); err != nil {
			return err
		}
		p.Step, p.Failures = undo, 0
		return s.proceed(ctx, sec, &p, 0)
	}
	next, more := steps[p.Step]
	switch {
	case p.Step == undo && sec.Stages[current] != p.Token:
		return s.end(ctx, due, &p, errUndone)
	case p.Test || !more:
		return s.end(ctx, due, &p, nil)
	}
	p.Step, p.Failures = next, 0
	return s.proceed(ctx, sec, &p, 0)
}

func (s *Service) invoke(ctx context.Context, sec *secret, p *progress) error {
	function, err := aws.ParseARN(sec.Rotation.Function)
	switch {
	case err != nil:
		return err
	case p.Step == undo:
		return s.functions.Undo(ctx, function, sec.arn.String(), p.Token)
	}
	return s.functions.Invoke(ctx, function, p.Step, sec.arn.String(), p.Token)
}

// end notes how a rotation has ended. After a failure the current version is what it
// was, and AWSPENDING stays, so that the next attempt goes on from there, at the
// latest after a while.
func (s *Service) end(ctx context.Context, due store.Due, p *progress, failure error) error {
	sec, err := s.due(ctx, due)
	if err != nil || sec == nil || sec.Rotation == nil || sec.Rotation.Token != p.Token {
		return err
	}
	sec.Rotation.Token = ""
	name := "Rotation"
	switch {
	case p.Test:
		name = "TestRotation"
		if err := s.endTest(ctx, sec, p.Token); err != nil {
			return err
		}
	case failure != nil:
		if err := s.retryLater(ctx, sec); err != nil {
			return err
		}
	default:
		sec.Rotated = time.Now().UTC()
		if sec.Stages[pending] == p.Token {
			delete(sec.Stages, pending)
		}
		s.await(ctx, sec)
	}
	outcome := "Succeeded"
	if failure != nil {
		outcome = "Failed"
	}
	if failure == nil || p.Step != undo { // of what is undone it was told before
		if err := s.tell(ctx, sec, name+outcome, failure); err != nil {
			return err
		}
	}
	return s.change(ctx, sec, nil)
}

// endTest takes the version of a test away, and gives AWSPENDING back.
func (s *Service) endTest(ctx context.Context, sec *secret, token string) error {
	r := sec.Rotation
	if sec.Stages[pending] == token {
		delete(sec.Stages, pending)
		if r.Left != "" {
			sec.Stages[pending] = r.Left
		}
	}
	r.Test, r.Left = false, ""
	if len(sec.stagesOf(token)) > 0 {
		return nil
	}
	return s.dropVersion(ctx, sec, token)
}

// A retry is what the due record of a window says when it is none of the calendar's.
type retry struct{ Was string } // the version that is to be rotated

func (s *Service) retryLater(ctx context.Context, sec *secret) error {
	b, err := json.Marshal(retry{sec.Stages[current]})
	if err == nil {
		store.Schedule(ctx, store.Due{Kind: jobWindow, ID: sec.ID, At: time.Now().Add(retryAfter), Payload: b, Place: placeOf(sec)})
	}
	return err
}

// abandon gives a rotation up since somebody has put another value meanwhile, or the
// secret is to be deleted: then AWSPENDING stays, since its version may stand in the
// database already, for the case that the secret is restored. User Guide, "Monitor
// Secrets Manager": RotationAbandoned.
func (s *Service) abandon(ctx context.Context, due store.Due, p *progress) error {
	sec, err := s.due(ctx, due)
	if err != nil || sec == nil || sec.Rotation == nil || sec.Rotation.Token != p.Token {
		return err
	}
	sec.Rotation.Token = ""
	if p.Test {
		if err := s.endTest(ctx, sec, p.Token); err != nil {
			return err
		}
	} else if sec.Deletion == nil && sec.Stages[pending] == p.Token {
		delete(sec.Stages, pending)
	}
	if err := s.tell(ctx, sec, "RotationAbandoned", nil); err != nil {
		return err
	}
	return s.change(ctx, sec, nil)
}
