package service

import (
	"context"
	"errors"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/store"
)

// WithIDs returns a document with the unique ids of the users and roles that it
// names, as it is kept: a namesake made later is somebody else. It refuses users
// and roles that are not there with policy.Malformed. IAM User Guide, "AWS JSON policy elements: Principal".
func WithIDs(ctx context.Context, known Principals, document string) (string, error) {
	kept, err := policy.Rewrite([]byte(document), func(principal string) (string, error) {
		arn, err := aws.ParseARN(principal)
		if err != nil || arn.Service != "iam" || arn.Resource == "root" {
			if looksLikeID(principal) {
				if _, err := known.Named(ctx, principal); errors.Is(err, store.ErrNotFound) {
					return "", invalidPrincipal(principal)
				}
			}
			return principal, nil
		}
		id, err := known.UniqueID(ctx, arn)
		if errors.Is(err, store.ErrNotFound) {
			return "", invalidPrincipal(principal)
		}
		return id, err
	})
	return string(kept), err
}

// WithARNs returns a kept document as it is shown: with ARNs. Who is gone shows
// by the bare id.
func WithARNs(ctx context.Context, known Principals, document string) (string, error) {
	shown, err := policy.Rewrite([]byte(document), func(principal string) (string, error) {
		if !looksLikeID(principal) {
			return principal, nil
		}
		arn, err := known.Named(ctx, principal)
		if errors.Is(err, store.ErrNotFound) {
			return principal, nil
		}
		return arn.String(), err
	})
	return string(shown), err
}

func looksLikeID(s string) bool { return strings.HasPrefix(s, "AIDA") || strings.HasPrefix(s, "AROA") }

func invalidPrincipal(principal string) error {
	return policy.Malformed.New("Invalid principal in policy: \"AWS\":\"%s\"", principal)
}
