package kms

import (
	"context"
	"crypto/rand"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// dataKeyUse is what a call that makes a data key does with the key. Encryption is
// symmetric always, so that is the algorithm that policies see.
func dataKeyUse(action string, context map[string]string, tokens []string) use {
	return use{action: action, context: context, tokens: tokens, algorithm: symmetric, condition: encryptionAlgorithm}
}

func (s *Service) keyOfDataKey(ctx context.Context, in *kmsapi.GenerateDataKeyRequest) ([]wire.Touch, error) {
	return s.toUse(ctx, in.KeyId, dataKeyUse("kms:GenerateDataKey", in.EncryptionContext, in.GrantTokens))
}

func (s *Service) generateDataKey(ctx context.Context, in *kmsapi.GenerateDataKeyRequest) (*kmsapi.GenerateDataKeyResponse, error) {
	if err := withoutRecipient(in.Recipient); err != nil {
		return nil, err
	}
	r, plain, blob, err := s.dataKey(ctx, in.KeyId, in.NumberOfBytes, in.KeySpec, in.EncryptionContext, in.DryRun)
	if err != nil {
		return nil, err
	}
	return &kmsapi.GenerateDataKeyResponse{CiphertextBlob: blob, Plaintext: plain, KeyId: new(r.arn.String()), KeyMaterialId: r.versionOf(symmetric)}, nil
}

func (s *Service) keyOfDataKeyWithoutPlaintext(ctx context.Context, in *kmsapi.GenerateDataKeyWithoutPlaintextRequest) ([]wire.Touch, error) {
	return s.toUse(ctx, in.KeyId, dataKeyUse("kms:GenerateDataKeyWithoutPlaintext", in.EncryptionContext, in.GrantTokens))
}

func (s *Service) generateDataKeyWithoutPlaintext(ctx context.Context, in *kmsapi.GenerateDataKeyWithoutPlaintextRequest) (*kmsapi.GenerateDataKeyWithoutPlaintextResponse, error) {
	r, plain, blob, err := s.dataKey(ctx, in.KeyId, in.NumberOfBytes, in.KeySpec, in.EncryptionContext, in.DryRun)
	if err != nil {
		return nil, err
	}
	clear(plain)
	return &kmsapi.GenerateDataKeyWithoutPlaintextResponse{CiphertextBlob: blob, KeyId: new(r.arn.String()), KeyMaterialId: r.versionOf(symmetric)}, nil
}

// dataKey makes a key for its user and encrypts it under one of KMS's.
func (s *Service) dataKey(ctx context.Context, keyID string, bytes *int32, spec *kmsapi.DataKeySpec, context map[string]string, dry *bool) (*ready, []byte, []byte, error) {
	size, err := dataKeySize(bytes, spec)
	if err != nil {
		return nil, nil, nil, err
	}
	r, err := s.find(ctx, keyID, encrypting, symmetric)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := dryRun(dry); err != nil {
		return nil, nil, nil, err
	}
	plain := make([]byte, size)
	rand.Read(plain) // never fails
	blob, err := s.seal(ctx, r, plain, context)
	return r, plain, blob, err
}

// dataKeySize is how many bytes a data key has. KMS API Reference,
// GenerateDataKey: either KeySpec or NumberOfBytes.
func dataKeySize(bytes *int32, spec *kmsapi.DataKeySpec) (int, error) {
	switch {
	case bytes != nil && spec != nil, bytes == nil && spec == nil:
		return 0, aws.ValidationException.New("Please specify either number of bytes or key spec.")
	case bytes != nil:
		return int(*bytes), nil
	case *spec == kmsapi.DataKeySpecAes128:
		return 16, nil
	}
	return 32, nil
}
