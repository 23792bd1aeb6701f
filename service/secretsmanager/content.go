package secretsmanager

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"sumun.dev/api/kmsapi"
	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

const maxContent = 65_536 // bytes of a value. User Guide, "Secrets Manager quotas"

// A content is what a version of a secret holds: text or bytes.
type content struct {
	Binary bool
	Bytes  []byte
}

// Format keeps values out of every print.
func (content) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(secret)") }

// contentOf reads the two members of which a request may have one; ok is false
// when it has neither.
func contentOf(text *string, binary []byte) (c content, ok bool, err error) {
	switch {
	case text != nil && binary != nil:
		return c, false, api.InvalidParameterException.New("You can't specify both a binary secret value and a string secret value in the same secret.")
	case text != nil:
		c = content{Bytes: []byte(*text)}
	case binary != nil:
		c = content{Binary: true, Bytes: binary}
	default:
		return c, false, nil
	}
	if len(c.Bytes) > maxContent {
		return c, false, api.InvalidParameterException.New("The secret value is longer than %d bytes.", maxContent)
	}
	return c, true, nil
}

// seal encrypts a value as a version of the secret, under a data key that KMS makes
// for this version alone. User Guide, "Secret encryption and decryption".
func (s *Service) seal(ctx context.Context, sec *secret, id string, c content) (*version, error) {
	made, err := kmsapi.GenerateDataKey.Call(inRegionOf(ctx, sec), s.env.AWS, &kmsapi.GenerateDataKeyRequest{
		KeyId: sec.key(), KeySpec: new(kmsapi.DataKeySpecAes256), EncryptionContext: encryptionContext(sec, id),
	})
	if err != nil {
		return nil, kmsError(err, api.EncryptionFailure)
	}
	defer clear(made.Plaintext)
	aead, err := cipherOf(made.Plaintext)
	if err != nil {
		return nil, err
	}
	v := &version{ID: id, Binary: c.Binary, DataKey: made.CiphertextBlob, KeyID: text(made.KeyId), Created: time.Now().UTC(), Digest: digest(c)}
	v.Value = aead.Seal(nil, make([]byte, aead.NonceSize()), c.Bytes, v.bound(sec)) // the key's only message
	return v, nil
}

// open decrypts a version. Whoever reads must be allowed to decrypt by its key.
func (s *Service) open(ctx context.Context, sec *secret, v *version) (content, error) {
	out, err := kmsapi.Decrypt.Call(inRegionOf(ctx, sec), s.env.AWS, &kmsapi.DecryptRequest{
		CiphertextBlob: v.DataKey, KeyId: some(v.KeyID), EncryptionContext: encryptionContext(sec, v.ID),
	})
	if err != nil {
		return content{}, kmsError(err, api.DecryptionFailure)
	}
	defer clear(out.Plaintext)
	aead, err := cipherOf(out.Plaintext)
	if err != nil {
		return content{}, err
	}
	plain, err := aead.Open(nil, make([]byte, aead.NonceSize()), v.Value, v.bound(sec))
	if err != nil {
		return content{}, fmt.Errorf("version %s of %s does not open: %w", v.ID, sec.arn, err)
	}
	return content{Binary: v.Binary, Bytes: plain}, nil
}

// mayUse makes sure that the caller may encrypt and decrypt by a key before a secret
// is put under it. User Guide, "Secret encryption and decryption": the context says
// that it is a trial.
func (s *Service) mayUse(ctx context.Context, sec *secret) error {
	trial := map[string]string{"SecretARN": "RequestToValidateKeyAccess", "SecretVersionId": "RequestToValidateKeyAccess"}
	made, err := kmsapi.GenerateDataKey.Call(inRegionOf(ctx, sec), s.env.AWS, &kmsapi.GenerateDataKeyRequest{
		KeyId: sec.key(), KeySpec: new(kmsapi.DataKeySpecAes256), EncryptionContext: trial,
	})
	if err != nil {
		return kmsError(err, api.EncryptionFailure)
	}
	clear(made.Plaintext)
	out, err := kmsapi.Decrypt.Call(inRegionOf(ctx, sec), s.env.AWS, &kmsapi.DecryptRequest{CiphertextBlob: made.CiphertextBlob, KeyId: made.KeyId, EncryptionContext: trial})
	if err != nil {
		return kmsError(err, api.DecryptionFailure)
	}
	clear(out.Plaintext)
	return nil
}

func inRegionOf(ctx context.Context, sec *secret) context.Context {
	return wire.InRegion(ctx, sec.arn.Region)
}

// key names the KMS key of a secret by ARN: who writes may be of another account.
func (s *secret) key() string {
	name := s.Key
	switch {
	case strings.HasPrefix(name, "arn:"):
		return name
	case name == "":
		name = "alias/aws/secretsmanager"
	case !strings.HasPrefix(name, "alias/"):
		name = "key/" + name
	}
	return aws.ARN{Partition: s.arn.Partition, Service: "kms", Region: s.arn.Region, Account: s.arn.Account, Resource: name}.String()
}

func encryptionContext(sec *secret, version string) map[string]string {
	return map[string]string{"SecretARN": sec.arn.String(), "SecretVersionId": version}
}

func cipherOf(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// bound is what a value is authenticated with.
func (v *version) bound(sec *secret) []byte {
	kind := "string"
	if v.Binary {
		kind = "binary"
	}
	return []byte(sec.arn.String() + "\x00" + v.ID + "\x00" + kind)
}

// kmsError says what KMS has said in the words of Secrets Manager.
func kmsError(err error, failure aws.ErrorKind) error {
	var e *aws.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case kmsapi.KMSInternalException.Is(err), kmsapi.DependencyTimeoutException.Is(err), aws.ThrottlingException.Is(err), e.Code == aws.UnsupportedOperation.Code, e.Status >= 500:
		return err
	case aws.AccessDenied.Is(err):
		denied := aws.AccessDenied.New("Access to KMS is not allowed")
		denied.Cause = err
		return denied
	}
	verb := "decrypt"
	if failure == api.EncryptionFailure {
		verb = "encrypt"
	}
	failed := failure.New("Secrets Manager can't %s the protected secret text using the provided KMS key: %s", verb, e.Message)
	failed.Cause = err
	return failed
}

const saltSize = 16

// digest is by what the same value is recognised without its key when a request
// is repeated. The row that it stands in is sealed by the store.
func digest(c content) []byte {
	salt := make([]byte, saltSize, saltSize+sha256.Size)
	rand.Read(salt) // never fails
	return salted(salt, c)
}

func salted(salt []byte, c content) []byte {
	mac := hmac.New(sha256.New, salt)
	kind := byte(0)
	if c.Binary {
		kind = 1
	}
	mac.Write([]byte{kind})
	mac.Write(c.Bytes)
	return mac.Sum(salt[:saltSize:saltSize])
}

// holds reports whether a version holds this value.
func (v *version) holds(c content) bool {
	return len(v.Digest) > saltSize && hmac.Equal(v.Digest, salted(v.Digest[:saltSize], c))
}
