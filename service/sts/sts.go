// Package sts is AWS Security Token Service.
package sts

import (
	"context"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/wire"
)

// Service serves STS.
type Service struct {
	env   service.Env
	roles Roles
}

// Roles is all that STS knows of IAM's roles.
type Roles interface {
	// Role returns the role with this ARN, of any account; ErrNoRole when there is none.
	Role(ctx context.Context, arn aws.ARN) (*Role, error)
}

// New returns an STS that hands out sessions of roles.
func New(env service.Env, roles Roles) *Service { return &Service{env, roles} }

// Routes lists what STS serves.
func (s *Service) Routes() []wire.Route {
	return []wire.Route{
		stsapi.GetCallerIdentity.To(s.getCallerIdentity, s.oneself),
		stsapi.AssumeRole.To(s.assumeRole, s.roleToAssume),
	}
}

func (s *Service) oneself(context.Context, *stsapi.GetCallerIdentityRequest) ([]wire.Touch, error) {
	// "No permissions are required to perform this operation": STS API Reference.
	return []wire.Touch{{Action: "sts:GetCallerIdentity", Open: "everybody may ask who they are"}}, nil
}

func (s *Service) getCallerIdentity(ctx context.Context, _ *stsapi.GetCallerIdentityRequest) (*stsapi.GetCallerIdentityResponse, error) {
	p := aws.CallOf(ctx).Principal
	return &stsapi.GetCallerIdentityResponse{UserId: &p.ID, Account: new(string(p.Account)), Arn: new(p.ARN.String())}, nil
}
