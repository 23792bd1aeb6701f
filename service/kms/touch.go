package kms

import (
	"context"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// maxResourceAliases is how many aliases a key can have for kms:ResourceAliases to
// tell any. KMS Developer Guide, "AWS KMS condition keys".
const maxResourceAliases = 50

// touchKey is the touch for an action on a key: its policy and tags, the caller's
// grants, and what policies ask about keys; extra are the operation's own condition
// values. It is the same for a key that does not exist, without a policy: the
// caller's own account then learns it from the answer, nobody else does.
func (s *Service) touchKey(ctx context.Context, t target, action string, extra map[string][]string) (wire.Touch, error) {
	r, err := s.readReady(ctx, t.ARN)
	return s.touchReady(ctx, t, r, err, action, extra)
}

// touchReady is touchKey with what was found of the key.
func (s *Service) touchReady(ctx context.Context, t target, r *ready, err error, action string, extra map[string][]string) (wire.Touch, error) {
	if extra == nil {
		extra = make(map[string][]string, 8)
	}
	touch := wire.Touch{Action: action, Resource: t.ARN, Conditions: extra}
	withCaller(ctx, extra)
	if t.Alias != "" && requestAliases[action] {
		extra["kms:RequestAlias"] = []string{t.Alias}
	}
	if kmsapi.NotFoundException.Is(err) {
		return touch, nil
	}
	if err != nil {
		return wire.Touch{}, err
	}
	for name, value := range r.conditions {
		extra[name] = value
	}
	touch.Policy, touch.PolicyKind, touch.Tags, touch.AWSManaged = r.Policy, "key", r.Tags, r.Service != ""
	touch.Grants, err = s.grantsOf(ctx, t.ARN, action, extra)
	return touch, err
}

// withCaller adds to condition values whose account calls. An AWS service that calls
// for itself belongs to none, and has no kms:CallerAccount.
func withCaller(ctx context.Context, values map[string][]string) map[string][]string {
	if account := aws.CallOf(ctx).Principal.Account; account != "" {
		values["kms:CallerAccount"] = []string{string(account)}
	}
	return values
}

// requestAliases are the actions that know kms:RequestAlias: those that use a key
// or describe it.
var requestAliases = map[string]bool{
	"kms:Decrypt": true, "kms:DeriveSharedSecret": true, "kms:DescribeKey": true, "kms:Encrypt": true, "kms:GenerateDataKey": true,
	"kms:GenerateDataKeyPair": true, "kms:GenerateDataKeyPairWithoutPlaintext": true, "kms:GenerateDataKeyWithoutPlaintext": true,
	"kms:GenerateMac": true, "kms:GetPublicKey": true, "kms:ReEncryptFrom": true, "kms:ReEncryptTo": true, "kms:Sign": true,
	"kms:Verify": true, "kms:VerifyMac": true,
}

// kind is what policies ask about what a key is made for, by the deprecated names too.
func (k *key) kind() map[string][]string {
	spec, usage := []string{k.Spec}, []string{k.Usage}
	return map[string][]string{
		"kms:KeySpec": spec, "kms:KeyUsage": usage, "kms:KeyOrigin": {k.Origin}, "kms:CustomerMasterKeySpec": spec, "kms:CustomerMasterKeyUsage": usage,
	}
}

// conditionsOf are the condition values that a key itself has.
func (s *Service) conditionsOf(ctx context.Context, arn aws.ARN, k *key) (map[string][]string, error) {
	values := k.kind()
	values["kms:MultiRegion"] = []string{boolText(k.Regions != nil)}
	if k.Regions != nil {
		kind := kmsapi.MultiRegionKeyTypePrimary
		if k.replicaIn(arn.Region) {
			kind = kmsapi.MultiRegionKeyTypeReplica
		}
		values["kms:MultiRegionKeyType"] = []string{string(kind)}
	}
	page, err := s.aliases.At(arn).PageBy(ctx, byTarget, k.ID, store.Range{Limit: maxResourceAliases + 1})
	if err != nil || len(page) == 0 || len(page) > maxResourceAliases {
		return values, err
	}
	for _, e := range page {
		values["kms:ResourceAliases"] = append(values["kms:ResourceAliases"], e.ID)
	}
	return values, nil
}
