package secretsmanager

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
)

// stuck is a Lambda whose functions are there and never come to an end.
type stuck struct{}

func (stuck) Has(aws.ARN) bool              { return true }
func (stuck) Role(function aws.ARN) aws.ARN { return function }
func (stuck) Invoke(context.Context, aws.ARN, string, string, string) error {
	return aws.InternalFailure.New("no answer")
}
func (stuck) Undo(context.Context, aws.ARN, string, string) error { return nil }

// rotating makes the secret "a", which rotates every ten days from its last value.
func (w *world) rotating() {
	w.service.UseFunctions(stuck{})
	w.service.env.Principals = nil // any role is there
	must(w, &api.CreateSecret, &api.CreateSecretRequest{Name: "a", SecretString: new("one")})
	must(w, &api.RotateSecret, &api.RotateSecretRequest{SecretId: "a", RotateImmediately: new(false),
		RotationLambdaARN: new("arn:aws:lambda:us-east-1:111122223333:function:mine"), RotationRules: &api.RotationRulesType{AutomaticallyAfterDays: new(int64(10))}})
	w.settle() // what RotateImmediately tests is not of interest
}

func (w *world) next() time.Time {
	w.t.Helper()
	out := must(w, &api.DescribeSecret, &api.DescribeSecretRequest{SecretId: "a"})
	if out.NextRotationDate == nil {
		w.t.Fatal("no rotation is to come")
	}
	return *out.NextRotationDate
}

// under reports whether a rotation has begun.
func (w *world) under() bool {
	w.t.Helper()
	sec, err := w.service.secret(w.ctx, "a")
	if err != nil {
		w.t.Fatal(err)
	}
	return sec.Rotation.Token != ""
}

// A secret that is had back after its window rotates at the next one.
func TestARestoredSecretRotatesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.rotating()
		must(w, &api.DeleteSecret, &api.DeleteSecretRequest{SecretId: "a"})
		time.Sleep(12 * day)
		w.settle()
		must(w, &api.RestoreSecret, &api.RestoreSecretRequest{SecretId: "a"})
		if next := w.next(); !next.After(time.Now()) || time.Until(next) > 10*day {
			t.Errorf("at %s the next rotation is by %s", time.Now(), next)
		}
		time.Sleep(10 * day)
		w.settle()
		if !w.under() {
			t.Error("it does not rotate")
		}
	})
}

// Whoever puts a value has rotated the secret: the days count from then.
func TestAValueThatIsPutCountsAsARotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, put := range map[string]func(w *world){
			"PutSecretValue": func(w *world) {
				must(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretString: new("two")})
			},
			"UpdateSecret": func(w *world) {
				must(w, &api.UpdateSecret, &api.UpdateSecretRequest{SecretId: "a", SecretString: new("two")})
			},
			"UpdateSecretVersionStage": func(w *world) {
				old := w.current()
				must(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretString: new("two"), ClientRequestToken: token(2), VersionStages: []string{"x"}})
				if next := w.next(); time.Until(next) > 6*day {
					t.Errorf("a value that is not current puts the next rotation off to %s", next)
				}
				must(w, &api.UpdateSecretVersionStage, &api.UpdateSecretVersionStageRequest{SecretId: "a", VersionStage: current, MoveToVersionId: token(2), RemoveFromVersionId: &old})
			},
		} {
			w := newWorld(t)
			w.rotating()
			time.Sleep(5 * day)
			put(w)
			if next := w.next(); time.Until(next) < 9*day {
				t.Errorf("after %s the next rotation is by %s, of %s", name, next, time.Now())
			}
			time.Sleep(6 * day)
			w.settle()
			if w.under() {
				t.Errorf("after %s it rotates in the old window", name)
			}
			time.Sleep(5 * day)
			w.settle()
			if !w.under() {
				t.Errorf("after %s it does not rotate in the new window", name)
			}
		}
	})
}

func (w *world) current() string {
	w.t.Helper()
	return *must(w, &api.GetSecretValue, &api.GetSecretValueRequest{SecretId: "a"}).VersionId
}

// A rotation that has failed is begun anew by the request that began it.
func TestAFailedRotationGoesOnByItsOwnToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.rotating()
		ask := &api.RotateSecretRequest{SecretId: "a", ClientRequestToken: token(5)}
		must(w, &api.RotateSecret, ask)
		// The function has made the version, and fails afterwards.
		must(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretString: new("two"), ClientRequestToken: token(5), VersionStages: []string{pending}})
		for w.under() {
			w.settle()
			time.Sleep(time.Second)
		}
		if out := must(w, &api.RotateSecret, ask); *out.VersionId != *token(5) || !w.under() {
			t.Errorf("asked again it rotates to %s", *out.VersionId)
		}
		must(w, &api.CancelRotateSecret, &api.CancelRotateSecretRequest{SecretId: "a"})
		old := w.current()
		if _, err := do(w, &api.RotateSecret, &api.RotateSecretRequest{SecretId: "a", ClientRequestToken: token(2)}); err != nil {
			t.Error(err)
		}
		must(w, &api.CancelRotateSecret, &api.CancelRotateSecretRequest{SecretId: "a"})
		must(w, &api.PutSecretValue, &api.PutSecretValueRequest{SecretId: "a", SecretString: new("three")})
		if _, err := do(w, &api.RotateSecret, &api.RotateSecretRequest{SecretId: "a", ClientRequestToken: &old}); !api.ResourceExistsException.Is(err) {
			t.Errorf("with another version's token: %v", err)
		}
	})
}
