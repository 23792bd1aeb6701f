package ssm

import (
	"context"
	"strings"

	"sumun.dev/aws"
)

// Every document here has one version.
const onlyVersion = "1"

// A named document is what a caller calls it: by name or by ARN.
type named struct {
	name, version string // version as asked for; empty when it is not
	owner         aws.Account
	region        aws.Region
}

// nameOf reads the name of a document: plain, or the ARN of a document or of an
// automation definition.
func nameOf(ctx context.Context, text string) named {
	call := aws.CallOf(ctx)
	n := named{name: text, owner: call.Account, region: call.Region}
	arn, err := aws.ParseARN(text)
	if err != nil || arn.Service != "ssm" {
		return n
	}
	kind, name, ok := strings.Cut(arn.Resource, "/")
	if !ok || kind != "document" && kind != "automation-definition" {
		return n
	}
	n.owner, n.region = arn.Account, arn.Region
	n.name, n.version, _ = strings.Cut(name, ":")
	return n
}

// here reports whether the name is one of the caller's account and region.
func (n named) here(ctx context.Context) bool {
	call := aws.CallOf(ctx)
	return n.owner == call.Account && n.region == call.Region
}

// definition is the ARN of a runbook for starting it.
func (n named) definition(ctx context.Context, version string) aws.ARN {
	arn := aws.CallOf(ctx).ARN("ssm", "automation-definition/"+n.name+":"+version)
	arn.Account, arn.Region = n.owner, n.region
	return arn
}

func executionARN(ctx context.Context, id string) aws.ARN {
	return aws.CallOf(ctx).ARN("ssm", "automation-execution/"+id)
}

func known(version string) bool {
	return version == "" || version == "$DEFAULT" || version == "$LATEST" || version == onlyVersion
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
