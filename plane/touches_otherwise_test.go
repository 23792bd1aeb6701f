package plane

// otherwise is where touches differ from the facts, with the reason.
var otherwise = each(
	differs{
		"AWS's denials name the path that is listed, so that policies for it apply; the reference has no resource",
		[]string{"iam:ListUsers iam:ListUsers on iam:user/…", "iam:ListRoles iam:ListRoles on iam:role/…",
			"iam:ListGroups iam:ListGroups on iam:group/…", "iam:ListInstanceProfiles iam:ListInstanceProfiles on iam:instance-profile/…"},
	},
	differs{
		"GuardDuty's older reference and its denials name the detector; the newest has no resource",
		[]string{
			"guardduty:ListFindings guardduty:ListFindings on guardduty:detector/…",
			"guardduty:GetFindings guardduty:GetFindings on guardduty:detector/…",
			"guardduty:ArchiveFindings guardduty:ArchiveFindings on guardduty:detector/…",
			"guardduty:UnarchiveFindings guardduty:UnarchiveFindings on guardduty:detector/…",
			"guardduty:UpdateFindingsFeedback guardduty:UpdateFindingsFeedback on guardduty:detector/…",
			"guardduty:CreateSampleFindings guardduty:CreateSampleFindings on guardduty:detector/…",
			"guardduty:GetFindingsStatistics guardduty:GetFindingsStatistics on guardduty:detector/…",
			"guardduty:ListFilters guardduty:ListFilters on guardduty:detector/…",
			"guardduty:CreateIPSet guardduty:CreateIPSet on guardduty:detector/…",
			"guardduty:ListIPSets guardduty:ListIPSets on guardduty:detector/…",
			"guardduty:CreateThreatIntelSet guardduty:CreateThreatIntelSet on guardduty:detector/…",
			"guardduty:ListThreatIntelSets guardduty:ListThreatIntelSets on guardduty:detector/…",
			"guardduty:CreateThreatEntitySet guardduty:CreateThreatEntitySet on guardduty:detector/…",
			"guardduty:ListThreatEntitySets guardduty:ListThreatEntitySets on guardduty:detector/…",
			"guardduty:CreateTrustedEntitySet guardduty:CreateTrustedEntitySet on guardduty:detector/…",
			"guardduty:ListTrustedEntitySets guardduty:ListTrustedEntitySets on guardduty:detector/…",
		},
	},
	differs{
		"the deprecated names of kms:KeySpec and kms:KeyUsage work as those do, for CreateKey too (KMS Developer Guide); the reference leaves them out for this action",
		[]string{"kms:CreateKey kms:CreateKey has no key kms:CustomerMasterKeySpec", "kms:CreateKey kms:CreateKey has no key kms:CustomerMasterKeyUsage"},
	},
	differs{
		"the keys of tags in a request are global and there when tags are passed; the reference leaves them out for this action",
		[]string{
			"securityhub:EnableSecurityHub securityhub:TagResource has no key aws:RequestTag/…",
			"securityhub:EnableSecurityHub securityhub:TagResource has no key aws:TagKeys",
			"securityhub:TagResource securityhub:TagResource has no key aws:RequestTag/…",
			"securityhub:TagResource securityhub:TagResource has no key aws:TagKeys",
			"securityhub:UntagResource securityhub:UntagResource has no key aws:TagKeys",
		},
	},
	differs{
		"a request has one context for all that it needs: trust policies that allow to assume and to tag test the external id of both",
		[]string{
			"sts:AssumeRole sts:TagSession has no key sts:ExternalId",
			"sts:AssumeRole sts:TagSession has no key sts:RoleSessionName",
			"sts:AssumeRole sts:TagSession has no key sts:SourceIdentity",
			"sts:AssumeRole sts:SetSourceIdentity has no key sts:ExternalId",
			"sts:AssumeRole sts:SetSourceIdentity has no key sts:RoleSessionName",
			"sts:AssumeRole sts:SetSourceIdentity has no key sts:TransitiveTagKeys",
			"sts:AssumeRole sts:SetSourceIdentity has no key aws:RequestTag/…",
			"sts:AssumeRole sts:SetSourceIdentity has no key aws:TagKeys",
		},
	},
	differs{
		"tags of a federated user are authorised on the federated user, as its creation is; the reference leaves it out",
		[]string{"sts:GetFederationToken sts:TagSession on sts:federated-user/…"},
	},
	differs{
		"AWS's denials name all that Systems Manager has, so that policies for it apply; the reference has no resource",
		[]string{"ssm:DescribeParameters ssm:DescribeParameters on ssm:*"},
	},
)

// differs is a reason and what it is the reason for: "OPERATION what is wrong".
type differs struct {
	reason string
	what   []string
}

func each(all ...differs) map[string]string {
	m := map[string]string{}
	for _, d := range all {
		for _, what := range d.what {
			m[what] = d.reason
		}
	}
	return m
}

// askedUnder names the action of operations that AWS authorises by another than
// their own name.
var askedUnder = map[string]string{
	"kms:ReEncrypt": "kms:ReEncryptFrom", // and ReEncryptTo: there is no action of its own name
}

// leftOpen are the operations for which AWS asks for no permission.
var leftOpen = map[string]string{
	"sts:GetCallerIdentity": "STS API Reference: no permissions are required",
	"sts:GetSessionToken":   "STS API Reference: no permissions are required",

	"sso-oauth:RegisterClient":           "IAM Identity Center OIDC API Reference: not signed",
	"sso-oauth:StartDeviceAuthorization": "IAM Identity Center OIDC API Reference: not signed",
	"sso-oauth:CreateToken":              "IAM Identity Center OIDC API Reference: not signed",
}

// proven are the operations that say what they touch only to who brings a proof;
// service/sts and service/identitycenter test them.
var proven = map[string]string{
	"sts:AssumeRoleWithSAML":        "an assertion that a provider has signed",
	"sts:AssumeRoleWithWebIdentity": "a token that a provider has signed",
	"sso:ListAccounts":              "an access token",
	"sso:ListAccountRoles":          "an access token",
	"sso:GetRoleCredentials":        "an access token",
	"sso:Logout":                    "an access token",
}
