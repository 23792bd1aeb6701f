// Package maliciousreputation finds instances that ask for a name whose reputation is low because of what is known to be malicious there.
package maliciousreputation

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports names on a list of such domains.
var Rule = rule.Domains("maliciousreputation", finding.MaliciousReputation, intel.LowReputation)
