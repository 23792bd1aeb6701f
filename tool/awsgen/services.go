package main

import "strings"

// A service is one row of the list of services that are generated.
type service struct {
	Name        string // the model's folder
	Prefix      string // of IAM actions; empty: the model's endpoint prefix
	EventSource string // CloudTrail's; empty: Prefix + ".amazonaws.com"
	Global      bool   // one endpoint for all regions
	Violation   string // the error code of a broken constraint; empty: the protocol's
}

// services lists what is generated. One line adds a service. Where IAM or
// CloudTrail disagree with the model, the Service Authorization Reference and
// CloudTrail's records decide.
var services = []service{
	{Name: "acm"},
	{Name: "cloudtrail"},
	{Name: "ec2"},
	{Name: "events"},
	{Name: "guardduty", Violation: "BadRequestException"}, // the one client error its API reference names
	{Name: "iam", Global: true},                           // one control plane in us-east-1 for the whole partition
	{Name: "identitystore"},
	{Name: "kms"},
	{Name: "lambda"},
	{Name: "logs", Violation: "InvalidParameterException"},
	{Name: "organizations", Global: true}, // as IAM; the model does not say globalEndpoint
	{Name: "route53resolver"},
	{Name: "s3"}, // the model's global endpoint is a legacy alias: buckets live in regions
	{Name: "secretsmanager"},
	{Name: "securityhub", Violation: "InvalidInputException"},
	{Name: "sns"},
	{Name: "sqs"},
	{Name: "ssm"},
	{Name: "sso", Prefix: "sso"},
	{Name: "sso-admin", Prefix: "sso"},
	{Name: "sso-oidc", Prefix: "sso-oauth"},
	{Name: "stepfunctions"}, // endpoint, IAM prefix and event source are all "states"
	{Name: "sts"},           // each region answers; clients of the global endpoint sign for us-east-1
}

// Package returns the name of the generated package.
func (s service) Package() string { return strings.ReplaceAll(s.Name, "-", "") + "api" }

// complete fills in what the model says where the row is silent.
func (s service) complete(m *model) service {
	if s.Prefix == "" {
		s.Prefix = m.Metadata.EndpointPrefix
	}
	if s.EventSource == "" {
		s.EventSource = s.Prefix + ".amazonaws.com"
	}
	return s
}
