package iam

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// IAM User Guide, "IAM and AWS STS quotas"; IAM API Reference,
// CreateOpenIDConnectProvider.
const (
	clientIDsMost   = 100
	thumbprintsMost = 5
)

var oidcQuota = quota{"OpenIdConnectProvidersPerAccount", 100}

// oidcProvider is an OpenID Connect identity provider; its id in the table is
// "/" and its URL without the scheme.
type oidcProvider struct {
	URL         string // without "https://"
	ClientIDs   []string
	Thumbprints []string `json:",omitempty"`
	Created     time.Time
	Tags        []tag `json:",omitempty"`
}

func (p *oidcProvider) id() string { return "/" + p.URL }

// An OIDCProvider is what STS needs to know to check a token of it.
type OIDCProvider struct {
	ARN         aws.ARN
	URL         string // the issuer, with "https://"
	ClientIDs   []string
	Thumbprints []string // SHA-1 of certificates, in hexadecimal; none means that public authorities are trusted
}

// OIDCProviderOf returns the provider with this ARN, of any account;
// store.ErrNotFound when there is none.
func (s *Service) OIDCProviderOf(ctx context.Context, arn aws.ARN) (*OIDCProvider, error) {
	id, ok := strings.CutPrefix(arn.Resource, "oidc-provider")
	if !ok || arn.Service != "iam" {
		return nil, store.ErrNotFound
	}
	p, err := s.oidc.In(store.Place{Account: arn.Account}).Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return &OIDCProvider{ARN: arn, URL: "https://" + p.URL, ClientIDs: p.ClientIDs, Thumbprints: p.Thumbprints}, nil
}

func (s *Service) oidcRoutes() []wire.Route {
	k := s.oidcKind()
	return []wire.Route{
		iamapi.CreateOpenIDConnectProvider.To(s.createOIDCProvider, touchNew("iam:CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider", func(in *iamapi.CreateOpenIDConnectProviderRequest) (string, []iamapi.Tag) {
			host, err := providerURL(in.Url)
			if err != nil {
				host = "*" // createOIDCProvider refuses it
			}
			return "oidc-provider/" + host, in.Tags
		})),
		iamapi.GetOpenIDConnectProvider.To(s.getOIDCProvider, touchARN(k, "iam:GetOpenIDConnectProvider", func(in *iamapi.GetOpenIDConnectProviderRequest) string { return in.OpenIDConnectProviderArn })),
		iamapi.ListOpenIDConnectProviders.To(s.listOIDCProviders, touchAll[iamapi.ListOpenIDConnectProvidersRequest]("iam:ListOpenIDConnectProviders")),
		iamapi.DeleteOpenIDConnectProvider.To(s.deleteOIDCProvider, touchARN(k, "iam:DeleteOpenIDConnectProvider", func(in *iamapi.DeleteOpenIDConnectProviderRequest) string { return in.OpenIDConnectProviderArn })),
		iamapi.AddClientIDToOpenIDConnectProvider.To(s.addClientID, touchARN(k, "iam:AddClientIDToOpenIDConnectProvider", func(in *iamapi.AddClientIDToOpenIDConnectProviderRequest) string { return in.OpenIDConnectProviderArn })),
		iamapi.RemoveClientIDFromOpenIDConnectProvider.To(s.removeClientID, touchARN(k, "iam:RemoveClientIDFromOpenIDConnectProvider", func(in *iamapi.RemoveClientIDFromOpenIDConnectProviderRequest) string {
			return in.OpenIDConnectProviderArn
		})),
		iamapi.UpdateOpenIDConnectProviderThumbprint.To(s.updateThumbprints, touchARN(k, "iam:UpdateOpenIDConnectProviderThumbprint", func(in *iamapi.UpdateOpenIDConnectProviderThumbprintRequest) string {
			return in.OpenIDConnectProviderArn
		})),
		iamapi.TagOpenIDConnectProvider.To(s.tagOIDCProvider, touchTagged(k, "iam:TagOpenIDConnectProvider", func(in *iamapi.TagOpenIDConnectProviderRequest) (string, []iamapi.Tag) {
			return in.OpenIDConnectProviderArn, in.Tags
		})),
		iamapi.UntagOpenIDConnectProvider.To(s.untagOIDCProvider, touchUntagged(k, "iam:UntagOpenIDConnectProvider", func(in *iamapi.UntagOpenIDConnectProviderRequest) (string, []string) {
			return in.OpenIDConnectProviderArn, in.TagKeys
		})),
		iamapi.ListOpenIDConnectProviderTags.To(s.listOIDCProviderTags, touchARN(k, "iam:ListOpenIDConnectProviderTags", func(in *iamapi.ListOpenIDConnectProviderTagsRequest) string { return in.OpenIDConnectProviderArn })),
	}
}

func (s *Service) oidcKind() kind {
	return kind{"oidc-provider", func(ctx context.Context, id string) ([]tag, error) {
		p, err := s.oidc.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		return p.Tags, nil
	}}
}

func (s *Service) oidcProvider(ctx context.Context, arn string) (*oidcProvider, error) {
	missing := iamapi.NoSuchEntityException.New("OpenIDConnect Provider not found for arn %s", arn)
	id, own := s.oidcKind().id(ctx, arn)
	if !own {
		return nil, missing
	}
	p, err := s.oidc.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing
	}
	return p, err
}

func (s *Service) createOIDCProvider(ctx context.Context, in *iamapi.CreateOpenIDConnectProviderRequest) (*iamapi.CreateOpenIDConnectProviderResponse, error) {
	host, err := providerURL(in.Url)
	if err != nil {
		return nil, err
	}
	if len(in.ClientIDList) > clientIDsMost {
		return nil, tooManyClients()
	}
	if err := checkThumbprints(in.ThumbprintList); err != nil {
		return nil, err
	}
	tags, err := retagged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	p := &oidcProvider{URL: host, ClientIDs: slices.Compact(slices.Sorted(slices.Values(in.ClientIDList))), Thumbprints: in.ThumbprintList, Created: now(), Tags: tags}
	err = s.oidc.Insert(ctx, p.id(), p)
	if errors.Is(err, store.ErrExists) {
		return nil, iamapi.EntityAlreadyExistsException.New("Provider with url https://%s already exists.", host)
	}
	if err != nil {
		return nil, err
	}
	arn := aws.CallOf(ctx).GlobalARN("iam", "oidc-provider"+p.id()).String()
	return &iamapi.CreateOpenIDConnectProviderResponse{OpenIDConnectProviderArn: &arn, Tags: tagsTo(tags)}, count(ctx, s.totals, oidcQuota, p.id(), 1)
}

// providerURL returns the URL without its scheme. IAM API Reference,
// CreateOpenIDConnectProvider, Url: https, no query, no port.
func providerURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Host != u.Hostname() || u.User != nil ||
		u.RawQuery != "" || u.ForceQuery || strings.ContainsAny(text, "#*?") || !strings.HasPrefix(text, "https://") {
		return "", invalidParameter.New("Invalid Open ID Connect Provider URL")
	}
	return strings.ToLower(u.Host) + u.EscapedPath(), nil
}

// invalidParameter is how IAM answers what the model lets through.
var invalidParameter = aws.ErrorKind{Code: "ValidationError", Status: 400}

func tooManyClients() error {
	return iamapi.LimitExceededException.New("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", clientIDsMost)
}

func checkThumbprints(list []string) error {
	if len(list) > thumbprintsMost {
		return iamapi.InvalidInputException.New("Thumbprint list must contain fewer than %d entries.", thumbprintsMost)
	}
	for _, t := range list {
		if len(t) != 40 || strings.Trim(strings.ToLower(t), "0123456789abcdef") != "" {
			return iamapi.InvalidInputException.New("Thumbprint must contain only hexadecimal characters.")
		}
	}
	return nil
}

func (s *Service) getOIDCProvider(ctx context.Context, in *iamapi.GetOpenIDConnectProviderRequest) (*iamapi.GetOpenIDConnectProviderResponse, error) {
	p, err := s.oidcProvider(ctx, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetOpenIDConnectProviderResponse{Url: &p.URL, ClientIDList: p.ClientIDs, ThumbprintList: p.Thumbprints, CreateDate: &p.Created, Tags: tagsTo(p.Tags)}, nil
}

func (s *Service) listOIDCProviders(ctx context.Context, _ *iamapi.ListOpenIDConnectProvidersRequest) (*iamapi.ListOpenIDConnectProvidersResponse, error) {
	out := &iamapi.ListOpenIDConnectProvidersResponse{OpenIDConnectProviderList: []iamapi.OpenIDConnectProviderListEntry{}}
	for e, err := range s.oidc.All(ctx, "") {
		if err != nil {
			return nil, err
		}
		out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, iamapi.OpenIDConnectProviderListEntry{Arn: new(aws.CallOf(ctx).GlobalARN("iam", "oidc-provider"+e.ID).String())})
	}
	return out, nil
}

// deleteOIDCProvider does not mind that there is none. IAM API Reference,
// DeleteOpenIDConnectProvider.
func (s *Service) deleteOIDCProvider(ctx context.Context, in *iamapi.DeleteOpenIDConnectProviderRequest) (*iamapi.DeleteOpenIDConnectProviderResponse, error) {
	p, err := s.oidcProvider(ctx, in.OpenIDConnectProviderArn)
	if iamapi.NoSuchEntityException.Is(err) {
		return &iamapi.DeleteOpenIDConnectProviderResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := count(ctx, s.totals, oidcQuota, p.id(), -1); err != nil {
		return nil, err
	}
	return &iamapi.DeleteOpenIDConnectProviderResponse{}, s.oidc.Delete(ctx, p.id())
}

func (s *Service) addClientID(ctx context.Context, in *iamapi.AddClientIDToOpenIDConnectProviderRequest) (*iamapi.AddClientIDToOpenIDConnectProviderResponse, error) {
	p, err := s.oidcProvider(ctx, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	if slices.Contains(p.ClientIDs, in.ClientID) {
		return &iamapi.AddClientIDToOpenIDConnectProviderResponse{}, nil
	}
	if len(p.ClientIDs) >= clientIDsMost {
		return nil, tooManyClients()
	}
	p.ClientIDs = append(p.ClientIDs, in.ClientID)
	return &iamapi.AddClientIDToOpenIDConnectProviderResponse{}, s.oidc.Put(ctx, p.id(), p)
}

func (s *Service) removeClientID(ctx context.Context, in *iamapi.RemoveClientIDFromOpenIDConnectProviderRequest) (*iamapi.RemoveClientIDFromOpenIDConnectProviderResponse, error) {
	p, err := s.oidcProvider(ctx, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	p.ClientIDs = slices.DeleteFunc(p.ClientIDs, func(id string) bool { return id == in.ClientID })
	return &iamapi.RemoveClientIDFromOpenIDConnectProviderResponse{}, s.oidc.Put(ctx, p.id(), p)
}

func (s *Service) updateThumbprints(ctx context.Context, in *iamapi.UpdateOpenIDConnectProviderThumbprintRequest) (*iamapi.UpdateOpenIDConnectProviderThumbprintResponse, error) {
	p, err := s.oidcProvider(ctx, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	if err := checkThumbprints(in.ThumbprintList); err != nil {
		return nil, err
	}
	p.Thumbprints = in.ThumbprintList
	return &iamapi.UpdateOpenIDConnectProviderThumbprintResponse{}, s.oidc.Put(ctx, p.id(), p)
}

func (s *Service) tagOIDCProvider(ctx context.Context, in *iamapi.TagOpenIDConnectProviderRequest) (*iamapi.TagOpenIDConnectProviderResponse, error) {
	p, err := s.oidcProvider(ctx, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	if p.Tags, err = retagged(p.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &iamapi.TagOpenIDConnectProviderResponse{}, s.oidc.Put(ctx, p.id(), p)
}

func (s *Service) untagOIDCProvider(ctx context.Context, in *iamapi.UntagOpenIDConnectProviderRequest) (*iamapi.UntagOpenIDConnectProviderResponse, error) {
	p, err := s.oidcProvider(ctx, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	p.Tags = untagged(p.Tags, in.TagKeys)
	return &iamapi.UntagOpenIDConnectProviderResponse{}, s.oidc.Put(ctx, p.id(), p)
}

func (s *Service) listOIDCProviderTags(ctx context.Context, in *iamapi.ListOpenIDConnectProviderTagsRequest) (*iamapi.ListOpenIDConnectProviderTagsResponse, error) {
	p, err := s.oidcProvider(ctx, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	tags, next, err := pageOfTags(ctx, s, "ListOpenIDConnectProviderTags", p.id(), p.Tags, in.Marker, in.MaxItems)
	return &iamapi.ListOpenIDConnectProviderTagsResponse{Tags: tags, Marker: next, IsTruncated: new(next != nil)}, err
}
