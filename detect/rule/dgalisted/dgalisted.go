// Package dgalisted finds instances that ask for a name that an algorithm of known malware makes.
package dgalisted

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports names on a list of such domains.
var Rule = rule.Domains("dgalisted", finding.DGADomainDNS, intel.Generated)
