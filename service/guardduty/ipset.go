package guardduty

import (
	"context"

	"sumun.dev/api/guarddutyapi"
)

func (s *Service) createIPSet(ctx context.Context, in *guarddutyapi.CreateIPSetRequest) (*guarddutyapi.CreateIPSetResponse, error) {
	id, err := s.createSet(ctx, ipSet, setRequest{in.DetectorId, in.Name, string(in.Format), in.Location, in.ExpectedBucketOwner, in.ClientToken, in.Activate, in.Tags})
	return &guarddutyapi.CreateIPSetResponse{IpSetId: id}, err
}

func (s *Service) getIPSet(ctx context.Context, in *guarddutyapi.GetIPSetRequest) (*guarddutyapi.GetIPSetResponse, error) {
	x, err := s.set(ctx, ipSet, in.DetectorId, in.IpSetId)
	if err != nil {
		return nil, err
	}
	return &guarddutyapi.GetIPSetResponse{
		Name: x.Name, Format: guarddutyapi.IpSetFormat(x.Format), Location: x.Location, Status: guarddutyapi.IpSetStatus(x.status()),
		Tags: shown(x.Tags), ExpectedBucketOwner: optional(x.Owner),
	}, nil
}

func (s *Service) listIPSets(ctx context.Context, in *guarddutyapi.ListIPSetsRequest) (*guarddutyapi.ListIPSetsResponse, error) {
	ids, token, err := s.listSets(ctx, ipSet, in.DetectorId, in.MaxResults, in.NextToken)
	return &guarddutyapi.ListIPSetsResponse{IpSetIds: ids, NextToken: token}, err
}

func (s *Service) updateIPSet(ctx context.Context, in *guarddutyapi.UpdateIPSetRequest) (*guarddutyapi.UpdateIPSetResponse, error) {
	return &guarddutyapi.UpdateIPSetResponse{}, s.updateSet(ctx, ipSet, in.DetectorId, in.IpSetId, setChange{in.Name, in.Location, in.ExpectedBucketOwner, in.Activate})
}

func (s *Service) deleteIPSet(ctx context.Context, in *guarddutyapi.DeleteIPSetRequest) (*guarddutyapi.DeleteIPSetResponse, error) {
	return &guarddutyapi.DeleteIPSetResponse{}, s.deleteSet(ctx, ipSet, in.DetectorId, in.IpSetId)
}
