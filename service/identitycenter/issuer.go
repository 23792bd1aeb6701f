package identitycenter

import (
	"context"
	"errors"
	"strings"

	api "sumun.dev/api/ssoadminapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// maxIssuers is of one instance. IAM Identity Center User Guide, "Quotas".
const maxIssuers = 10

func issuerARN(ctx context.Context, i *tokenIssuer) string {
	return aws.CallOf(ctx).GlobalARN("sso", "trustedTokenIssuer/"+i.Instance+"/"+i.ID).String()
}

func (s *Service) createTrustedTokenIssuer(ctx context.Context, in *api.CreateTrustedTokenIssuerRequest) (*api.CreateTrustedTokenIssuerResponse, error) {
	i, err := s.instance(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	t := &tokenIssuer{Instance: i.ID, ID: "tti-" + aws.UUID(), Name: in.Name, Created: now()}
	if t.Tags, err = tagMap(in.Tags); err != nil {
		return nil, err
	}
	if in.ClientToken != nil {
		t.Token = *in.ClientToken
	}
	oidc := in.TrustedTokenIssuerConfiguration.OidcJwtConfiguration
	if oidc == nil {
		return nil, api.ValidationException.New("OidcJwtConfiguration must be given.")
	}
	t.OIDC = *oidc
	all, err := s.issuers.Page(ctx, store.Range{Prefix: i.ID + "/"})
	if err != nil {
		return nil, err
	}
	for _, row := range all {
		switch have := row.Value; {
		case t.Token != "" && have.Token == t.Token:
			return &api.CreateTrustedTokenIssuerResponse{TrustedTokenIssuerArn: new(issuerARN(ctx, have))}, nil
		case have.OIDC.IssuerUrl == t.OIDC.IssuerUrl:
			return nil, api.ConflictException.New("A trusted token issuer with the issuer URL %s already exists.", t.OIDC.IssuerUrl)
		}
	}
	if len(all) >= maxIssuers {
		return nil, api.ServiceQuotaExceededException.New("You have exceeded the limit of %d trusted token issuers.", maxIssuers)
	}
	return &api.CreateTrustedTokenIssuerResponse{TrustedTokenIssuerArn: new(issuerARN(ctx, t))}, s.issuers.Insert(ctx, i.ID+"/"+t.ID, t)
}

func (s *Service) issuer(ctx context.Context, arn string) (*tokenIssuer, error) {
	a, err := aws.ParseARN(arn)
	id, ok := strings.CutPrefix(a.Resource, "trustedTokenIssuer/")
	missing := api.ResourceNotFoundException.New("Could not find a trusted token issuer with the ARN %s", arn)
	if err != nil || !ok || a.Account != aws.CallOf(ctx).Account {
		return nil, missing
	}
	t, err := s.issuers.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing
	}
	return t, err
}

func (s *Service) describeTrustedTokenIssuer(ctx context.Context, in *api.DescribeTrustedTokenIssuerRequest) (*api.DescribeTrustedTokenIssuerResponse, error) {
	t, err := s.issuer(ctx, in.TrustedTokenIssuerArn)
	if err != nil {
		return nil, err
	}
	return &api.DescribeTrustedTokenIssuerResponse{
		TrustedTokenIssuerArn: &in.TrustedTokenIssuerArn, Name: &t.Name, TrustedTokenIssuerType: new(api.TrustedTokenIssuerTypeOidcJwt),
		TrustedTokenIssuerConfiguration: &api.TrustedTokenIssuerConfiguration{OidcJwtConfiguration: &t.OIDC},
	}, nil
}

func (s *Service) listTrustedTokenIssuers(ctx context.Context, in *api.ListTrustedTokenIssuersRequest) (*api.ListTrustedTokenIssuersResponse, error) {
	i, err := s.instance(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	rows, next, err := list(ctx, s, []string{i.ID}, in.MaxResults, in.NextToken, api.ValidationException, under(ctx, s.issuers, i.ID+"/"), nil)
	if err != nil {
		return nil, err
	}
	out := &api.ListTrustedTokenIssuersResponse{TrustedTokenIssuers: []api.TrustedTokenIssuerMetadata{}, NextToken: next}
	for _, row := range rows {
		out.TrustedTokenIssuers = append(out.TrustedTokenIssuers, api.TrustedTokenIssuerMetadata{
			TrustedTokenIssuerArn: new(issuerARN(ctx, row.Value)), Name: &row.Value.Name, TrustedTokenIssuerType: new(api.TrustedTokenIssuerTypeOidcJwt),
		})
	}
	return out, nil
}

func (s *Service) updateTrustedTokenIssuer(ctx context.Context, in *api.UpdateTrustedTokenIssuerRequest) (*api.UpdateTrustedTokenIssuerResponse, error) {
	t, err := s.issuer(ctx, in.TrustedTokenIssuerArn)
	if err != nil {
		return nil, err
	}
	if in.Name != nil {
		t.Name = *in.Name
	}
	if c := in.TrustedTokenIssuerConfiguration; c != nil && c.OidcJwtConfiguration != nil {
		if p := c.OidcJwtConfiguration.ClaimAttributePath; p != nil {
			t.OIDC.ClaimAttributePath = *p
		}
		if p := c.OidcJwtConfiguration.IdentityStoreAttributePath; p != nil {
			t.OIDC.IdentityStoreAttributePath = *p
		}
		if o := c.OidcJwtConfiguration.JwksRetrievalOption; o != nil {
			t.OIDC.JwksRetrievalOption = *o
		}
	}
	return &api.UpdateTrustedTokenIssuerResponse{}, s.issuers.Put(ctx, t.Instance+"/"+t.ID, t)
}

func (s *Service) deleteTrustedTokenIssuer(ctx context.Context, in *api.DeleteTrustedTokenIssuerRequest) (*api.DeleteTrustedTokenIssuerResponse, error) {
	t, err := s.issuer(ctx, in.TrustedTokenIssuerArn)
	if err != nil {
		return nil, err
	}
	return &api.DeleteTrustedTokenIssuerResponse{}, s.issuers.Delete(ctx, t.Instance+"/"+t.ID)
}
