// Package tactic says what an attacker would call an API for.
//
// Most of AWS's APIs name what they do, by verb and noun: those are judged by
// words, so that services nobody has thought of are covered. Where the words
// mislead, the API stands in a table.
package tactic

import "strings"

// The tactics, named as in GuardDuty's types "…:IAMUser/AnomalousBehavior".
const (
	CredentialAccess    = "CredentialAccess"
	DefenseEvasion      = "DefenseEvasion"
	Discovery           = "Discovery"
	Execution           = "Execution"
	Exfiltration        = "Exfiltration"
	Impact              = "Impact"
	InitialAccess       = "InitialAccess"
	LateralMovement     = "LateralMovement"
	Persistence         = "Persistence"
	PrivilegeEscalation = "PrivilegeEscalation"
)

// exactly is where words mislead.
var exactly = map[string]string{
	"ec2:GetPasswordData":                                CredentialAccess,
	"ec2:ModifyImageAttribute":                           Exfiltration,
	"ec2:ModifySnapshotAttribute":                        Exfiltration,
	"ec2:CreateKeyPair":                                  Persistence,
	"ec2:ImportKeyPair":                                  Persistence,
	"ec2:RunInstances":                                   Impact,
	"ec2:RequestSpotInstances":                           Impact,
	"ec2:CreateFleet":                                    Impact,
	"ec2:RequestSpotFleet":                               Impact,
	"ec2:CreateSnapshot":                                 Exfiltration,
	"ec2:CreateSnapshots":                                Exfiltration,
	"ec2:CreateImage":                                    Exfiltration,
	"ec2:CreateInstanceExportTask":                       Exfiltration,
	"ec2:CreateStoreImageTask":                           Exfiltration,
	"ec2:CopySnapshot":                                   Exfiltration,
	"ec2:CopyImage":                                      Exfiltration,
	"ec2:CreateTrafficMirrorSession":                     Exfiltration,
	"ec2:ReplaceIamInstanceProfileAssociation":           PrivilegeEscalation,
	"ec2:AssociateIamInstanceProfile":                    PrivilegeEscalation,
	"ec2:GetConsoleScreenshot":                           CredentialAccess,
	"ec2-instance-connect:SendSSHPublicKey":              LateralMovement,
	"ec2-instance-connect:SendSerialConsoleSSHPublicKey": LateralMovement,
	"ec2-instance-connect:OpenTunnel":                    LateralMovement,
	"iam:PassRole":                                       PrivilegeEscalation,
	"iam:AddRoleToInstanceProfile":                       PrivilegeEscalation,
	"iam:AddUserToGroup":                                 PrivilegeEscalation,
	"iam:SetDefaultPolicyVersion":                        PrivilegeEscalation,
	"iam:CreatePolicyVersion":                            PrivilegeEscalation,
	"iam:UpdateAssumeRolePolicy":                         Persistence,
	"iam:GenerateCredentialReport":                       Discovery,
	"iam:SimulatePrincipalPolicy":                        Discovery,
	"iam:EnableMFADevice":                                Persistence,
	"iam:CreateVirtualMFADevice":                         Persistence,
	"kms:Decrypt":                                        "",
	"kms:GenerateDataKey":                                "",
	"kms:CreateGrant":                                    Persistence,
	"kms:ScheduleKeyDeletion":                            Impact,
	"kms:DisableKey":                                     Impact,
	"lambda:Invoke":                                      Execution,
	"lambda:InvokeAsync":                                 Execution,
	"rds:RestoreDBInstanceFromDBSnapshot":                Exfiltration,
	"rds:RestoreDBClusterFromSnapshot":                   Exfiltration,
	"rds:CreateDBSnapshot":                               Exfiltration,
	"rds:CopyDBSnapshot":                                 Exfiltration,
	"rds:StartExportTask":                                Exfiltration,
	"rds:ModifyDBSnapshotAttribute":                      Exfiltration,
	"rds:ModifyDBClusterSnapshotAttribute":               Exfiltration,
	"s3:PutBucketReplication":                            Exfiltration,
	"s3:GetObject":                                       Exfiltration,
	"s3:SelectObjectContent":                             Exfiltration,
	"s3:PutBucketPolicy":                                 Impact,
	"s3:PutBucketAcl":                                    Impact,
	"s3:PutBucketLifecycle":                              Impact,
	"s3:PutBucketVersioning":                             Impact,
	"s3:PutBucketLogging":                                DefenseEvasion,
	"s3:PutBucketPublicAccessBlock":                      DefenseEvasion,
	"dynamodb:ExportTableToPointInTime":                  Exfiltration,
	"dynamodb:Scan":                                      Exfiltration,
	"cloudtrail:StopLogging":                             DefenseEvasion,
	"cloudtrail:PutEventSelectors":                       DefenseEvasion,
	"cloudtrail:LookupEvents":                            Discovery,
	"guardduty:CreateFilter":                             DefenseEvasion,
	"guardduty:CreateIPSet":                              DefenseEvasion,
	"organizations:LeaveOrganization":                    DefenseEvasion,
	"signin:ConsoleLogin":                                InitialAccess,
	"signin:GetSigninToken":                              InitialAccess,
	"sts:GetFederationToken":                             InitialAccess,
	"sts:GetSessionToken":                                InitialAccess,
	"sts:GetCallerIdentity":                              Discovery,
	"sts:AssumeRole":                                     "",
	"sts:AssumeRoleWithSAML":                             "",
	"sts:AssumeRoleWithWebIdentity":                      "",
	"sso:GetRoleCredentials":                             CredentialAccess,
	"ssm:SendCommand":                                    Execution,
	"ssm:StartSession":                                   LateralMovement,
	"ssm:StartAutomationExecution":                       Execution,
	"ssm:CreateAssociation":                              Execution,
	"ses:SendEmail":                                      Impact,
	"ses:SendRawEmail":                                   Impact,
	"sns:Publish":                                        "",
	"bedrock:InvokeModel":                                Impact,
	"bedrock:InvokeModelWithResponseStream":              Impact,
	"bedrock:Converse":                                   Impact,
	"bedrock:ConverseStream":                             Impact,
	"ecs:ExecuteCommand":                                 Execution,
	"eks:CreateAccessEntry":                              PrivilegeEscalation,
	"eks:AssociateAccessPolicy":                          PrivilegeEscalation,
	"codebuild:StartBuild":                               Execution,
	"cloudformation:CreateStack":                         Execution,
	"glue:CreateDevEndpoint":                             PrivilegeEscalation,
	"sagemaker:CreatePresignedNotebookInstanceUrl":       CredentialAccess,
	"redshift:GetClusterCredentials":                     CredentialAccess,
	"ecr:GetAuthorizationToken":                          "",
	"codeartifact:GetAuthorizationToken":                 "",
	"logs:PutSubscriptionFilter":                         Exfiltration,
}

// watchers are services whose removal blinds those who watch.
var watchers = map[string]bool{
	"cloudtrail": true, "guardduty": true, "securityhub": true, "config": true, "macie2": true,
	"access-analyzer": true, "inspector2": true, "detective": true, "logs": true, "events": true,
	"monitoring": true, "wafv2": true, "waf": true, "network-firewall": true, "route53resolver": true,
}

// Of returns the tactic that a call serves; empty when it is of no use to
// attackers that could be told from the use of others. Service is as in
// CloudTrail, with or without ".amazonaws.com".
func Of(service, operation string, readOnly bool) string {
	service, _, _ = strings.Cut(service, ".")
	operation = Plain(operation)
	if t, ok := exactly[service+":"+operation]; ok {
		return t
	}
	verb, noun := split(operation)
	switch verb {
	case "Get", "Batch", "Describe", "List", "Search", "Lookup", "Query", "Head", "Discover", "Scan", "View":
		if verb != "Describe" && verb != "List" && has(noun, "Secret", "Password", "Credential", "AuthToken", "Parameter", "SessionToken", "PrivateKey") && !has(noun, "PasswordPolicy", "CredentialReport", "Policies", "ResourcePolicy", "RandomPassword", "History") {
			return CredentialAccess
		}
		if verb == "Get" && !readOnly {
			return ""
		}
		return Discovery
	case "Stop", "Disable", "Disassociate", "Deregister":
		if watchers[service] || has(noun, "Log", "Trail", "Detector", "Alarm", "Monitor", "Recorder", "Audit", "Guard", "Finding") {
			return DefenseEvasion
		}
		return Impact
	case "Delete", "Terminate", "Remove", "Purge", "Cancel", "Revoke":
		if watchers[service] || has(noun, "Log", "Trail", "Detector", "Recorder", "Audit", "PublicAccessBlock") {
			return DefenseEvasion
		}
		if has(noun, "MFADevice", "PermissionsBoundary") {
			return DefenseEvasion
		}
		if strings.Contains(noun, "Tag") {
			return ""
		}
		return Impact
	case "Deactivate":
		return DefenseEvasion
	}
	if service == "iam" || service == "sso" || service == "identitystore" {
		switch {
		case verb == "Attach" || verb == "Put" || verb == "Add" || strings.Contains(noun, "PolicyVersion"):
			return PrivilegeEscalation
		case verb == "Create" || verb == "Upload" || verb == "Enable" || verb == "Reset":
			return Persistence
		case verb == "Update":
			return Persistence
		}
	}
	switch {
	case watchers[service] && (verb == "Update" || verb == "Put") && has(noun, "Detector", "Trail", "Recorder", "Selector", "Filter", "Retention", "Suppression"):
		return DefenseEvasion
	case (verb == "Put" || verb == "Add" || verb == "Set" || verb == "Modify") && has(noun, "ResourcePolicy", "Permission", "RepositoryPolicy", "KeyPolicy", "VaultAccessPolicy"):
		return Exfiltration
	case has(noun, "ResourceShare", "ExportTask", "Export", "Replication"):
		return Exfiltration
	case (verb == "Copy" || verb == "Restore" || verb == "Download") && has(noun, "Snapshot", "Backup", "Image"):
		return Exfiltration
	case (verb == "Create" || verb == "Update" || verb == "Put" || verb == "Import") && has(noun, "TrustAnchor", "IdentityProvider", "LoginProfile", "AccessKey", "FunctionCode", "FunctionUrl", "FunctionConfiguration", "Layer", "UserPool", "LifecycleConfig", "Function", "Schedule", "EventSourceMapping"):
		return Persistence
	case verb == "Authorize":
		return Persistence
	case (verb == "Send" || verb == "Execute" || verb == "Start" || verb == "Invoke" || verb == "Run") && has(noun, "Command", "Execution", "Query", "Job", "Build", "Statement", "Task"):
		return Execution
	}
	return ""
}

// Plain is an operation without the version that some services append to it:
// UpdateFunctionCode20150331v2.
func Plain(operation string) string {
	for i := range len(operation) {
		if operation[i] >= '0' && operation[i] <= '9' && strings.HasPrefix(operation[i:], "20") && len(operation)-i >= 8 {
			return operation[:i]
		}
	}
	return operation
}

// split returns the first word of an operation, and what follows it.
func split(operation string) (verb, noun string) {
	for i := 1; i < len(operation); i++ {
		if operation[i] >= 'A' && operation[i] <= 'Z' {
			return operation[:i], operation[i:]
		}
	}
	return operation, ""
}

func has(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
