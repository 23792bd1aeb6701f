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
	err := r.change(ctx, current, pending)
	if !errors.Is(err, database.ErrLogin) {
		return err
	}
	err = r.change(ctx, previous, pending)
	switch {
	case missing(err):
		return fmt.Errorf("rotate: neither the pending nor the current credential of %s logs in", r.secret)
	case errors.Is(err, database.ErrLogin):
		return fmt.Errorf("rotate: neither the pending, the current nor the previous credential of %s logs in", r.secret)
	}
	return err
}

// undoSingle has the user change the own password back to the current credential's.
func (r *run) undoSingle(ctx context.Context) error { return r.change(ctx, pending, current) }

// change has the user log in as one label's credential says, and change the own
// password to another's, unless that one logs in already. It returns
// database.ErrLogin when neither does.
func (r *run) change(ctx context.Context, from, to string) error {
	goal, err := r.value(ctx, to)
	if err != nil {
		return err
	}
	server, err := r.server(goal)
	if err != nil {
		return err
	}
	err = server.Try(ctx, goal.login())
	if !errors.Is(err, database.ErrLogin) {
		return err // nothing is left to do, or the database does not answer
	}
	as, err := r.value(ctx, from)
	if err != nil {
		return err
	}
	if !goal.same(as) || goal.user != as.user {
		return fmt.Errorf("rotate: the credentials labelled %s and %s are of different users or hosts", to, from)
	}
	return server.SetPassword(ctx, as.login(), goal.password)
}
