package rotate

import (
	"context"
	"errors"
	"fmt"

	"sumun.dev/engine/database"
)

// setSingle has the user change the own password: as the current credential says,
// else, when somebody has changed it back, as the previous one. User Guide,
// "Lambda function rotation strategies": single user.
func (r *run) setSingle(ctx context.Context) error {
	next, err := r.value(ctx, pending, r.token)
	if err != nil {
		return err
	}
	server, err := r.server(next)
	if err != nil {
		return err
	}
	err = server.Try(ctx, next.login())
	if !errors.Is(err, database.ErrLogin) {
		return err // the database has the new password already, or does not answer
	}
	now, err := r.value(ctx, current, "")
	if err != nil {
		return err
	}
	if !next.same(now) || next.user != now.user {
		return errors.New("rotate: the pending credential is of another user or host than the current one")
	}
	err = server.SetPassword(ctx, now.login(), next.password)
	if !errors.Is(err, database.ErrLogin) {
		return err
	}
	before, err := r.value(ctx, previous, "")
	if missing(err) {
		return fmt.Errorf("rotate: neither the pending nor the current credential of %s logs in", r.secret)
	}
	if err != nil {
		return err
	}
	if !next.same(before) || next.user != before.user {
		return errors.New("rotate: the previous credential is of another user or host than the current one")
	}
	err = server.SetPassword(ctx, before.login(), next.password)
	if errors.Is(err, database.ErrLogin) {
		return fmt.Errorf("rotate: neither the pending, the current nor the previous credential of %s logs in", r.secret)
	}
	return err
}

// undoSingle has the user change the own password back to the current credential's.
func (r *run) undoSingle(ctx context.Context) error {
	now, err := r.value(ctx, current, "")
	if err != nil {
		return err
	}
	server, err := r.server(now)
	if err != nil {
		return err
	}
	err = server.Try(ctx, now.login())
	if !errors.Is(err, database.ErrLogin) {
		return err // it works, or the database does not answer
	}
	next, err := r.value(ctx, pending, r.token)
	if err != nil {
		return err
	}
	if !next.same(now) || next.user != now.user {
		return errors.New("rotate: the pending credential is of another user or host than the current one")
	}
	return server.SetPassword(ctx, next.login(), now.password)
}
