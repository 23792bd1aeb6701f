package example

import (
	"context"

	"sumun.dev/wire"
)

// touchNote makes the touch function of operations on one note: the one that the
// caller names, so that a refusal does not tell whether it exists.
func touchNote[In any](action string, name func(In) string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		return []wire.Touch{{Action: action, Resource: arn(ctx, name(in))}}, nil
	}
}

// touchAll is for operations that policies can only allow on all resources.
func touchAll(context.Context, *ListNotesRequest) ([]wire.Touch, error) {
	return []wire.Touch{{Action: "example:ListNotes"}}, nil
}
