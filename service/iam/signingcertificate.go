package iam

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/store"
)

// signingPerUser is IAM's limit. IAM User Guide, "IAM and AWS STS quotas".
const signingPerUser = 2

// signingCertificate is an X.509 certificate with which a user signs requests.
type signingCertificate struct {
	ID       string
	Body     string // PEM
	Print    string // SHA-256 of the certificate, in hexadecimal
	Active   bool
	Uploaded time.Time
}

func (s *Service) uploadSigningCertificate(ctx context.Context, in *iamapi.UploadSigningCertificateRequest) (*iamapi.UploadSigningCertificateResponse, error) {
	o, err := s.owner(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	c, err := oneCertificate(in.CertificateBody)
	if err != nil {
		return nil, err
	}
	if at := time.Now(); at.After(c.NotAfter) || at.Before(c.NotBefore) {
		return nil, iamapi.InvalidCertificateException.New("The certificate is not valid at this time.")
	}
	sum := sha256.Sum256(c.Raw)
	k := signingCertificate{ID: rand.Text(), Body: in.CertificateBody, Print: hex.EncodeToString(sum[:]), Active: true, Uploaded: now()}
	same, err := s.credentials.PageBy(ctx, "certificate", k.Print, store.Range{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(same) > 0 {
		return nil, iamapi.DuplicateCertificateException.New("The certificate is already associated with an IAM user in the account.")
	}
	if len(o.Signing) >= signingPerUser {
		return nil, iamapi.LimitExceededException.New("Cannot exceed quota for SigningCertificatesPerUser: %d", signingPerUser)
	}
	o.Signing = append(o.Signing, k)
	return &iamapi.UploadSigningCertificateResponse{Certificate: new(k.shown(o))}, s.putCredentials(ctx, o)
}

func (k *signingCertificate) shown(o *owner) iamapi.SigningCertificate {
	return iamapi.SigningCertificate{UserName: o.shown(), CertificateId: k.ID, CertificateBody: k.Body, Status: status(k.Active), UploadDate: &k.Uploaded}
}

func (o *owner) signingOf(id string) (*signingCertificate, error) {
	at := slices.IndexFunc(o.Signing, func(k signingCertificate) bool { return k.ID == id })
	if at < 0 {
		return nil, iamapi.NoSuchEntityException.New("The Certificate with id %s cannot be found.", id)
	}
	return &o.Signing[at], nil
}

func (s *Service) listSigningCertificates(ctx context.Context, in *iamapi.ListSigningCertificatesRequest) (*iamapi.ListSigningCertificatesResponse, error) {
	o, err := s.owner(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	page, next, err := named(ctx, s, "ListSigningCertificates", o.id, o.Signing, func(k signingCertificate) string { return k.ID }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListSigningCertificatesResponse{Certificates: []iamapi.SigningCertificate{}, Marker: next, IsTruncated: new(next != nil)}
	for _, k := range page {
		out.Certificates = append(out.Certificates, k.shown(o))
	}
	return out, nil
}

func (s *Service) updateSigningCertificate(ctx context.Context, in *iamapi.UpdateSigningCertificateRequest) (*iamapi.UpdateSigningCertificateResponse, error) {
	o, err := s.owner(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	k, err := o.signingOf(in.CertificateId)
	if err != nil {
		return nil, err
	}
	if k.Active, err = active(in.Status); err != nil {
		return nil, err
	}
	return &iamapi.UpdateSigningCertificateResponse{}, s.putCredentials(ctx, o)
}

func (s *Service) deleteSigningCertificate(ctx context.Context, in *iamapi.DeleteSigningCertificateRequest) (*iamapi.DeleteSigningCertificateResponse, error) {
	o, err := s.owner(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if _, err := o.signingOf(in.CertificateId); err != nil {
		return nil, err
	}
	o.Signing = slices.DeleteFunc(o.Signing, func(k signingCertificate) bool { return k.ID == in.CertificateId })
	return &iamapi.DeleteSigningCertificateResponse{}, s.putCredentials(ctx, o)
}
