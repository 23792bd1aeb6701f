package identitycenter

import (
	"context"

	api "sumun.dev/api/ssooidcapi"
	"sumun.dev/service"
	"sumun.dev/wire"
)

// OIDC is the face by which clients such as the AWS CLI get tokens.
func (s *Service) OIDC() service.Service { return oidcFace{s} }

type oidcFace struct{ *Service }

// Routes lists what is served of sso-oidc.
func (s oidcFace) Routes() []wire.Route {
	return []wire.Route{
		api.RegisterClient.To(s.registerClient, unsigned[*api.RegisterClientRequest]("sso-oauth:RegisterClient", "clients register themselves")),
		api.StartDeviceAuthorization.To(s.startDeviceAuthorization, unsigned[*api.StartDeviceAuthorizationRequest]("sso-oauth:StartDeviceAuthorization", "a client proves itself by its secret")),
		api.CreateToken.To(s.createToken, unsigned[*api.CreateTokenRequest]("sso-oauth:CreateToken", "a client proves itself by its secret and the code that a user has approved")),
	}
}

// unsigned is for operations that AWS asks no signature for: what they carry says
// who asks. IAM Identity Center OIDC API Reference.
func unsigned[In any](action, why string) touches[In] {
	return func(context.Context, In) ([]wire.Touch, error) { return []wire.Touch{{Action: action, Open: why}}, nil }
}
