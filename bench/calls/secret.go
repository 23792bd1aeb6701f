package main

import (
	"context"

	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/bench/program"
)

// secretValue reads one secret a call, under AWS's key: its KMS Decrypt is
// authorised and on record each time.
const secretValue = "GetSecretValue"

const secretName = "bench/app"

// secret makes the secret that is read.
func secret(ctx context.Context, p *program.Program) error {
	_, err := program.Call(ctx, p, &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{
		Name: secretName, SecretString: new(`{"username":"app","password":"a password of some length"}`),
	})
	return err
}
