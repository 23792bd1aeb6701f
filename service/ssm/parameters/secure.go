package parameters

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"sumun.dev/api/kmsapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
)

// A SecureString of the standard tier is encrypted by KMS itself; one of the
// advanced tier, which may be larger than KMS takes, under a data key that KMS has
// made. Either way KMS is asked as the caller, with the parameter's ARN as the
// encryption context. KMS Developer Guide, "How AWS Systems Manager Parameter Store
// uses AWS KMS".

// defaultKey is used when a caller names none.
const defaultKey = "alias/aws/ssm"

const arnContext = "PARAMETER_ARN"

// envelopeForm begins what envelope returns.
const envelopeForm = 1

// seal encrypts the value of a SecureString under the key that v names.
func (s *Service) seal(ctx context.Context, arn aws.ARN, v *version, value string) ([]byte, error) {
	bound := map[string]string{arnContext: arn.String()}
	if !v.Advanced {
		out, err := kmsapi.Encrypt.Call(ctx, s.env.AWS, &kmsapi.EncryptRequest{KeyId: v.KeyID, Plaintext: []byte(value), EncryptionContext: bound})
		if err != nil {
			return nil, fromKMS(ctx, err)
		}
		return out.CiphertextBlob, nil
	}
	key, err := kmsapi.GenerateDataKey.Call(ctx, s.env.AWS, &kmsapi.GenerateDataKeyRequest{KeyId: v.KeyID, KeySpec: new(kmsapi.DataKeySpecAes256), EncryptionContext: bound})
	if err != nil {
		return nil, fromKMS(ctx, err)
	}
	defer clear(key.Plaintext)
	return envelope(key.Plaintext, key.CiphertextBlob, arn.String(), value)
}

// value returns what a reader gets: the value, or of a SecureString that is not to
// be decrypted the ciphertext.
func (s *Service) value(ctx context.Context, arn aws.ARN, v *version, decrypt bool) (string, error) {
	if v.Type != ssmapi.ParameterTypeSecureString {
		return v.Value, nil
	}
	if !decrypt {
		return base64.StdEncoding.EncodeToString(v.Sealed), nil
	}
	in := &kmsapi.DecryptRequest{CiphertextBlob: v.Sealed, EncryptionContext: map[string]string{arnContext: arn.String()}}
	var message []byte
	if v.Advanced {
		var err error
		if in.CiphertextBlob, message, err = opened(v.Sealed); err != nil {
			return "", fmt.Errorf("envelope of %s: %w", arn, err)
		}
	}
	out, err := kmsapi.Decrypt.Call(ctx, s.env.AWS, in)
	if err != nil {
		return "", fromKMS(ctx, err)
	}
	defer clear(out.Plaintext)
	if !v.Advanced {
		return string(out.Plaintext), nil
	}
	return unwrap(out.Plaintext, message, arn.String())
}

// envelope encrypts value under a data key that is used for nothing else, and puts
// the encrypted data key before it.
func envelope(key, sealedKey []byte, arn, value string) ([]byte, error) {
	aead, err := aeadOf(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the program first
	b := []byte{envelopeForm}
	b = binary.BigEndian.AppendUint16(b, uint16(len(sealedKey)))
	b = append(append(b, sealedKey...), nonce...)
	return aead.Seal(b, nonce, []byte(value), []byte(arn)), nil
}

// opened divides an envelope into its encrypted data key and the rest.
func opened(b []byte) (sealedKey, message []byte, err error) {
	if len(b) < 3 || b[0] != envelopeForm {
		return nil, nil, errEnvelope
	}
	n := int(binary.BigEndian.Uint16(b[1:]))
	if len(b) < 3+n {
		return nil, nil, errEnvelope
	}
	return b[3 : 3+n], b[3+n:], nil
}

func unwrap(key, message []byte, arn string) (string, error) {
	aead, err := aeadOf(key)
	if err != nil {
		return "", err
	}
	if len(message) < aead.NonceSize() {
		return "", errEnvelope
	}
	value, err := aead.Open(nil, message[:aead.NonceSize()], message[aead.NonceSize():], []byte(arn))
	return string(value), err
}

func aeadOf(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

var errEnvelope = errors.New("not an envelope")

// fromKMS puts KMS's answer into Parameter Store's words: who may not use the key
// is refused, a key that cannot be used is an InvalidKeyId.
func fromKMS(ctx context.Context, err error) error {
	var e *aws.Error
	if !errors.As(err, &e) || e.Status >= 500 {
		return err
	}
	said := fmt.Sprintf("%s (Service: AWSKMS; Status Code: 400; Error Code: %s; Request ID: %s; Proxy: null)", e.Message, e.Code, aws.CallOf(ctx).RequestID)
	switch e.Code {
	case aws.AccessDenied.Code:
		return &aws.Error{Code: aws.AccessDenied.Code, Status: aws.AccessDenied.Status, Message: said, Cause: err}
	case aws.ThrottlingException.Code:
		return err
	}
	refused := ssmapi.InvalidKeyId.New("%s", said)
	refused.Cause = err
	return refused
}
