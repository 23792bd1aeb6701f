// Package maliciousdomain finds instances that ask for a domain on the customer's own threat lists.
package maliciousdomain

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/source/dns"
	"sumun.dev/finding"
)

// Type is what the rule finds.
const Type = finding.MaliciousDomain

// See reports whether the name asked for is on a list of the account, else on a
// feed of malicious domains that the plane's owner has configured.
func See(r *dns.Record, lists intel.Lists) (finding.Threat, bool) {
	list, entry := lists.Find(intel.Custom, r.Name)
	if list == nil {
		list, entry = lists.Find(intel.Malicious, r.Name)
	}
	if list == nil {
		return finding.Threat{}, false
	}
	return finding.Threat{List: list.Name, Entry: entry, Names: list.Threats}, true
}
