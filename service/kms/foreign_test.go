package kms

import (
	"errors"
	"reflect"
	"testing"

	api "sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

const openToOthers = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:root"]},"Action":"kms:*","Resource":"*"}]}`

// A key policy may say kms:* for another account: what manages a key, its material
// and its rotation stays with the account that owns it, and nothing of the key
// comes to be in the other.
func TestOtherAccountsManageNothing(t *testing.T) {
	w := newCrypt(t)
	theirs := w.as(root(other))
	own, imported := w.key(symmetric, encrypting), w.key(symmetric, encrypting)
	w.change(own, func(k *key) { k.Policy, k.Rotation.Days = openToOthers, 365 })
	w.change(imported, func(k *key) { k.Policy, k.Origin = openToOthers, "EXTERNAL" })
	before := map[string]*key{}
	for _, id := range []string{own, imported} {
		k, err := w.service.keys.Get(w.ctx(""), id)
		if err != nil {
			t.Fatal(err)
		}
		before[id] = k
	}
	id, ext := arnOf(own), arnOf(imported)
	_, enable := call(theirs, &api.EnableKeyRotation, &api.EnableKeyRotationRequest{KeyId: id})
	_, disable := call(theirs, &api.DisableKeyRotation, &api.DisableKeyRotationRequest{KeyId: id})
	_, rotate := call(theirs, &api.RotateKeyOnDemand, &api.RotateKeyOnDemandRequest{KeyId: id})
	_, rotations := call(theirs, &api.ListKeyRotations, &api.ListKeyRotationsRequest{KeyId: id})
	_, parameters := call(theirs, &api.GetParametersForImport, &api.GetParametersForImportRequest{KeyId: ext, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048"})
	_, bring := call(theirs, &api.ImportKeyMaterial, &api.ImportKeyMaterialRequest{KeyId: ext, ImportToken: make([]byte, tokenSize), EncryptedKeyMaterial: []byte("x")})
	_, take := call(theirs, &api.DeleteImportedKeyMaterial, &api.DeleteImportedKeyMaterialRequest{KeyId: ext})
	_, used := call(theirs, &api.GetKeyLastUsage, &api.GetKeyLastUsageRequest{KeyId: id})
	_, put := call(theirs, &api.PutKeyPolicy, &api.PutKeyPolicyRequest{KeyId: id, Policy: openToOthers})
	_, tag := call(theirs, &api.TagResource, &api.TagResourceRequest{KeyId: id, Tags: []api.Tag{{TagKey: "a", TagValue: "b"}}})
	_, schedule := call(theirs, &api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionRequest{KeyId: id})
	_, name := call(theirs, &api.CreateAlias, &api.CreateAliasRequest{AliasName: "alias/mine", TargetKeyId: id})
	for operation, err := range map[string]error{
		"EnableKeyRotation": enable, "DisableKeyRotation": disable, "RotateKeyOnDemand": rotate, "ListKeyRotations": rotations,
		"GetParametersForImport": parameters, "ImportKeyMaterial": bring, "DeleteImportedKeyMaterial": take, "GetKeyLastUsage": used,
		"PutKeyPolicy": put, "TagResource": tag, "ScheduleKeyDeletion": schedule, "CreateAlias": name,
	} {
		if !api.NotFoundException.Is(err) {
			t.Errorf("%s: %v", operation, err)
		}
	}
	for id, was := range before {
		if _, err := w.service.keys.Get(theirs.ctx(""), id); err == nil {
			t.Errorf("%s is in the other account", id)
		}
		if is, err := w.service.keys.Get(w.ctx(""), id); err != nil || !reflect.DeepEqual(is, was) {
			t.Errorf("%s has changed: %v", id, err)
		}
	}
	// What AWS opens to other accounts is open.
	if out := must(theirs, &api.GetKeyRotationStatus, &api.GetKeyRotationStatusRequest{KeyId: id}); !*out.KeyRotationEnabled || *out.KeyId != id {
		t.Errorf("%+v", out)
	}
	must(theirs, &api.DescribeKey, &api.DescribeKeyRequest{KeyId: id})
	must(theirs, &api.ListGrants, &api.ListGrantsRequest{KeyId: id})
	refused(w.as(user(other, "eve")), aws.AccessDenied, &api.GetKeyRotationStatus, &api.GetKeyRotationStatusRequest{KeyId: id})
}

// Whoever may not use another account's key does not learn either which aliases
// that account has.
func TestAliasesOfOtherAccountsAreNotTold(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	must(w, &api.CreateAlias, &api.CreateAliasRequest{AliasName: "alias/there", TargetKeyId: id})
	eve := w.as(root(other))
	said := func(name string) string {
		_, err := call(eve, &api.Encrypt, &api.EncryptRequest{KeyId: "arn:aws:kms:us-east-1:111122223333:" + name, Plaintext: []byte("x")})
		if !aws.AccessDenied.Is(err) {
			t.Fatalf("%s: %v", name, err)
		}
		return err.Error()
	}
	there := said("alias/there")
	if none, key := said("alias/none"), said("key/"+aws.UUID()); there != none || there != key {
		t.Errorf("an alias: %s\nnone:     %s\nno key:   %s", there, none, key)
	}
	refused(w, api.NotFoundException, &api.Encrypt, &api.EncryptRequest{KeyId: "alias/none", Plaintext: []byte("x")})
}

// Policies name a key by the ARN of its partition, and no other ARN is the key's: a
// Deny would not mean it.
func TestKeysAreOfOnePartition(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	made := grantTo(w, id, "arn:aws:iam::111122223333:user/alice", nil, "Encrypt")
	elsewhere := "arn:aws-cn:kms:us-east-1:111122223333:key/" + id
	refused(w, api.InvalidArnException, &api.Encrypt, &api.EncryptRequest{KeyId: elsewhere, Plaintext: []byte("x")})
	refused(w, api.InvalidArnException, &api.DisableKey, &api.DisableKeyRequest{KeyId: elsewhere})
	refused(w, api.InvalidArnException, &api.CreateGrant, &api.CreateGrantRequest{KeyId: id, GranteePrincipal: "arn:aws-cn:iam::111122223333:user/alice", Operations: []api.GrantOperation{"Encrypt"}})
	refused(w, api.InvalidArnException, &api.RetireGrant, &api.RetireGrantRequest{KeyId: &elsewhere, GrantId: made.GrantId})
}

// An alias may move between the gate's question and the work: the call begins again,
// and does not use the key that it was not allowed.
func TestAliasesThatMoveWhileACallIsServed(t *testing.T) {
	w := newCrypt(t)
	one, two := w.key(symmetric, encrypting), w.key(symmetric, encrypting)
	must(w, &api.CreateAlias, &api.CreateAliasRequest{AliasName: "alias/app", TargetKeyId: one})
	in := &api.EncryptRequest{KeyId: "alias/app", Plaintext: []byte("x")}
	ctx := w.ctx("Encrypt")
	touches, err := w.service.keyToEncrypt(ctx, in)
	if err != nil || touches[0].Resource.String() != arnOf(one) {
		t.Fatalf("%+v, %v", touches, err)
	}
	ctx = wire.WithAuthorised(ctx, &touches)
	if out, err := w.service.encrypt(ctx, in); err != nil || *out.KeyId != arnOf(one) {
		t.Fatalf("%+v, %v", out, err)
	}
	must(w, &api.UpdateAlias, &api.UpdateAliasRequest{AliasName: "alias/app", TargetKeyId: two})
	if out, err := w.service.encrypt(ctx, in); !errors.Is(err, store.ErrConflict) {
		t.Errorf("%+v, %v", out, err)
	}
	// Another call, within this one, is asked about anew.
	if _, err := w.service.keyToEncrypt(aws.WithCall(ctx, aws.CallOf(w.ctx("Encrypt"))), in); err != nil {
		t.Error(err)
	}
}
