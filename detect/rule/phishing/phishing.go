// Package phishing finds instances that ask for a name that is known for phishing.
package phishing

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports names on a list of such domains.
var Rule = rule.Domains("phishing", finding.PhishingDNS, intel.Phishing)
