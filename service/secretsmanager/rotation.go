package secretsmanager

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Functions run rotation functions.
type Functions interface {
	// Has reports whether the function can be run.
	Has(function aws.ARN) bool
	// Role is the role as which the function runs.
	Role(function aws.ARN) aws.ARN
	// Invoke runs one step, "createSecret" for one, of the rotation of secret to the
	// version token. It leaves the unit of work of ctx, and may be called again for
	// a step that was done.
	Invoke(ctx context.Context, function aws.ARN, step, secret, token string) error
	// Undo has the current credential work again, when the rotation to token is given
	// up after the step setSecret has begun. It leaves the unit of work too, and may be
	// called again.
	Undo(ctx context.Context, function aws.ARN, secret, token string) error
}

// UseFunctions says who runs rotation functions. It is called before the first call.
func (s *Service) UseFunctions(f Functions) { s.functions = f }

func (s *Service) rotationRoutes() []wire.Route {
	return []wire.Route{
		api.RotateSecret.To(s.rotateSecret, s.touchRotate),
		api.CancelRotateSecret.To(s.cancelRotation, touch(s, "CancelRotateSecret", func(in *api.CancelRotateSecretRequest) string { return in.SecretId })),
	}
}

func (s *Service) rotationJobs() []service.Job {
	return []service.Job{{Kind: jobWindow, Run: s.windowOpens}, {Kind: jobStep, Run: s.step}}
}

// touchRotate asks for the rotation, and for the right to invoke the function that
// the caller names: whoever names it has it run. API Reference, "RotateSecret".
func (s *Service) touchRotate(ctx context.Context, in *api.RotateSecretRequest) ([]wire.Touch, error) {
	conditions := map[string][]string{"secretsmanager:ModifyRotationRules": {strconv.FormatBool(in.RotationRules != nil)}}
	given(conditions, "RotationLambdaARN", in.RotationLambdaARN)
	givenBool(conditions, "RotateImmediately", in.RotateImmediately)
	touches, err := s.touch(ctx, "RotateSecret", in.SecretId, conditions)
	if err != nil {
		return nil, err
	}
	if function, err := aws.ParseARN(text(in.RotationLambdaARN)); err == nil && function.Service == "lambda" {
		touches = append(touches, wire.Touch{Action: "lambda:InvokeFunction", Resource: function})
	}
	return touches, nil
}

func (s *Service) rotateSecret(ctx context.Context, in *api.RotateSecretRequest) (*api.RotateSecretResponse, error) {
	if in.ExternalSecretRotationRoleArn != nil || len(in.ExternalSecretRotationMetadata) > 0 {
		return nil, api.InvalidParameterException.New("Secrets that partners manage are not offered here.")
	}
	sec, err := s.primary(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	if sec.Stages[current] == "" {
		return nil, api.InvalidRequestException.New("You can't rotate a secret that has no value.")
	}
	r, err := s.rules(ctx, sec, in)
	if err != nil {
		return nil, err
	}
	token, err := tokenOf(in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	out := &api.RotateSecretResponse{ARN: new(sec.arn.String()), Name: &sec.Name, VersionId: &token}
	switch {
	case r.Token == token || sec.Stages[current] == token:
		return out, nil // the same request again
	case r.Token != "":
		return nil, api.InvalidRequestException.New("A previous rotation isn't complete. That rotation will be reattempted.")
	}
	test, left := in.RotateImmediately != nil && !*in.RotateImmediately, sec.unfinished()
	if _, there := sec.Versions[token]; there && (test || token != left) {
		return nil, api.ResourceExistsException.New("You can't use ClientRequestToken %s because that token is already in use for a version of secret %s.", token, sec.arn)
	}
	sec.Rotation = r
	if test {
		err = s.beginTest(ctx, sec, token)
	} else {
		if left != "" { // its version may stand in the database already
			token = left
		}
		err = s.begin(ctx, sec, token)
	}
	if err != nil {
		return nil, err
	}
	s.await(ctx, sec)
	return out, s.save(ctx, sec)
}

// rules returns how the secret rotates from now on: as the request says, else as before.
func (s *Service) rules(ctx context.Context, sec *secret, in *api.RotateSecretRequest) (*rotation, error) {
	r := &rotation{}
	if sec.Rotation != nil {
		*r = *sec.Rotation
	}
	r.Enabled = true
	if in.RotationLambdaARN != nil {
		r.Function = *in.RotationLambdaARN
	}
	if r.Function == "" {
		return nil, api.InvalidRequestException.New("No Lambda rotation function ARN is associated with this secret.")
	}
	function, err := aws.ParseARN(r.Function)
	switch {
	case err != nil || function.Service != "lambda":
		return nil, api.InvalidParameterException.New("The RotationLambdaARN %s is not the ARN of a Lambda function.", r.Function)
	case function.Region != sec.arn.Region || function.Account != sec.arn.Account || function.Partition != sec.arn.Partition:
		return nil, api.InvalidParameterException.New("The rotation function must be in the secret's account and Region.")
	case s.functions == nil || !s.functions.Has(function):
		return nil, api.InvalidParameterException.New("The rotation function %s can't be run: AWS's templates for users of PostgreSQL, MySQL and MariaDB are served here, under their names; functions of your own are not yet.", r.Function)
	}
	if there, err := s.env.RoleExists(ctx, s.functions.Role(function)); err != nil || !there {
		if err != nil {
			return nil, err
		}
		return nil, api.InvalidParameterException.New("The rotation function %s runs as the role %s, which does not exist.", r.Function, s.functions.Role(function))
	}
	if in.RotationRules == nil {
		if _, ok := r.calendar(); !ok {
			return nil, api.InvalidParameterException.New("RotationRules must include either AutomaticallyAfterDays or ScheduleExpression.")
		}
		return r, nil
	}
	if err := checkRules(in.RotationRules); err != nil {
		return nil, err
	}
	r.Days, r.Schedule, r.Duration = int(orZero(in.RotationRules.AutomaticallyAfterDays)), text(in.RotationRules.ScheduleExpression), text(in.RotationRules.Duration)
	return r, nil
}

func (s *Service) cancelRotation(ctx context.Context, in *api.CancelRotateSecretRequest) (*api.CancelRotateSecretResponse, error) {
	sec, err := s.primary(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	out := &api.CancelRotateSecretResponse{ARN: new(sec.arn.String()), Name: &sec.Name}
	if sec.Rotation == nil {
		return out, nil
	}
	tested := sec.Rotation.Test
	if token := sec.Rotation.Token; token != "" {
		out.VersionId = &token
		store.UnscheduleIn(ctx, placeOf(sec), jobStep, sec.ID)
		if err := s.tell(ctx, sec, "RotationAbandoned", nil); err != nil {
			return nil, err
		}
		if tested {
			if err := s.endTest(ctx, sec, token); err != nil {
				return nil, err
			}
		}
	}
	// AWSPENDING of a rotation stays where it is: its version may stand in the
	// database already.
	store.UnscheduleIn(ctx, placeOf(sec), jobWindow, sec.ID)
	r := sec.Rotation
	r.Enabled, r.Next, r.Token = false, time.Time{}, ""
	if tested {
		return out, s.change(ctx, sec, nil) // a version is gone
	}
	return out, s.save(ctx, sec)
}

// unfinished is the version that an earlier rotation has left behind; empty when
// there is none.
func (s *secret) unfinished() string {
	if left := s.Stages[pending]; left != s.Stages[current] {
		return left
	}
	return ""
}

// jobWindow is the kind of the due records of windows: one a secret, by its id.
const jobWindow = "secretsmanager.window"

// await has the next window noted and waited for, if the secret rotates.
func (s *Service) await(ctx context.Context, sec *secret) {
	r := sec.Rotation
	if r == nil || !r.Enabled {
		return
	}
	c, ok := r.calendar()
	if !ok {
		return
	}
	opens, closes := c.next(sec.lastRotated(), time.Now())
	if opens.IsZero() {
		r.Next = time.Time{}
		store.UnscheduleIn(ctx, placeOf(sec), jobWindow, sec.ID)
		return
	}
	r.Next = closes.Add(-time.Second)
	store.Schedule(ctx, store.Due{Kind: jobWindow, ID: sec.ID, At: opens, Place: placeOf(sec)})
}

// renewed counts a rotation from now on where the schedule says how long after the
// last one the next is: whoever makes another value current has rotated the secret.
func (s *Service) renewed(ctx context.Context, sec *secret) {
	if r := sec.Rotation; r != nil && !strings.HasPrefix(r.Schedule, "cron(") {
		s.await(ctx, sec)
	}
}

// lastRotated is when the current value came: a value that somebody puts counts as
// a rotation. API Reference, "RotationRulesType", AutomaticallyAfterDays.
func (s *secret) lastRotated() time.Time {
	last := s.Versions[s.Stages[current]]
	if s.Rotated.After(last) {
		last = s.Rotated
	}
	return last
}

// windowOpens begins the rotation that is due.
func (s *Service) windowOpens(ctx context.Context, due store.Due) error {
	sec, err := s.due(ctx, due)
	if err != nil || sec == nil || sec.Rotation == nil || !sec.Rotation.Enabled || sec.Deletion != nil || sec.isReplica() {
		return err
	}
	c, ok := sec.Rotation.calendar()
	if !ok {
		return nil
	}
	var again retry
	if len(due.Payload) > 0 {
		if err := json.Unmarshal(due.Payload, &again); err != nil {
			return err
		}
	}
	opens, _ := c.next(sec.lastRotated(), due.At.Add(-1))
	if opens.After(time.Now()) && again.Was != sec.Stages[current] { // a value was put meanwhile
		s.await(ctx, sec)
		return s.save(ctx, sec)
	}
	if sec.Rotation.Token == "" && sec.Stages[current] != "" {
		token := sec.unfinished()
		if token == "" {
			token = aws.UUID()
		}
		if err := s.begin(ctx, sec, token); err != nil {
			return err
		}
	}
	s.await(ctx, sec)
	return s.save(ctx, sec)
}

// due returns the secret of a due record; nil when it is gone.
func (s *Service) due(ctx context.Context, due store.Due) (*secret, error) {
	sec, err := s.secrets.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return sec.at(aws.CallOf(ctx).ARN("secretsmanager", "secret:"+sec.ID)), nil
}

func (p *progress) due(sec *secret, at time.Time) (store.Due, error) {
	b, err := json.Marshal(p)
	return store.Due{Kind: jobStep, ID: sec.ID, At: at, Payload: b, Place: placeOf(sec)}, err
}
