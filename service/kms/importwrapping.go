package kms

import (
	"context"
	"sync"

	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
	"sumun.dev/store"
)

// maxWrappings bounds the wrapping keys that are held for requests under way.
const maxWrappings = 100

// wrappings holds the wrapping key of each GetParametersForImport that is not
// committed yet. To make one takes long, up to seconds: a request whose unit of work
// begins anew, since another has got a token for the same key meanwhile, goes on with
// the one that it has, and never gives out another's.
type wrappings struct {
	mu sync.Mutex
	of map[string]wrapping // by request, and what it is for
}

type wrapping struct{ private, public []byte }

// wrapping returns the wrapping key of a call, for a KMS key.
func (w *wrappings) wrapping(ctx context.Context, arn aws.ARN, spec string) (wrapping, error) {
	request := aws.CallOf(ctx).RequestID + " " + arn.String() + " " + spec
	w.mu.Lock()
	made, there := w.of[request]
	w.mu.Unlock()
	if !there {
		var err error
		if made.private, made.public, err = mat.NewWrapping(spec); err != nil {
			return wrapping{}, err
		}
		w.keep(request, made)
	}
	store.AfterCommit(ctx, func() { w.forget(request) })
	return made, nil
}

func (w *wrappings) keep(request string, made wrapping) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil || len(w.of) >= maxWrappings {
		w.of = map[string]wrapping{}
	}
	w.of[request] = made
}

func (w *wrappings) forget(request string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.of[request].private) // the token's record has it, sealed
	delete(w.of, request)
}
