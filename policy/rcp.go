package policy

import (
	"slices"
	"strings"
)

// resourceControlled reports whether resource control policies have a say in
// an action. Organizations User Guide, "List of AWS services that support RCPs"
// and "Resources and entities not restricted by RCPs".
func resourceControlled(service, action string) bool {
	if strings.EqualFold(service, "kms") && strings.EqualFold(action, "RetireGrant") {
		return false
	}
	return SupportsRCP(service)
}

// SupportsRCP reports whether resource control policies have a say in actions
// that begin with service, in any case.
func SupportsRCP(service string) bool {
	_, found := slices.BinarySearchFunc(rcpServices[:], service, compareFold)
	return found
}

// rcpServices are the action prefixes that support RCPs, sorted.
var rcpServices = [...]string{
	"aoss", "appconfig", "appstream", "autoscaling", "autoscaling-plans", "budgets", "clouddirectory", "cloudfront",
	"cloudsearch", "cloudtrail-data", "codeartifact", "codebuild", "codecommit", "codepipeline", "cognito-identity", "cognito-idp",
	"comprehend", "comprehendmedical", "compute-optimizer", "cost-optimization-hub", "dax", "dsql", "dynamodb", "ecr",
	"ecr-public", "events", "firehose", "fis", "fms", "gamelift", "health", "inspector-scan",
	"kendra", "kinesisvideo", "kms", "logs", "memorydb", "networkmonitor", "notifications", "opensearch",
	"pca-connector-ad", "personalize", "polly", "pricing", "resource-groups", "rolesanywhere", "s3", "secretsmanager",
	"servicediscovery", "signin", "sqs", "sts", "support", "swf", "textract", "timestream-influxdb",
	"transcribe", "transfer", "translate", "wafv2", "workspaces", "xray",
}

// compareFold orders folded, which is in lower case, and s by their ASCII lower case.
func compareFold(folded, s string) int {
	for i := range min(len(folded), len(s)) {
		if c := lower(s[i]); folded[i] != c {
			return int(folded[i]) - int(c)
		}
	}
	return len(folded) - len(s)
}
