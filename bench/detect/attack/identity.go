package attack

import (
	"fmt"
	"time"
)

const admin = "arn:aws:iam::aws:policy/AdministratorAccess"

// identity is how attackers come in, stay, and gain rights.
var identity = []Technique{
	{"iam: access key for another user", []string{"Persistence", "PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		u := s.word()
		s.call("iam:ListUsers", nil, nil)
		s.call("iam:CreateAccessKey", m{"userName": u}, m{"accessKey": m{"accessKeyId": "AKIA" + s.upper(16), "status": "Active", "userName": u}})
	}},
	{"iam: administrator user", []string{"Persistence", "PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		u := s.word()
		s.call("iam:CreateUser", m{"userName": u}, m{"user": m{"userName": u}})
		s.call("iam:AttachUserPolicy", m{"userName": u, "policyArn": admin}, nil)
		s.call("iam:CreateAccessKey", m{"userName": u}, m{"accessKey": m{"accessKeyId": "AKIA" + s.upper(16), "userName": u}})
	}},
	{"iam: console password for another user", []string{"Persistence", "PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		s.call("iam:CreateLoginProfile", m{"userName": s.word(), "passwordResetRequired": false}, m{"loginProfile": m{}})
	}},
	{"iam: console password of another user changed", []string{"Persistence", "PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		s.call("iam:UpdateLoginProfile", m{"userName": s.word(), "passwordResetRequired": false}, nil)
	}},
	{"iam: second factor of another user removed", []string{"Persistence", "DefenseEvasion"}, CloudTrail, func(s *scene) {
		u := s.word()
		s.call("iam:DeactivateMFADevice", m{"userName": u, "serialNumber": "arn:aws:iam::" + s.account + ":mfa/" + u}, nil)
	}},
	{"iam: second factor put on another user", []string{"Persistence"}, CloudTrail, func(s *scene) {
		u := s.word()
		s.call("iam:CreateVirtualMFADevice", m{"virtualMFADeviceName": u}, m{})
		s.call("iam:EnableMFADevice", m{"userName": u, "serialNumber": "arn:aws:iam::" + s.account + ":mfa/" + u}, nil)
	}},
	{"iam: SSH key or certificate for another user", []string{"Persistence"}, CloudTrail, func(s *scene) {
		if s.IntN(2) == 0 {
			s.call("iam:UploadSSHPublicKey", m{"userName": s.word(), "sSHPublicKeyBody": "ssh-rsa AAAA"}, m{})
			return
		}
		s.call("iam:UploadSigningCertificate", m{"userName": s.word(), "certificateBody": "-----BEGIN CERTIFICATE-----"}, m{})
	}},
	{"iam: old key of another user made active", []string{"Persistence"}, CloudTrail, func(s *scene) {
		s.call("iam:UpdateAccessKey", m{"userName": s.word(), "accessKeyId": "AKIA" + s.upper(16), "status": "Active"}, nil)
	}},
	{"iam: administrator policy inline", []string{"PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		if s.IntN(2) == 0 {
			s.call("iam:PutRolePolicy", m{"roleName": s.word(), "policyName": s.word(), "policyDocument": everything()}, nil)
			return
		}
		s.call("iam:PutUserPolicy", m{"userName": s.word(), "policyName": s.word(), "policyDocument": everything()}, nil)
	}},
	{"iam: own rights raised", []string{"PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		s.becomeUser()
		switch s.IntN(3) {
		case 0:
			s.call("iam:PutUserPolicy", m{"userName": s.user, "policyName": s.word(), "policyDocument": text(policy(m{"Effect": "Allow", "Action": []any{"s3:*", "secretsmanager:*", "ec2:*"}, "Resource": "*"}))}, nil)
		case 1:
			s.call("iam:AttachUserPolicy", m{"userName": s.user, "policyArn": "arn:aws:iam::aws:policy/PowerUserAccess"}, nil)
		default:
			s.call("iam:AddUserToGroup", m{"userName": s.user, "groupName": s.word()}, nil)
		}
	}},
	{"iam: policy version that gives everything", []string{"PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		s.call("iam:CreatePolicyVersion", m{"policyArn": "arn:aws:iam::" + s.account + ":policy/" + s.word(), "setAsDefault": true, "policyDocument": everything()}, m{})
	}},
	{"iam: older policy version made default", []string{"PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		p := "arn:aws:iam::" + s.account + ":policy/" + s.word()
		s.call("iam:ListPolicyVersions", m{"policyArn": p}, nil)
		s.call("iam:GetPolicyVersion", m{"policyArn": p, "versionId": "v1"}, nil)
		s.call("iam:SetDefaultPolicyVersion", m{"policyArn": p, "versionId": "v1"}, nil)
	}},
	{"iam: permissions boundary removed", []string{"PrivilegeEscalation", "DefenseEvasion"}, CloudTrail, func(s *scene) {
		if s.IntN(2) == 0 {
			s.call("iam:DeleteUserPermissionsBoundary", m{"userName": s.word()}, nil)
			return
		}
		s.call("iam:DeleteRolePermissionsBoundary", m{"roleName": s.word()}, nil)
	}},
	{"iam: role trusts a foreign account", []string{"Persistence"}, CloudTrail, func(s *scene) {
		doc := policy(m{"Effect": "Allow", "Principal": m{"AWS": []any{"arn:aws:iam::" + s.other + ":root"}, "Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
		s.call("iam:UpdateAssumeRolePolicy", m{"roleName": s.word(), "policyDocument": text(doc)}, nil)
	}},
	{"iam: role trusts a foreign identity provider", []string{"Persistence"}, CloudTrail, func(s *scene) {
		host := s.word() + "." + s.word() + ".example"
		if s.IntN(2) == 0 {
			s.call("iam:CreateSAMLProvider", m{"name": s.word(), "sAMLMetadataDocument": "<EntityDescriptor/>"}, m{})
			return
		}
		s.call("iam:CreateOpenIDConnectProvider", m{"url": "https://" + host, "clientIDList": []any{"sts.amazonaws.com"}, "thumbprintList": []any{s.hex(40)}}, m{})
		doc := policy(m{"Effect": "Allow", "Principal": m{"Federated": "arn:aws:iam::" + s.account + ":oidc-provider/" + host}, "Action": "sts:AssumeRoleWithWebIdentity"})
		s.call("iam:CreateRole", m{"roleName": s.word(), "assumeRolePolicyDocument": text(doc)}, m{})
	}},
	{"iam: instance profile of an instance replaced", []string{"PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		s.call("ec2:DescribeIamInstanceProfileAssociations", m{}, nil)
		if s.IntN(2) == 0 {
			s.call("ec2:ReplaceIamInstanceProfileAssociation", m{"ReplaceIamInstanceProfileAssociationRequest": m{"AssociationId": "iip-assoc-0" + s.hex(16), "IamInstanceProfile": m{"Name": s.word()}}}, m{})
			return
		}
		s.call("ec2:AssociateIamInstanceProfile", m{"AssociateIamInstanceProfileRequest": m{"InstanceId": "i-0" + s.hex(16), "IamInstanceProfile": m{"Name": s.word()}}}, m{})
	}},
	{"sso: administrator permission set", []string{"PrivilegeEscalation", "Persistence"}, CloudTrail, func(s *scene) {
		set := "arn:aws:sso:::permissionSet/ssoins-" + s.hex(16) + "/ps-" + s.hex(16)
		if s.IntN(2) == 0 {
			s.call("sso:AttachManagedPolicyToPermissionSet", m{"instanceArn": "arn:aws:sso:::instance/ssoins-" + s.hex(16), "permissionSetArn": set, "managedPolicyArn": admin}, nil)
		} else {
			s.call("sso:PutInlinePolicyToPermissionSet", m{"instanceArn": "arn:aws:sso:::instance/ssoins-" + s.hex(16), "permissionSetArn": set, "inlinePolicy": everything()}, nil)
		}
		s.call("sso:CreateAccountAssignment", m{"permissionSetArn": set, "principalType": "USER", "principalId": s.id(), "targetId": s.account, "targetType": "AWS_ACCOUNT"}, m{})
	}},
	{"sts: federation token as backdoor", []string{"InitialAccess", "Persistence"}, CloudTrail, func(s *scene) {
		s.becomeUser()
		s.call("sts:GetFederationToken", m{"name": s.word(), "durationSeconds": 129600, "policy": everything()}, m{"credentials": m{"accessKeyId": "ASIA" + s.upper(16)}})
	}},
	{"sts: federation token with a managed policy", []string{"InitialAccess", "Persistence"}, CloudTrail, func(s *scene) {
		s.becomeUser()
		s.call("sts:GetFederationToken", m{"name": s.word(), "policyArns": []any{m{"arn": admin}}}, m{"credentials": m{"accessKeyId": "ASIA" + s.upper(16)}})
	}},
	{"sts: console by a stolen session", []string{"InitialAccess", "Persistence"}, CloudTrail, func(s *scene) {
		s.becomeUser()
		s.call("sts:GetFederationToken", m{"name": s.word(), "policy": everything()}, m{"credentials": m{"accessKeyId": "ASIA" + s.upper(16)}})
		s.me = m{"type": "FederatedUser", "principalId": s.account + ":" + s.word(), "arn": "arn:aws:sts::" + s.account + ":federated-user/" + s.word(), "accountId": s.account, "accessKeyId": "ASIA" + s.upper(16),
			"sessionContext": m{"sessionIssuer": m{"type": "IAMUser", "principalId": s.me["principalId"], "arn": s.me["arn"], "accountId": s.account, "userName": s.user}}}
		s.call("signin:GetSigninToken", nil, m{"GetSigninToken": "Success"})
	}},
	{"sts: roles tried one after another", []string{"Discovery", "PrivilegeEscalation", "InitialAccess"}, CloudTrail, func(s *scene) {
		for range 12 {
			s.call("sts:AssumeRole", nil, nil, denied("AccessDenied"), m{"errorMessage": "User: " + fmt.Sprint(s.me["arn"]) + " is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::" + s.account + ":role/" + s.word()})
		}
	}},
	{"signin: console without second factor", []string{"InitialAccess"}, CloudTrail, func(s *scene) {
		s.becomeUser()
		delete(s.me, "accessKeyId")
		s.login("Success", "No")
	}},
	{"signin: passwords of one user guessed", []string{"InitialAccess", "CredentialAccess", "UnauthorizedAccess"}, CloudTrail, func(s *scene) {
		s.becomeUser()
		for range 30 {
			s.login("Failure", "No")
		}
	}},
	{"signin: one password tried with many users", []string{"InitialAccess", "CredentialAccess", "UnauthorizedAccess"}, CloudTrail, func(s *scene) {
		for range 8 {
			s.me = m{}
			s.becomeUser()
			s.login("Failure", "No")
			s.wait(60e3, 180e3)
		}
	}},
	{"rolesanywhere: trust anchor of the attacker", []string{"Persistence"}, CloudTrail, func(s *scene) {
		s.call("rolesanywhere:CreateTrustAnchor", m{"name": s.word(), "enabled": true, "source": m{"sourceType": "CERTIFICATE_BUNDLE", "sourceData": m{"x509CertificateData": "-----BEGIN CERTIFICATE-----"}}}, m{})
		s.call("rolesanywhere:CreateProfile", m{"name": s.word(), "enabled": true, "roleArns": []any{"arn:aws:iam::" + s.account + ":role/" + s.word()}}, m{})
	}},
	{"root: key of the root user made and used", []string{"Policy", "Persistence", "PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		s.me = m{"type": "Root", "principalId": s.account, "arn": "arn:aws:iam::" + s.account + ":root", "accountId": s.account, "accessKeyId": ""}
		s.call("iam:CreateAccessKey", nil, m{"accessKey": m{"accessKeyId": "AKIA" + s.upper(16)}})
	}},
	{"cognito: role for people who did not sign in", []string{"Persistence", "PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		pool := s.region + ":" + s.id()
		s.call("cognito-identity:UpdateIdentityPool", m{"identityPoolId": pool, "identityPoolName": s.word(), "allowUnauthenticatedIdentities": true}, m{})
		s.call("cognito-identity:SetIdentityPoolRoles", m{"identityPoolId": pool, "roles": m{"unauthenticated": "arn:aws:iam::" + s.account + ":role/" + s.word()}}, nil)
	}},
	{"cognito: password of another user set", []string{"Persistence", "CredentialAccess", "PrivilegeEscalation"}, CloudTrail, func(s *scene) {
		s.call("cognito-idp:AdminSetUserPassword", m{"userPoolId": s.region + "_" + s.upper(9), "username": "HIDDEN_DUE_TO_SECURITY_REASONS", "permanent": true, "password": "HIDDEN_DUE_TO_SECURITY_REASONS"}, nil)
	}},
}

// becomeUser makes the actor a user.
func (s *scene) becomeUser() {
	for s.me["type"] != "IAMUser" {
		s.me = s.somebody()
	}
	s.user, _ = s.me["userName"].(string)
}

func (s *scene) login(result, mfa string) {
	extra := m{"eventType": "AwsConsoleSignIn", "additionalEventData": m{"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": mfa}, "managementEvent": true}
	if result == "Failure" {
		extra["errorMessage"] = "Failed authentication"
	}
	s.call("signin:ConsoleLogin", nil, m{"ConsoleLogin": result}, extra)
}

// later is some time after.
func (s *scene) later(d time.Duration) { s.now = s.now.Add(d) }
