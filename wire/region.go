package wire

import (
	"context"

	"sumun.dev/aws"
)

type regionKey struct{}

// InRegion returns a context in which a service makes its next calls in another
// region of the same account, as the same caller: a replica is encrypted where it
// will be read. What those calls call is again in their own region.
func InRegion(ctx context.Context, region aws.Region) context.Context {
	return context.WithValue(ctx, regionKey{}, region)
}

// RegionOf returns the region that InRegion has named; empty when none was.
func RegionOf(ctx context.Context) aws.Region {
	region, _ := ctx.Value(regionKey{}).(aws.Region)
	return region
}
