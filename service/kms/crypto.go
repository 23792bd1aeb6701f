package kms

import (
	"context"
	"errors"
	"slices"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
	"sumun.dev/wire"
)

// cryptoRoutes are those that use a key: encrypt.go, datakey.go, keypair.go,
// sign.go, mac.go, agree.go, random.go, usage.go.
func (s *Service) cryptoRoutes() []wire.Route {
	return []wire.Route{
		kmsapi.Encrypt.To(s.encrypt, s.keyToEncrypt),
		kmsapi.Decrypt.To(s.decrypt, s.keyToDecrypt),
		kmsapi.ReEncrypt.To(s.reEncrypt, s.keysToReEncrypt),
		kmsapi.GenerateDataKey.To(s.generateDataKey, s.keyOfDataKey),
		kmsapi.GenerateDataKeyWithoutPlaintext.To(s.generateDataKeyWithoutPlaintext, s.keyOfDataKeyWithoutPlaintext),
		kmsapi.GenerateDataKeyPair.To(s.generateDataKeyPair, s.keyOfPair),
		kmsapi.GenerateDataKeyPairWithoutPlaintext.To(s.generateDataKeyPairWithoutPlaintext, s.keyOfPairWithoutPlaintext),
		kmsapi.Sign.To(s.sign, s.keyToSign),
		kmsapi.Verify.To(s.verify, s.keyToVerify),
		kmsapi.GenerateMac.To(s.generateMac, s.keyToMac),
		kmsapi.VerifyMac.To(s.verifyMac, s.keyToVerifyMac),
		kmsapi.DeriveSharedSecret.To(s.deriveSharedSecret, s.keyToAgree),
		kmsapi.GetPublicKey.To(s.getPublicKey, s.keyToShow),
		kmsapi.GenerateRandom.To(s.generateRandom, s.touchRandom),
		kmsapi.GetKeyLastUsage.To(s.getKeyLastUsage, s.keyLastUsed),
	}
}

// The usages of keys.
const (
	encrypting = string(kmsapi.KeyUsageTypeEncryptDecrypt)
	signing    = string(kmsapi.KeyUsageTypeSignVerify)
	macing     = string(kmsapi.KeyUsageTypeGenerateVerifyMac)
	agreeing   = string(kmsapi.KeyUsageTypeKeyAgreement)

	symmetric = string(kmsapi.KeySpecSymmetricDefault)
)

// A use is what a call wants to do with a key, as policies ask about it.
type use struct {
	action    string            // "kms:Encrypt"
	context   map[string]string // encryption context
	algorithm string
	condition string // the condition key that tells the algorithm: "kms:EncryptionAlgorithm"
	tokens    []string
	also      map[string][]string // further condition values
}

// toUse says that the caller must be allowed to use the key that it names by keyID.
func (s *Service) toUse(ctx context.Context, keyID string, u use) ([]wire.Touch, error) {
	t, err := s.identify(ctx, keyID, true)
	if err != nil {
		return nil, err
	}
	return s.touchUse(ctx, t, u)
}

func (s *Service) touchUse(ctx context.Context, t target, u use) ([]wire.Touch, error) {
	if err := s.checkTokens(u.tokens); err != nil {
		return nil, err
	}
	if err := checkContext(u.context); err != nil {
		return nil, err
	}
	r, err := s.ready(ctx, t.ARN)
	room := 4 + len(u.context) + len(u.also)
	if err == nil {
		room += len(r.conditions)
	}
	values := make(map[string][]string, room)
	for name, value := range u.also {
		values[name] = value
	}
	if u.algorithm != "" {
		values[u.condition] = []string{u.algorithm}
	}
	addContext(values, u.context)
	touch, err := s.touchReady(ctx, t, r, err, u.action, values)
	if err != nil {
		return nil, err
	}
	return []wire.Touch{touch}, nil
}

// find returns the key that a call names, fit for use: in a state that allows it,
// of this usage, and with this algorithm when one is named.
func (s *Service) find(ctx context.Context, keyID, usage, algorithm string) (*ready, error) {
	t, err := s.identify(ctx, keyID, true)
	if err != nil {
		return nil, err
	}
	r, err := s.ready(ctx, t.ARN)
	if err != nil {
		return nil, err
	}
	return r, s.fit(ctx, r, usage, algorithm)
}

// fit refuses a key that cannot be used so, and one whose key store is not connected.
func (s *Service) fit(ctx context.Context, r *ready, usage, algorithm string) error {
	if err := r.fit(ctx, usage, algorithm); err != nil || !r.external() {
		return err
	}
	return s.reachable(ctx, r.arn, r.key)
}

// fit refuses a key in a state without cryptography, one made for something else,
// and algorithms that it cannot do.
func (r *ready) fit(ctx context.Context, usage, algorithm string) error {
	if err := r.usable(r.arn, time.Now()); err != nil {
		return err
	}
	if r.Usage != usage {
		return kmsapi.InvalidKeyUsageException.New("%s key usage is %s which is not valid for %s.", r.arn, r.Usage, aws.CallOf(ctx).Operation)
	}
	if algorithm != "" && !slices.Contains(mat.Algorithms(mat.Spec(r.Spec), usage), algorithm) {
		return kmsapi.InvalidKeyUsageException.New("Algorithm %s and key spec %s are incompatible.", algorithm, r.Spec)
	}
	return nil
}

// dryRun ends a call that was only to tell whether it would succeed.
// KMS Developer Guide, "Testing your permissions".
func dryRun(asked *bool) error {
	if asked == nil || !*asked {
		return nil
	}
	return kmsapi.DryRunOperationException.New("The request would have succeeded, but the DryRun option is set.")
}

// withoutRecipient refuses calls that want the answer encrypted for an enclave. An
// attestation document is worth what checks its chain of certificates and its
// measurements; nothing here does, and to answer without would be a pretence.
func withoutRecipient(r *kmsapi.RecipientInfo) error {
	if r == nil {
		return nil
	}
	return kmsapi.UnsupportedOperationException.New("Attestation documents of AWS Nitro Enclaves are not checked here, so no answer is encrypted for a recipient.")
}

// saidOf puts the errors of engine/material about what a caller sent into KMS's words.
func (r *ready) saidOf(err error, input string) error {
	switch {
	case errors.Is(err, mat.ErrInput):
		return aws.ValidationException.New("%s", input)
	case errors.Is(err, mat.ErrAlgorithm):
		return kmsapi.InvalidKeyUsageException.New("The algorithm and key spec %s are incompatible.", r.Spec)
	case errors.Is(err, mat.ErrSpec):
		return kmsapi.UnsupportedOperationException.New("Keys of spec %s are not supported here.", r.Spec)
	case errors.Is(err, mat.ErrCiphertext):
		return kmsapi.InvalidCiphertextException.New("")
	}
	return err
}

// isOn reports whether an optional flag is set.
func isOn(b *bool) bool { return b != nil && *b }

func texts[T ~string](all []string) []T {
	var out []T
	for _, one := range all {
		out = append(out, T(one))
	}
	return out
}
