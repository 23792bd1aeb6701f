// Package bitcoindomain finds instances that ask for a name of low reputation that has to do with cryptocurrency.
package bitcoindomain

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports names on a list of such domains.
var Rule = rule.Domains("bitcoindomain", finding.BitcoinDomain, intel.Coins)
