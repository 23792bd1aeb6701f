package trail

import (
	"strings"

	"sumun.dev/aws"
)

// A resource is what a call touched, as the trail shows it.
type resource struct {
	arn  aws.ARN
	kind string // CloudFormation's name of the type: "AWS::IAM::User"
}

// touched keeps the ARNs that name one resource each, once.
func (r *record) touched(arns []aws.ARN) {
	for _, a := range arns {
		if a.IsZero() || wildcard(a) || r.has(a) {
			continue
		}
		r.resources = append(r.resources, resource{a, kindOf(a)})
	}
}

// wildcard reports whether an ARN stands for what has no name yet: all of a kind, or a
// secret whose random characters are still to be drawn.
func wildcard(a aws.ARN) bool {
	return strings.HasSuffix(a.Resource, "*") || a.Service == "secretsmanager" && strings.HasSuffix(a.Resource, "-??????")
}

func (r *record) has(a aws.ARN) bool {
	for _, t := range r.resources {
		if t.arn == a {
			return true
		}
	}
	return false
}

// name is what LookupEvents calls the resource: IAM's by their names, others by
// their ARNs.
func (t resource) name() string {
	if t.arn.Service == "iam" {
		return t.arn.Resource[strings.LastIndexByte(t.arn.Resource, '/')+1:]
	}
	return t.arn.String()
}

func appendResources(b []byte, all []resource) []byte {
	if len(all) == 0 {
		return b
	}
	b = append(b, `,"resources":[`...)
	for i, t := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"accountId":`...)
		b = appendString(b, string(t.arn.Account))
		if t.kind != "" {
			b = append(b, `,"type":`...)
			b = appendString(b, t.kind)
		}
		b = append(b, `,"ARN":`...)
		b = appendARN(b, t.arn)
		b = append(b, '}')
	}
	return append(b, ']')
}

// kindOf names the type of a resource; empty when we know of none.
// CloudTrail User Guide, "resources", and the CloudFormation resource types.
func kindOf(a aws.ARN) string {
	noun := a.Resource
	if i := strings.IndexAny(noun, "/:"); i >= 0 {
		noun = noun[:i]
	}
	switch a.Service {
	case "iam":
		return in(noun, "user", "AWS::IAM::User", "role", "AWS::IAM::Role", "group", "AWS::IAM::Group", "policy", "AWS::IAM::Policy",
			"instance-profile", "AWS::IAM::InstanceProfile", "mfa", "AWS::IAM::MfaDevice")
	case "kms":
		return in(noun, "key", "AWS::KMS::Key", "alias", "AWS::KMS::Alias")
	case "secretsmanager":
		return in(noun, "secret", "AWS::SecretsManager::Secret")
	case "ssm":
		return in(noun, "parameter", "AWS::SSM::Parameter", "document", "AWS::SSM::Document",
			"automation-definition", "AWS::SSM::Document", "automation-execution", "AWS::SSM::AutomationExecution")
	case "s3":
		if strings.Contains(a.Resource, "/") {
			return "AWS::S3::Object"
		}
		return "AWS::S3::Bucket"
	case "guardduty":
		return in(noun, "detector", "AWS::GuardDuty::Detector")
	case "securityhub":
		return in(noun, "hub", "AWS::SecurityHub::Hub")
	case "events":
		return in(noun, "rule", "AWS::Events::Rule", "event-bus", "AWS::Events::EventBus")
	case "route53resolver":
		return in(noun, "firewall-domain-list", "AWS::Route53Resolver::FirewallDomainList",
			"firewall-rule-group", "AWS::Route53Resolver::FirewallRuleGroup",
			"firewall-rule-group-association", "AWS::Route53Resolver::FirewallRuleGroupAssociation",
			"resolver-query-log-config", "AWS::Route53Resolver::ResolverQueryLoggingConfig")
	case "lambda":
		return in(noun, "function", "AWS::Lambda::Function")
	case "logs":
		return in(noun, "log-group", "AWS::Logs::LogGroup")
	case "sns":
		return "AWS::SNS::Topic"
	case "sqs":
		return "AWS::SQS::Queue"
	case "cloudtrail":
		return in(noun, "trail", "AWS::CloudTrail::Trail")
	}
	return ""
}

// in looks noun up in pairs of nouns and types.
func in(noun string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == noun {
			return pairs[i+1]
		}
	}
	return ""
}
