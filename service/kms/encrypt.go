package kms

import (
	"context"
	"slices"
	"strings"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
	"sumun.dev/wire"
)

const encryptionAlgorithm = "kms:EncryptionAlgorithm"

// algorithmOf is the algorithm that a call asks for, by default the symmetric one.
func algorithmOf(asked *kmsapi.EncryptionAlgorithmSpec) string {
	if asked == nil {
		return symmetric
	}
	return string(*asked)
}

func (s *Service) keyToEncrypt(ctx context.Context, in *kmsapi.EncryptRequest) ([]wire.Touch, error) {
	return s.toUse(ctx, in.KeyId, use{
		action: "kms:Encrypt", context: in.EncryptionContext, tokens: in.GrantTokens,
		algorithm: algorithmOf(in.EncryptionAlgorithm), condition: encryptionAlgorithm,
	})
}

func (s *Service) encrypt(ctx context.Context, in *kmsapi.EncryptRequest) (*kmsapi.EncryptResponse, error) {
	algorithm := algorithmOf(in.EncryptionAlgorithm)
	r, err := s.find(ctx, in.KeyId, encrypting, algorithm)
	if err != nil {
		return nil, err
	}
	if isOn(in.DryRun) {
		if err := r.fits(algorithm, len(in.Plaintext), in.EncryptionContext); err != nil {
			return nil, err
		}
		return nil, dryRun(in.DryRun)
	}
	blob, err := s.encryptUnder(ctx, r, algorithm, in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kmsapi.EncryptResponse{
		CiphertextBlob: blob, KeyId: new(r.arn.String()), EncryptionAlgorithm: new(kmsapi.EncryptionAlgorithmSpec(algorithm)),
	}, nil
}

// fits refuses what the algorithm cannot encrypt.
func (r *ready) fits(algorithm string, size int, context map[string]string) error {
	if algorithm == symmetric {
		return nil
	}
	if len(context) > 0 {
		return aws.ValidationException.New("EncryptionContext is supported by symmetric encryption keys only; %s is not one.", r.arn)
	}
	if most := mat.MaxPlaintext(mat.Spec(r.Spec), algorithm); size > most {
		return aws.ValidationException.New("Algorithm %s and key spec %s cannot encrypt data larger than %d bytes.", algorithm, r.Spec, most)
	}
	return nil
}

// encryptUnder encrypts plain with the key's current material.
func (s *Service) encryptUnder(ctx context.Context, r *ready, algorithm string, plain []byte, context map[string]string) ([]byte, error) {
	if err := r.fits(algorithm, len(plain), context); err != nil {
		return nil, err
	}
	if algorithm == symmetric {
		return s.seal(ctx, r, plain, context)
	}
	m, err := r.current()
	if err != nil {
		return nil, err
	}
	blob, err := m.Encrypt(algorithm, plain)
	return blob, r.saidOf(err, "The plaintext cannot be encrypted with "+algorithm+".")
}

// seal makes the blob that says which key and material made it.
func (s *Service) seal(ctx context.Context, r *ready, plain []byte, context map[string]string) ([]byte, error) {
	head := header{Account: r.arn.Account, Key: r.ID, Material: r.Current}
	blob, err := head.append(make([]byte, 0, headerSize+len(plain)+mat.SealOverhead))
	if err != nil {
		return nil, err
	}
	if r.external() {
		sealed, err := s.sealOutside(ctx, r.arn, r.key, plain, bound(blob, context))
		return append(blob, sealed...), err
	}
	m, err := r.current()
	if err != nil {
		return nil, err
	}
	return m.Seal(blob, plain, bound(blob, context)), nil
}

// open opens a blob of this key. Whatever is wrong with it, the answer is the same.
func (s *Service) open(ctx context.Context, r *ready, h header, blob []byte, context map[string]string) ([]byte, error) {
	if made := r.material(h.Material); h.Account != r.arn.Account || h.Key != r.ID || made == nil || made.Bytes == nil {
		return nil, kmsapi.InvalidCiphertextException.New("")
	}
	if r.external() {
		return s.openOutside(ctx, r.arn, r.key, h.Material, blob[headerSize:], bound(blob[:headerSize], context))
	}
	m, err := r.version(h.Material)
	if err != nil {
		return nil, err
	}
	plain, err := m.Open(blob[headerSize:], bound(blob[:headerSize], context))
	if err != nil {
		return nil, kmsapi.InvalidCiphertextException.New("")
	}
	return plain, nil
}

// A sealed ciphertext is what Decrypt and ReEncrypt are to open, and how.
type sealed struct {
	keyID     string // as the caller names it; empty: as the ciphertext does
	algorithm string
	blob      []byte
	context   map[string]string
	tokens    []string
	dryRun    *bool
	modifiers []kmsapi.DryRunModifierType
}

// ignored reports whether the call asks about permission alone and needs no ciphertext.
func (c *sealed) ignored() bool {
	return slices.Contains(c.modifiers, kmsapi.DryRunModifierTypeIgnoreCiphertext)
}

// check refuses calls whose parts do not go together.
func (c *sealed) check() error {
	switch {
	case len(c.modifiers) > 0 && !isOn(c.dryRun):
		return aws.ValidationException.New("DryRunModifiers are valid only with DryRun.")
	case c.ignored() && c.keyID == "":
		return aws.ValidationException.New("KeyId is required when the ciphertext is ignored.")
	case len(c.blob) == 0 && !c.ignored():
		return aws.ValidationException.New("CiphertextBlob cannot be null.")
	case c.algorithm != symmetric && c.keyID == "":
		return aws.ValidationException.New("KeyId is required to decrypt with %s.", c.algorithm)
	}
	return nil
}

// named is the key that the call, or else the ciphertext, names.
func (s *Service) named(ctx context.Context, c *sealed) (target, error) {
	if err := c.check(); err != nil {
		return target{}, err
	}
	if c.keyID != "" {
		return s.identify(ctx, c.keyID, true)
	}
	h, _, err := cutHeader(c.blob)
	if err != nil {
		return target{}, kmsapi.InvalidCiphertextException.New("")
	}
	arn := aws.CallOf(ctx).ARN("kms", "key/"+h.Key)
	arn.Account = h.Account
	return target{ARN: arn, ID: h.Key}, nil
}

func (s *Service) touchSealed(ctx context.Context, c *sealed, u use) ([]wire.Touch, error) {
	t, err := s.named(ctx, c)
	if err != nil {
		return nil, err
	}
	u.context, u.tokens, u.algorithm, u.condition = c.context, c.tokens, c.algorithm, encryptionAlgorithm
	return s.touchUse(ctx, t, u)
}

// unseal decrypts, and says with which key.
func (s *Service) unseal(ctx context.Context, c *sealed) (*ready, string, []byte, error) {
	t, err := s.named(ctx, c)
	if err != nil {
		return nil, "", nil, err
	}
	r, err := s.ready(ctx, t.ARN)
	if kmsapi.NotFoundException.Is(err) && c.keyID == "" {
		return nil, "", nil, aws.AccessDenied.New("The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.")
	}
	if err != nil {
		return nil, "", nil, err
	}
	if err := s.fit(ctx, r, encrypting, c.algorithm); err != nil {
		return nil, "", nil, err
	}
	if c.ignored() {
		return r, "", nil, nil
	}
	if c.algorithm == symmetric {
		return s.unsealSymmetric(ctx, r, c)
	}
	if err := r.fits(c.algorithm, 0, c.context); err != nil {
		return nil, "", nil, err
	}
	m, err := r.current()
	if err != nil {
		return nil, "", nil, err
	}
	plain, err := m.Decrypt(c.algorithm, c.blob)
	if err != nil {
		return nil, "", nil, r.saidOf(err, "The ciphertext cannot be decrypted with "+c.algorithm+".")
	}
	return r, "", plain, nil
}

func (s *Service) unsealSymmetric(ctx context.Context, r *ready, c *sealed) (*ready, string, []byte, error) {
	h, _, err := cutHeader(c.blob)
	if err != nil {
		return nil, "", nil, kmsapi.InvalidCiphertextException.New("")
	}
	if h.Account != r.arn.Account || h.Key != r.ID {
		return nil, "", nil, kmsapi.IncorrectKeyException.New("The key ID in the request does not identify a CMK that can perform this operation.")
	}
	plain, err := s.open(ctx, r, h, c.blob, c.context)
	if r.external() {
		h.Material = ""
	}
	return r, h.Material, plain, err
}

func ofDecrypt(in *kmsapi.DecryptRequest) *sealed {
	c := &sealed{
		algorithm: algorithmOf(in.EncryptionAlgorithm), blob: in.CiphertextBlob, context: in.EncryptionContext, tokens: in.GrantTokens,
		dryRun: in.DryRun, modifiers: in.DryRunModifiers,
	}
	if in.KeyId != nil {
		c.keyID = *in.KeyId
	}
	return c
}

func (s *Service) keyToDecrypt(ctx context.Context, in *kmsapi.DecryptRequest) ([]wire.Touch, error) {
	return s.touchSealed(ctx, ofDecrypt(in), use{action: "kms:Decrypt"})
}

func (s *Service) decrypt(ctx context.Context, in *kmsapi.DecryptRequest) (*kmsapi.DecryptResponse, error) {
	if err := withoutRecipient(in.Recipient); err != nil {
		return nil, err
	}
	c := ofDecrypt(in)
	r, version, plain, err := s.unseal(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	return &kmsapi.DecryptResponse{
		Plaintext: plain, KeyId: new(r.arn.String()), EncryptionAlgorithm: new(kmsapi.EncryptionAlgorithmSpec(c.algorithm)), KeyMaterialId: orNil(version),
	}, nil
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func ofReEncrypt(in *kmsapi.ReEncryptRequest) *sealed {
	c := &sealed{
		algorithm: algorithmOf(in.SourceEncryptionAlgorithm), blob: in.CiphertextBlob, context: in.SourceEncryptionContext, tokens: in.GrantTokens,
		dryRun: in.DryRun, modifiers: in.DryRunModifiers,
	}
	if in.SourceKeyId != nil {
		c.keyID = *in.SourceKeyId
	}
	return c
}

// keysToReEncrypt asks for two permissions: to read under the one key and to write
// under the other. KMS API Reference, ReEncrypt, "Required permissions".
func (s *Service) keysToReEncrypt(ctx context.Context, in *kmsapi.ReEncryptRequest) ([]wire.Touch, error) {
	c := ofReEncrypt(in)
	source, err := s.named(ctx, c)
	if err != nil {
		return nil, err
	}
	destination, err := s.identify(ctx, in.DestinationKeyId, true)
	if err != nil {
		return nil, err
	}
	same := map[string][]string{"kms:ReEncryptOnSameKey": {"false"}}
	if source.ARN == destination.ARN {
		same["kms:ReEncryptOnSameKey"][0] = "true"
	}
	from, err := s.touchSealed(ctx, c, use{action: "kms:ReEncryptFrom", also: same})
	if err != nil {
		return nil, err
	}
	to, err := s.touchUse(ctx, destination, use{
		action: "kms:ReEncryptTo", context: in.DestinationEncryptionContext, tokens: in.GrantTokens, also: same,
		algorithm: algorithmOf(in.DestinationEncryptionAlgorithm), condition: encryptionAlgorithm,
	})
	return append(from, to...), err
}

func (s *Service) reEncrypt(ctx context.Context, in *kmsapi.ReEncryptRequest) (*kmsapi.ReEncryptResponse, error) {
	c := ofReEncrypt(in)
	algorithm := algorithmOf(in.DestinationEncryptionAlgorithm)
	to, err := s.find(ctx, in.DestinationKeyId, encrypting, algorithm)
	if err != nil {
		return nil, err
	}
	from, version, plain, err := s.unseal(ctx, c)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	if isOn(in.DryRun) {
		if err := to.fits(algorithm, len(plain), in.DestinationEncryptionContext); err != nil {
			return nil, err
		}
		return nil, dryRun(in.DryRun)
	}
	blob, err := s.encryptUnder(ctx, to, algorithm, plain, in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kmsapi.ReEncryptResponse{
		CiphertextBlob: blob, SourceKeyId: new(from.arn.String()), KeyId: new(to.arn.String()),
		SourceEncryptionAlgorithm: new(kmsapi.EncryptionAlgorithmSpec(c.algorithm)), DestinationEncryptionAlgorithm: new(kmsapi.EncryptionAlgorithmSpec(algorithm)),
		SourceKeyMaterialId: orNil(version), DestinationKeyMaterialId: to.versionOf(algorithm),
	}, nil
}

// versionOf is the id of the material that encrypts, which only symmetric
// encryption tells, and not where half of the material is outside.
func (r *ready) versionOf(algorithm string) *string {
	if algorithm != symmetric || r.external() {
		return nil
	}
	return orNil(strings.Clone(r.Current))
}
