package rotate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/engine/database"
)

const cloned = "_clone"

// alternate returns the other of the two users.
func alternate(user string) (string, error) {
	if original, ok := strings.CutSuffix(user, cloned); ok {
		if original == "" {
			return "", database.ErrName
		}
		return original, nil
	}
	return user + cloned, nil
}

// setAlternating gives the user who is not in use a new password, and makes it
// from the one in use when it is not there. An administrator does it, whose secret
// the current credential names. User Guide, "Lambda function rotation strategies":
// alternating users.
func (r *run) setAlternating(ctx context.Context) error {
	now, err := r.value(ctx, current)
	if err != nil {
		return err
	}
	next, err := r.value(ctx, pending)
	if err != nil {
		return err
	}
	place, err := r.registered(next)
	if err != nil {
		return err
	}
	err = place.Try(ctx, next.login())
	if !errors.Is(err, database.ErrLogin) {
		return err
	}
	other, err := alternate(now.user)
	if err != nil {
		return err
	}
	if !next.same(now) || next.user != other {
		return errors.New("rotate: the pending credential is not of the other user on the host of the current one")
	}
	master := now.master
	if master == "" {
		master = place.Admin
	}
	if master == "" {
		return fmt.Errorf("rotate: %s has no 'masterarn', and the database's settings no admin-secret", r.secret)
	}
	admin, err := r.read(ctx, &secretsmanagerapi.GetSecretValueRequest{SecretId: master, VersionStage: new(current)}, "")
	if err != nil {
		return err
	}
	if admin.user == next.user { // who may write the secret must not come by the administrator's password
		return fmt.Errorf("rotate: the other user of %s is the administrator", r.secret)
	}
	if !admin.same(now) {
		return fmt.Errorf("rotate: %s is of another host than %s", master, r.secret)
	}
	err = place.Clone(ctx, admin.login(), now.login(), next.user, next.password)
	if errors.Is(err, database.ErrLogin) {
		return fmt.Errorf("rotate: the current credential of %s, or the administrator's, does not log in: %w", r.secret, err)
	}
	return err
}
