package guardduty

import (
	"context"

	"sumun.dev/api/guarddutyapi"
)

func (s *Service) createThreatEntitySet(ctx context.Context, in *guarddutyapi.CreateThreatEntitySetRequest) (*guarddutyapi.CreateThreatEntitySetResponse, error) {
	id, err := s.createSet(ctx, threatEntity, setRequest{in.DetectorId, in.Name, string(in.Format), in.Location, in.ExpectedBucketOwner, in.ClientToken, in.Activate, in.Tags})
	return &guarddutyapi.CreateThreatEntitySetResponse{ThreatEntitySetId: id}, err
}

func (s *Service) getThreatEntitySet(ctx context.Context, in *guarddutyapi.GetThreatEntitySetRequest) (*guarddutyapi.GetThreatEntitySetResponse, error) {
	x, err := s.set(ctx, threatEntity, in.DetectorId, in.ThreatEntitySetId)
	if err != nil {
		return nil, err
	}
	return &guarddutyapi.GetThreatEntitySetResponse{
		Name: x.Name, Format: guarddutyapi.ThreatEntitySetFormat(x.Format), Location: x.Location, Status: guarddutyapi.ThreatEntitySetStatus(x.status()),
		Tags: shown(x.Tags), ExpectedBucketOwner: optional(x.Owner), CreatedAt: &x.Created, UpdatedAt: &x.Updated, ErrorDetails: x.problem(),
	}, nil
}

func (s *Service) listThreatEntitySets(ctx context.Context, in *guarddutyapi.ListThreatEntitySetsRequest) (*guarddutyapi.ListThreatEntitySetsResponse, error) {
	ids, token, err := s.listSets(ctx, threatEntity, in.DetectorId, in.MaxResults, in.NextToken)
	return &guarddutyapi.ListThreatEntitySetsResponse{ThreatEntitySetIds: ids, NextToken: token}, err
}

func (s *Service) updateThreatEntitySet(ctx context.Context, in *guarddutyapi.UpdateThreatEntitySetRequest) (*guarddutyapi.UpdateThreatEntitySetResponse, error) {
	return &guarddutyapi.UpdateThreatEntitySetResponse{}, s.updateSet(ctx, threatEntity, in.DetectorId, in.ThreatEntitySetId, setChange{in.Name, in.Location, in.ExpectedBucketOwner, in.Activate})
}

func (s *Service) deleteThreatEntitySet(ctx context.Context, in *guarddutyapi.DeleteThreatEntitySetRequest) (*guarddutyapi.DeleteThreatEntitySetResponse, error) {
	return &guarddutyapi.DeleteThreatEntitySetResponse{}, s.deleteSet(ctx, threatEntity, in.DetectorId, in.ThreatEntitySetId)
}
