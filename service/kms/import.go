package kms

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// importRoutes are those of key material that people bring. KMS Developer Guide,
// "Importing key material for AWS KMS keys".
func (s *Service) importRoutes() []wire.Route {
	return []wire.Route{
		kmsapi.GetParametersForImport.To(s.getParametersForImport, s.parametersToGet),
		kmsapi.ImportKeyMaterial.To(s.importKeyMaterial, s.materialToImport),
		kmsapi.DeleteImportedKeyMaterial.To(s.deleteImportedKeyMaterial, func(ctx context.Context, in *kmsapi.DeleteImportedKeyMaterialRequest) ([]wire.Touch, error) {
			return s.touchNamed(ctx, in.KeyId, "kms:DeleteImportedKeyMaterial", nil)
		}),
	}
}

func (s *Service) importJobs() []service.Job {
	return []service.Job{{Kind: jobExpire, Run: s.expireMaterial}, {Kind: jobToken, Run: s.endToken}}
}

// longestImport is how far ahead imported material may expire. KMS API Reference,
// ImportKeyMaterial, ValidTo.
const longestImport = 365 * 24 * time.Hour

// touchNamed is the touch for an operation on one key, named by its id or ARN.
func (s *Service) touchNamed(ctx context.Context, keyID, action string, extra map[string][]string) ([]wire.Touch, error) {
	t, err := s.identify(ctx, keyID, false)
	if err != nil {
		return nil, err
	}
	touch, err := s.touchKey(ctx, t, action, extra)
	return []wire.Touch{touch}, err
}

func (s *Service) parametersToGet(ctx context.Context, in *kmsapi.GetParametersForImportRequest) ([]wire.Touch, error) {
	return s.touchNamed(ctx, in.KeyId, "kms:GetParametersForImport", map[string][]string{
		"kms:WrappingAlgorithm": {string(in.WrappingAlgorithm)}, "kms:WrappingKeySpec": {string(in.WrappingKeySpec)},
	})
}

func (s *Service) materialToImport(ctx context.Context, in *kmsapi.ImportKeyMaterialRequest) ([]wire.Touch, error) {
	extra := map[string][]string{"kms:ExpirationModel": {string(expirationOf(in))}}
	if in.ValidTo != nil {
		extra["kms:ValidTo"] = []string{in.ValidTo.UTC().Format(time.RFC3339)}
	}
	return s.touchNamed(ctx, in.KeyId, "kms:ImportKeyMaterial", extra)
}

// expirationOf is the expiration model of an import: material expires unless somebody says otherwise.
func expirationOf(in *kmsapi.ImportKeyMaterialRequest) kmsapi.ExpirationModelType {
	if in.ExpirationModel != nil {
		return *in.ExpirationModel
	}
	return kmsapi.ExpirationModelTypeKeyMaterialExpires
}

// importable returns the key that material is to be imported into.
func (s *Service) importable(ctx context.Context, keyID string) (*key, aws.ARN, error) {
	k, arn, err := s.look(ctx, keyID)
	if err == nil && k.Origin != string(kmsapi.OriginTypeExternal) {
		err = kmsapi.UnsupportedOperationException.New("%s origin is %s which is not valid for this operation.", arn, k.Origin)
	}
	if err != nil {
		return nil, arn, err
	}
	return k, arn, k.mustAllow(arn, aws.CallOf(ctx).Operation, time.Now())
}

func (s *Service) getParametersForImport(ctx context.Context, in *kmsapi.GetParametersForImportRequest) (*kmsapi.GetParametersForImportResponse, error) {
	k, arn, err := s.importable(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := wraps(k, in.WrappingAlgorithm, in.WrappingKeySpec); err != nil {
		return nil, err
	}
	made, err := s.wrapping.wrapping(ctx, arn, string(in.WrappingKeySpec))
	if err != nil {
		return nil, err
	}
	token, until, err := s.keepToken(ctx, k, string(in.WrappingAlgorithm), made.private)
	if err != nil {
		return nil, err
	}
	return &kmsapi.GetParametersForImportResponse{KeyId: new(arn.String()), ImportToken: token, PublicKey: made.public, ParametersValidTo: &until}, nil
}

// wraps refuses wrapping algorithms that are not for keys of k's kind. KMS
// Developer Guide, "Select a wrapping algorithm".
func wraps(k *key, algorithm kmsapi.AlgorithmSpec, spec kmsapi.WrappingKeySpec) error {
	switch {
	case spec == kmsapi.WrappingKeySpecSm2 || algorithm == kmsapi.AlgorithmSpecSm2pke:
		return kmsapi.UnsupportedOperationException.New("SM2 wrapping keys exist in the China Regions only.")
	case algorithm == kmsapi.AlgorithmSpecRsaesPkcs1V1_5:
		return kmsapi.UnsupportedOperationException.New("AWS KMS no longer supports the wrapping algorithm %s.", algorithm)
	case mat.Wraps(string(algorithm), string(spec), mat.Spec(k.Spec)) != nil:
		return kmsapi.UnsupportedOperationException.New("The wrapping algorithm %s with a wrapping key of %s cannot wrap key material of %s.", algorithm, spec, k.Spec)
	}
	return nil
}

func (s *Service) importKeyMaterial(ctx context.Context, in *kmsapi.ImportKeyMaterialRequest) (*kmsapi.ImportKeyMaterialResponse, error) {
	k, arn, err := s.importable(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := checkValidity(in, time.Now()); err != nil {
		return nil, err
	}
	t, err := s.tokenOf(ctx, k, in.ImportToken)
	if err != nil {
		return nil, err
	}
	defer clear(t.Wrapping)
	plain, err := unwrap(t, in.EncryptedKeyMaterial, k.Spec)
	if err != nil {
		return nil, err
	}
	m, err := k.takeMaterial(plain, in, k.replicaIn(aws.CallOf(ctx).Region))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.keys.Put(ctx, k.ID, k), s.shareMaterials(ctx, k)); err != nil {
		return nil, err
	}
	id := expiryID(k.ID, m.ID)
	store.Unschedule(ctx, jobExpire, id)
	if m.ValidTo != nil {
		store.Schedule(ctx, store.Due{Kind: jobExpire, ID: id, At: *m.ValidTo})
	}
	return &kmsapi.ImportKeyMaterialResponse{KeyId: new(arn.String()), KeyMaterialId: &m.ID}, nil
}

// checkValidity checks when the material is to expire.
func checkValidity(in *kmsapi.ImportKeyMaterialRequest, now time.Time) error {
	if expirationOf(in) == kmsapi.ExpirationModelTypeKeyMaterialDoesNotExpire {
		if in.ValidTo != nil {
			return aws.ValidationException.New("A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE.")
		}
		return nil
	}
	switch {
	case in.ValidTo == nil:
		return aws.ValidationException.New("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES.")
	case !in.ValidTo.After(now):
		return aws.ValidationException.New("The validTo date must be in the future.")
	case in.ValidTo.After(now.Add(longestImport)):
		return aws.ValidationException.New("The validTo date must be no more than 365 days from now.")
	}
	return nil
}

// unwrap opens what a stranger has wrapped, and checks that it is material for keys of spec.
func unwrap(t *importToken, wrapped []byte, spec string) ([]byte, error) {
	plain, err := mat.Unwrap(t.Wrapping, t.Algorithm, wrapped, mat.Spec(spec))
	if errors.Is(err, mat.ErrCiphertext) || errors.Is(err, mat.ErrAlgorithm) {
		return nil, kmsapi.InvalidCiphertextException.New("The encrypted key material cannot be decrypted with the wrapping key of the import token.")
	}
	if err == nil {
		return plain, nil
	}
	return nil, kmsapi.IncorrectKeyMaterialException.New("The key material is not valid for a KMS key of the key spec %s.", spec)
}

// takeMaterial puts imported bytes into the key, or refuses them: what has once been
// imported may come back, byte for byte, and only symmetric keys take new material.
// KMS API Reference, ImportKeyMaterial, ImportType.
func (k *key) takeMaterial(plain []byte, in *kmsapi.ImportKeyMaterialRequest, replica bool) (*material, error) {
	sum := sha256.Sum256(plain)
	var known *material
	for i := range k.Materials {
		if subtle.ConstantTimeCompare(k.Materials[i].Digest, sum[:]) == 1 {
			known = &k.Materials[i]
		}
	}
	fresh := len(k.Materials) == 0 && !replica
	if in.ImportType != nil {
		fresh = *in.ImportType == kmsapi.ImportTypeNewKeyMaterial
	}
	m := known
	if fresh {
		if in.KeyMaterialId != nil {
			return nil, aws.ValidationException.New("KeyMaterialId cannot be set if the ImportType is NEW_KEY_MATERIAL.")
		}
		var err error
		if m, err = k.newMaterial(known, replica); err != nil {
			return nil, err
		}
		m.Digest = sum[:]
	}
	if m == nil || in.KeyMaterialId != nil && *in.KeyMaterialId != m.ID {
		return nil, kmsapi.IncorrectKeyMaterialException.New("The key material in the request is not the key material that was previously imported into this KMS key.")
	}
	m.Bytes, m.ValidTo = plain, nil
	if in.ValidTo != nil {
		m.ValidTo = new(in.ValidTo.UTC())
	}
	if in.KeyMaterialDescription != nil {
		m.Description = *in.KeyMaterialDescription
	}
	return m, nil
}

// newMaterial makes room for material that the key never had. What follows the
// first waits for RotateKeyOnDemand.
func (k *key) newMaterial(known *material, replica bool) (*material, error) {
	if known != nil {
		return nil, kmsapi.IncorrectKeyMaterialException.New("The key material in the request was already imported into this KMS key.")
	}
	if replica {
		return nil, kmsapi.UnsupportedOperationException.New("New key material must be imported into the primary key first.")
	}
	if len(k.Materials) == 0 {
		k.Current = newMaterialID()
		k.Materials = []material{{ID: k.Current}}
		return &k.Materials[0], nil
	}
	if k.Spec != string(kmsapi.KeySpecSymmetricDefault) {
		return nil, kmsapi.IncorrectKeyMaterialException.New("A KMS key of the key spec %s can have one key material only.", k.Spec)
	}
	if waiting := k.waiting(); waiting != nil {
		if waiting.Bytes != nil {
			return nil, kmsapi.KMSInvalidStateException.New("The KMS key already has key material that is pending rotation.")
		}
		k.forget(waiting.ID)
	}
	k.Materials = append(k.Materials, material{ID: newMaterialID(), Pending: true})
	return &k.Materials[len(k.Materials)-1], nil
}

func (s *Service) deleteImportedKeyMaterial(ctx context.Context, in *kmsapi.DeleteImportedKeyMaterialRequest) (*kmsapi.DeleteImportedKeyMaterialResponse, error) {
	k, arn, err := s.importable(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	id := k.Current
	if in.KeyMaterialId != nil {
		id = *in.KeyMaterialId
	}
	m := k.material(id)
	if m == nil {
		if in.KeyMaterialId == nil { // never imported: no effect
			return &kmsapi.DeleteImportedKeyMaterialResponse{KeyId: new(arn.String())}, nil
		}
		return nil, kmsapi.NotFoundException.New("Key material %s of key '%s' does not exist", id, arn)
	}
	clear(m.Bytes)
	m.Bytes, m.ValidTo = nil, nil
	store.Unschedule(ctx, jobExpire, expiryID(k.ID, m.ID))
	return &kmsapi.DeleteImportedKeyMaterialResponse{KeyId: new(arn.String()), KeyMaterialId: &m.ID}, s.keys.Put(ctx, k.ID, k)
}

// expireMaterial takes away material whose time is over. The key waits for the same bytes then.
func (s *Service) expireMaterial(ctx context.Context, due store.Due) error {
	keyID, id, _ := strings.Cut(due.ID, "/")
	k, err := s.keys.Get(ctx, keyID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	m, now := k.material(id), time.Now()
	if m == nil || m.Bytes == nil || m.ValidTo == nil || m.ValidTo.After(now) {
		return nil // imported again, or gone
	}
	clear(m.Bytes)
	m.Bytes = nil
	if err := s.keys.Put(ctx, k.ID, k); err != nil {
		return err
	}
	return s.tell(ctx, k, "KMS Imported Key Material Expiration", "DeleteExpiredKeyMaterial", map[string]any{"keyId": k.ID, "keyMaterialId": m.ID})
}

func expiryID(keyID, materialID string) string { return keyID + "/" + materialID }
