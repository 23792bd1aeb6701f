package clientside

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

// TestSDK encrypts in one region and decrypts in another with the AWS SDK for Go,
// and meets the errors that a program looks for by their types.
func TestSDK(t *testing.T) {
	primary, replica := newMultiRegionKey(t)
	app := user(t, "app", may("kms:Encrypt", primary), may("kms:Decrypt", primary), may("kms:Decrypt", replica))
	here, there := kms.NewFromConfig(app.config(t, home)), kms.NewFromConfig(app.config(t, away))
	with := map[string]string{"table": "users"}
	sealed, err := here.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &primary, Plaintext: []byte("everywhere"), EncryptionContext: with})
	if err != nil {
		t.Fatal(err)
	}
	out, err := there.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: with})
	if err != nil || string(out.Plaintext) != "everywhere" || *out.KeyId != replica {
		t.Errorf("%+v, %v", out, err)
	}

	var context *types.InvalidCiphertextException
	if _, err := there.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob}); !errors.As(err, &context) {
		t.Errorf("without its encryption context: %v", err)
	}
	var denied smithy.APIError
	if _, err := there.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &replica, Plaintext: []byte("x")}); !errors.As(err, &denied) || denied.ErrorCode() != "AccessDeniedException" {
		t.Errorf("without kms:Encrypt: %v", err)
	}
	administers := kms.NewFromConfig(administrator.config(t, away))
	other := newKey(t, away, &kms.CreateKeyInput{})
	var incorrect *types.IncorrectKeyException
	if _, err := administers.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: with, KeyId: &other}); !errors.As(err, &incorrect) {
		t.Errorf("under another key: %v", err)
	}
	if _, err := administers.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &replica}); err != nil {
		t.Fatal(err)
	}
	var disabled *types.DisabledException
	if _, err := there.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: with}); !errors.As(err, &disabled) {
		t.Errorf("under a disabled key: %v", err)
	}
	var missing *types.NotFoundException
	if _, err := administers.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: aws.String("00000000-0000-0000-0000-000000000000")}); !errors.As(err, &missing) {
		t.Errorf("a key that is not there: %v", err)
	}

	found := map[string]bool{}
	for pages := kms.NewListKeysPaginator(administers, &kms.ListKeysInput{Limit: aws.Int32(1)}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range page.Keys {
			found[*k.KeyArn] = true
		}
	}
	if !found[replica] || !found[other] || found[primary] {
		t.Errorf("the keys away are %v", found)
	}
}

// TestSignatures signs by KMS, and verifies with the public key alone; and imports
// key material that was wrapped in the client.
func TestSignatures(t *testing.T) {
	digest := sha256.Sum256([]byte("signed"))
	c := kms.NewFromConfig(administrator.config(t, home))
	for _, try := range []struct {
		spec types.KeySpec
		algo types.SigningAlgorithmSpec
	}{{types.KeySpecRsa2048, types.SigningAlgorithmSpecRsassaPssSha256}, {types.KeySpecEccNistP256, types.SigningAlgorithmSpecEcdsaSha256}} {
		key, der := newAsymmetricKey(t, try.spec, types.KeyUsageTypeSignVerify)
		signer := user(t, "signer", may("kms:Sign", key))
		out, err := kms.NewFromConfig(signer.config(t, home)).Sign(t.Context(), &kms.SignInput{KeyId: &key, Message: digest[:], MessageType: types.MessageTypeDigest, SigningAlgorithm: try.algo})
		if err != nil {
			t.Fatal(err)
		}
		public, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			t.Fatal(err)
		}
		switch public := public.(type) {
		case *rsa.PublicKey:
			if err := rsa.VerifyPSS(public, crypto.SHA256, digest[:], out.Signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}); err != nil {
				t.Error(err)
			}
		case *ecdsa.PublicKey:
			if !ecdsa.VerifyASN1(public, digest[:], out.Signature) {
				t.Error("the ECDSA signature is not good")
			}
		}
		other := sha256.Sum256([]byte("forged"))
		var bad *types.KMSInvalidSignatureException
		if _, err := c.Verify(t.Context(), &kms.VerifyInput{KeyId: &key, Message: other[:], MessageType: types.MessageTypeDigest, SigningAlgorithm: try.algo, Signature: out.Signature}); !errors.As(err, &bad) {
			t.Errorf("%s: for another message: %v", try.spec, err)
		}
	}

	key := newKey(t, home, &kms.CreateKeyInput{Origin: types.OriginTypeExternal})
	wrapping, err := c.GetParametersForImport(t.Context(), &kms.GetParametersForImportInput{KeyId: &key, WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: types.WrappingKeySpecRsa2048})
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.ParsePKIXPublicKey(wrapping.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	material := make([]byte, 32)
	rand.Read(material)
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public.(*rsa.PublicKey), material, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ImportKeyMaterial(t.Context(), &kms.ImportKeyMaterialInput{KeyId: &key, ImportToken: wrapping.ImportToken, EncryptedKeyMaterial: wrapped, ExpirationModel: types.ExpirationModelTypeKeyMaterialDoesNotExpire}); err != nil {
		t.Fatal(err)
	}
	sealed, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("imported")})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob}); err != nil || string(out.Plaintext) != "imported" {
		t.Errorf("%+v, %v", out, err)
	}
}
