// Package driveby finds instances that ask for a host that is known for drive-by downloads.
package driveby

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports names on a list of such domains.
var Rule = rule.Domains("driveby", finding.DriveByDNS, intel.DriveBy)
