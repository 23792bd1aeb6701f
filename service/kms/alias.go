package kms

import (
	"context"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// awsAliases begin the names that only AWS gives.
const awsAliases = "alias/aws/"

// An alias is made, moved and deleted by whoever may do so with the alias and with
// each key concerned. KMS Developer Guide, "Controlling access to aliases".
func (s *Service) touchAliasAnd(ctx context.Context, action, name string, keys ...string) ([]wire.Touch, error) {
	if err := checkAlias(name); err != nil {
		return nil, err
	}
	call := aws.CallOf(ctx)
	touches := []wire.Touch{{Action: action, Resource: call.ARN("kms", name), Conditions: withCaller(ctx, map[string][]string{})}}
	for _, key := range keys {
		t, err := s.identify(ctx, key, false)
		if err != nil {
			return nil, err
		}
		touch, err := s.touchKey(ctx, t, action, nil)
		if err != nil {
			return nil, err
		}
		touches = append(touches, touch)
	}
	return touches, nil
}

func (s *Service) touchNewAlias(ctx context.Context, in *kmsapi.CreateAliasRequest) ([]wire.Touch, error) {
	return s.touchAliasAnd(ctx, "kms:CreateAlias", in.AliasName, in.TargetKeyId)
}

func (s *Service) touchMovedAlias(ctx context.Context, in *kmsapi.UpdateAliasRequest) ([]wire.Touch, error) {
	a, err := s.aliases.Get(ctx, in.AliasName)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadID) {
		return s.touchAliasAnd(ctx, "kms:UpdateAlias", in.AliasName, in.TargetKeyId)
	}
	if err != nil {
		return nil, err
	}
	return s.touchAliasAnd(ctx, "kms:UpdateAlias", in.AliasName, a.Target, in.TargetKeyId)
}

func (s *Service) touchOldAlias(ctx context.Context, in *kmsapi.DeleteAliasRequest) ([]wire.Touch, error) {
	a, err := s.aliases.Get(ctx, in.AliasName)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadID) {
		return s.touchAliasAnd(ctx, "kms:DeleteAlias", in.AliasName)
	}
	if err != nil {
		return nil, err
	}
	return s.touchAliasAnd(ctx, "kms:DeleteAlias", in.AliasName, a.Target)
}

// checkAlias refuses names that are none, and AWS's.
func checkAlias(name string) error {
	rest, ok := strings.CutPrefix(name, "alias/")
	switch {
	case !ok || rest == "":
		return aws.ValidationException.New("Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
	case strings.Contains(rest, ":"):
		return aws.ValidationException.New("%s contains invalid characters for an alias", name)
	}
	return nil
}

// noAWSAlias refuses what only AWS may do with its aliases.
func noAWSAlias(name string) error {
	if strings.HasPrefix(name, awsAliases) {
		return kmsapi.NotFoundException.New("Alias %s is reserved for AWS managed keys.", name)
	}
	return nil
}

func (s *Service) createAlias(ctx context.Context, in *kmsapi.CreateAliasRequest) (*kmsapi.CreateAliasResponse, error) {
	if strings.HasPrefix(in.AliasName, awsAliases) {
		return nil, kmsapi.InvalidAliasNameException.New("The prefix alias/aws/ is reserved for AWS managed keys.")
	}
	k, _, err := s.manage(ctx, in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	err = s.aliases.Insert(ctx, in.AliasName, &alias{Name: in.AliasName, Target: k.ID, Created: now, Updated: now})
	if errors.Is(err, store.ErrExists) {
		return nil, kmsapi.AlreadyExistsException.New("An alias with the name %s already exists", aws.CallOf(ctx).ARN("kms", in.AliasName))
	}
	if err != nil {
		return nil, err
	}
	return &kmsapi.CreateAliasResponse{}, s.aliasRoom(ctx, k)
}

// aliasRoom refuses more aliases of one key than AWS has.
func (s *Service) aliasRoom(ctx context.Context, k *key) error {
	page, err := s.aliases.PageBy(ctx, byTarget, k.ID, store.Range{Limit: maxResourceAliases + 1})
	if err == nil && len(page) > maxResourceAliases {
		return kmsapi.LimitExceededException.New("A key has at most %d aliases.", maxResourceAliases)
	}
	return err
}

// alias returns the alias that a managing call names.
func (s *Service) alias(ctx context.Context, name string) (*alias, error) {
	if err := noAWSAlias(name); err != nil {
		return nil, err
	}
	a, err := s.aliases.Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadID) {
		return nil, kmsapi.NotFoundException.New("Alias %s is not found.", aws.CallOf(ctx).ARN("kms", name))
	}
	return a, err
}

func (s *Service) updateAlias(ctx context.Context, in *kmsapi.UpdateAliasRequest) (*kmsapi.UpdateAliasResponse, error) {
	a, err := s.alias(ctx, in.AliasName)
	if err != nil {
		return nil, err
	}
	to, arn, err := s.manage(ctx, in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	arn.Resource = "key/" + a.Target
	from, err := s.key(ctx, arn)
	if err != nil {
		return nil, err
	}
	if from.Usage != to.Usage || (from.Spec == symmetric) != (to.Spec == symmetric) {
		return nil, aws.ValidationException.New("Alias %s cannot be changed from a %s KMS key with usage %s to a %s KMS key with usage %s.", in.AliasName, from.Spec, from.Usage, to.Spec, to.Usage)
	}
	a.Target, a.Updated = to.ID, time.Now().UTC()
	if err := s.aliases.Put(ctx, a.Name, a); err != nil {
		return nil, err
	}
	return &kmsapi.UpdateAliasResponse{}, s.aliasRoom(ctx, to)
}

func (s *Service) deleteAlias(ctx context.Context, in *kmsapi.DeleteAliasRequest) (*kmsapi.DeleteAliasResponse, error) {
	a, err := s.alias(ctx, in.AliasName)
	if err != nil {
		return nil, err
	}
	return &kmsapi.DeleteAliasResponse{}, s.aliases.Delete(ctx, a.Name)
}

func (s *Service) listAliases(ctx context.Context, in *kmsapi.ListAliasesRequest) (*kmsapi.ListAliasesResponse, error) {
	p, err := s.pageOf(ctx, in.Marker, in.Limit, 50, value(in.KeyId))
	if err != nil {
		return nil, err
	}
	r := store.Range{After: p.after, Limit: p.limit + 1}
	var found []store.Entry[alias]
	if in.KeyId == nil {
		found, err = s.aliases.Page(ctx, r)
	} else {
		var k *key
		if k, _, err = s.look(ctx, *in.KeyId); err != nil {
			return nil, err
		}
		found, err = s.aliases.PageBy(ctx, byTarget, k.ID, r)
	}
	if err != nil {
		return nil, err
	}
	call, out := aws.CallOf(ctx), &kmsapi.ListAliasesResponse{Aliases: []kmsapi.AliasListEntry{}}
	found, out.NextMarker, out.Truncated = cut(s, p, found)
	for _, e := range found {
		a := e.Value
		out.Aliases = append(out.Aliases, kmsapi.AliasListEntry{
			AliasName: new(a.Name), AliasArn: new(call.ARN("kms", a.Name).String()), TargetKeyId: new(a.Target),
			CreationDate: new(a.Created), LastUpdatedDate: new(a.Updated),
		})
	}
	return out, nil
}
