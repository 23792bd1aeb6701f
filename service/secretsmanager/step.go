package secretsmanager

import (
	"context"
	"encoding/json"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// jobStep is the kind of the due records of rotations under way: one a secret, by
// its id. The record says which step is next. A step is done outside the unit of
// work that removes its record, since a database takes no part in it: when the
// process ends in between the step is done again, and each can be.
const jobStep = "secretsmanager.rotation"

// Attempts of one step: after 2, 8, 32 and 128 seconds.
const (
	mostFailures = 5
	firstPause   = 2 * time.Second
)

// The steps in order. User Guide, "Lambda function rotation".
var steps = map[string]string{"createSecret": "setSecret", "setSecret": "testSecret", "testSecret": "finishSecret"}

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

// beginTest tries the current value as if it were new, with the caller's rights on it.
func (s *Service) beginTest(ctx context.Context, sec *secret, token string) error {
	if sec.unfinished() != "" {
		return nil // what an earlier rotation has left is not tested away
	}
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
	if err != nil || sec == nil || sec.Rotation == nil || sec.Rotation.Token != p.Token {
		return err
	}
	if now := sec.Stages[current]; sec.Deletion != nil || now != p.Was && now != p.Token || now != p.Token && sec.Stages[pending] != p.Token {
		return s.abandon(ctx, due, &p)
	}
	function, err := aws.ParseARN(sec.Rotation.Function)
	if err == nil {
		err = s.functions.Invoke(ctx, function, p.Step, sec.arn.String(), p.Token)
	}
	if ctx.Err() != nil {
		return ctx.Err() // the plane ends; the record stays
	}
	if err != nil {
		p.Failures++
		s.env.Log.Warn("a step of a rotation failed", "secret", sec.arn, "step", p.Step, "failures", p.Failures, "error", err)
		if p.Failures >= mostFailures || p.Test {
			return s.end(ctx, due, &p, err)
		}
		return s.proceed(ctx, sec, &p, firstPause<<(2*(p.Failures-1)))
	}
	next, more := steps[p.Step]
	if p.Test || !more {
		return s.end(ctx, due, &p, nil)
	}
	p.Step, p.Failures = next, 0
	return s.proceed(ctx, sec, &p, 0)
}

// end notes how a rotation has ended. After a failure the current version is what it
// was, and AWSPENDING stays, so that the next attempt goes on from there.
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
		if sec.Stages[pending] == p.Token {
			delete(sec.Stages, pending)
			if len(sec.stagesOf(p.Token)) == 0 {
				if err := s.dropVersion(ctx, sec, p.Token); err != nil {
					return err
				}
			}
		}
	case failure == nil:
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
	if err := s.tell(ctx, sec, name+outcome, failure); err != nil {
		return err
	}
	return s.change(ctx, sec, nil)
}

// abandon gives a rotation up since somebody has put another value meanwhile, or the
// secret is to be deleted. User Guide, "Monitor Secrets Manager": RotationAbandoned.
func (s *Service) abandon(ctx context.Context, due store.Due, p *progress) error {
	sec, err := s.due(ctx, due)
	if err != nil || sec == nil || sec.Rotation == nil || sec.Rotation.Token != p.Token {
		return err
	}
	sec.Rotation.Token = ""
	if sec.Stages[pending] == p.Token {
		delete(sec.Stages, pending)
	}
	if err := s.tell(ctx, sec, "RotationAbandoned", nil); err != nil {
		return err
	}
	return s.change(ctx, sec, nil)
}
