// Package rotate is the rotation functions that AWS gives as templates, run in the plane.
//
// Read rotate.go (who is invoked, as whom), secret.go (what a secret says),
// single.go and alternating.go (the two strategies), databases.go (where it may
// connect). Secrets Manager User Guide, "AWS Secrets Manager rotation function
// templates". What they do is known from AWS's published templates; they make the
// same calls in the same order.
package rotate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/engine/database"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// The steps of a rotation, in order.
const (
	Create = "createSecret"
	Set    = "setSecret"
	Test   = "testSecret"
	Finish = "finishSecret"
)

// Functions are those that the plane can run.
type Functions struct {
	aws       wire.Caller // as Lambda
	databases []Database
}

// New returns the functions, which connect to databases and nothing else. Their
// calls are made by lambda.amazonaws.com's sessions of the functions' roles.
func New(lambda wire.Caller, databases []Database) *Functions {
	return &Functions{lambda, databases}
}

// Needs lists what the functions call.
func Needs() []wire.AnyOperation {
	return []wire.AnyOperation{&secretsmanagerapi.DescribeSecret, &secretsmanagerapi.GetSecretValue, &secretsmanagerapi.GetRandomPassword,
		&secretsmanagerapi.PutSecretValue, &secretsmanagerapi.UpdateSecretVersionStage}
}

// A template is a function that AWS publishes.
type template struct {
	name        string
	engine      database.Engine
	alternating bool
}

func templates() []template {
	return []template{
		{"SecretsManagerRDSPostgreSQLRotationSingleUser", database.Postgres, false},
		{"SecretsManagerRDSPostgreSQLRotationMultiUser", database.Postgres, true},
		{"SecretsManagerRDSMySQLRotationSingleUser", database.MySQL, false},
		{"SecretsManagerRDSMySQLRotationMultiUser", database.MySQL, true},
		{"SecretsManagerRDSMariaDBRotationSingleUser", database.MariaDB, false},
		{"SecretsManagerRDSMariaDBRotationMultiUser", database.MariaDB, true},
	}
}

func templateOf(function aws.ARN) (template, bool) {
	name, ok := strings.CutPrefix(function.Resource, "function:")
	if !ok || function.Service != "lambda" {
		return template{}, false
	}
	all := templates()
	i := slices.IndexFunc(all, func(t template) bool { return t.name == name })
	if i < 0 {
		return template{}, false
	}
	return all[i], true
}

// Has reports whether the plane can run the function.
func (f *Functions) Has(function aws.ARN) bool {
	_, ok := templateOf(function)
	return ok
}

// Role is the execution role of a function: the one of the function's name in its account.
func (f *Functions) Role(function aws.ARN) aws.ARN {
	name, _ := strings.CutPrefix(function.Resource, "function:")
	return aws.ARN{Partition: function.Partition, Service: "iam", Account: function.Account, Resource: "role/" + name}
}

// Invoke does one step of a rotation. Each can be done again, whatever became of
// it the first time. It leaves the unit of work that ctx carries: a database
// cannot take part in one.
func (f *Functions) Invoke(ctx context.Context, function aws.ARN, step, secret, token string) error {
	return f.run(ctx, function, secret, token, func(ctx context.Context, r *run) error {
		switch step {
		case Create:
			return r.create(ctx)
		case Set:
			if r.template.alternating {
				return r.setAlternating(ctx)
			}
			return r.setSingle(ctx)
		case Test:
			return r.test(ctx)
		case Finish:
			return r.finish(ctx)
		}
		return fmt.Errorf("rotate: there is no step %q", step)
	})
}

// Undo gives a user who changes the own password the current one again, when the
// rotation to token is given up. AWS's templates have no such step: there the
// current credential stays one that does not log in until somebody sees to it. With
// alternating users it always does.
func (f *Functions) Undo(ctx context.Context, function aws.ARN, secret, token string) error {
	return f.run(ctx, function, secret, token, func(ctx context.Context, r *run) error {
		if r.template.alternating {
			return nil
		}
		return r.undoSingle(ctx)
	})
}

// run does work as the function, unless the version is current already.
func (f *Functions) run(ctx context.Context, function aws.ARN, secret, token string, work func(context.Context, *run) error) error {
	t, ok := templateOf(function)
	if !ok {
		return fmt.Errorf("rotate: %s is no function of this plane", function)
	}
	ctx, err := f.aws.As(store.Outside(ctx), f.Role(function), t.name)
	if err != nil {
		return fmt.Errorf("assume the function's role %s: %w", f.Role(function), err)
	}
	r := &run{f: f, template: t, secret: secret, token: token}
	if done, err := r.begin(ctx); done || err != nil {
		return err
	}
	return work(ctx, r)
}

// A run is one step of one rotation.
type run struct {
	f             *Functions
	template      template
	secret, token string
	current       string // version id of AWSCURRENT
}

// begin checks that the version is to be rotated to; done when it is current already.
func (r *run) begin(ctx context.Context) (done bool, err error) {
	out, err := secretsmanagerapi.DescribeSecret.Call(ctx, r.f.aws, &secretsmanagerapi.DescribeSecretRequest{SecretId: r.secret})
	if err != nil {
		return false, err
	}
	for id, stages := range out.VersionIdsToStages {
		if slices.Contains(stages, current) {
			r.current = id
		}
	}
	stages, there := out.VersionIdsToStages[r.token]
	switch {
	case out.RotationEnabled == nil || !*out.RotationEnabled:
		return false, fmt.Errorf("rotate: secret %s is not enabled for rotation", r.secret)
	case !there:
		return false, fmt.Errorf("rotate: secret version %s has no stage for rotation of secret %s", r.token, r.secret)
	case slices.Contains(stages, current):
		return true, nil
	case !slices.Contains(stages, pending):
		return false, fmt.Errorf("rotate: secret version %s is not set as %s for rotation of secret %s", r.token, pending, r.secret)
	}
	return false, nil
}

// create makes the new credential, once: what is there is what the database may
// have been told already.
func (r *run) create(ctx context.Context) error {
	now, err := r.value(ctx, current)
	if err != nil {
		return err
	}
	_, err = r.value(ctx, pending)
	if err == nil {
		return nil
	}
	if !missing(err) {
		return err
	}
	if r.template.alternating {
		if now.user, err = alternate(now.user); err != nil {
			return err
		}
		if err := (&database.Server{Engine: r.template.engine}).CheckName(now.user); err != nil {
			return err
		}
	}
	const exclude = `/@"'\` // as the templates do: these break connection strings
	random, err := secretsmanagerapi.GetRandomPassword.Call(ctx, r.f.aws, &secretsmanagerapi.GetRandomPasswordRequest{ExcludeCharacters: new(exclude)})
	if err != nil {
		return err
	}
	if random.RandomPassword == nil {
		return fmt.Errorf("rotate: no random password came")
	}
	text, err := now.with(now.user, *random.RandomPassword)
	if err != nil {
		return err
	}
	_, err = secretsmanagerapi.PutSecretValue.Call(ctx, r.f.aws, &secretsmanagerapi.PutSecretValueRequest{
		SecretId: r.secret, ClientRequestToken: &r.token, SecretString: &text, VersionStages: []string{pending},
	})
	return err
}

// test logs in with the new credential.
func (r *run) test(ctx context.Context) error {
	c, err := r.value(ctx, pending)
	if err != nil {
		return err
	}
	server, err := r.server(c)
	if err != nil {
		return err
	}
	return server.Try(ctx, c.login())
}

// finish makes the new credential the current one.
func (r *run) finish(ctx context.Context) error {
	in := &secretsmanagerapi.UpdateSecretVersionStageRequest{SecretId: r.secret, VersionStage: current, MoveToVersionId: &r.token}
	if r.current != "" {
		in.RemoveFromVersionId = &r.current
	}
	_, err := secretsmanagerapi.UpdateSecretVersionStage.Call(ctx, r.f.aws, in)
	return err
}
