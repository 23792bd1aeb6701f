package guardduty

import (
	"context"

	"sumun.dev/api/guarddutyapi"
)

func (s *Service) createTrustedEntitySet(ctx context.Context, in *guarddutyapi.CreateTrustedEntitySetRequest) (*guarddutyapi.CreateTrustedEntitySetResponse, error) {
	id, err := s.createSet(ctx, trustedEntity, setRequest{in.DetectorId, in.Name, string(in.Format), in.Location, in.ExpectedBucketOwner, in.ClientToken, in.Activate, in.Tags})
	return &guarddutyapi.CreateTrustedEntitySetResponse{TrustedEntitySetId: id}, err
}

func (s *Service) getTrustedEntitySet(ctx context.Context, in *guarddutyapi.GetTrustedEntitySetRequest) (*guarddutyapi.GetTrustedEntitySetResponse, error) {
	x, err := s.set(ctx, trustedEntity, in.DetectorId, in.TrustedEntitySetId)
	if err != nil {
		return nil, err
	}
	return &guarddutyapi.GetTrustedEntitySetResponse{
		Name: x.Name, Format: guarddutyapi.TrustedEntitySetFormat(x.Format), Location: x.Location, Status: guarddutyapi.TrustedEntitySetStatus(x.status()),
		Tags: shown(x.Tags), ExpectedBucketOwner: optional(x.Owner), CreatedAt: &x.Created, UpdatedAt: &x.Updated, ErrorDetails: x.problem(),
	}, nil
}

func (s *Service) listTrustedEntitySets(ctx context.Context, in *guarddutyapi.ListTrustedEntitySetsRequest) (*guarddutyapi.ListTrustedEntitySetsResponse, error) {
	ids, token, err := s.listSets(ctx, trustedEntity, in.DetectorId, in.MaxResults, in.NextToken)
	return &guarddutyapi.ListTrustedEntitySetsResponse{TrustedEntitySetIds: ids, NextToken: token}, err
}

func (s *Service) updateTrustedEntitySet(ctx context.Context, in *guarddutyapi.UpdateTrustedEntitySetRequest) (*guarddutyapi.UpdateTrustedEntitySetResponse, error) {
	return &guarddutyapi.UpdateTrustedEntitySetResponse{}, s.updateSet(ctx, trustedEntity, in.DetectorId, in.TrustedEntitySetId, setChange{in.Name, in.Location, in.ExpectedBucketOwner, in.Activate})
}

func (s *Service) deleteTrustedEntitySet(ctx context.Context, in *guarddutyapi.DeleteTrustedEntitySetRequest) (*guarddutyapi.DeleteTrustedEntitySetResponse, error) {
	return &guarddutyapi.DeleteTrustedEntitySetResponse{}, s.deleteSet(ctx, trustedEntity, in.DetectorId, in.TrustedEntitySetId)
}
