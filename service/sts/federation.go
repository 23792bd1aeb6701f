package sts

import (
	"context"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/wire"
)

func (s *Service) userToFederate(ctx context.Context, in *stsapi.GetFederationTokenRequest) ([]wire.Touch, error) {
	call := aws.CallOf(ctx)
	if _, err := longTerm(ctx, "GetFederationToken"); err != nil {
		return nil, err
	}
	touch := wire.Touch{
		Action:     "sts:GetFederationToken",
		Resource:   aws.ARN{Partition: call.Partition, Service: "sts", Account: call.Account, Resource: "federated-user/" + in.Name},
		Conditions: service.RequestTags(nil, service.Pairs(in.Tags, func(t stsapi.Tag) (string, string) { return t.Key, t.Value })),
	}
	return service.WithTagging("sts:TagSession", touch), nil
}

func (s *Service) getFederationToken(ctx context.Context, in *stsapi.GetFederationTokenRequest) (*stsapi.GetFederationTokenResponse, error) {
	p, err := longTerm(ctx, "GetFederationToken")
	if err != nil {
		return nil, err
	}
	w := &wish{tags: in.Tags}
	if err := w.checkTags(); err != nil {
		return nil, err
	}
	size, err := s.checkPassed(ctx, p.Account, in.Policy, in.PolicyArns, w.allTags())
	if err != nil {
		return nil, err
	}
	c := s.ofUser(ctx, kindFederated, in.DurationSeconds)
	c.Name = in.Name
	c.pass(in.Policy, in.PolicyArns)
	c.Tags = merged(p.Tags, w.allTags())
	made, err := s.hand(c)
	if err != nil {
		return nil, err
	}
	who := c.principal()
	return &stsapi.GetFederationTokenResponse{
		Credentials: made, PackedPolicySize: size, FederatedUser: &stsapi.FederatedUser{FederatedUserId: who.ID, Arn: who.ARN.String()},
	}, nil
}
