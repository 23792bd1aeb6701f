package main

import (
	"bytes"
	"context"

	"sumun.dev/api/kmsapi"
	"sumun.dev/bench/program"
)

// keyPolicy lets the caller use a key where the encryption context says what it is
// for, and sign without one; root manages it.
const keyPolicy = `{"Version":"2012-10-17","Statement":[
	{"Sid":"Manage","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + program.Account + `:root"},"Action":"kms:*","Resource":"*"},
	{"Sid":"Use","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + program.Account + `:user/caller"},"Action":["kms:Encrypt","kms:Decrypt","kms:GenerateDataKey"],
	 "Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:purpose":"bench"}}},
	{"Sid":"Sign","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + program.Account + `:user/caller"},"Action":"kms:Sign","Resource":"*"}]}`

// purpose is the encryption context of all calls.
var purpose = map[string]string{"purpose": "bench", "tenant": "4711"}

// payload is what is encrypted and signed: 1 KiB.
var payload = bytes.Repeat([]byte("sixteen of bytes"), 64)

// newKey makes a key with a policy of its own, and returns its ARN.
func newKey(ctx context.Context, p *program.Program, spec kmsapi.KeySpec, usage kmsapi.KeyUsageType) (string, error) {
	in := &kmsapi.CreateKeyRequest{KeySpec: &spec, KeyUsage: &usage}
	if !p.Peer {
		in.Policy = new(keyPolicy)
	}
	out, err := program.Call(ctx, p, &kmsapi.CreateKey, in)
	if err != nil {
		return "", err
	}
	return *out.KeyMetadata.Arn, nil
}

func encrypt(ctx context.Context, p *program.Program) (func(int) any, error) {
	key, err := newKey(ctx, p, kmsapi.KeySpecSymmetricDefault, kmsapi.KeyUsageTypeEncryptDecrypt)
	return always(&kmsapi.EncryptRequest{KeyId: key, Plaintext: payload, EncryptionContext: purpose}), err
}

func decrypt(ctx context.Context, p *program.Program) (func(int) any, error) {
	request, err := encrypt(ctx, p)
	if err != nil {
		return nil, err
	}
	// As root, who may do all of it: what decrypts later is the caller's own right.
	out, err := program.Call(ctx, p, &kmsapi.Encrypt, request(0).(*kmsapi.EncryptRequest))
	if err != nil {
		return nil, err
	}
	return always(&kmsapi.DecryptRequest{CiphertextBlob: out.CiphertextBlob, EncryptionContext: purpose}), nil
}

func generateDataKey(ctx context.Context, p *program.Program) (func(int) any, error) {
	key, err := newKey(ctx, p, kmsapi.KeySpecSymmetricDefault, kmsapi.KeyUsageTypeEncryptDecrypt)
	return always(&kmsapi.GenerateDataKeyRequest{KeyId: key, KeySpec: new(kmsapi.DataKeySpecAes256), EncryptionContext: purpose}), err
}

func sign(ctx context.Context, p *program.Program) (func(int) any, error) {
	key, err := newKey(ctx, p, kmsapi.KeySpecRsa2048, kmsapi.KeyUsageTypeSignVerify)
	return always(&kmsapi.SignRequest{KeyId: key, Message: payload, SigningAlgorithm: kmsapi.SigningAlgorithmSpecRsassaPkcs1V1_5Sha256}), err
}
