package trail

import (
	"slices"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/wire"
)

// addResources notes what was worked on, and returns the names under which
// LookupEvents finds the event: each resource's ARN and its last part.
func (r *record) addResources(touches []wire.Touch) []string {
	var names []string
	for _, t := range touches {
		if t.Resource.IsZero() || strings.ContainsAny(t.Resource.Resource, "*?") {
			continue
		}
		arn := t.Resource.String()
		if slices.Contains(names, arn) {
			continue
		}
		r.Resources = append(r.Resources, resource{string(t.Resource.Account), typeOf(t.Resource), arn})
		names = append(names, arn)
		if i := strings.LastIndexAny(t.Resource.Resource, "/:"); i >= 0 && i+1 < len(t.Resource.Resource) {
			names = append(names, t.Resource.Resource[i+1:])
		}
	}
	return names
}

// typeOf names a resource's type as AWS Config does: AWS::KMS::Key. AWS Config
// Developer Guide, "Supported resource types". Empty when none is known.
func typeOf(a aws.ARN) string {
	kind := a.Resource
	if i := strings.IndexAny(kind, "/:"); i >= 0 {
		kind = kind[:i]
	}
	switch a.Service + " " + kind {
	case "kms key":
		return "AWS::KMS::Key"
	case "kms alias":
		return "AWS::KMS::Alias"
	case "iam user":
		return "AWS::IAM::User"
	case "iam role":
		return "AWS::IAM::Role"
	case "iam policy":
		return "AWS::IAM::Policy"
	case "iam group":
		return "AWS::IAM::Group"
	case "secretsmanager secret":
		return "AWS::SecretsManager::Secret"
	case "guardduty detector":
		return "AWS::GuardDuty::Detector"
	case "securityhub hub":
		return "AWS::SecurityHub::Hub"
	case "events rule":
		return "AWS::Events::Rule"
	case "events event-bus":
		return "AWS::Events::EventBus"
	case "route53resolver firewall-domain-list":
		return "AWS::Route53Resolver::FirewallDomainList"
	case "route53resolver firewall-rule-group":
		return "AWS::Route53Resolver::FirewallRuleGroup"
	case "route53resolver firewall-rule-group-association":
		return "AWS::Route53Resolver::FirewallRuleGroupAssociation"
	case "cloudtrail trail":
		return "AWS::CloudTrail::Trail"
	case "ssm document":
		return "AWS::SSM::Document"
	case "acm certificate":
		return "AWS::ACM::Certificate"
	}
	if a.Service == "s3" && kind != "" {
		if strings.Contains(a.Resource, "/") {
			return "AWS::S3::Object"
		}
		return "AWS::S3::Bucket"
	}
	return ""
}
