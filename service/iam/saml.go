package iam

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

var samlQuota = quota{"SAMLProvidersPerAccount", 100}

// samlProvider is a SAML identity provider; its id in the table is "/" and its name.
type samlProvider struct {
	Name       string
	UUID       string
	Metadata   []byte // compressed
	Created    time.Time
	ValidUntil time.Time
	Tags       []tag `json:",omitempty"`
}

func (p *samlProvider) id() string { return "/" + p.Name }

// A SAMLProvider is what STS needs to know to check an assertion of it.
type SAMLProvider struct {
	ARN        aws.ARN
	Metadata   string    // XML
	ValidUntil time.Time // after that its assertions count no more
}

// SAMLProviderOf returns the provider with this ARN, of any account;
// store.ErrNotFound when there is none.
func (s *Service) SAMLProviderOf(ctx context.Context, arn aws.ARN) (*SAMLProvider, error) {
	id, ok := strings.CutPrefix(arn.Resource, "saml-provider")
	if !ok || arn.Service != "iam" {
		return nil, store.ErrNotFound
	}
	p, err := s.saml.In(store.Place{Account: arn.Account}).Get(ctx, id)
	if err != nil {
		return nil, err
	}
	document, err := unpacked(p.Metadata)
	return &SAMLProvider{ARN: arn, Metadata: document, ValidUntil: p.ValidUntil}, err
}

func (s *Service) samlRoutes() []wire.Route {
	k := s.samlKind()
	return []wire.Route{
		iamapi.CreateSAMLProvider.To(s.createSAMLProvider, touchNew("iam:CreateSAMLProvider", "iam:TagSAMLProvider", func(in *iamapi.CreateSAMLProviderRequest) (string, []iamapi.Tag) {
			return "saml-provider/" + in.Name, in.Tags
		})),
		iamapi.GetSAMLProvider.To(s.getSAMLProvider, touchARN(k, "iam:GetSAMLProvider", func(in *iamapi.GetSAMLProviderRequest) string { return in.SAMLProviderArn })),
		iamapi.UpdateSAMLProvider.To(s.updateSAMLProvider, touchARN(k, "iam:UpdateSAMLProvider", func(in *iamapi.UpdateSAMLProviderRequest) string { return in.SAMLProviderArn })),
		iamapi.DeleteSAMLProvider.To(s.deleteSAMLProvider, touchARN(k, "iam:DeleteSAMLProvider", func(in *iamapi.DeleteSAMLProviderRequest) string { return in.SAMLProviderArn })),
		iamapi.ListSAMLProviders.To(s.listSAMLProviders, touchAll[iamapi.ListSAMLProvidersRequest]("iam:ListSAMLProviders")),
		iamapi.TagSAMLProvider.To(s.tagSAMLProvider, touchTagged(k, "iam:TagSAMLProvider", func(in *iamapi.TagSAMLProviderRequest) (string, []iamapi.Tag) { return in.SAMLProviderArn, in.Tags })),
		iamapi.UntagSAMLProvider.To(s.untagSAMLProvider, touchUntagged(k, "iam:UntagSAMLProvider", func(in *iamapi.UntagSAMLProviderRequest) (string, []string) { return in.SAMLProviderArn, in.TagKeys })),
		iamapi.ListSAMLProviderTags.To(s.listSAMLProviderTags, touchARN(k, "iam:ListSAMLProviderTags", func(in *iamapi.ListSAMLProviderTagsRequest) string { return in.SAMLProviderArn })),
	}
}

func (s *Service) samlKind() kind {
	return kind{"saml-provider", func(ctx context.Context, id string) ([]tag, error) {
		p, err := s.saml.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		return p.Tags, nil
	}}
}

func (s *Service) samlProvider(ctx context.Context, arn string) (*samlProvider, error) {
	missing := iamapi.NoSuchEntityException.New("Unable to find SAML provider with ARN %s", arn)
	id, own := s.samlKind().id(ctx, arn)
	if !own {
		return nil, missing
	}
	p, err := s.saml.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing
	}
	return p, err
}

// plainAssertions refuses what is about encrypted assertions, which STS does not
// read.
func plainAssertions(mode *iamapi.AssertionEncryptionModeType, key *string) error {
	if key != nil || mode != nil && *mode == iamapi.AssertionEncryptionModeTypeRequired {
		return notYet("encrypted SAML assertions")
	}
	return nil
}

func (s *Service) createSAMLProvider(ctx context.Context, in *iamapi.CreateSAMLProviderRequest) (*iamapi.CreateSAMLProviderResponse, error) {
	if err := plainAssertions(in.AssertionEncryptionMode, in.AddPrivateKey); err != nil {
		return nil, err
	}
	tags, err := retagged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	p := &samlProvider{Name: in.Name, UUID: rand.Text(), Created: now(), Tags: tags}
	if err := p.describe(in.SAMLMetadataDocument); err != nil {
		return nil, err
	}
	err = s.saml.Insert(ctx, p.id(), p)
	if errors.Is(err, store.ErrExists) {
		return nil, iamapi.EntityAlreadyExistsException.New("SAMLProvider with name %s already exists.", in.Name)
	}
	if err != nil {
		return nil, err
	}
	return &iamapi.CreateSAMLProviderResponse{SAMLProviderArn: new(p.arn(ctx)), Tags: tagsTo(tags)}, count(ctx, s.totals, samlQuota, p.id(), 1)
}

// describe takes new metadata.
func (p *samlProvider) describe(document string) (err error) {
	if p.ValidUntil, err = readMetadata(document, now()); err != nil {
		return err
	}
	p.Metadata, err = packed(document)
	return err
}

func (p *samlProvider) arn(ctx context.Context) string {
	return aws.CallOf(ctx).GlobalARN("iam", "saml-provider"+p.id()).String()
}

func (s *Service) getSAMLProvider(ctx context.Context, in *iamapi.GetSAMLProviderRequest) (*iamapi.GetSAMLProviderResponse, error) {
	p, err := s.samlProvider(ctx, in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	document, err := unpacked(p.Metadata)
	return &iamapi.GetSAMLProviderResponse{
		SAMLProviderUUID: &p.UUID, SAMLMetadataDocument: &document, CreateDate: &p.Created, ValidUntil: &p.ValidUntil, Tags: tagsTo(p.Tags),
		AssertionEncryptionMode: new(iamapi.AssertionEncryptionModeTypeAllowed),
	}, err
}

func (s *Service) updateSAMLProvider(ctx context.Context, in *iamapi.UpdateSAMLProviderRequest) (*iamapi.UpdateSAMLProviderResponse, error) {
	p, err := s.samlProvider(ctx, in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	if err := plainAssertions(in.AssertionEncryptionMode, in.AddPrivateKey); err != nil {
		return nil, err
	}
	if in.RemovePrivateKey != nil {
		return nil, iamapi.NoSuchEntityException.New("Unable to find private key with ID %s", *in.RemovePrivateKey)
	}
	if in.SAMLMetadataDocument != nil {
		if err := p.describe(*in.SAMLMetadataDocument); err != nil {
			return nil, err
		}
	}
	return &iamapi.UpdateSAMLProviderResponse{SAMLProviderArn: new(p.arn(ctx))}, s.saml.Put(ctx, p.id(), p)
}

func (s *Service) deleteSAMLProvider(ctx context.Context, in *iamapi.DeleteSAMLProviderRequest) (*iamapi.DeleteSAMLProviderResponse, error) {
	p, err := s.samlProvider(ctx, in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	if err := count(ctx, s.totals, samlQuota, p.id(), -1); err != nil {
		return nil, err
	}
	return &iamapi.DeleteSAMLProviderResponse{}, s.saml.Delete(ctx, p.id())
}

func (s *Service) listSAMLProviders(ctx context.Context, _ *iamapi.ListSAMLProvidersRequest) (*iamapi.ListSAMLProvidersResponse, error) {
	out := &iamapi.ListSAMLProvidersResponse{SAMLProviderList: []iamapi.SAMLProviderListEntry{}}
	for e, err := range s.saml.All(ctx, "") {
		if err != nil {
			return nil, err
		}
		out.SAMLProviderList = append(out.SAMLProviderList, iamapi.SAMLProviderListEntry{Arn: new(e.Value.arn(ctx)), ValidUntil: &e.Value.ValidUntil, CreateDate: &e.Value.Created})
	}
	return out, nil
}

func (s *Service) tagSAMLProvider(ctx context.Context, in *iamapi.TagSAMLProviderRequest) (*iamapi.TagSAMLProviderResponse, error) {
	p, err := s.samlProvider(ctx, in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	if p.Tags, err = retagged(p.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &iamapi.TagSAMLProviderResponse{}, s.saml.Put(ctx, p.id(), p)
}

func (s *Service) untagSAMLProvider(ctx context.Context, in *iamapi.UntagSAMLProviderRequest) (*iamapi.UntagSAMLProviderResponse, error) {
	p, err := s.samlProvider(ctx, in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	p.Tags = untagged(p.Tags, in.TagKeys)
	return &iamapi.UntagSAMLProviderResponse{}, s.saml.Put(ctx, p.id(), p)
}

func (s *Service) listSAMLProviderTags(ctx context.Context, in *iamapi.ListSAMLProviderTagsRequest) (*iamapi.ListSAMLProviderTagsResponse, error) {
	p, err := s.samlProvider(ctx, in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	tags, next, err := pageOfTags(ctx, s, "ListSAMLProviderTags", p.id(), p.Tags, in.Marker, in.MaxItems)
	return &iamapi.ListSAMLProviderTagsResponse{Tags: tags, Marker: next, IsTruncated: new(next != nil)}, err
}
