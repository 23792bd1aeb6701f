package kms

import (
	"context"
	"errors"
	"strings"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
	"sumun.dev/engine/xks"
	"sumun.dev/store"
)

// A key of an external key store encrypts twice: with material of its own first, then
// the proxy with the external key. Neither opens what the other has sealed. KMS
// Developer Guide, "External key stores", "Double encryption".

// external reports whether k's cryptography goes through sealOutside and openOutside.
func (k *key) external() bool { return k.Origin == string(kmsapi.OriginTypeExternalKeyStore) }

// sealOutside encrypts with a key of an external key store.
func (s *Service) sealOutside(ctx context.Context, arn aws.ARN, k *key, plain, aad []byte) ([]byte, error) {
	own, proxy, err := s.outsideOf(ctx, arn, k, k.Current)
	if err != nil {
		return nil, err
	}
	defer own.Zero()
	sealed, err := s.outside.Encrypt(ctx, proxy, k.XksKeyID, told(ctx, arn), own.Seal(nil, plain, aad), aad)
	return sealed, ofKey(err)
}

// openOutside decrypts what sealOutside made with the material of this id.
func (s *Service) openOutside(ctx context.Context, arn aws.ARN, k *key, materialID string, sealed, aad []byte) ([]byte, error) {
	own, proxy, err := s.outsideOf(ctx, arn, k, materialID)
	if err != nil {
		return nil, err
	}
	defer own.Zero()
	once, err := s.outside.Decrypt(ctx, proxy, k.XksKeyID, told(ctx, arn), sealed, aad)
	if err != nil {
		return nil, ofKey(err)
	}
	plain, err := own.Open(once, aad)
	if err != nil {
		return nil, kmsapi.InvalidCiphertextException.New("")
	}
	return plain, nil
}

// reachable refuses a key whose custom key store is not connected.
func (s *Service) reachable(ctx context.Context, arn aws.ARN, k *key) error {
	away, err := s.unavailable(ctx, arn, k)
	if away {
		return kmsapi.KMSInvalidStateException.New("%s", storeNotConnected)
	}
	return err
}

func (s *Service) outsideOf(ctx context.Context, arn aws.ARN, k *key, materialID string) (*mat.Key, xks.Proxy, error) {
	t, err := s.places.At(arn).Get(ctx, k.Store)
	if err != nil {
		return nil, xks.Proxy{}, err
	}
	if t.State != connected {
		return nil, xks.Proxy{}, kmsapi.KMSInvalidStateException.New("%s", storeNotConnected)
	}
	m := k.material(materialID)
	if m == nil {
		return nil, xks.Proxy{}, kmsapi.InvalidCiphertextException.New("")
	}
	own, err := mat.Parse(mat.Spec(k.Spec), m.Bytes)
	return own, t.proxy(arn.Region), err
}

// told is what the proxy is told of the call: specification, "requestMetadata".
func told(ctx context.Context, arn aws.ARN) xks.Request {
	call := aws.CallOf(ctx)
	r := xks.Request{Principal: call.Principal.ARN.String(), Operation: call.Operation, ID: call.RequestID}
	switch p := call.Principal; {
	case p.Kind == aws.Service:
		r.Principal = p.Name
	case p.Kind == aws.AssumedRole && p.Session != nil:
		r.Principal = p.Session.Issuer.String() // as aws:PrincipalArn has it
	}
	if !arn.IsZero() {
		r.Key = arn.String()
	}
	if n := len(call.Via); n > 0 {
		r.Via, _, _ = strings.Cut(call.Via[n-1], ".")
	}
	return r
}

// unavailable reports whether k's custom key store is not connected.
func (s *Service) unavailable(ctx context.Context, arn aws.ARN, k *key) (bool, error) {
	if k.Store == "" {
		return false, nil
	}
	t, err := s.places.At(arn).Get(ctx, k.Store)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return err == nil && t.State != connected, err
}

// outsideKey checks that a KMS key can be made on an external key: CreateKey calls
// it for the origin EXTERNAL_KEY_STORE, and gives the key material of its own.
func (s *Service) outsideKey(ctx context.Context, storeID, externalID string) error {
	t, err := s.keyStore(ctx, storeID)
	if err != nil {
		return err
	}
	if t.State != connected {
		return kmsapi.CustomKeyStoreInvalidStateException.New("%s", storeNotConnected)
	}
	taken, err := s.keys.PageBy(ctx, byStore, t.ID+"/"+externalID, store.Range{Limit: 1})
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		return kmsapi.XksKeyAlreadyInUseException.New("The external key %s is already associated with a KMS key in the custom key store.", externalID)
	}
	found, err := s.outside.Metadata(ctx, t.proxy(aws.CallOf(ctx).Region), externalID, told(ctx, aws.ARN{}))
	if err != nil {
		return ofCreation(err)
	}
	if !found.Usable() {
		return kmsapi.XksKeyInvalidConfigurationException.New("The external key must be an enabled 256-bit AES key that supports encryption and decryption.")
	}
	return nil
}

const storeNotConnected = "This KMS key is in a custom key store that is not connected to its external key store proxy. Connect the external key store and try the request again."
