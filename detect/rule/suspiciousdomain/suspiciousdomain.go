// Package suspiciousdomain finds instances that ask for a young or rarely asked-for name of low reputation.
package suspiciousdomain

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports names on a list of such domains.
var Rule = rule.Domains("suspiciousdomain", finding.SuspiciousDomain, intel.Suspicious)
