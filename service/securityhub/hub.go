package securityhub

import (
	"context"
	"errors"
	"time"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

func (s *Service) enableSecurityHub(ctx context.Context, in *securityhubapi.EnableSecurityHubRequest) (*securityhubapi.EnableSecurityHubResponse, error) {
	if value(in.EnableDefaultStandards) {
		return nil, noStandards()
	}
	h := &hub{Subscribed: time.Now(), AutoEnableControls: true, Generator: securityhubapi.ControlFindingGeneratorSecurityControl, Tags: in.Tags, Products: []string{guardDuty}}
	if in.ControlFindingGenerator != nil {
		h.Generator = *in.ControlFindingGenerator
	}
	err := s.hubs.Insert(ctx, hubID, h)
	if errors.Is(err, store.ErrExists) {
		return nil, fail(securityhubapi.ResourceConflictException, "Account is already subscribed to Security Hub")
	}
	return &securityhubapi.EnableSecurityHubResponse{}, err
}

// noStandards is said only to who asks for standards outright; who says nothing
// gets a hub without any.
func noStandards() error {
	return aws.UnsupportedOperation.New("Sumun does not run security standards and their controls: EnableDefaultStandards cannot be true.")
}

// disableSecurityHub forgets the hub and its settings. Findings stay until their
// time is over, and are there again when it is enabled before. User Guide,
// "Disabling Security Hub CSPM".
func (s *Service) disableSecurityHub(ctx context.Context, _ *securityhubapi.DisableSecurityHubRequest) (*securityhubapi.DisableSecurityHubResponse, error) {
	if _, err := s.hub(ctx); err != nil {
		return nil, err
	}
	return &securityhubapi.DisableSecurityHubResponse{}, s.hubs.Delete(ctx, hubID)
}

func (s *Service) describeHub(ctx context.Context, in *securityhubapi.DescribeHubRequest) (*securityhubapi.DescribeHubResponse, error) {
	h, err := s.hub(ctx)
	if err != nil {
		return nil, err
	}
	arn := hubARN(ctx).String()
	if in.HubArn != nil && *in.HubArn != arn {
		return nil, fail(securityhubapi.ResourceNotFoundException, "The hub %s is not found", *in.HubArn)
	}
	return &securityhubapi.DescribeHubResponse{
		HubArn: &arn, SubscribedAt: new(stamp(h.Subscribed)), AutoEnableControls: &h.AutoEnableControls, ControlFindingGenerator: &h.Generator,
	}, nil
}

func (s *Service) updateSecurityHubConfiguration(ctx context.Context, in *securityhubapi.UpdateSecurityHubConfigurationRequest) (*securityhubapi.UpdateSecurityHubConfigurationResponse, error) {
	h, err := s.hub(ctx)
	if err != nil {
		return nil, err
	}
	if in.AutoEnableControls != nil {
		h.AutoEnableControls = *in.AutoEnableControls
	}
	if in.ControlFindingGenerator != nil {
		h.Generator = *in.ControlFindingGenerator
	}
	return &securityhubapi.UpdateSecurityHubConfigurationResponse{}, s.hubs.Put(ctx, hubID, h)
}
