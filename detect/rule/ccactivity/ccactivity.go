// Package ccactivity finds instances that ask for the domain of a command and control server.
package ccactivity

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/source/dns"
	"sumun.dev/finding"
)

// Type is what the rule finds.
const Type = finding.CommandAndControlDNS

// See reports whether the name asked for is on a list of such domains.
func See(r *dns.Record, lists intel.Lists) (finding.Threat, bool) {
	list, entry := lists.Find(intel.CommandAndControl, r.Name)
	if list == nil {
		return finding.Threat{}, false
	}
	return finding.Threat{List: list.Name, Entry: entry, Names: list.Threats}, true
}
