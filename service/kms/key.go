package kms

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// keyRoutes are those of keys themselves, their policies, aliases, tags and regions.
func (s *Service) keyRoutes() []wire.Route {
	return []wire.Route{
		kmsapi.CreateKey.To(s.createKey, s.touchNewKey),
		kmsapi.DescribeKey.To(s.describeKey, s.touchDescribed),
		kmsapi.ListKeys.To(s.listKeys, onAll[*kmsapi.ListKeysRequest]("ListKeys")),
		kmsapi.UpdateKeyDescription.To(s.updateKeyDescription, onKey(s, "UpdateKeyDescription", func(in *kmsapi.UpdateKeyDescriptionRequest) string { return in.KeyId }, nil)),
		kmsapi.EnableKey.To(s.enableKey, onKey(s, "EnableKey", func(in *kmsapi.EnableKeyRequest) string { return in.KeyId }, nil)),
		kmsapi.ScheduleKeyDeletion.To(s.scheduleKeyDeletion, onKey(s, "ScheduleKeyDeletion", func(in *kmsapi.ScheduleKeyDeletionRequest) string { return in.KeyId }, deletionWindow)),
		kmsapi.CancelKeyDeletion.To(s.cancelKeyDeletion, onKey(s, "CancelKeyDeletion", func(in *kmsapi.CancelKeyDeletionRequest) string { return in.KeyId }, nil)),

		kmsapi.GetKeyPolicy.To(s.getKeyPolicy, onKey(s, "GetKeyPolicy", func(in *kmsapi.GetKeyPolicyRequest) string { return in.KeyId }, nil)),
		kmsapi.PutKeyPolicy.To(s.putKeyPolicy, onKey(s, "PutKeyPolicy", func(in *kmsapi.PutKeyPolicyRequest) string { return in.KeyId }, lockoutBypass)),
		kmsapi.ListKeyPolicies.To(s.listKeyPolicies, onKey(s, "ListKeyPolicies", func(in *kmsapi.ListKeyPoliciesRequest) string { return in.KeyId }, nil)),

		kmsapi.CreateAlias.To(s.createAlias, s.touchNewAlias),
		kmsapi.UpdateAlias.To(s.updateAlias, s.touchMovedAlias),
		kmsapi.DeleteAlias.To(s.deleteAlias, s.touchOldAlias),
		kmsapi.ListAliases.To(s.listAliases, onAll[*kmsapi.ListAliasesRequest]("ListAliases")),

		kmsapi.TagResource.To(s.tagResource, onKey(s, "TagResource", func(in *kmsapi.TagResourceRequest) string { return in.KeyId }, newTags)),
		kmsapi.UntagResource.To(s.untagResource, onKey(s, "UntagResource", func(in *kmsapi.UntagResourceRequest) string { return in.KeyId }, oldTags)),
		kmsapi.ListResourceTags.To(s.listResourceTags, onKey(s, "ListResourceTags", func(in *kmsapi.ListResourceTagsRequest) string { return in.KeyId }, nil)),

		kmsapi.ReplicateKey.To(s.replicateKey, s.touchReplica),
		kmsapi.UpdatePrimaryRegion.To(s.updatePrimaryRegion, s.touchPrimary),
		kmsapi.DisableKey.To(s.disableKey, onKey(s, "DisableKey", func(in *kmsapi.DisableKeyRequest) string { return in.KeyId }, nil)),
	}
}

// touchNewKey asks for the right to make a key, and to tag it where it gets tags.
func (s *Service) touchNewKey(ctx context.Context, in *kmsapi.CreateKeyRequest) ([]wire.Touch, error) {
	values := withCaller(ctx, asked(in).kind())
	values["kms:MultiRegion"] = []string{strconv.FormatBool(value(in.MultiRegion))}
	values["kms:BypassPolicyLockoutSafetyCheck"] = []string{strconv.FormatBool(value(in.BypassPolicyLockoutSafetyCheck))}
	if value(in.MultiRegion) {
		values["kms:MultiRegionKeyType"] = []string{"PRIMARY"}
	}
	return touchNew(aws.CallOf(ctx).ARN("kms", "key/*"), service.RequestTags(values, pairs(in.Tags))), nil
}

// touchNew is the right to make a key, and to tag it (tagged is its ARN, as far as it
// is known) where it gets tags.
func touchNew(tagged aws.ARN, values map[string][]string) []wire.Touch {
	touches := service.WithTagging("kms:TagResource", wire.Touch{Action: "kms:CreateKey", Conditions: values})
	if len(touches) > 1 {
		touches[1].Resource = tagged
	}
	return touches
}

// asked is the kind of key that a request is for.
func asked(in *kmsapi.CreateKeyRequest) *key {
	k := &key{Spec: string(mat.Symmetric), Origin: string(kmsapi.OriginTypeAwsKms), Usage: string(value(in.KeyUsage))}
	switch {
	case in.KeySpec != nil:
		k.Spec = string(*in.KeySpec)
	case in.CustomerMasterKeySpec != nil:
		k.Spec = string(*in.CustomerMasterKeySpec)
	}
	if in.Origin != nil {
		k.Origin = string(*in.Origin)
	}
	if k.Usage == "" && k.Spec == string(mat.Symmetric) {
		k.Usage = encrypting
	}
	return k
}

// check refuses kinds of keys that there are not. KMS Developer Guide, "Key spec reference".
func (k *key) check(in *kmsapi.CreateKeyRequest) error {
	if in.KeySpec != nil && in.CustomerMasterKeySpec != nil {
		return aws.ValidationException.New("You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.")
	}
	usages := mat.Usages(mat.Spec(k.Spec))
	switch {
	case len(usages) == 0:
		return kmsapi.UnsupportedOperationException.New("Keys of spec %s cannot be made here.", k.Spec)
	case k.Usage == "":
		return aws.ValidationException.New("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
	case !slices.Contains(usages, k.Usage):
		return aws.ValidationException.New("KeyUsage %s is not compatible with KeySpec %s", k.Usage, k.Spec)
	}
	return nil
}

func (s *Service) createKey(ctx context.Context, in *kmsapi.CreateKeyRequest) (*kmsapi.CreateKeyResponse, error) {
	call := aws.CallOf(ctx)
	k := asked(in)
	if err := k.check(in); err != nil {
		return nil, err
	}
	k.ID, k.Description, k.Created = aws.UUID(), value(in.Description), time.Now().UTC()
	if value(in.MultiRegion) {
		k.ID, k.Regions = newMultiRegionID(), &multiRegion{Primary: string(call.Region)}
	}
	arn := call.ARN("kms", "key/"+k.ID)
	var err error
	if k.Tags, err = checkTags(nil, in.Tags); err != nil {
		return nil, err
	}
	if k.Policy, err = s.newPolicy(ctx, arn, in.Policy, value(in.BypassPolicyLockoutSafetyCheck)); err != nil {
		return nil, err
	}
	if err := s.fill(ctx, k, in); err != nil {
		return nil, err
	}
	if err := s.keys.Insert(ctx, k.ID, k); err != nil {
		return nil, err
	}
	return &kmsapi.CreateKeyResponse{KeyMetadata: k.metadata(arn, time.Now())}, nil
}

// fill gives a new key its material, where its origin has it made here.
func (s *Service) fill(ctx context.Context, k *key, in *kmsapi.CreateKeyRequest) error {
	outside := k.Origin == string(kmsapi.OriginTypeExternalKeyStore) || k.Origin == string(kmsapi.OriginTypeAwsCloudhsm)
	switch {
	case outside != (in.CustomKeyStoreId != nil), in.XksKeyId != nil && k.Origin != string(kmsapi.OriginTypeExternalKeyStore):
		return aws.ValidationException.New("CustomKeyStoreId and XksKeyId go with keys of custom key stores, and with those only.")
	case k.Origin == string(kmsapi.OriginTypeAwsCloudhsm):
		return kmsapi.UnsupportedOperationException.New("Keys cannot be made in AWS CloudHSM key stores here.")
	case outside:
		if k.Spec != symmetric || k.Regions != nil {
			return kmsapi.UnsupportedOperationException.New("Custom key stores hold single-Region symmetric encryption keys only.")
		}
		if in.XksKeyId == nil {
			return aws.ValidationException.New("XksKeyId is required for keys of external key stores.")
		}
		if err := s.outsideKey(ctx, *in.CustomKeyStoreId, *in.XksKeyId); err != nil {
			return err
		}
		k.Store, k.XksKeyID = *in.CustomKeyStoreId, *in.XksKeyId
	case k.Origin == string(kmsapi.OriginTypeExternal):
		return nil
	}
	return k.generate()
}

// generate makes the first material.
func (k *key) generate() error {
	b, err := mat.Generate(mat.Spec(k.Spec))
	if err != nil {
		return fmt.Errorf("make key material: %w", err)
	}
	k.Current = newMaterialID()
	k.Materials = []material{{ID: k.Current, Bytes: b}}
	return nil
}

// touchDescribed is about a key that is only looked at, which grants can allow as well.
func (s *Service) touchDescribed(ctx context.Context, in *kmsapi.DescribeKeyRequest) ([]wire.Touch, error) {
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, err := s.identify(ctx, in.KeyId, true)
	if err != nil {
		return nil, err
	}
	touch, err := s.touchKey(ctx, t, "kms:DescribeKey", nil)
	return []wire.Touch{touch}, err
}

func (s *Service) describeKey(ctx context.Context, in *kmsapi.DescribeKeyRequest) (*kmsapi.DescribeKeyResponse, error) {
	t, err := s.identify(ctx, in.KeyId, true)
	if err != nil {
		return nil, err
	}
	k, err := s.key(ctx, t.ARN)
	if err != nil {
		return nil, err
	}
	m := k.metadata(t.ARN, time.Now())
	away, err := s.unavailable(ctx, t.ARN, k)
	if err != nil {
		return nil, err
	}
	if away && *m.KeyState != kmsapi.KeyStatePendingDeletion {
		m.KeyState, m.Enabled = new(kmsapi.KeyStateUnavailable), new(false)
	}
	return &kmsapi.DescribeKeyResponse{KeyMetadata: m}, nil
}

// metadata is the key as it is shown.
func (k *key) metadata(arn aws.ARN, now time.Time) *kmsapi.KeyMetadata {
	state := k.state(now)
	m := &kmsapi.KeyMetadata{
		AWSAccountId: new(string(arn.Account)), KeyId: k.ID, Arn: new(arn.String()), CreationDate: new(k.Created),
		Enabled: new(state == kmsapi.KeyStateEnabled), Description: new(k.Description), KeyUsage: new(kmsapi.KeyUsageType(k.Usage)),
		KeyState: new(state), Origin: new(kmsapi.OriginType(k.Origin)), KeyManager: new(kmsapi.KeyManagerTypeCustomer),
		CustomerMasterKeySpec: new(kmsapi.CustomerMasterKeySpec(k.Spec)), KeySpec: new(kmsapi.KeySpec(k.Spec)),
		MultiRegion: new(k.Regions != nil),
	}
	if k.Service != "" {
		m.KeyManager = new(kmsapi.KeyManagerTypeAws)
	}
	if d := k.Deletion; d != nil && !d.At.IsZero() {
		m.DeletionDate = new(d.At)
	} else if d != nil {
		m.PendingDeletionWindowInDays = new(int32(d.Window))
	}
	if k.Store != "" {
		m.CustomKeyStoreId = new(k.Store)
	}
	if k.XksKeyID != "" {
		m.XksKeyConfiguration = &kmsapi.XksKeyConfigurationType{Id: new(k.XksKeyID)}
	}
	if k.Spec == string(mat.Symmetric) && k.Current != "" && k.XksKeyID == "" {
		m.CurrentKeyMaterialId = new(k.Current)
	}
	if current := k.material(k.Current); current != nil && k.Origin == string(kmsapi.OriginTypeExternal) {
		m.ExpirationModel = new(kmsapi.ExpirationModelTypeKeyMaterialDoesNotExpire)
		if current.ValidTo != nil {
			m.ExpirationModel, m.ValidTo = new(kmsapi.ExpirationModelTypeKeyMaterialExpires), current.ValidTo
		}
	}
	for _, algorithm := range mat.Algorithms(mat.Spec(k.Spec), k.Usage) {
		switch k.Usage {
		case string(kmsapi.KeyUsageTypeEncryptDecrypt):
			m.EncryptionAlgorithms = append(m.EncryptionAlgorithms, kmsapi.EncryptionAlgorithmSpec(algorithm))
		case string(kmsapi.KeyUsageTypeSignVerify):
			m.SigningAlgorithms = append(m.SigningAlgorithms, kmsapi.SigningAlgorithmSpec(algorithm))
		case string(kmsapi.KeyUsageTypeGenerateVerifyMac):
			m.MacAlgorithms = append(m.MacAlgorithms, kmsapi.MacAlgorithmSpec(algorithm))
		case string(kmsapi.KeyUsageTypeKeyAgreement):
			m.KeyAgreementAlgorithms = append(m.KeyAgreementAlgorithms, kmsapi.KeyAgreementAlgorithmSpec(algorithm))
		}
	}
	m.MultiRegionConfiguration = k.regions(arn)
	return m
}

func (s *Service) listKeys(ctx context.Context, in *kmsapi.ListKeysRequest) (*kmsapi.ListKeysResponse, error) {
	p, err := s.pageOf(ctx, in.Marker, in.Limit, 100)
	if err != nil {
		return nil, err
	}
	found, err := s.keys.Page(ctx, store.Range{After: p.after, Limit: p.limit + 1})
	if err != nil {
		return nil, err
	}
	call, out := aws.CallOf(ctx), &kmsapi.ListKeysResponse{Keys: []kmsapi.KeyListEntry{}}
	found, out.NextMarker, out.Truncated = cut(s, p, found)
	for _, e := range found {
		out.Keys = append(out.Keys, kmsapi.KeyListEntry{KeyId: new(e.ID), KeyArn: new(call.ARN("kms", "key/"+e.ID).String())})
	}
	return out, nil
}

func (s *Service) updateKeyDescription(ctx context.Context, in *kmsapi.UpdateKeyDescriptionRequest) (*kmsapi.UpdateKeyDescriptionResponse, error) {
	k, arn, err := s.manage(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	k.Description = in.Description
	return &kmsapi.UpdateKeyDescriptionResponse{}, s.keep(ctx, arn, k)
}

func (s *Service) enableKey(ctx context.Context, in *kmsapi.EnableKeyRequest) (*kmsapi.EnableKeyResponse, error) {
	k, arn, err := s.manage(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	k.Disabled = false
	s.resumeRotation(ctx, k)
	return &kmsapi.EnableKeyResponse{}, s.keep(ctx, arn, k)
}

func (s *Service) disableKey(ctx context.Context, in *kmsapi.DisableKeyRequest) (*kmsapi.DisableKeyResponse, error) {
	k, arn, err := s.manage(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	k.Disabled = true
	return &kmsapi.DisableKeyResponse{}, s.keep(ctx, arn, k)
}
