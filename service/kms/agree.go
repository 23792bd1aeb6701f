package kms

import (
	"context"

	"sumun.dev/api/kmsapi"
	"sumun.dev/wire"
)

func (s *Service) keyToAgree(ctx context.Context, in *kmsapi.DeriveSharedSecretRequest) ([]wire.Touch, error) {
	return s.toUse(ctx, in.KeyId, use{
		action: "kms:DeriveSharedSecret", tokens: in.GrantTokens, algorithm: string(in.KeyAgreementAlgorithm), condition: "kms:KeyAgreementAlgorithm",
	})
}

func (s *Service) deriveSharedSecret(ctx context.Context, in *kmsapi.DeriveSharedSecretRequest) (*kmsapi.DeriveSharedSecretResponse, error) {
	if err := withoutRecipient(in.Recipient); err != nil {
		return nil, err
	}
	r, err := s.find(ctx, in.KeyId, agreeing, string(in.KeyAgreementAlgorithm))
	if err != nil {
		return nil, err
	}
	m, err := r.current()
	if err != nil {
		return nil, err
	}
	secret, err := m.Agree(in.PublicKey)
	if err != nil {
		return nil, r.saidOf(err, "The public key is not one of key spec "+r.Spec+".")
	}
	if err := dryRun(in.DryRun); err != nil {
		clear(secret)
		return nil, err
	}
	return &kmsapi.DeriveSharedSecretResponse{
		KeyId: new(r.arn.String()), SharedSecret: secret, KeyAgreementAlgorithm: new(in.KeyAgreementAlgorithm), KeyOrigin: new(kmsapi.OriginType(r.Origin)),
	}, nil
}
