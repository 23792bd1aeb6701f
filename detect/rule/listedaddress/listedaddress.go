// Package listedaddress finds hosts that talk to addresses known for bad.
package listedaddress

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports connections that a host began to addresses on lists.
var Rule = rule.Rule{
	Name: "listedaddress", Class: record.NetworkActivity, See: see,
	Types: []string{finding.CommandAndControl, finding.BitcoinTool, finding.BlackholeTraffic, finding.DropPoint, finding.MaliciousAddress},
}

var kinds = [...]struct {
	kind intel.Kind
	typ  string
}{
	{intel.CommandAndControl, finding.CommandAndControl}, {intel.Mining, finding.BitcoinTool}, {intel.Blackhole, finding.BlackholeTraffic},
	{intel.DropPoint, finding.DropPoint}, {intel.Custom, finding.MaliciousAddress},
}

func see(s *rule.Scene, r *record.Record) {
	v := s.Flow(r)
	if v == nil || !v.Listed() || v.Begun == rule.There {
		return
	}
	if !v.Outbound && v.Fruitless { // somebody at the door, who was not let in
		return
	}
	for _, k := range kinds {
		if list, entry := v.On(k.kind); list != nil {
			found := s.Traffic(k.typ, r)
			found.Actor, found.Threat = true, rule.Listed(list, entry)
			s.Report(found)
		}
	}
}
