package kms

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// A target is the key that a call is about, there or not.
type target struct {
	ARN   aws.ARN
	ID    string
	Alias string // how it was named, for kms:RequestAlias: "alias/app"; empty: by id or ARN
}

const aliasPrefix = "alias/"

// identify resolves a KeyId as callers give it (id, key ARN, alias name, alias ARN)
// to the ARN of a key. Operations that manage a key take no alias (aliasOK false).
// KMS Developer Guide, "Key identifiers".
func (s *Service) identify(ctx context.Context, keyID string, aliasOK bool) (target, error) {
	call := aws.CallOf(ctx)
	arn := call.ARN("kms", "key/"+keyID)
	switch {
	case strings.HasPrefix(keyID, aliasPrefix):
		arn.Resource = keyID
	case strings.HasPrefix(keyID, "arn:"):
		var err error
		// Policies name keys of this partition: the same key by an ARN of another
		// would pass by a Deny.
		if arn, err = aws.ParseARN(keyID); err != nil || arn.Partition != call.Partition || arn.Service != "kms" || arn.Account == "" {
			return target{}, kmsapi.InvalidArnException.New("Invalid arn %s", keyID)
		}
		if arn.Region != call.Region {
			return target{}, kmsapi.NotFoundException.New("Invalid arn %s", arn.Region)
		}
	}
	kind, id, _ := strings.Cut(arn.Resource, "/")
	switch {
	case kind == "key" && validKeyID(id):
		return target{ARN: arn, ID: id}, nil
	case kind != "alias" || id == "":
		return target{}, kmsapi.NotFoundException.New("Invalid keyId '%s'", keyID)
	case !aliasOK:
		return target{}, kmsapi.NotFoundException.New("Invalid keyId %s", keyID)
	}
	key, err := s.aliased(ctx, arn)
	if kmsapi.NotFoundException.Is(err) {
		made, failed := s.makeManaged(ctx, arn)
		if failed != nil {
			return target{}, failed
		}
		if made != "" {
			key, err = made, nil
		}
	}
	if kmsapi.NotFoundException.Is(err) && arn.Account != call.Account {
		// The gate refuses it as it refuses a key that is not there: which names
		// another account has given is not told.
		return target{ARN: arn, Alias: arn.Resource}, nil
	}
	if err != nil {
		return target{}, err
	}
	alias := arn.Resource
	arn.Resource = "key/" + key
	if !wire.Authorised(ctx, arn) {
		return target{}, fmt.Errorf("%w: %s has moved since the call was authorised", store.ErrConflict, alias)
	}
	return target{ARN: arn, ID: key, Alias: alias}, nil
}

// aliased returns the id of the key that an alias stands for, from memory when it is
// there.
func (s *Service) aliased(ctx context.Context, arn aws.ARN) (string, error) {
	own := writes(ctx)
	at := spotOf(arn)
	key, version := recall(s.known, s.known.aliases, at)
	if key != "" && !own {
		return key, nil
	}
	if !own {
		ctx = store.Outside(ctx)
	}
	a, err := s.aliases.At(arn).Get(ctx, arn.Resource)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadID) {
		return "", kmsapi.NotFoundException.New("Alias %s is not found.", arn)
	}
	if err != nil {
		return "", fmt.Errorf("read alias %s: %w", arn, err)
	}
	if !own {
		remember(s.known, s.known.aliases, version, at, a.Target)
	}
	return a.Target, nil
}

// writes reports whether the call's unit of work has written something, so that
// what is remembered of committed state may not be what the unit sees.
func writes(ctx context.Context) bool {
	u := store.UnitOf(ctx)
	return u != nil && !u.Empty()
}

// validKeyID reports whether s can be a key's id: a UUID, or mrk- and 32 digits.
func validKeyID(s string) bool {
	if digits, ok := strings.CutPrefix(s, multiRegionPrefix); ok {
		return len(digits) == 32 && hexadecimal(digits)
	}
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	return hexadecimal(s[:8]) && hexadecimal(s[9:13]) && hexadecimal(s[14:18]) && hexadecimal(s[19:23]) && hexadecimal(s[24:])
}

func hexadecimal(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') })
}

// key returns the record at a key's ARN, a copy of the caller's own.
func (s *Service) key(ctx context.Context, arn aws.ARN) (*key, error) {
	k, err := s.keys.At(arn).Get(ctx, keyIDOf(arn))
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadID) {
		return nil, kmsapi.NotFoundException.New("Key '%s' does not exist", arn)
	}
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", arn, err)
	}
	return k, nil
}

// state is the key's state, which follows from what is kept of it.
// KMS Developer Guide, "Key states of AWS KMS keys".
func (k *key) state(now time.Time) kmsapi.KeyState {
	switch {
	case k.Deletion != nil && k.Deletion.At.IsZero():
		return kmsapi.KeyStatePendingReplicaDeletion
	case k.Deletion != nil:
		return kmsapi.KeyStatePendingDeletion
	case k.lacksMaterial(now):
		return kmsapi.KeyStatePendingImport
	case k.Disabled:
		return kmsapi.KeyStateDisabled
	}
	return kmsapi.KeyStateEnabled
}

// usable refuses cryptography with a key whose state does not allow it.
func (k *key) usable(arn aws.ARN, now time.Time) error {
	return k.allows(arn, rule{disabled: true, imports: true, deletion: true}, now)
}
