package kms

import (
	"context"
	"crypto/rand"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// touchRandom is about no key.
func (s *Service) touchRandom(context.Context, *kmsapi.GenerateRandomRequest) ([]wire.Touch, error) {
	return []wire.Touch{{Action: "kms:GenerateRandom"}}, nil
}

func (s *Service) generateRandom(_ context.Context, in *kmsapi.GenerateRandomRequest) (*kmsapi.GenerateRandomResponse, error) {
	if err := withoutRecipient(in.Recipient); err != nil {
		return nil, err
	}
	if in.CustomKeyStoreId != nil {
		return nil, kmsapi.UnsupportedOperationException.New("Custom key stores make no random bytes here.")
	}
	if in.NumberOfBytes == nil {
		return nil, aws.ValidationException.New("NumberOfBytes is required.")
	}
	b := make([]byte, *in.NumberOfBytes)
	rand.Read(b) // never fails
	return &kmsapi.GenerateRandomResponse{Plaintext: b}, nil
}
