package iam

import (
	"context"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

var serverCertificatesQuota = quota{"ServerCertificatesPerAccount", 20}

// serverCertificate is a certificate for TLS with its key; its id in the table is
// its name in lower case.
type serverCertificate struct {
	Name, Path, ID string
	Body, Key      string // PEM
	Chain          string `json:",omitempty"`
	Uploaded       time.Time
	Expires        time.Time
	Tags           []tag `json:",omitempty"`
}

func (c *serverCertificate) arn(ctx context.Context) aws.ARN {
	return aws.CallOf(ctx).GlobalARN("iam", "server-certificate"+c.Path+c.Name)
}

func (s *Service) serverCertificateRoutes() []wire.Route {
	return []wire.Route{
		iamapi.UploadServerCertificate.To(s.uploadServerCertificate, touchNew("iam:UploadServerCertificate", "iam:TagServerCertificate", func(in *iamapi.UploadServerCertificateRequest) (string, []iamapi.Tag) {
			return "server-certificate" + pathOr(in.Path) + in.ServerCertificateName, in.Tags
		})),
		iamapi.GetServerCertificate.To(s.getServerCertificate, touchServerCertificate("iam:GetServerCertificate", s, func(in *iamapi.GetServerCertificateRequest) string { return in.ServerCertificateName })),
		iamapi.ListServerCertificates.To(s.listServerCertificates, touchAll[iamapi.ListServerCertificatesRequest]("iam:ListServerCertificates")),
		iamapi.UpdateServerCertificate.To(s.updateServerCertificate, s.movedServerCertificate),
		iamapi.DeleteServerCertificate.To(s.deleteServerCertificate, touchServerCertificate("iam:DeleteServerCertificate", s, func(in *iamapi.DeleteServerCertificateRequest) string { return in.ServerCertificateName })),
		iamapi.TagServerCertificate.To(s.tagServerCertificate, s.serverCertificateTagged),
		iamapi.UntagServerCertificate.To(s.untagServerCertificate, s.serverCertificateUntagged),
		iamapi.ListServerCertificateTags.To(s.listServerCertificateTags, touchServerCertificate("iam:ListServerCertificateTags", s, func(in *iamapi.ListServerCertificateTagsRequest) string { return in.ServerCertificateName })),
	}
}

// touchServerCertificate makes the touch function of operations on one.
func touchServerCertificate[In any](action string, s *Service, name func(*In) string) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		touch, err := s.touchedServerCertificate(ctx, action, name(in))
		return []wire.Touch{touch}, err
	}
}

func (s *Service) touchedServerCertificate(ctx context.Context, action, name string) (wire.Touch, error) {
	c, err := s.certificates.Get(ctx, strings.ToLower(name))
	if errors.Is(err, store.ErrNotFound) {
		return wire.Touch{Action: action, Resource: aws.CallOf(ctx).GlobalARN("iam", "server-certificate/"+name)}, nil
	}
	if err != nil {
		return wire.Touch{}, err
	}
	return wire.Touch{Action: action, Resource: c.arn(ctx), Tags: tagMap(c.Tags)}, nil
}

// movedServerCertificate touches the certificate under its old and its new name.
// IAM API Reference, UpdateServerCertificate: "you must have permission on both".
func (s *Service) movedServerCertificate(ctx context.Context, in *iamapi.UpdateServerCertificateRequest) ([]wire.Touch, error) {
	old, err := s.touchedServerCertificate(ctx, "iam:UpdateServerCertificate", in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	rest := strings.TrimPrefix(old.Resource.Resource, "server-certificate")
	at := strings.LastIndexByte(rest, '/') + 1
	moved := old
	moved.Resource.Resource = "server-certificate" + or(in.NewPath, rest[:at]) + or(in.NewServerCertificateName, rest[at:])
	if moved.Resource == old.Resource {
		return []wire.Touch{old}, nil
	}
	return []wire.Touch{old, moved}, nil
}

func (s *Service) serverCertificateTagged(ctx context.Context, in *iamapi.TagServerCertificateRequest) ([]wire.Touch, error) {
	touch, err := s.touchedServerCertificate(ctx, "iam:TagServerCertificate", in.ServerCertificateName)
	touch.Conditions = requested(in.Tags)
	return []wire.Touch{touch}, err
}

func (s *Service) serverCertificateUntagged(ctx context.Context, in *iamapi.UntagServerCertificateRequest) ([]wire.Touch, error) {
	touch, err := s.touchedServerCertificate(ctx, "iam:UntagServerCertificate", in.ServerCertificateName)
	touch.Conditions = keysOf(in.TagKeys)
	return []wire.Touch{touch}, err
}

func (s *Service) serverCertificate(ctx context.Context, name string) (*serverCertificate, error) {
	c, err := s.certificates.Get(ctx, strings.ToLower(name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, iamapi.NoSuchEntityException.New("The Server Certificate with name %s cannot be found.", name)
	}
	return c, err
}

func (s *Service) putServerCertificate(ctx context.Context, c *serverCertificate) error {
	return s.certificates.Put(ctx, strings.ToLower(c.Name), c)
}

func (s *Service) uploadServerCertificate(ctx context.Context, in *iamapi.UploadServerCertificateRequest) (*iamapi.UploadServerCertificateResponse, error) {
	tags, err := retagged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	leaf, err := oneCertificate(in.CertificateBody)
	if err != nil {
		return nil, err
	}
	if err := paired(in.CertificateBody, in.PrivateKey); err != nil {
		return nil, err
	}
	chain := or(in.CertificateChain, "")
	if chain != "" {
		above, err := certificates(chain)
		if err != nil {
			return nil, err
		}
		if err := chained(leaf, above); err != nil {
			return nil, err
		}
	}
	c := &serverCertificate{
		Name: in.ServerCertificateName, Path: pathOr(in.Path), ID: aws.UniqueID("ASCA"), Body: in.CertificateBody, Key: in.PrivateKey, Chain: chain,
		Uploaded: now(), Expires: leaf.NotAfter.UTC(), Tags: tags,
	}
	if err := s.insertServerCertificate(ctx, c); err != nil {
		return nil, err
	}
	return &iamapi.UploadServerCertificateResponse{ServerCertificateMetadata: c.shown(ctx), Tags: tagsTo(tags)}, count(ctx, s.totals, serverCertificatesQuota, c.ID, 1)
}

func (s *Service) insertServerCertificate(ctx context.Context, c *serverCertificate) error {
	err := s.certificates.Insert(ctx, strings.ToLower(c.Name), c)
	if errors.Is(err, store.ErrExists) {
		return iamapi.EntityAlreadyExistsException.New("The Server Certificate with name %s already exists.", c.Name)
	}
	return err
}

func (c *serverCertificate) shown(ctx context.Context) *iamapi.ServerCertificateMetadata {
	return &iamapi.ServerCertificateMetadata{
		Path: c.Path, ServerCertificateName: c.Name, ServerCertificateId: c.ID, Arn: c.arn(ctx).String(), UploadDate: &c.Uploaded, Expiration: &c.Expires,
	}
}

func (s *Service) getServerCertificate(ctx context.Context, in *iamapi.GetServerCertificateRequest) (*iamapi.GetServerCertificateResponse, error) {
	c, err := s.serverCertificate(ctx, in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	shown := &iamapi.ServerCertificate{ServerCertificateMetadata: c.shown(ctx), CertificateBody: c.Body, Tags: tagsTo(c.Tags)}
	if c.Chain != "" {
		shown.CertificateChain = &c.Chain
	}
	return &iamapi.GetServerCertificateResponse{ServerCertificate: shown}, nil
}

func (s *Service) listServerCertificates(ctx context.Context, in *iamapi.ListServerCertificatesRequest) (*iamapi.ListServerCertificatesResponse, error) {
	out := &iamapi.ListServerCertificatesResponse{ServerCertificateMetadataList: []iamapi.ServerCertificateMetadata{}}
	next, err := pageOf(ctx, s, s.certificates, "ListServerCertificates", in.PathPrefix, in.Marker, in.MaxItems, func(c *serverCertificate) bool {
		if !strings.HasPrefix(c.Path, pathPrefix(in.PathPrefix)) {
			return false
		}
		out.ServerCertificateMetadataList = append(out.ServerCertificateMetadataList, *c.shown(ctx))
		return true
	})
	out.Marker, out.IsTruncated = next, new(next != nil)
	return out, err
}

func (s *Service) updateServerCertificate(ctx context.Context, in *iamapi.UpdateServerCertificateRequest) (*iamapi.UpdateServerCertificateResponse, error) {
	c, err := s.serverCertificate(ctx, in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	old := c.Name
	c.Path, c.Name = or(in.NewPath, c.Path), or(in.NewServerCertificateName, c.Name)
	if strings.EqualFold(old, c.Name) {
		return &iamapi.UpdateServerCertificateResponse{}, s.putServerCertificate(ctx, c)
	}
	if err := s.insertServerCertificate(ctx, c); err != nil {
		return nil, err
	}
	return &iamapi.UpdateServerCertificateResponse{}, s.certificates.Delete(ctx, strings.ToLower(old))
}

func (s *Service) deleteServerCertificate(ctx context.Context, in *iamapi.DeleteServerCertificateRequest) (*iamapi.DeleteServerCertificateResponse, error) {
	c, err := s.serverCertificate(ctx, in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	if err := count(ctx, s.totals, serverCertificatesQuota, c.ID, -1); err != nil {
		return nil, err
	}
	return &iamapi.DeleteServerCertificateResponse{}, s.certificates.Delete(ctx, strings.ToLower(c.Name))
}

func (s *Service) tagServerCertificate(ctx context.Context, in *iamapi.TagServerCertificateRequest) (*iamapi.TagServerCertificateResponse, error) {
	c, err := s.serverCertificate(ctx, in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	if c.Tags, err = retagged(c.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &iamapi.TagServerCertificateResponse{}, s.putServerCertificate(ctx, c)
}

func (s *Service) untagServerCertificate(ctx context.Context, in *iamapi.UntagServerCertificateRequest) (*iamapi.UntagServerCertificateResponse, error) {
	c, err := s.serverCertificate(ctx, in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	c.Tags = untagged(c.Tags, in.TagKeys)
	return &iamapi.UntagServerCertificateResponse{}, s.putServerCertificate(ctx, c)
}

func (s *Service) listServerCertificateTags(ctx context.Context, in *iamapi.ListServerCertificateTagsRequest) (*iamapi.ListServerCertificateTagsResponse, error) {
	c, err := s.serverCertificate(ctx, in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	tags, next, err := pageOfTags(ctx, s, "ListServerCertificateTags", c.ID, c.Tags, in.Marker, in.MaxItems)
	return &iamapi.ListServerCertificateTagsResponse{Tags: tags, Marker: next, IsTruncated: new(next != nil)}, err
}
