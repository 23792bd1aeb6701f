// Package abuseddomain finds instances that ask for an address shortener, a tunnel or a file host that is known for being abused.
package abuseddomain

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports names on a list of such domains.
var Rule = rule.Domains("abuseddomain", finding.AbusedDomain, intel.Abused)
