package identitycenter

import (
	"context"

	api "sumun.dev/api/ssooidcapi"
	"sumun.dev/service"
	"sumun.dev/wire"
)

// OIDC is the face by which clients such as the AWS CLI get tokens.
func (s *Service) OIDC() service.Service { return face(s.oidcRoutes) }

func (s *Service) oidcRoutes() []wire.Route {
	return []wire.Route{
		api.RegisterClient.To(s.registerClient, unsigned[*api.RegisterClientRequest]("sso-oauth:RegisterClient", "clients register themselves")),
		api.StartDeviceAuthorization.To(s.startDeviceAuthorization, unsigned[*api.StartDeviceAuthorizationRequest]("sso-oauth:StartDeviceAuthorization", "a client proves itself by its secret")),
		api.CreateToken.To(s.createToken, s.grantedBy),
	}
}

// unsigned is for operations that AWS asks no signature for: what they carry says
// who asks. IAM Identity Center OIDC API Reference.
func unsigned[In any](action, why string) touches[In] {
	return func(context.Context, In) ([]wire.Touch, error) { return []wire.Touch{{Action: action, Open: why}}, nil }
}
