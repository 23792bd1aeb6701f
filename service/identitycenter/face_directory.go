package identitycenter

import (
	"context"
	"errors"
	"time"

	"sumun.dev/api/identitystoreapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Directory is the face that gives users of the built-in directory a password. AWS
// has no public API for it: its console calls UpdatePassword, which policies know
// as sso-directory:UpdatePassword. It is declared here by hand.
func (s *Service) Directory() service.Service { return face(s.directoryRoutes) }

// DirectoryAPI is what a model would say of the service as a whole.
var DirectoryAPI = wire.Service{
	ID: "SSO Directory", Name: "sso-directory", Prefix: "sso-directory", EndpointPrefix: "sso-directory", SigningName: "sso-directory",
	EventSource: "sso-directory.amazonaws.com", Protocols: []wire.Protocol{wire.JSON}, JSONVersion: "1.1", TargetPrefix: "SWBUPService",
}

// UpdatePassword makes a one-time password.
var UpdatePassword = wire.Operation[*UpdatePasswordRequest, *UpdatePasswordResponse]{Meta: wire.Meta{
	Service: &DirectoryAPI, Name: "UpdatePassword",
	Errors: []aws.ErrorKind{identitystoreapi.ResourceNotFoundException, identitystoreapi.ValidationException},
}}

// DirectoryOperations lists the operations of the directory face.
func DirectoryOperations() []wire.AnyOperation { return []wire.AnyOperation{&UpdatePassword} }

// UpdatePasswordRequest is the input of UpdatePassword.
type UpdatePasswordRequest struct {
	IdentityStoreId string `aws:"IdentityStoreId,required" len:"1:36"`
	UserId          string `aws:"UserId,required" len:"1:47"`
	PasswordMode    string `aws:"PasswordMode,required" pattern:"OTP|EMAIL"`
}

// UpdatePasswordResponse is the output of UpdatePassword.
type UpdatePasswordResponse struct {
	Password  *string    `aws:"Password,sensitive"`
	ExpiresAt *time.Time `aws:"ExpiresAt"`
}

func (s *Service) directoryRoutes() []wire.Route {
	return []wire.Route{UpdatePassword.To(s.updatePassword, func(context.Context, *UpdatePasswordRequest) ([]wire.Touch, error) {
		return []wire.Touch{{Action: "sso-directory:UpdatePassword"}}, nil
	})}
}

// updatePassword replaces a user's password by one that is good for one sign-in, at
// which the user chooses another. It ends the user's sessions.
func (s *Service) updatePassword(ctx context.Context, in *UpdatePasswordRequest) (*UpdatePasswordResponse, error) {
	if in.PasswordMode != "OTP" {
		return nil, aws.UnsupportedOperation.New("Sumun sends no mail: the PasswordMode OTP is served.")
	}
	u, err := s.user(ctx, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	if err := readOnly(u.Source); err != nil {
		return nil, err
	}
	text := secret()[:24] + "-A"
	h, err := s.newHash(ctx, text)
	if err != nil {
		return nil, err
	}
	p, until := &password{Hash: h, OneTime: new(now().Add(oneTimeLife))}, now().Add(oneTimeLife)
	if have, err := s.passwords.Get(ctx, u.Store+"/"+u.ID); err == nil {
		past := have.Past
		if have.OneTime == nil {
			past = append(past, have.Hash)
		}
		p.Past = past[max(len(past)-keptHashes, 0):]
	} else if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err := s.endSessions(ctx, u.Store, u.ID); err != nil {
		return nil, err
	}
	return &UpdatePasswordResponse{Password: &text, ExpiresAt: &until}, s.passwords.Put(ctx, u.Store+"/"+u.ID, p)
}
