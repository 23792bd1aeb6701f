package kms

import (
	"context"
	"errors"
	"fmt"

	"sumun.dev/api/kmsapi"
	mat "sumun.dev/engine/material"
	"sumun.dev/wire"
)

func pairUse(action string, spec kmsapi.DataKeyPairSpec, context map[string]string, tokens []string) use {
	u := dataKeyUse(action, context, tokens)
	u.also = map[string][]string{"kms:DataKeyPairSpec": {string(spec)}}
	return u
}

func (s *Service) keyOfPair(ctx context.Context, in *kmsapi.GenerateDataKeyPairRequest) ([]wire.Touch, error) {
	return s.toUse(ctx, in.KeyId, pairUse("kms:GenerateDataKeyPair", in.KeyPairSpec, in.EncryptionContext, in.GrantTokens))
}

func (s *Service) generateDataKeyPair(ctx context.Context, in *kmsapi.GenerateDataKeyPairRequest) (*kmsapi.GenerateDataKeyPairResponse, error) {
	if err := withoutRecipient(in.Recipient); err != nil {
		return nil, err
	}
	p, err := s.keyPair(ctx, in.KeyId, in.KeyPairSpec, in.EncryptionContext, in.DryRun)
	if err != nil {
		return nil, err
	}
	return &kmsapi.GenerateDataKeyPairResponse{
		PrivateKeyCiphertextBlob: p.blob, PrivateKeyPlaintext: p.private, PublicKey: p.public,
		KeyId: new(p.by.arn.String()), KeyPairSpec: new(in.KeyPairSpec), KeyMaterialId: p.by.versionOf(symmetric),
	}, nil
}

func (s *Service) keyOfPairWithoutPlaintext(ctx context.Context, in *kmsapi.GenerateDataKeyPairWithoutPlaintextRequest) ([]wire.Touch, error) {
	return s.toUse(ctx, in.KeyId, pairUse("kms:GenerateDataKeyPairWithoutPlaintext", in.KeyPairSpec, in.EncryptionContext, in.GrantTokens))
}

func (s *Service) generateDataKeyPairWithoutPlaintext(ctx context.Context, in *kmsapi.GenerateDataKeyPairWithoutPlaintextRequest) (*kmsapi.GenerateDataKeyPairWithoutPlaintextResponse, error) {
	p, err := s.keyPair(ctx, in.KeyId, in.KeyPairSpec, in.EncryptionContext, in.DryRun)
	if err != nil {
		return nil, err
	}
	clear(p.private)
	return &kmsapi.GenerateDataKeyPairWithoutPlaintextResponse{
		PrivateKeyCiphertextBlob: p.blob, PublicKey: p.public,
		KeyId: new(p.by.arn.String()), KeyPairSpec: new(in.KeyPairSpec), KeyMaterialId: p.by.versionOf(symmetric),
	}, nil
}

// A pair is a key pair that a user of KMS keeps, and its private half encrypted.
type pair struct {
	by                    *ready
	private, public, blob []byte // PKCS #8, SubjectPublicKeyInfo, ciphertext
}

func (s *Service) keyPair(ctx context.Context, keyID string, spec kmsapi.DataKeyPairSpec, context map[string]string, dry *bool) (*pair, error) {
	r, err := s.find(ctx, keyID, encrypting, symmetric)
	if err != nil {
		return nil, err
	}
	if r.Origin != string(kmsapi.OriginTypeAwsKms) && r.Store != "" {
		return nil, kmsapi.UnsupportedOperationException.New("Data key pairs cannot be generated under %s, which is in a custom key store.", r.arn)
	}
	if err := dryRun(dry); err != nil {
		return nil, err
	}
	private, public, err := mat.Pair(mat.Spec(spec))
	if errors.Is(err, mat.ErrSpec) {
		return nil, kmsapi.UnsupportedOperationException.New("Key pairs of spec %s are not supported here.", spec)
	}
	if err != nil {
		return nil, fmt.Errorf("generate a pair of spec %s: %w", spec, err)
	}
	blob, err := s.seal(ctx, r, private, context)
	return &pair{r, private, public, blob}, err
}
