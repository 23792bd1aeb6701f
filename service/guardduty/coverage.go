package guardduty

import (
	"context"

	"sumun.dev/api/guarddutyapi"
)

// Coverage is of clusters and instances on which GuardDuty's agent reports what runs.
// There is no agent here, so that nothing is covered: the answers are empty because
// that is so.

func (s *Service) listCoverage(ctx context.Context, in *guarddutyapi.ListCoverageRequest) (*guarddutyapi.ListCoverageResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	if in.NextToken != nil { // there was no page to follow
		return nil, invalid("nextToken")
	}
	if err := checkCoverage(in.FilterCriteria); err != nil {
		return nil, err
	}
	return &guarddutyapi.ListCoverageResponse{Resources: []guarddutyapi.CoverageResource{}}, nil
}

func (s *Service) getCoverageStatistics(ctx context.Context, in *guarddutyapi.GetCoverageStatisticsRequest) (*guarddutyapi.GetCoverageStatisticsResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	if len(in.StatisticsType) == 0 {
		return nil, invalid("statisticsType")
	}
	if err := checkCoverage(in.FilterCriteria); err != nil {
		return nil, err
	}
	out := &guarddutyapi.CoverageStatistics{}
	for _, t := range in.StatisticsType {
		switch t {
		case guarddutyapi.CoverageStatisticsTypeCountByResourceType:
			out.CountByResourceType = map[string]int64{}
		case guarddutyapi.CoverageStatisticsTypeCountByCoverageStatus:
			out.CountByCoverageStatus = map[string]int64{}
		}
	}
	return &guarddutyapi.GetCoverageStatisticsResponse{CoverageStatistics: out}, nil
}

// checkCoverage refuses criteria that say nothing.
func checkCoverage(c *guarddutyapi.CoverageFilterCriteria) error {
	if c == nil {
		return nil
	}
	for _, one := range c.FilterCriterion {
		if f := one.FilterCondition; one.CriterionKey == nil || f == nil || len(f.Equals)+len(f.NotEquals) == 0 {
			return invalid("filterCriteria")
		}
	}
	return nil
}
