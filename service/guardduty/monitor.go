package guardduty

import (
	"context"
	"errors"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// detectorOf returns a member's detector as its administrator may change it, and
// how to keep it; nil when the account is no associated member.
func (s *Service) detectorOf(ctx context.Context, account aws.Account) (*member, *detector, func() error, error) {
	m, err := s.member(ctx, account)
	if err != nil || m == nil || !m.associated() {
		return nil, nil, nil, err
	}
	table := s.detectors.In(here(ctx, account))
	d, err := table.Get(ctx, m.Detector)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil, nil
	}
	if err != nil {
		return nil, nil, nil, err
	}
	return m, d, func() error {
		d.Updated = time.Now()
		return table.Put(ctx, d.ID, d)
	}, nil
}

func (s *Service) startMonitoringMembers(ctx context.Context, in *guarddutyapi.StartMonitoringMembersRequest) (*guarddutyapi.StartMonitoringMembersResponse, error) {
	left, err := s.monitor(ctx, in.DetectorId, in.AccountIds, true)
	return &guarddutyapi.StartMonitoringMembersResponse{UnprocessedAccounts: left}, err
}

func (s *Service) stopMonitoringMembers(ctx context.Context, in *guarddutyapi.StopMonitoringMembersRequest) (*guarddutyapi.StopMonitoringMembersResponse, error) {
	left, err := s.monitor(ctx, in.DetectorId, in.AccountIds, false)
	return &guarddutyapi.StopMonitoringMembersResponse{UnprocessedAccounts: left}, err
}

// monitor has members' detectors watch, or not.
func (s *Service) monitor(ctx context.Context, detectorID string, ids []string, on bool) ([]guarddutyapi.UnprocessedAccount, error) {
	if _, err := s.own(ctx, detectorID); err != nil {
		return nil, err
	}
	o, err := s.administered(ctx)
	if err != nil {
		return nil, err
	}
	status := memberDisabled
	if on {
		status = memberEnabled
	}
	return each(ids, func(id aws.Account) (string, error) {
		m, d, keep, err := s.detectorOf(ctx, id)
		switch {
		case err != nil:
			return "", err
		case m == nil:
			return notAssociated, nil
		case !on && m.Organization && o.enrollsAll():
			return allEnabled, nil
		}
		d.Enabled = on
		if err := keep(); err != nil {
			return "", err
		}
		m.Status, m.Updated = status, d.Updated
		if err := s.members.Put(ctx, string(id), m); err != nil {
			return "", err
		}
		h, err := s.headOf(ctx, id)
		if err != nil || h == nil {
			return "", err
		}
		h.Status = status
		return "", s.heads.In(here(ctx, id)).Put(ctx, headKey, h)
	})
}

func (s *Service) getMemberDetectors(ctx context.Context, in *guarddutyapi.GetMemberDetectorsRequest) (*guarddutyapi.GetMemberDetectorsResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	out := &guarddutyapi.GetMemberDetectorsResponse{MemberDataSourceConfigurations: []guarddutyapi.MemberDataSourceConfiguration{}}
	var err error
	out.UnprocessedAccounts, err = each(in.AccountIds, func(id aws.Account) (string, error) {
		m, d, _, err := s.detectorOf(ctx, id)
		if err != nil || m == nil {
			return notAssociated, err
		}
		one := guarddutyapi.MemberDataSourceConfiguration{AccountId: string(id), DataSources: d.dataSources()}
		for _, f := range d.features() {
			if foundational(string(*f.Name)) {
				continue // not an administrator's to change
			}
			r := guarddutyapi.MemberFeaturesConfigurationResult{Name: new(guarddutyapi.OrgFeature(*f.Name)), Status: f.Status, UpdatedAt: f.UpdatedAt}
			for _, a := range f.AdditionalConfiguration {
				r.AdditionalConfiguration = append(r.AdditionalConfiguration, guarddutyapi.MemberAdditionalConfigurationResult{
					Name: new(guarddutyapi.OrgFeatureAdditionalConfiguration(*a.Name)), Status: a.Status, UpdatedAt: a.UpdatedAt,
				})
			}
			one.Features = append(one.Features, r)
		}
		out.MemberDataSourceConfigurations = append(out.MemberDataSourceConfigurations, one)
		return "", nil
	})
	return out, err
}

func (s *Service) updateMemberDetectors(ctx context.Context, in *guarddutyapi.UpdateMemberDetectorsRequest) (*guarddutyapi.UpdateMemberDetectorsResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	var features []guarddutyapi.DetectorFeatureConfiguration
	for _, f := range in.Features {
		if f.Name == nil {
			return nil, invalid("features")
		}
		c := guarddutyapi.DetectorFeatureConfiguration{Name: new(guarddutyapi.DetectorFeature(*f.Name)), Status: f.Status}
		for _, a := range f.AdditionalConfiguration {
			if a.Name == nil {
				return nil, invalid("features")
			}
			c.AdditionalConfiguration = append(c.AdditionalConfiguration, guarddutyapi.DetectorAdditionalConfiguration{Name: new(guarddutyapi.FeatureAdditionalConfiguration(*a.Name)), Status: a.Status})
		}
		features = append(features, c)
	}
	left, err := each(in.AccountIds, func(id aws.Account) (string, error) {
		m, d, keep, err := s.detectorOf(ctx, id)
		switch {
		case err != nil:
			return "", err
		case m == nil:
			return notAssociated, nil
		}
		if err := d.configure(in.DataSources, features, time.Now()); err != nil {
			return "", err
		}
		return "", keep()
	})
	return &guarddutyapi.UpdateMemberDetectorsResponse{UnprocessedAccounts: left}, err
}
