package clientside

import (
	"encoding/pem"
	"testing"

	mpl "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygenerated"
	mpltypes "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygeneratedtypes"
	primitives "github.com/aws/aws-cryptographic-material-providers-library/releases/go/primitives/awscryptographyprimitivessmithygeneratedtypes"
	esdktypes "github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygeneratedtypes"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// TestKeyPairs protects messages by key pairs of KMS: by RSA anybody writes and who
// may decrypt reads, by key agreement two parties come to the same secret.
func TestKeyPairs(t *testing.T) {
	rsa, public := newAsymmetricKey(t, kmstypes.KeySpecRsa2048, kmstypes.KeyUsageTypeEncryptDecrypt)
	ours, ourPublic := newAsymmetricKey(t, kmstypes.KeySpecEccNistP256, kmstypes.KeyUsageTypeKeyAgreement)
	theirs, theirPublic := newAsymmetricKey(t, kmstypes.KeySpecEccNistP256, kmstypes.KeyUsageTypeKeyAgreement)
	stranger := user(t, "stranger")
	agree := func(key string, own, other []byte) func(*mpl.Client, person) (mpltypes.IKeyring, error) {
		return func(c *mpl.Client, p person) (mpltypes.IKeyring, error) {
			return c.CreateAwsKmsEcdhKeyring(t.Context(), mpltypes.CreateAwsKmsEcdhKeyringInput{
				CurveSpec: primitives.ECDHCurveSpecEccNistP256, KmsClient: kms.NewFromConfig(p.config(t, home)),
				KeyAgreementScheme: &mpltypes.KmsEcdhStaticConfigurationsMemberKmsPrivateKeyToStaticPublicKey{Value: mpltypes.KmsPrivateKeyToStaticPublicKeyInput{
					SenderKmsIdentifier: key, SenderPublicKey: own, RecipientPublicKey: other}},
			})
		}
	}
	byRSA := func(c *mpl.Client, p person) (mpltypes.IKeyring, error) {
		return c.CreateAwsKmsRsaKeyring(t.Context(), mpltypes.CreateAwsKmsRsaKeyringInput{
			EncryptionAlgorithm: kmstypes.EncryptionAlgorithmSpecRsaesOaepSha256, KmsKeyId: rsa, KmsClient: kms.NewFromConfig(p.config(t, home)),
			PublicKey: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})})
	}
	writesByRSA := user(t, "rsa-writer")
	for name, try := range map[string]struct {
		writer, reader person
		writes, reads  func(*mpl.Client, person) (mpltypes.IKeyring, error)
		needs          string
	}{
		"RSA": {writesByRSA, user(t, "rsa-reader", may("kms:Decrypt", rsa)), byRSA, byRSA, "kms:Decrypt"},
		"ECDH": {user(t, "ours", may("kms:DeriveSharedSecret", ours)), user(t, "pairs-theirs", may("kms:DeriveSharedSecret", theirs)),
			agree(ours, ourPublic, theirPublic), agree(theirs, theirPublic, ourPublic), "kms:DeriveSharedSecret"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := mpl.NewClient(mpltypes.MaterialProvidersConfig{})
			if err != nil {
				t.Fatal(err)
			}
			ring := func(make func(*mpl.Client, person) (mpltypes.IKeyring, error), p person) mpltypes.IKeyring {
				t.Helper()
				made, err := make(c, p)
				if err != nil {
					t.Fatal(err)
				}
				return made
			}
			suite := mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKey
			out, err := golangClient(t).Encrypt(t.Context(), esdktypes.EncryptInput{
				Plaintext: []byte("by " + name), AlgorithmSuiteId: &suite, EncryptionContext: map[string]string{"a": "b"}, Keyring: ring(try.writes, try.writer)})
			if err != nil {
				t.Fatal(err)
			}
			got, err := golangClient(t).Decrypt(t.Context(), esdktypes.DecryptInput{Ciphertext: out.Ciphertext, Keyring: ring(try.reads, try.reader)})
			if err != nil || string(got.Plaintext) != "by "+name {
				t.Errorf("%+v, %v", got, err)
			}
			if _, err := golangClient(t).Decrypt(t.Context(), esdktypes.DecryptInput{Ciphertext: out.Ciphertext, Keyring: ring(try.reads, stranger)}); !says(err, try.needs) {
				t.Errorf("without %s: %v", try.needs, err)
			}
		})
	}
}
