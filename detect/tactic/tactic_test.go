package tactic

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		call, want string
		readOnly   bool
	}{
		// Those that GuardDuty's documentation names.
		{"ec2:GetPasswordData", CredentialAccess, true},
		{"secretsmanager:GetSecretValue", CredentialAccess, true},
		{"secretsmanager:BatchGetSecretValue", CredentialAccess, true},
		{"ec2:DeleteFlowLogs", DefenseEvasion, false},
		{"monitoring:DisableAlarmActions", DefenseEvasion, false},
		{"cloudtrail:StopLogging", DefenseEvasion, false},
		{"ec2:DescribeInstances", Discovery, true},
		{"iam:GetRolePolicy", Discovery, true},
		{"iam:ListAccessKeys", Discovery, true},
		{"s3:PutBucketReplication", Exfiltration, false},
		{"ec2:CreateSnapshot", Exfiltration, false},
		{"rds:RestoreDBInstanceFromDBSnapshot", Exfiltration, false},
		{"ec2:DeleteSecurityGroup", Impact, false},
		{"s3:PutBucketPolicy", Impact, false},
		{"sts:GetFederationToken", InitialAccess, true},
		{"iam:CreateAccessKey", Persistence, false},
		{"ec2:ImportKeyPair", Persistence, false},
		{"iam:AttachRolePolicy", PrivilegeEscalation, false},
		{"iam:PutUserPolicy", PrivilegeEscalation, false},
		{"iam:AddUserToGroup", PrivilegeEscalation, false},
		// Words alone.
		{"memorydb:CopySnapshot", Exfiltration, false},
		{"newservice:PutResourcePolicy", Exfiltration, false},
		{"lambda:UpdateFunctionCode20150331v2", Persistence, false},
		{"newservice:ListThings", Discovery, true},
		{"newservice:DeleteThing", Impact, false},
		{"rolesanywhere:CreateTrustAnchor", Persistence, false},
		{"athena:StartQueryExecution", Execution, false},
		// Of no use that could be told.
		{"sqs:SendMessage", "", false},
		{"kms:Decrypt", "", true},
		{"sts:AssumeRole", "", true},
		{"ec2:CreateTags", "", false},
		{"secretsmanager:GetRandomPassword", Discovery, true},
	} {
		service, operation, _ := strings.Cut(c.call, ":")
		if got := Of(service+".amazonaws.com", operation, c.readOnly); got != c.want {
			t.Errorf("%s: %q, not %q", c.call, got, c.want)
		}
	}
}
