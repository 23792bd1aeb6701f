package kms

import (
	"context"
	"errors"

	"sumun.dev/api/kmsapi"
	mat "sumun.dev/engine/material"
	"sumun.dev/wire"
)

func macUse(action string, algorithm kmsapi.MacAlgorithmSpec, tokens []string) use {
	return use{action: action, tokens: tokens, algorithm: string(algorithm), condition: "kms:MacAlgorithm"}
}

func (s *Service) keyToMac(ctx context.Context, in *kmsapi.GenerateMacRequest) ([]wire.Touch, error) {
	return s.toUse(ctx, in.KeyId, macUse("kms:GenerateMac", in.MacAlgorithm, in.GrantTokens))
}

func (s *Service) generateMac(ctx context.Context, in *kmsapi.GenerateMacRequest) (*kmsapi.GenerateMacResponse, error) {
	r, err := s.find(ctx, in.KeyId, macing, string(in.MacAlgorithm))
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	m, err := r.current()
	if err != nil {
		return nil, err
	}
	mac, err := m.MAC(string(in.MacAlgorithm), in.Message)
	if err != nil {
		return nil, r.saidOf(err, "The message is not valid for algorithm "+string(in.MacAlgorithm)+".")
	}
	return &kmsapi.GenerateMacResponse{Mac: mac, MacAlgorithm: new(in.MacAlgorithm), KeyId: new(r.arn.String())}, nil
}

func (s *Service) keyToVerifyMac(ctx context.Context, in *kmsapi.VerifyMacRequest) ([]wire.Touch, error) {
	return s.toUse(ctx, in.KeyId, macUse("kms:VerifyMac", in.MacAlgorithm, in.GrantTokens))
}

func (s *Service) verifyMac(ctx context.Context, in *kmsapi.VerifyMacRequest) (*kmsapi.VerifyMacResponse, error) {
	r, err := s.find(ctx, in.KeyId, macing, string(in.MacAlgorithm))
	if err != nil {
		return nil, err
	}
	m, err := r.current()
	if err != nil {
		return nil, err
	}
	err = m.VerifyMAC(string(in.MacAlgorithm), in.Message, in.Mac)
	if errors.Is(err, mat.ErrSignature) {
		return nil, kmsapi.KMSInvalidMacException.New("")
	}
	if err != nil {
		return nil, r.saidOf(err, "The message is not valid for algorithm "+string(in.MacAlgorithm)+".")
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	return &kmsapi.VerifyMacResponse{KeyId: new(r.arn.String()), MacValid: new(true), MacAlgorithm: new(in.MacAlgorithm)}, nil
}
