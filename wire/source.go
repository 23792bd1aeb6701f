package wire

import (
	"context"

	"sumun.dev/aws"
)

type sourceKey struct{}

// OnBehalf returns a context in which a service acts as itself for one of its
// resources, such as a rule or an execution: policies then see its ARN as
// aws:SourceArn. It changes nothing for calls that are made as somebody else.
func OnBehalf(ctx context.Context, source aws.ARN) context.Context {
	return context.WithValue(ctx, sourceKey{}, source)
}

// SourceOf returns the resource that OnBehalf has named; the zero ARN when none was.
func SourceOf(ctx context.Context) aws.ARN {
	arn, _ := ctx.Value(sourceKey{}).(aws.ARN)
	return arn
}
