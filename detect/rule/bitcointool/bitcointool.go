// Package bitcointool finds instances that ask for the domain of a mining pool.
package bitcointool

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/source/dns"
	"sumun.dev/finding"
)

// Type is what the rule finds.
const Type = finding.BitcoinToolDNS

// See reports whether the name asked for is on a list of such domains.
func See(r *dns.Record, lists intel.Lists) (finding.Threat, bool) {
	list, entry := lists.Find(intel.Mining, r.Name)
	if list == nil {
		return finding.Threat{}, false
	}
	return finding.Threat{List: list.Name, Entry: entry, Names: list.Threats}, true
}
