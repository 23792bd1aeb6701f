package iam

import (
	"context"

	"sumun.dev/api/iamapi"
	"sumun.dev/wire"
)

func (s *Service) boundaryRoutes() []wire.Route {
	return []wire.Route{
		iamapi.PutUserPermissionsBoundary.To(s.putUserPermissionsBoundary, touchBoundary("iam:PutUserPermissionsBoundary", s.atUser, func(in *iamapi.PutUserPermissionsBoundaryRequest) (string, string) {
			return in.UserName, in.PermissionsBoundary
		})),
		iamapi.DeleteUserPermissionsBoundary.To(s.deleteUserPermissionsBoundary, touchBounded("iam:DeleteUserPermissionsBoundary", s.atUser, func(in *iamapi.DeleteUserPermissionsBoundaryRequest) string { return in.UserName })),
		iamapi.PutRolePermissionsBoundary.To(s.putRolePermissionsBoundary, touchBoundary("iam:PutRolePermissionsBoundary", s.atRole, func(in *iamapi.PutRolePermissionsBoundaryRequest) (string, string) {
			return in.RoleName, in.PermissionsBoundary
		})),
		iamapi.DeleteRolePermissionsBoundary.To(s.deleteRolePermissionsBoundary, touchBounded("iam:DeleteRolePermissionsBoundary", s.atRole, func(in *iamapi.DeleteRolePermissionsBoundaryRequest) string { return in.RoleName })),
	}
}

// checkBoundary refuses what cannot bound: only a managed policy that is there can.
func (s *Service) checkBoundary(ctx context.Context, arn *string) (string, error) {
	if arn == nil {
		return "", nil
	}
	return *arn, s.attachable(ctx, *arn, "Scope ARN: %s does not exist or is not attachable.")
}

func (s *Service) putUserPermissionsBoundary(ctx context.Context, in *iamapi.PutUserPermissionsBoundaryRequest) (*iamapi.PutUserPermissionsBoundaryResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if u.Boundary, err = s.checkBoundary(ctx, &in.PermissionsBoundary); err != nil {
		return nil, err
	}
	return &iamapi.PutUserPermissionsBoundaryResponse{}, s.putUser(ctx, u)
}

func (s *Service) deleteUserPermissionsBoundary(ctx context.Context, in *iamapi.DeleteUserPermissionsBoundaryRequest) (*iamapi.DeleteUserPermissionsBoundaryResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	u.Boundary = ""
	return &iamapi.DeleteUserPermissionsBoundaryResponse{}, s.putUser(ctx, u)
}

func (s *Service) putRolePermissionsBoundary(ctx context.Context, in *iamapi.PutRolePermissionsBoundaryRequest) (*iamapi.PutRolePermissionsBoundaryResponse, error) {
	r, err := s.modifiableRole(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if r.Boundary, err = s.checkBoundary(ctx, &in.PermissionsBoundary); err != nil {
		return nil, err
	}
	return &iamapi.PutRolePermissionsBoundaryResponse{}, s.putRole(ctx, r)
}

func (s *Service) deleteRolePermissionsBoundary(ctx context.Context, in *iamapi.DeleteRolePermissionsBoundaryRequest) (*iamapi.DeleteRolePermissionsBoundaryResponse, error) {
	r, err := s.modifiableRole(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	r.Boundary = ""
	return &iamapi.DeleteRolePermissionsBoundaryResponse{}, s.putRole(ctx, r)
}

// shownBoundary returns a boundary as answers have it.
func shownBoundary(arn string) *iamapi.AttachedPermissionsBoundary {
	if arn == "" {
		return nil
	}
	return &iamapi.AttachedPermissionsBoundary{
		PermissionsBoundaryType: new(iamapi.PermissionsBoundaryAttachmentTypePermissionsBoundaryPolicy), PermissionsBoundaryArn: &arn,
	}
}
