package kms

import (
	"context"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
)

// Rows of the table "Key states of KMS keys": what an operation does with a key that
// is disabled, pending import or pending deletion.
type rule struct{ disabled, imports, deletion bool } // true: refused

var stateRules = map[string]rule{
	"ReplicateKey":           {true, true, true},
	"UpdatePrimaryRegion":    {true, true, true},
	"CreateAlias":            {deletion: true},
	"UpdateAlias":            {deletion: true},
	"EnableKey":              {imports: true, deletion: true},
	"DisableKey":             {imports: true, deletion: true},
	"EnableKeyRotation":      {disabled: true, deletion: true},
	"DisableKeyRotation":     {disabled: true, deletion: true},
	"RotateKeyOnDemand":      {disabled: true, deletion: true},
	"GetParametersForImport": {deletion: true},
	"ImportKeyMaterial":      {deletion: true},
	"ScheduleKeyDeletion":    {deletion: true},
	"TagResource":            {deletion: true},
	"UntagResource":          {deletion: true},
	"UpdateKeyDescription":   {deletion: true},
}

// mustAllow refuses an operation that the key's state does not allow.
func (k *key) mustAllow(arn aws.ARN, operation string, now time.Time) error {
	return k.allows(arn, stateRules[operation], now)
}

// allows refuses what r says, in AWS's words.
func (k *key) allows(arn aws.ARN, r rule, now time.Time) error {
	switch state := k.state(now); {
	case state == kmsapi.KeyStatePendingDeletion && r.deletion:
		return kmsapi.KMSInvalidStateException.New("%s is pending deletion.", arn)
	case state == kmsapi.KeyStatePendingReplicaDeletion && r.deletion:
		return kmsapi.KMSInvalidStateException.New("%s is pending replica deletion.", arn)
	case state == kmsapi.KeyStatePendingImport && r.imports:
		return kmsapi.KMSInvalidStateException.New("%s is pending import because no key material has ever been imported or one of the imported key materials is deleted or expired.", arn)
	case state == kmsapi.KeyStateDisabled && r.disabled:
		return kmsapi.DisabledException.New("%s is disabled.", arn)
	}
	return nil
}

// customers refuses to manage an AWS managed key.
func (k *key) customers(arn aws.ARN, call *aws.Call) error {
	if k.Service == "" {
		return nil
	}
	return kmsapi.UnsupportedOperationException.New("%s is an AWS managed key, for which %s is not supported.", arn, call.Operation)
}

// look returns the key that a managing call names, by id or ARN. No policy opens
// these operations to other accounts: for them there is no such key. KMS Developer
// Guide, "Allowing users in other accounts to use a KMS key".
func (s *Service) look(ctx context.Context, keyID string) (*key, aws.ARN, error) {
	t, err := s.identify(ctx, keyID, false)
	if err != nil {
		return nil, t.ARN, err
	}
	if t.ARN.Account != aws.CallOf(ctx).Account {
		return nil, t.ARN, kmsapi.NotFoundException.New("Key '%s' does not exist", t.ARN)
	}
	k, err := s.key(ctx, t.ARN)
	return k, t.ARN, err
}

// manage returns a customer's key, named by id or ARN, whose state allows the
// call's operation.
func (s *Service) manage(ctx context.Context, keyID string) (*key, aws.ARN, error) {
	call := aws.CallOf(ctx)
	k, arn, err := s.look(ctx, keyID)
	if err != nil {
		return nil, arn, err
	}
	if err := k.customers(arn, call); err != nil {
		return nil, arn, err
	}
	return k, arn, k.mustAllow(arn, call.Operation, time.Now())
}

// keep puts the record of the key at arn.
func (s *Service) keep(ctx context.Context, arn aws.ARN, k *key) error {
	return s.keys.At(arn).Put(ctx, k.ID, k)
}
