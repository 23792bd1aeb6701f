package kms

import (
	"bytes"
	"testing"
	"time"

	api "sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
)

func TestEncryptAndDecrypt(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	about := map[string]string{"app": "till", "branch": "7"}
	made := must(w, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: []byte("secret"), EncryptionContext: about})
	if *made.KeyId != arnOf(id) || !bytes.HasPrefix(made.CiphertextBlob, []byte(blobPrefix)) {
		t.Errorf("made %+v", made)
	}
	got := must(w, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: made.CiphertextBlob, EncryptionContext: map[string]string{"branch": "7", "app": "till"}})
	if string(got.Plaintext) != "secret" || *got.KeyId != arnOf(id) || len(*got.KeyMaterialId) != 64 {
		t.Errorf("got %+v", got)
	}
	for name, in := range map[string]*api.DecryptRequest{
		"no context":    {CiphertextBlob: made.CiphertextBlob},
		"other value":   {CiphertextBlob: made.CiphertextBlob, EncryptionContext: map[string]string{"app": "till", "branch": "8"}},
		"one pair more": {CiphertextBlob: made.CiphertextBlob, EncryptionContext: map[string]string{"app": "till", "branch": "7", "x": ""}},
		"shifted":       {CiphertextBlob: made.CiphertextBlob, EncryptionContext: map[string]string{"app": "tillb", "ranch": "7"}},
		"cut":           {CiphertextBlob: made.CiphertextBlob[:len(made.CiphertextBlob)-1], EncryptionContext: about},
		"no blob":       {CiphertextBlob: []byte("hello"), EncryptionContext: about},
	} {
		if _, err := call(w, &api.Decrypt, in); !api.InvalidCiphertextException.Is(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused(w, api.IncorrectKeyException, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: made.CiphertextBlob, EncryptionContext: about, KeyId: new(w.key(symmetric, encrypting))})
	refused(w.as(user(account, "bob")), aws.AccessDenied, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: made.CiphertextBlob, EncryptionContext: about})
	refused(w.as(root(other)), aws.AccessDenied, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: made.CiphertextBlob, EncryptionContext: about})
	refused(w, aws.ValidationException, &api.Decrypt, &api.DecryptRequest{})
}

// Every byte of a ciphertext counts.
func TestTamperedCiphertext(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	blob := must(w, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: []byte("secret")}).CiphertextBlob
	for i := range blob {
		bad := bytes.Clone(blob)
		bad[i] ^= 1
		if out, err := call(w, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: bad}); err == nil {
			t.Fatalf("byte %d changed: %q", i, out.Plaintext)
		}
	}
}

func TestStatesAreToldToWhoEncrypts(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	in := &api.EncryptRequest{KeyId: id, Plaintext: []byte("x")}
	must(w, &api.Encrypt, in) // it is held ready from here on
	w.change(id, func(k *key) { k.Disabled = true })
	refused(w, api.DisabledException, &api.Encrypt, in)
	w.change(id, func(k *key) { k.Disabled, k.Deletion = false, &deletion{At: time.Now().AddDate(0, 0, 7)} })
	refused(w, api.KMSInvalidStateException, &api.Encrypt, in)
	refused(w, api.NotFoundException, &api.Encrypt, &api.EncryptRequest{KeyId: aws.UUID(), Plaintext: []byte("x")})
	refused(w, api.NotFoundException, &api.Encrypt, &api.EncryptRequest{KeyId: "alias/none", Plaintext: []byte("x")})
	refused(w, api.InvalidKeyUsageException, &api.Encrypt, &api.EncryptRequest{KeyId: w.key("ECC_NIST_P256", signing), Plaintext: []byte("x")})
}

// What was encrypted before a rotation opens after it.
func TestEarlierMaterialDecrypts(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	before := must(w, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: []byte("old")})
	w.change(id, func(k *key) {
		m := material{ID: randomHex(32), Bytes: bytes.Repeat([]byte{7}, 32)}
		k.Materials, k.Current = append(k.Materials, m), m.ID
	})
	after := must(w, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: []byte("new")})
	one, two := must(w, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: before.CiphertextBlob}), must(w, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: after.CiphertextBlob})
	if string(one.Plaintext) != "old" || string(two.Plaintext) != "new" || *one.KeyMaterialId == *two.KeyMaterialId {
		t.Errorf("%+v, %+v", one, two)
	}
}

func TestReEncrypt(t *testing.T) {
	w := newCrypt(t)
	from, to := w.key(symmetric, encrypting), w.key(symmetric, encrypting)
	a, b := map[string]string{"in": "a"}, map[string]string{"in": "b"}
	blob := must(w, &api.Encrypt, &api.EncryptRequest{KeyId: from, Plaintext: []byte("secret"), EncryptionContext: a}).CiphertextBlob
	out := must(w, &api.ReEncrypt, &api.ReEncryptRequest{CiphertextBlob: blob, SourceEncryptionContext: a, DestinationKeyId: to, DestinationEncryptionContext: b})
	if *out.SourceKeyId != arnOf(from) || *out.KeyId != arnOf(to) {
		t.Errorf("%+v", out)
	}
	if got := must(w, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: out.CiphertextBlob, EncryptionContext: b}); string(got.Plaintext) != "secret" {
		t.Errorf("%+v", got)
	}
	refused(w, api.InvalidCiphertextException, &api.ReEncrypt, &api.ReEncryptRequest{CiphertextBlob: blob, DestinationKeyId: to})
}

func TestDataKeys(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	out := must(w, &api.GenerateDataKey, &api.GenerateDataKeyRequest{KeyId: id, KeySpec: new(api.DataKeySpecAes256)})
	if got := must(w, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: out.CiphertextBlob}); len(out.Plaintext) != 32 || !bytes.Equal(got.Plaintext, out.Plaintext) {
		t.Errorf("%x, %x", out.Plaintext, got.Plaintext)
	}
	bare := must(w, &api.GenerateDataKeyWithoutPlaintext, &api.GenerateDataKeyWithoutPlaintextRequest{KeyId: id, NumberOfBytes: new(int32(17))})
	if got := must(w, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: bare.CiphertextBlob}); len(got.Plaintext) != 17 || bytes.Equal(got.Plaintext, make([]byte, 17)) {
		t.Errorf("%x", got.Plaintext)
	}
	refused(w, aws.ValidationException, &api.GenerateDataKey, &api.GenerateDataKeyRequest{KeyId: id})
	pair := must(w, &api.GenerateDataKeyPair, &api.GenerateDataKeyPairRequest{KeyId: id, KeyPairSpec: "ECC_NIST_P256"})
	if got := must(w, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: pair.PrivateKeyCiphertextBlob}); !bytes.Equal(got.Plaintext, pair.PrivateKeyPlaintext) || len(pair.PublicKey) == 0 {
		t.Errorf("%+v", pair)
	}
	refused(w, api.UnsupportedOperationException, &api.GenerateDataKeyPair, &api.GenerateDataKeyPairRequest{KeyId: id, KeyPairSpec: "SM2"})
	refused(w, api.UnsupportedOperationException, &api.GenerateDataKey, &api.GenerateDataKeyRequest{KeyId: id, KeySpec: new(api.DataKeySpecAes256), Recipient: &api.RecipientInfo{}})
}

func TestSignMacAgree(t *testing.T) {
	w := newCrypt(t)
	for spec, algorithm := range map[string]api.SigningAlgorithmSpec{"RSA_2048": "RSASSA_PSS_SHA_256", "ECC_NIST_P384": "ECDSA_SHA_384", "ECC_SECG_P256K1": "ECDSA_SHA_256", "ECC_NIST_EDWARDS25519": "ED25519_SHA_512", "ML_DSA_44": "ML_DSA_SHAKE_256"} {
		id := w.key(spec, signing)
		out := must(w, &api.Sign, &api.SignRequest{KeyId: id, Message: []byte("hello"), SigningAlgorithm: algorithm})
		must(w, &api.Verify, &api.VerifyRequest{KeyId: id, Message: []byte("hello"), Signature: out.Signature, SigningAlgorithm: algorithm})
		refused(w, api.KMSInvalidSignatureException, &api.Verify, &api.VerifyRequest{KeyId: id, Message: []byte("Hello"), Signature: out.Signature, SigningAlgorithm: algorithm})
		if len(must(w, &api.GetPublicKey, &api.GetPublicKeyRequest{KeyId: id}).PublicKey) == 0 {
			t.Errorf("%s: no public key", spec)
		}
	}
	refused(w, api.InvalidKeyUsageException, &api.Sign, &api.SignRequest{KeyId: w.key("ECC_NIST_P256", signing), Message: []byte("x"), SigningAlgorithm: "ECDSA_SHA_384"})
	refused(w, aws.ValidationException, &api.Sign, &api.SignRequest{KeyId: w.key("ECC_NIST_P256", signing), Message: []byte("x"), MessageType: new(api.MessageTypeDigest), SigningAlgorithm: "ECDSA_SHA_256"})
	id := w.key("HMAC_256", macing)
	mac := must(w, &api.GenerateMac, &api.GenerateMacRequest{KeyId: id, Message: []byte("m"), MacAlgorithm: "HMAC_SHA_256"}).Mac
	must(w, &api.VerifyMac, &api.VerifyMacRequest{KeyId: id, Message: []byte("m"), Mac: mac, MacAlgorithm: "HMAC_SHA_256"})
	refused(w, api.KMSInvalidMacException, &api.VerifyMac, &api.VerifyMacRequest{KeyId: id, Message: []byte("n"), Mac: mac, MacAlgorithm: "HMAC_SHA_256"})
	refused(w, api.UnsupportedOperationException, &api.GetPublicKey, &api.GetPublicKeyRequest{KeyId: id})
	a, b := w.key("ECC_NIST_P256", agreeing), w.key("ECC_NIST_P256", agreeing)
	derive := func(mine, theirs string) []byte {
		peer := must(w, &api.GetPublicKey, &api.GetPublicKeyRequest{KeyId: theirs}).PublicKey
		return must(w, &api.DeriveSharedSecret, &api.DeriveSharedSecretRequest{KeyId: mine, KeyAgreementAlgorithm: "ECDH", PublicKey: peer}).SharedSecret
	}
	if one, two := derive(a, b), derive(b, a); !bytes.Equal(one, two) || len(one) != 32 {
		t.Errorf("%x, %x", one, two)
	}
	refused(w, aws.ValidationException, &api.DeriveSharedSecret, &api.DeriveSharedSecretRequest{KeyId: a, KeyAgreementAlgorithm: "ECDH", PublicKey: []byte("x")})
}

func TestAsymmetricEncryption(t *testing.T) {
	w := newCrypt(t)
	id, alg := w.key("RSA_2048", encrypting), new(api.EncryptionAlgorithmSpecRsaesOaepSha256)
	blob := must(w, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: []byte("x"), EncryptionAlgorithm: alg}).CiphertextBlob
	if got := must(w, &api.Decrypt, &api.DecryptRequest{KeyId: &id, CiphertextBlob: blob, EncryptionAlgorithm: alg}); string(got.Plaintext) != "x" {
		t.Errorf("%+v", got)
	}
	refused(w, aws.ValidationException, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: blob, EncryptionAlgorithm: alg})
	refused(w, aws.ValidationException, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: make([]byte, 191), EncryptionAlgorithm: alg})
	refused(w, aws.ValidationException, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: []byte("x"), EncryptionAlgorithm: alg, EncryptionContext: map[string]string{"a": "b"}})
	refused(w, api.InvalidKeyUsageException, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: []byte("x")})
	bad := bytes.Clone(blob)
	bad[9] ^= 1
	refused(w, api.InvalidCiphertextException, &api.Decrypt, &api.DecryptRequest{KeyId: &id, CiphertextBlob: bad, EncryptionAlgorithm: alg})
}

func TestDryRun(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	refused(w, api.DryRunOperationException, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: []byte("x"), DryRun: new(true)})
	refused(w.as(user(account, "bob")), aws.AccessDenied, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: []byte("x"), DryRun: new(true)})
	ignoring := []api.DryRunModifierType{api.DryRunModifierTypeIgnoreCiphertext}
	refused(w, api.DryRunOperationException, &api.Decrypt, &api.DecryptRequest{KeyId: &id, DryRun: new(true), DryRunModifiers: ignoring})
	refused(w, aws.ValidationException, &api.Decrypt, &api.DecryptRequest{KeyId: &id, DryRunModifiers: ignoring})
	refused(w, api.InvalidCiphertextException, &api.Decrypt, &api.DecryptRequest{KeyId: &id, CiphertextBlob: []byte("x"), DryRun: new(true)})
	refused(w, api.DryRunOperationException, &api.CreateGrant, &api.CreateGrantRequest{KeyId: id, GranteePrincipal: "arn:aws:iam::111122223333:user/alice", Operations: []api.GrantOperation{"Encrypt"}, DryRun: new(true)})
	if got := must(w, &api.ListGrants, &api.ListGrantsRequest{KeyId: id}); len(got.Grants) != 0 {
		t.Errorf("a dry run left %+v", got.Grants)
	}
}

func FuzzBlob(f *testing.F) {
	w := newCrypt(f)
	id := w.key(symmetric, encrypting)
	f.Add(must(w, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: []byte("secret")}).CiphertextBlob)
	f.Add([]byte(blobPrefix))
	f.Fuzz(func(t *testing.T, blob []byte) {
		h, rest, err := cutHeader(blob)
		if err != nil {
			return
		}
		again, err := h.append(nil)
		if err != nil || !bytes.Equal(append(again, rest...), blob) {
			t.Errorf("%x is read as %+v and written as %x, %v", blob, h, again, err)
		}
		if !validKeyID(h.Key) {
			t.Errorf("%s is no key", h.Key)
		}
	})
}

// A ciphertext can name a material that is not here: one that waits for its import.
func TestCiphertextsOfAbsentMaterialAreInvalid(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	waiting := newMaterialID()
	w.change(id, func(k *key) {
		k.Origin, k.Materials = "EXTERNAL", append(k.Materials, material{ID: waiting, Pending: true})
	})
	h := header{Account: account, Key: id, Material: waiting}
	blob, err := h.append(nil)
	if err != nil {
		t.Fatal(err)
	}
	blob = append(blob, make([]byte, mat.SealOverhead+1)...)
	refused(w, api.InvalidCiphertextException, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: blob})
}

// Policies may ask about the spec and usage by their deprecated names.
func TestConditionsByDeprecatedNames(t *testing.T) {
	w := newCrypt(t)
	alice := w.as(user(account, "alice"))
	for spec, usage := range map[string]string{"ECC_NIST_P256": signing, "HMAC_256": macing} {
		id := w.key(spec, usage)
		w.change(id, func(k *key) {
			k.Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:CustomerMasterKeySpec":"HMAC_256","kms:CustomerMasterKeyUsage":"GENERATE_VERIFY_MAC"}}}]}`
		})
		_, err := call(alice, &api.DescribeKey, &api.DescribeKeyRequest{KeyId: id})
		if (err == nil) != (usage == macing) {
			t.Errorf("%s: %v", spec, err)
		}
	}
}
