package lint

import "fmt"

// A check is one finding's type and sentence.
type check struct {
	code    string
	kind    Type
	details string
	own     bool
}

// checks are all findings. Codes and types are AWS's, but for those marked as our
// own; the sentences are ours. IAM User Guide, "Access Analyzer policy check reference".
var checks = [...]check{
	// Elements
	{code: "JSON_SYNTAX_ERROR", kind: Error, details: "This is not JSON: %s."},
	{code: "DATA_TYPE_MISMATCH", kind: Error, details: "%s goes here, not %s."},
	{code: "INVALID_POLICY_ELEMENT", kind: Error, details: "%s is no element of the policy language."},
	{code: "INVALID_VERSION", kind: Error, details: "Version is 2012-10-17 or 2008-10-17, not %s."},
	{code: "MISSING_VERSION", kind: Warning, details: "Say Version 2012-10-17: without it the policy is read by the rules of 2008, which have no variables."},
	{code: "MISSING_STATEMENT", kind: Error, details: "A policy has a Statement."},
	{code: "MISSING_EFFECT", kind: Error, details: "A statement has an Effect: Allow or Deny."},
	{code: "INVALID_EFFECT", kind: Error, details: "Effect is Allow or Deny, not %s."},
	{code: "MISSING_ACTION", kind: Error, details: "A statement has an Action or NotAction."},
	{code: "MISSING_RESOURCE", kind: Error, details: "A statement of this type of policy has a Resource or NotResource."},
	{code: "MISSING_PRINCIPAL", kind: Error, details: "A statement of this type of policy has a Principal."},
	{code: "UNSUPPORTED_ELEMENT_COMBINATION", kind: Error, details: "%s and %s cannot stand in one statement."},
	{code: "UNIQUE_SIDS_REQUIRED", kind: Error, details: "The Sid %s is there twice."},
	{code: "UNIQUE_SIDS_RECOMMENDED", kind: Warning, details: "The Sid %s is there twice; say which statement is meant by Sids of their own."},
	{code: "UNSUPPORTED_SID", kind: Error, details: "A Sid has letters and digits only: %s."},
	{code: "EMPTY_SID_VALUE", kind: Suggestion, details: "An empty Sid says nothing: leave it out."},
	{code: "DUPLICATE_ELEMENT", kind: Error, details: "%s is there twice.", own: true},
	{code: "REFUSED", kind: Error, details: "The service refuses this document: %s", own: true},

	// Principals
	{code: "UNSUPPORTED_PRINCIPAL", kind: Error, details: "This type of policy has no %s: it concerns who it is attached to."},
	{code: "SCP_SYNTAX_ERROR_PRINCIPAL", kind: Error, details: "An SCP has no %s: it concerns the accounts that it is attached to."},
	{code: "INVALID_PRINCIPAL_KEY", kind: Error, details: "%s is no kind of principal: AWS, Service, Federated and CanonicalUser are."},
	{code: "INVALID_PRINCIPAL_FORMAT", kind: Error, details: "%s names no principal: an account, the ARN of a user, role or session, or * does."},
	{code: "UNSUPPORTED_WILDCARD_IN_PRINCIPAL", kind: Error, details: "Wildcards cannot be part of a principal: %s. Use * with a condition on aws:PrincipalArn."},
	{code: "INVALID_SERVICE_PRINCIPAL_FORMAT", kind: Error, details: "%s is not the name of a service, such as lambda.amazonaws.com."},
	{code: "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY", kind: Error, details: "%s is no identity provider: the ARN of a SAML or OIDC provider is, or the domain of a built-in one."},
	{code: "EMPTY_OBJECT_PRINCIPAL", kind: Suggestion, details: "An empty Principal names nobody."},
	{code: "EMPTY_ARRAY_PRINCIPAL", kind: Suggestion, details: "An empty list of principals names nobody."},
	{code: "INVALID_USER_REFERENCE", kind: Warning, details: "%s is the id of a user; unless the user is deleted, name its ARN."},
	{code: "INVALID_ROLE_REFERENCE", kind: Warning, details: "%s is the id of a role; unless the role is deleted, name its ARN."},
	{code: "ALLOW_WITH_NOT_PRINCIPAL", kind: SecurityWarning, details: "NotPrincipal with Allow lets in everybody else, strangers too. Name principals, or use Deny."},
	{code: "UNRESTRICTED_PRINCIPAL", kind: SecurityWarning, details: "Everybody is allowed, in any account and without one; no condition says who.", own: true},
	{code: "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", kind: SecurityWarning, details: "The service %s is let in for whomever it works. Say for whom with aws:SourceArn, aws:SourceAccount, aws:SourceOrgID or aws:SourceOrgPaths."},
	{code: "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL", kind: Error, details: "A role's trust policy has no NotPrincipal."},
	{code: "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE", kind: Error, details: "A role's trust policy has no %s: it is about the role."},
	{code: "RCP_SYNTAX_ERROR_PRINCIPAL", kind: Error, details: "The Principal of an RCP is \"*\"; name principals in conditions."},
	{code: "RCP_SYNTAX_ERROR_NOTPRINCIPAL", kind: Error, details: "An RCP has no NotPrincipal."},
	{code: "RCP_SYNTAX_ERROR_ALLOW", kind: Error, details: "The Effect of an RCP is Deny; RCPFullAWSAccess alone allows."},
	{code: "RCP_SYNTAX_ERROR_NOTACTION", kind: Error, details: "An RCP has no NotAction."},
	{code: "RCP_SYNTAX_ERROR_ACTION_WILDCARD", kind: Error, details: "An action of an RCP names its service: s3:*."},
	{code: "UNSUPPORTED_SERVICE_IN_RCP", kind: Warning, details: "RCPs have no effect on actions of %s.", own: true},
	{code: "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL", kind: SecurityWarning, details: "Whoever has an identity at %s may assume the role. Say which with conditions on its keys, such as %s:sub and %s:aud."},
	{code: "MISSING_GITHUB_REPO_CONDITION_KEY", kind: SecurityWarning, details: "Every repository of GitHub may assume the role. Say which with token.actions.githubusercontent.com:sub."},
	{code: "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED", kind: Warning, details: "The wildcard in %s lets in more repositories than one organisation's; begin with repo:ORGANISATION/."},
	{code: "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY", kind: Suggestion, details: "%s is named already by %s."},
	{code: "MISMATCHED_ACTION_FOR_PRINCIPAL", kind: Error, details: "%s cannot be done by a principal of the kind %s."},

	// Actions
	{code: "INVALID_ACTION", kind: Error, details: "%s is no action that AWS lists."},
	{code: "INVALID_SERVICE_IN_ACTION", kind: Error, details: "%s is no service that AWS lists."},
	{code: "RETIRED_SERVICE", kind: Warning, details: "AWS has given up the service %s: its actions do nothing.", own: true},
	{code: "WILDCARD_IN_SERVICE_NAME", kind: Suggestion, details: "The wildcard in the service's name of %s means services that are not there yet; name the service."},
	{code: "EMPTY_ARRAY_ACTION", kind: Suggestion, details: "Without actions the statement does nothing."},
	{code: "UNSUPPORTED_ACTION_IN_POLICY", kind: Error, details: "%s does not go into a policy of this type."},
	{code: "REDUNDANT_ACTION", kind: Suggestion, details: "%s is meant already by %s."},

	// Resources
	{code: "INVALID_ARN_PREFIX", kind: Error, details: "A resource is * or an ARN, which begins with arn:, not %s."},
	{code: "MISSING_ARN_FIELD", kind: Error, details: "%s has too few parts: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE."},
	{code: "INVALID_PARTITION", kind: Error, details: "%s is no partition: aws, aws-cn, aws-us-gov and their like are."},
	{code: "INVALID_SERVICE", kind: Error, details: "%s is no service of AWS."},
	{code: "INVALID_ARN_SERVICE_CASE", kind: Error, details: "The service's name in an ARN is in lower case: %s."},
	{code: "INVALID_REGION", kind: Error, details: "%s is no region."},
	{code: "INVALID_ARN_ACCOUNT", kind: Error, details: "%s is no account: twelve digits, or a wildcard, are."},
	{code: "ARN_REGION_NOT_ALLOWED", kind: Error, details: "ARNs of %s have no region: %s."},
	{code: "ARN_ACCOUNT_NOT_ALLOWED", kind: Error, details: "This ARN of %s has no account: %s."},
	{code: "MISSING_ARN_REGION", kind: Error, details: "ARNs of %s have a region: %s."},
	{code: "MISSING_ARN_ACCOUNT", kind: Warning, details: "This ARN of %s has an account: %s.", own: true},
	{code: "INVALID_ARN_RESOURCE", kind: Error, details: "%s is the ARN of no type of resource of %s."},
	{code: "EMPTY_ARRAY_RESOURCE", kind: Suggestion, details: "Without resources the statement does nothing."},
	{code: "REDUNDANT_RESOURCE", kind: Suggestion, details: "%s is meant already by %s."},

	// Conditions
	{code: "INVALID_CONDITION_OPERATOR", kind: Error, details: "%s is no condition operator."},
	{code: "NULL_WITH_IF_EXISTS", kind: Error, details: "Null asks whether the key is there; IfExists does not go with it."},
	{code: "NULL_WITH_QUALIFIER", kind: Suggestion, details: "Null asks whether the key is there; %s adds nothing."},
	{code: "INVALID_CONDITION_KEY_FORMAT", kind: Error, details: "A condition key has a prefix and a name, such as aws:SourceIp, not %s."},
	{code: "INVALID_GLOBAL_CONDITION_KEY", kind: Error, details: "%s is no global condition key."},
	{code: "UNSUPPORTED_GLOBAL_CONDITION_KEY", kind: Error, details: "%s is no longer supported: use aws:PrincipalArn or aws:SourceArn."},
	{code: "DEPRECATED_GLOBAL_CONDITION_KEY", kind: Warning, details: "%s is outdated: use %s."},
	{code: "INVALID_SERVICE_CONDITION_KEY", kind: Error, details: "%s is no condition key of %s."},
	{code: "UNSUPPORTED_ACTION_FOR_CONDITION_KEY", kind: Error, details: "%s knows no %s: it is in none of its requests."},
	{code: "MISSING_TAG_KEY", kind: Error, details: "Say which tag: %sNAME."},
	{code: "DUPLICATE_KEYS_WITH_DIFFERENT_CASE", kind: Error, details: "%s and %s are one condition key: their names ignore case."},
	{code: "MISSING_QUALIFIER", kind: Error, details: "%s has many values: use ForAnyValue or ForAllValues."},
	{code: "FOR_ALL_VALUES_WITH_SINGLE_VALUED_KEY", kind: SecurityWarning, details: "%s has one value, and ForAllValues also holds when the key is missing. Leave it out."},
	{code: "FOR_ALL_VALUES_WITHOUT_NULL", kind: SecurityWarning, details: "ForAllValues also holds when %s is missing: an Allow needs Null %s false besides.", own: true},
	{code: "EMPTY_OBJECT_CONDITION", kind: Suggestion, details: "An empty condition always holds."},
	{code: "EMPTY_ARRAY_CONDITION", kind: Suggestion, details: "A list without values makes %s never hold."},
	{code: "EMPTY_ARRAY_CONDITION_FOR_ALL_VALUES", kind: Suggestion, details: "Without values %s holds only when %s is missing."},
	{code: "EMPTY_ARRAY_CONDITION_FOR_ANY_VALUE", kind: Suggestion, details: "Without values %s never holds."},
	{code: "EMPTY_ARRAY_CONDITION_IF_EXISTS", kind: Suggestion, details: "Without values %s holds only when %s is missing."},
	{code: "EQUIVALENT_TO_NULL_FALSE", kind: Suggestion, details: "This holds whenever %s is there: say Null false."},
	{code: "EQUIVALENT_TO_NULL_TRUE", kind: Suggestion, details: "This holds only when %s is missing: say Null true."},
	{code: "MISSING_PAIRED_CONDITION_KEYS", kind: SecurityWarning, details: "Private addresses of %s are not unique: add a condition on aws:SourceVpc, aws:SourceVpce, aws:SourceVpcArn, aws:VpceAccount, aws:VpceOrgID or aws:VpceOrgPaths."},
	{code: "ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", kind: Suggestion, details: "%s is not in requests to %s, so that nothing of it is allowed."},
	{code: "DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", kind: SecurityWarning, details: "%s is not in requests to %s, so that nothing of it is denied."},

	// Values
	{code: "TYPE_MISMATCH", kind: Warning, details: "%s is for %s, but %s holds %s."},
	{code: "TYPE_MISMATCH_BOOLEAN", kind: Warning, details: "%s compares with true or false, not %s."},
	{code: "TYPE_MISMATCH_NUMBER", kind: Warning, details: "%s compares with numbers, not %s."},
	{code: "TYPE_MISMATCH_DATE", kind: Warning, details: "%s compares with dates such as 2026-01-31T00:00:00Z, not %s."},
	{code: "INVALID_DATE_VALUE", kind: Warning, details: "%s is given seconds since 1970; say the date: %s."},
	{code: "TYPE_MISMATCH_IP_RANGE", kind: Warning, details: "%s compares with addresses and CIDR blocks, not %s."},
	{code: "TYPE_MISMATCH_STRING", kind: Warning, details: "%s compares with base64, not %s."},
	{code: "INVALID_CONDITION_MULTIPLE_BOOLEAN", kind: Error, details: "%s takes one value."},
	{code: "IMPROVE_IP_RANGE", kind: Suggestion, details: "The host part of %s is not looked at: write %s."},
	{code: "PRIVATE_IP_ADDRESS", kind: Error, details: "aws:SourceIp is a public address; private ones never match. Use aws:VpcSourceIp."},
	{code: "PRIVATE_NOT_IP_ADDRESS", kind: Error, details: "aws:SourceIp is a public address; excepting private ones has no effect. Use aws:VpcSourceIp."},
	{code: "PRIVATE_IP_ADDRESS_SUBSET", kind: Suggestion, details: "aws:SourceIp is a public address; %s never matches."},
	{code: "PRIVATE_NOT_IP_ADDRESS_SUBSET", kind: Suggestion, details: "aws:SourceIp is a public address; excepting %s has no effect."},
	{code: "WILDCARD_WITHOUT_LIKE_OPERATOR", kind: Warning, details: "%s takes the wildcard in %s literally; use a Like operator."},
	{code: "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS", kind: SecurityWarning, details: "A wildcard of %s crosses the colons of an ARN: use ArnLike for %s."},
	{code: "REDUNDANT_CONDITION_VALUE_NUM", kind: Suggestion, details: "Of several values of %s only one counts."},
	{code: "INVALID_VPC_FORMAT", kind: Error, details: "%s is not the id of a VPC."},
	{code: "INVALID_VPCE_FORMAT", kind: Error, details: "%s is not the id of a VPC endpoint."},

	// Variables
	{code: "MISSING_BRACE_IN_VARIABLE", kind: Error, details: "The variable in %s does not end: a } is missing."},
	{code: "MISSING_QUOTE_IN_VARIABLE", kind: Error, details: "The default in %s stands in single quotes."},
	{code: "UNSUPPORTED_SPACE_IN_VARIABLE", kind: Error, details: "The variable in %s has a space in its name."},
	{code: "EMPTY_VARIABLE", kind: Error, details: "The variable in %s has no name."},
	{code: "VARIABLE_UNSUPPORTED_IN_ELEMENT", kind: Error, details: "%s has no variables, but for Resource, NotResource and Condition: %s."},
	{code: "VARIABLE_UNSUPPORTED_IN_VERSION", kind: Error, details: "Variables need Version 2012-10-17; here %s is taken literally."},
	{code: "INVALID_VARIABLE_FOR_OPERATOR", kind: Error, details: "Variables go with operators for strings and ARNs, not with %s."},

	// Rights
	{code: "PASS_ROLE_WITH_STAR_IN_RESOURCE", kind: SecurityWarning, details: "iam:PassRole on all roles: whoever has it can give any role's rights to a service. Name roles."},
	{code: "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE", kind: SecurityWarning, details: "%s holds iam:PassRole, on all roles. Name actions and roles."},
	{code: "PASS_ROLE_WITH_NOT_ACTION_AND_STAR_IN_RESOURCE", kind: SecurityWarning, details: "NotAction leaves iam:PassRole in, on all roles."},
	{code: "PASS_ROLE_WITH_NOT_RESOURCE", kind: SecurityWarning, details: "iam:PassRole with NotResource means all other roles."},
	{code: "PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE", kind: SecurityWarning, details: "%s holds iam:PassRole, on all roles but those of NotResource."},
	{code: "PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE", kind: SecurityWarning, details: "NotAction leaves iam:PassRole in, on all roles but those of NotResource."},
	{code: "CREATE_SLR_WITH_STAR_IN_RESOURCE", kind: Warning, details: "iam:CreateServiceLinkedRole for every service. Name the roles of services."},
	{code: "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE", kind: Warning, details: "%s holds iam:CreateServiceLinkedRole, for every service."},
	{code: "CREATE_SLR_WITH_NOT_ACTION_AND_STAR_IN_RESOURCE", kind: Warning, details: "NotAction leaves iam:CreateServiceLinkedRole in, for every service."},
	{code: "CREATE_SLR_WITH_NOT_RESOURCE", kind: Warning, details: "iam:CreateServiceLinkedRole with NotResource means all other services."},
	{code: "CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE", kind: Warning, details: "%s holds iam:CreateServiceLinkedRole, for all services but those of NotResource."},
	{code: "CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE", kind: Warning, details: "NotAction leaves iam:CreateServiceLinkedRole in, for all services but those of NotResource."},

	// Redundancy and size
	{code: "REDUNDANT_STATEMENT", kind: Suggestion, details: "The statement says what %s says already."},
	{code: "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA", kind: Warning, details: "%d characters without white space, more than the %d of a managed policy."},
	{code: "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA", kind: Warning, details: "%d characters without white space, more than the %d of a trust policy by default."},
	{code: "POLICY_SIZE_EXCEEDS_SCP_QUOTA", kind: Error, details: "%d characters, more than the %d of an SCP."},
	{code: "POLICY_SIZE_EXCEEDS_RCP_QUOTA", kind: Error, details: "%d characters, more than the %d of an RCP."},
	{code: "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA", kind: Warning, details: "%d characters without white space, more than the %d that most services take."},
}

// find returns the finding for a code, without its place.
func find(code string, args ...any) Finding {
	for i := range checks {
		if c := &checks[i]; c.code == code {
			return Finding{Type: c.kind, Code: code, Own: c.own, Details: fmt.Sprintf(c.details, args...)}
		}
	}
	panic("lint: no check " + code)
}

// A Kind of finding, as Checks lists them.
type Kind struct {
	Code string `json:"issueCode"`
	Type Type   `json:"findingType"`
	Own  bool   `json:"own,omitempty"` // a check of ours, which Access Analyzer does not have
}

// Checks lists all findings that there can be.
func Checks() []Kind {
	all := make([]Kind, len(checks))
	for i := range checks {
		all[i] = Kind{checks[i].code, checks[i].kind, checks[i].own}
	}
	return all
}
