package iam

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
)

// IAM User Guide, "IAM and AWS STS quotas"; IAM API Reference, UploadSSHPublicKey.
const (
	sshKeysPerUser = 5
	sshKeyBits     = 2048
)

// sshKey is a public key with which a user meets CodeCommit.
type sshKey struct {
	ID       string
	Body     string // as authorized_keys has it
	Active   bool
	Uploaded time.Time
}

// readSSHKey reads an RSA key, as authorized_keys or as PEM has it.
func readSSHKey(text string) (ssh.PublicKey, error) {
	var key ssh.PublicKey
	if block, _ := pem.Decode([]byte(text)); block != nil {
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, iamapi.InvalidPublicKeyException.New("The public key is malformed.")
		}
		if key, err = ssh.NewPublicKey(parsed); err != nil {
			return nil, iamapi.InvalidPublicKeyException.New("The public key is malformed.")
		}
	} else {
		if !strings.HasPrefix(strings.TrimSpace(text), "ssh-") {
			return nil, iamapi.UnrecognizedPublicKeyEncodingException.New("The public key encoding format is unsupported or unrecognized.")
		}
		var err error
		if key, _, _, _, err = ssh.ParseAuthorizedKey([]byte(text)); err != nil {
			return nil, iamapi.InvalidPublicKeyException.New("The public key is malformed.")
		}
	}
	public, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return nil, iamapi.InvalidPublicKeyException.New("The public key is malformed.")
	}
	if k, ok := public.CryptoPublicKey().(*rsa.PublicKey); !ok || k.N.BitLen() < sshKeyBits {
		return nil, iamapi.InvalidPublicKeyException.New("The public key must be an RSA key of at least %d bits.", sshKeyBits)
	}
	return key, nil
}

func (s *Service) uploadSSHPublicKey(ctx context.Context, in *iamapi.UploadSSHPublicKeyRequest) (*iamapi.UploadSSHPublicKeyResponse, error) {
	o, err := s.owner(ctx, &in.UserName)
	if err != nil {
		return nil, err
	}
	key, err := readSSHKey(in.SSHPublicKeyBody)
	if err != nil {
		return nil, err
	}
	body := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	if slices.ContainsFunc(o.SSHKeys, func(k sshKey) bool { return k.Body == body }) {
		return nil, iamapi.DuplicateSSHPublicKeyException.New("The SSH public key is already associated with the specified IAM user.")
	}
	if len(o.SSHKeys) >= sshKeysPerUser {
		return nil, iamapi.LimitExceededException.New("Cannot exceed quota for SSHPublicKeysPerUser: %d", sshKeysPerUser)
	}
	k := sshKey{ID: aws.UniqueID("APKA"), Body: body, Active: true, Uploaded: now()}
	o.SSHKeys = append(o.SSHKeys, k)
	shown, err := k.shown(o, iamapi.EncodingTypeSsh)
	if err != nil {
		return nil, err
	}
	shown.SSHPublicKeyBody = in.SSHPublicKeyBody
	return &iamapi.UploadSSHPublicKeyResponse{SSHPublicKey: shown}, s.putCredentials(ctx, o)
}

func (k *sshKey) shown(o *owner, as iamapi.EncodingType) (*iamapi.SSHPublicKey, error) {
	key, err := readSSHKey(k.Body)
	if err != nil {
		return nil, err
	}
	body := k.Body
	switch as {
	case iamapi.EncodingTypeSsh:
	case iamapi.EncodingTypePem:
		der, err := x509.MarshalPKIXPublicKey(key.(ssh.CryptoPublicKey).CryptoPublicKey())
		if err != nil {
			return nil, err
		}
		body = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	default:
		return nil, iamapi.UnrecognizedPublicKeyEncodingException.New("The public key encoding format is unsupported or unrecognized.")
	}
	return &iamapi.SSHPublicKey{
		UserName: o.shown(), SSHPublicKeyId: k.ID, Fingerprint: ssh.FingerprintLegacyMD5(key), SSHPublicKeyBody: body, Status: status(k.Active), UploadDate: &k.Uploaded,
	}, nil
}

// sshKeyOf returns o's key with this id.
func (o *owner) sshKeyOf(id string) (*sshKey, error) {
	at := slices.IndexFunc(o.SSHKeys, func(k sshKey) bool { return k.ID == id })
	if at < 0 {
		return nil, iamapi.NoSuchEntityException.New("The Public Key with id %s cannot be found.", id)
	}
	return &o.SSHKeys[at], nil
}

func (s *Service) getSSHPublicKey(ctx context.Context, in *iamapi.GetSSHPublicKeyRequest) (*iamapi.GetSSHPublicKeyResponse, error) {
	o, err := s.owner(ctx, &in.UserName)
	if err != nil {
		return nil, err
	}
	k, err := o.sshKeyOf(in.SSHPublicKeyId)
	if err != nil {
		return nil, err
	}
	shown, err := k.shown(o, in.Encoding)
	return &iamapi.GetSSHPublicKeyResponse{SSHPublicKey: shown}, err
}

func (s *Service) listSSHPublicKeys(ctx context.Context, in *iamapi.ListSSHPublicKeysRequest) (*iamapi.ListSSHPublicKeysResponse, error) {
	o, err := s.owner(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	page, next, err := named(ctx, s, "ListSSHPublicKeys", o.id, o.SSHKeys, func(k sshKey) string { return k.ID }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListSSHPublicKeysResponse{SSHPublicKeys: []iamapi.SSHPublicKeyMetadata{}, Marker: next, IsTruncated: new(next != nil)}
	for _, k := range page {
		out.SSHPublicKeys = append(out.SSHPublicKeys, iamapi.SSHPublicKeyMetadata{UserName: o.shown(), SSHPublicKeyId: k.ID, Status: status(k.Active), UploadDate: k.Uploaded})
	}
	return out, nil
}

func (s *Service) updateSSHPublicKey(ctx context.Context, in *iamapi.UpdateSSHPublicKeyRequest) (*iamapi.UpdateSSHPublicKeyResponse, error) {
	o, err := s.owner(ctx, &in.UserName)
	if err != nil {
		return nil, err
	}
	k, err := o.sshKeyOf(in.SSHPublicKeyId)
	if err != nil {
		return nil, err
	}
	if k.Active, err = active(in.Status); err != nil {
		return nil, err
	}
	return &iamapi.UpdateSSHPublicKeyResponse{}, s.putCredentials(ctx, o)
}

func (s *Service) deleteSSHPublicKey(ctx context.Context, in *iamapi.DeleteSSHPublicKeyRequest) (*iamapi.DeleteSSHPublicKeyResponse, error) {
	o, err := s.owner(ctx, &in.UserName)
	if err != nil {
		return nil, err
	}
	if _, err := o.sshKeyOf(in.SSHPublicKeyId); err != nil {
		return nil, err
	}
	o.SSHKeys = slices.DeleteFunc(o.SSHKeys, func(k sshKey) bool { return k.ID == in.SSHPublicKeyId })
	return &iamapi.DeleteSSHPublicKeyResponse{}, s.putCredentials(ctx, o)
}
