package iam

import (
	"context"
	"errors"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// A kind is a sort of resource that clients name by its ARN.
type kind struct {
	name string // as ARNs have it: "mfa"
	tags func(ctx context.Context, id string) ([]tag, error)
}

// id returns what follows the kind in an ARN of the call's account: "/team/phone".
func (k kind) id(ctx context.Context, arn string) (string, bool) {
	own, ok := k.arn(ctx, arn)
	return own.Resource[len(k.name):], ok
}

// arn returns the ARN of a resource of the call's account whose ARN a client gave.
// One of another account reads as the same resource of the caller's: what is there
// belongs to nobody else, and is not told.
func (k kind) arn(ctx context.Context, text string) (aws.ARN, bool) {
	call := aws.CallOf(ctx)
	a, err := aws.ParseARN(text)
	if err != nil || a.Service != "iam" || len(a.Resource) <= len(k.name)+1 || a.Resource[:len(k.name)+1] != k.name+"/" {
		return call.GlobalARN("iam", k.name+"/*"), false
	}
	own := call.GlobalARN("iam", a.Resource)
	return own, own == a
}

// touch names a resource by its ARN, with its tags when it is there.
func (k kind) touch(ctx context.Context, action, text string) (wire.Touch, error) {
	arn, own := k.arn(ctx, text)
	touch := wire.Touch{Action: action, Resource: arn}
	if !own {
		return touch, nil
	}
	tags, err := k.tags(ctx, arn.Resource[len(k.name):])
	if errors.Is(err, store.ErrNotFound) {
		return touch, nil
	}
	touch.Tags = tagMap(tags)
	return touch, err
}

// touchARN makes the touch function of operations on one resource of a kind.
func touchARN[In any](k kind, action string, arn func(*In) string) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		touch, err := k.touch(ctx, action, arn(in))
		return []wire.Touch{touch}, err
	}
}

// touchTagged is touchARN for operations that put tags on.
func touchTagged[In any](k kind, action string, arn func(*In) (string, []iamapi.Tag)) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		text, tags := arn(in)
		touch, err := k.touch(ctx, action, text)
		touch.Conditions = requested(tags)
		return []wire.Touch{touch}, err
	}
}

// touchUntagged is touchARN for operations that take tags away.
func touchUntagged[In any](k kind, action string, arn func(*In) (string, []string)) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		text, keys := arn(in)
		touch, err := k.touch(ctx, action, text)
		touch.Conditions = keysOf(keys)
		return []wire.Touch{touch}, err
	}
}

// touchAll makes the touch function of an action without resources of its own.
func touchAll[In any](action string) func(context.Context, *In) ([]wire.Touch, error) {
	return func(context.Context, *In) ([]wire.Touch, error) { return []wire.Touch{{Action: action}}, nil }
}

// touchNew makes the touch function of an operation that makes a resource, with
// its tags.
func touchNew[In any](action, tagging string, resource func(*In) (string, []iamapi.Tag)) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		name, tags := resource(in)
		touch := wire.Touch{Action: action, Resource: aws.CallOf(ctx).GlobalARN("iam", name), Conditions: requested(tags)}
		return service.WithTagging(tagging, touch), nil
	}
}
