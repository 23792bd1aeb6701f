// Package droppoint finds instances that ask for a host that is known to hold stolen credentials and data.
package droppoint

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports names on a list of such domains.
var Rule = rule.Domains("droppoint", finding.DropPointDNS, intel.DropPoint)
