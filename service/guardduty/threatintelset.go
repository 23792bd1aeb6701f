package guardduty

import (
	"context"

	"sumun.dev/api/guarddutyapi"
)

func (s *Service) createThreatIntelSet(ctx context.Context, in *guarddutyapi.CreateThreatIntelSetRequest) (*guarddutyapi.CreateThreatIntelSetResponse, error) {
	id, err := s.createSet(ctx, threatIntel, setRequest{in.DetectorId, in.Name, string(in.Format), in.Location, in.ExpectedBucketOwner, in.ClientToken, in.Activate, in.Tags})
	return &guarddutyapi.CreateThreatIntelSetResponse{ThreatIntelSetId: id}, err
}

func (s *Service) getThreatIntelSet(ctx context.Context, in *guarddutyapi.GetThreatIntelSetRequest) (*guarddutyapi.GetThreatIntelSetResponse, error) {
	x, err := s.set(ctx, threatIntel, in.DetectorId, in.ThreatIntelSetId)
	if err != nil {
		return nil, err
	}
	return &guarddutyapi.GetThreatIntelSetResponse{
		Name: x.Name, Format: guarddutyapi.ThreatIntelSetFormat(x.Format), Location: x.Location, Status: guarddutyapi.ThreatIntelSetStatus(x.status()),
		Tags: shown(x.Tags), ExpectedBucketOwner: optional(x.Owner),
	}, nil
}

func (s *Service) listThreatIntelSets(ctx context.Context, in *guarddutyapi.ListThreatIntelSetsRequest) (*guarddutyapi.ListThreatIntelSetsResponse, error) {
	ids, token, err := s.listSets(ctx, threatIntel, in.DetectorId, in.MaxResults, in.NextToken)
	return &guarddutyapi.ListThreatIntelSetsResponse{ThreatIntelSetIds: ids, NextToken: token}, err
}

func (s *Service) updateThreatIntelSet(ctx context.Context, in *guarddutyapi.UpdateThreatIntelSetRequest) (*guarddutyapi.UpdateThreatIntelSetResponse, error) {
	return &guarddutyapi.UpdateThreatIntelSetResponse{}, s.updateSet(ctx, threatIntel, in.DetectorId, in.ThreatIntelSetId, setChange{in.Name, in.Location, in.ExpectedBucketOwner, in.Activate})
}

func (s *Service) deleteThreatIntelSet(ctx context.Context, in *guarddutyapi.DeleteThreatIntelSetRequest) (*guarddutyapi.DeleteThreatIntelSetResponse, error) {
	return &guarddutyapi.DeleteThreatIntelSetResponse{}, s.deleteSet(ctx, threatIntel, in.DetectorId, in.ThreatIntelSetId)
}
