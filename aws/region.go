package aws

import "slices"

// regions are the regions of the aws partition, with what each is enabled by
// default. AWS Account Management Reference Guide, "Enable or disable AWS
// Regions in your account".
var regions = []Region{
	"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
	"ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
	"ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
	"eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1",
	"me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
}

// Regions lists the regions of the aws partition in alphabetical order.
func Regions() []Region { return slices.Clone(regions) }

// KnownRegion reports whether r is a region of the aws partition.
func KnownRegion(r Region) bool {
	_, ok := slices.BinarySearch(regions, r)
	return ok
}
