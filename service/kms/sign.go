package kms

import (
	"context"
	"errors"

	"sumun.dev/api/kmsapi"
	mat "sumun.dev/engine/material"
	"sumun.dev/wire"
)

// signUse is what signing and verifying ask of policies.
func signUse(action string, algorithm kmsapi.SigningAlgorithmSpec, kind *kmsapi.MessageType, tokens []string) use {
	return use{
		action: action, tokens: tokens, algorithm: string(algorithm), condition: "kms:SigningAlgorithm",
		also: map[string][]string{"kms:MessageType": {string(messageType(kind))}},
	}
}

// messageType is what Message is, by default the message itself.
func messageType(kind *kmsapi.MessageType) kmsapi.MessageType {
	if kind == nil {
		return kmsapi.MessageTypeRaw
	}
	return *kind
}

// wrongMessage is what is said of a message that does not suit its type.
func wrongMessage(algorithm kmsapi.SigningAlgorithmSpec, kind *kmsapi.MessageType) string {
	if messageType(kind) == kmsapi.MessageTypeDigest {
		return "Digest is invalid length for algorithm " + string(algorithm) + "."
	}
	return "The message is not valid for algorithm " + string(algorithm) + " and message type " + string(messageType(kind)) + "."
}

func (s *Service) keyToSign(ctx context.Context, in *kmsapi.SignRequest) ([]wire.Touch, error) {
	return s.toUse(ctx, in.KeyId, signUse("kms:Sign", in.SigningAlgorithm, in.MessageType, in.GrantTokens))
}

func (s *Service) sign(ctx context.Context, in *kmsapi.SignRequest) (*kmsapi.SignResponse, error) {
	r, err := s.find(ctx, in.KeyId, signing, string(in.SigningAlgorithm))
	if err != nil {
		return nil, err
	}
	m, err := r.current()
	if err != nil {
		return nil, err
	}
	signature, err := m.Sign(string(in.SigningAlgorithm), in.Message, string(messageType(in.MessageType)))
	if err != nil {
		return nil, r.saidOf(err, wrongMessage(in.SigningAlgorithm, in.MessageType))
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	return &kmsapi.SignResponse{KeyId: new(r.arn.String()), Signature: signature, SigningAlgorithm: new(in.SigningAlgorithm)}, nil
}

func (s *Service) keyToVerify(ctx context.Context, in *kmsapi.VerifyRequest) ([]wire.Touch, error) {
	return s.toUse(ctx, in.KeyId, signUse("kms:Verify", in.SigningAlgorithm, in.MessageType, in.GrantTokens))
}

func (s *Service) verify(ctx context.Context, in *kmsapi.VerifyRequest) (*kmsapi.VerifyResponse, error) {
	r, err := s.find(ctx, in.KeyId, signing, string(in.SigningAlgorithm))
	if err != nil {
		return nil, err
	}
	m, err := r.current()
	if err != nil {
		return nil, err
	}
	err = m.Verify(string(in.SigningAlgorithm), in.Message, string(messageType(in.MessageType)), in.Signature)
	if errors.Is(err, mat.ErrSignature) {
		return nil, kmsapi.KMSInvalidSignatureException.New("")
	}
	if err != nil {
		return nil, r.saidOf(err, wrongMessage(in.SigningAlgorithm, in.MessageType))
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	return &kmsapi.VerifyResponse{KeyId: new(r.arn.String()), SignatureValid: new(true), SigningAlgorithm: new(in.SigningAlgorithm)}, nil
}

func (s *Service) keyToShow(ctx context.Context, in *kmsapi.GetPublicKeyRequest) ([]wire.Touch, error) {
	return s.toUse(ctx, in.KeyId, use{action: "kms:GetPublicKey", tokens: in.GrantTokens})
}

func (s *Service) getPublicKey(ctx context.Context, in *kmsapi.GetPublicKeyRequest) (*kmsapi.GetPublicKeyResponse, error) {
	t, err := s.identify(ctx, in.KeyId, true)
	if err != nil {
		return nil, err
	}
	r, err := s.ready(ctx, t.ARN)
	if err != nil {
		return nil, err
	}
	if r.Spec == symmetric || r.Usage == macing {
		return nil, kmsapi.UnsupportedOperationException.New("%s has no public key: its key spec is %s.", r.arn, r.Spec)
	}
	if err := r.fit(ctx, r.Usage, ""); err != nil {
		return nil, err
	}
	public, err := r.publicKey()
	if err != nil {
		return nil, err
	}
	out := &kmsapi.GetPublicKeyResponse{
		KeyId: new(r.arn.String()), PublicKey: public, KeySpec: new(kmsapi.KeySpec(r.Spec)),
		CustomerMasterKeySpec: new(kmsapi.CustomerMasterKeySpec(r.Spec)), KeyUsage: new(kmsapi.KeyUsageType(r.Usage)),
	}
	algorithms := mat.Algorithms(mat.Spec(r.Spec), r.Usage)
	switch r.Usage {
	case encrypting:
		out.EncryptionAlgorithms = texts[kmsapi.EncryptionAlgorithmSpec](algorithms)
	case signing:
		out.SigningAlgorithms = texts[kmsapi.SigningAlgorithmSpec](algorithms)
	case agreeing:
		out.KeyAgreementAlgorithms = texts[kmsapi.KeyAgreementAlgorithmSpec](algorithms)
	}
	return out, nil
}
