package iam

import (
	"context"
	"strconv"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// credentialRoutes lists what is served for passwords, SSH keys, signing
// certificates and credentials of single services.
func (s *Service) credentialRoutes() []wire.Route {
	return []wire.Route{
		iamapi.CreateLoginProfile.To(s.createLoginProfile, touchUser("iam:CreateLoginProfile", s, func(in *iamapi.CreateLoginProfileRequest) *string { return in.UserName })),
		iamapi.GetLoginProfile.To(s.getLoginProfile, touchUser("iam:GetLoginProfile", s, func(in *iamapi.GetLoginProfileRequest) *string { return in.UserName })),
		iamapi.UpdateLoginProfile.To(s.updateLoginProfile, touchUser("iam:UpdateLoginProfile", s, func(in *iamapi.UpdateLoginProfileRequest) *string { return &in.UserName })),
		iamapi.DeleteLoginProfile.To(s.deleteLoginProfile, touchUser("iam:DeleteLoginProfile", s, func(in *iamapi.DeleteLoginProfileRequest) *string { return in.UserName })),
		iamapi.ChangePassword.To(s.changePassword, s.changesOwn),

		iamapi.GetAccountPasswordPolicy.To(s.getAccountPasswordPolicy, s.readsPasswordPolicy),
		iamapi.UpdateAccountPasswordPolicy.To(s.updateAccountPasswordPolicy, touchAll[iamapi.UpdateAccountPasswordPolicyRequest]("iam:UpdateAccountPasswordPolicy")),
		iamapi.DeleteAccountPasswordPolicy.To(s.deleteAccountPasswordPolicy, touchAll[iamapi.DeleteAccountPasswordPolicyRequest]("iam:DeleteAccountPasswordPolicy")),

		iamapi.UploadSSHPublicKey.To(s.uploadSSHPublicKey, touchUser("iam:UploadSSHPublicKey", s, func(in *iamapi.UploadSSHPublicKeyRequest) *string { return &in.UserName })),
		iamapi.GetSSHPublicKey.To(s.getSSHPublicKey, touchUser("iam:GetSSHPublicKey", s, func(in *iamapi.GetSSHPublicKeyRequest) *string { return &in.UserName })),
		iamapi.ListSSHPublicKeys.To(s.listSSHPublicKeys, touchUser("iam:ListSSHPublicKeys", s, func(in *iamapi.ListSSHPublicKeysRequest) *string { return in.UserName })),
		iamapi.UpdateSSHPublicKey.To(s.updateSSHPublicKey, touchUser("iam:UpdateSSHPublicKey", s, func(in *iamapi.UpdateSSHPublicKeyRequest) *string { return &in.UserName })),
		iamapi.DeleteSSHPublicKey.To(s.deleteSSHPublicKey, touchUser("iam:DeleteSSHPublicKey", s, func(in *iamapi.DeleteSSHPublicKeyRequest) *string { return &in.UserName })),

		iamapi.UploadSigningCertificate.To(s.uploadSigningCertificate, touchUser("iam:UploadSigningCertificate", s, func(in *iamapi.UploadSigningCertificateRequest) *string { return in.UserName })),
		iamapi.ListSigningCertificates.To(s.listSigningCertificates, touchUser("iam:ListSigningCertificates", s, func(in *iamapi.ListSigningCertificatesRequest) *string { return in.UserName })),
		iamapi.UpdateSigningCertificate.To(s.updateSigningCertificate, touchUser("iam:UpdateSigningCertificate", s, func(in *iamapi.UpdateSigningCertificateRequest) *string { return in.UserName })),
		iamapi.DeleteSigningCertificate.To(s.deleteSigningCertificate, touchUser("iam:DeleteSigningCertificate", s, func(in *iamapi.DeleteSigningCertificateRequest) *string { return in.UserName })),

		iamapi.CreateServiceSpecificCredential.To(s.createServiceSpecificCredential, s.newServiceCredential),
		iamapi.ListServiceSpecificCredentials.To(s.listServiceSpecificCredentials, s.holders),
		iamapi.UpdateServiceSpecificCredential.To(s.updateServiceSpecificCredential, touchServiceCredential("iam:UpdateServiceSpecificCredential", s, func(in *iamapi.UpdateServiceSpecificCredentialRequest) (*string, string) {
			return in.UserName, in.ServiceSpecificCredentialId
		})),
		iamapi.ResetServiceSpecificCredential.To(s.resetServiceSpecificCredential, touchServiceCredential("iam:ResetServiceSpecificCredential", s, func(in *iamapi.ResetServiceSpecificCredentialRequest) (*string, string) {
			return in.UserName, in.ServiceSpecificCredentialId
		})),
		iamapi.DeleteServiceSpecificCredential.To(s.deleteServiceSpecificCredential, touchServiceCredential("iam:DeleteServiceSpecificCredential", s, func(in *iamapi.DeleteServiceSpecificCredentialRequest) (*string, string) {
			return in.UserName, in.ServiceSpecificCredentialId
		})),
	}
}

// holders touches the user whose credentials are listed, or all users.
func (s *Service) holders(ctx context.Context, in *iamapi.ListServiceSpecificCredentialsRequest) ([]wire.Touch, error) {
	const action = "iam:ListServiceSpecificCredentials"
	if or(in.AllUsers, false) {
		return []wire.Touch{{Action: action, Resource: aws.CallOf(ctx).GlobalARN("iam", "user/*")}}, nil
	}
	return touchUser(action, s, func(in *iamapi.ListServiceSpecificCredentialsRequest) *string { return in.UserName })(ctx, in)
}

// changesOwn touches the user who calls; others have no password to change here.
func (s *Service) changesOwn(ctx context.Context, _ *iamapi.ChangePasswordRequest) ([]wire.Touch, error) {
	p := aws.CallOf(ctx).Principal
	if p.Kind != aws.User {
		return []wire.Touch{{Action: "iam:ChangePassword", Resource: aws.CallOf(ctx).GlobalARN("iam", "user/*")}}, nil
	}
	touches, err := s.touchedUser(ctx, "iam:ChangePassword", p.Name)
	if err != nil {
		return nil, err
	}
	return s.letUsersChange(ctx, touches)
}

// readsPasswordPolicy touches the account's password policy, which users who may change
// their passwords may read.
func (s *Service) readsPasswordPolicy(ctx context.Context, _ *iamapi.GetAccountPasswordPolicyRequest) ([]wire.Touch, error) {
	return s.letUsersChange(ctx, []wire.Touch{{Action: "iam:GetAccountPasswordPolicy"}})
}

// letUsersChange allows what the account's password policy allows all of its users. IAM
// User Guide, "Set an account password policy", "Allow users to change their own password".
func (s *Service) letUsersChange(ctx context.Context, touches []wire.Touch) ([]wire.Touch, error) {
	p := aws.CallOf(ctx).Principal
	rules, err := s.passwordPolicy(ctx)
	if err != nil || rules == nil || !rules.UsersMayChange || p.Kind != aws.User {
		return touches, err
	}
	for i := range touches {
		touches[i].Grants = []wire.Grant{{ID: "account password policy", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` +
			p.ID + `"},"Action":"` + touches[i].Action + `","Resource":"*"}]}`}}
	}
	return touches, nil
}

func (s *Service) newServiceCredential(ctx context.Context, in *iamapi.CreateServiceSpecificCredentialRequest) ([]wire.Touch, error) {
	touches, err := s.touchedUser(ctx, "iam:CreateServiceSpecificCredential", in.UserName)
	if err != nil {
		return nil, err
	}
	touches[0].Conditions = map[string][]string{"iam:ServiceSpecificCredentialServiceName": {in.ServiceName}}
	if in.CredentialAgeDays != nil {
		touches[0].Conditions["iam:ServiceSpecificCredentialAgeDays"] = []string{strconv.Itoa(int(*in.CredentialAgeDays))}
	}
	return touches, nil
}

// touchServiceCredential is touchUser, with the service of the credential.
func touchServiceCredential[In any](action string, s *Service, which func(*In) (user *string, id string)) func(context.Context, *In) ([]wire.Touch, error) {
	user := touchUser(action, s, func(in *In) *string { name, _ := which(in); return name })
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		touches, err := user(ctx, in)
		if err != nil {
			return nil, err
		}
		name, id := which(in)
		o, err := s.owner(ctx, name)
		if iamapi.NoSuchEntityException.Is(err) {
			return touches, nil
		}
		if err != nil {
			return nil, err
		}
		if c, err := o.serviceCredentialOf(id); err == nil {
			touches[0].Conditions = map[string][]string{"iam:ServiceSpecificCredentialServiceName": {c.Service}}
		}
		return touches, nil
	}
}
