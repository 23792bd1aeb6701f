// Package portprobe finds known scanners at open ports.
package portprobe

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports a port that a host on a list of scanners was let in to.
var Rule = rule.Rule{Name: "portprobe", Types: []string{finding.PortProbed}, Class: record.NetworkActivity, See: see}

func see(s *rule.Scene, r *record.Record) {
	f := r.Flow
	if f.Rejected || f.Protocol != 6 {
		return
	}
	v := s.Flow(r)
	if v == nil || v.Outbound || !v.Public || v.Begun != rule.There || v.LocalPort == 80 || v.LocalPort == 443 {
		return
	}
	list, entry := v.On(intel.Scanner)
	if list == nil {
		return
	}
	found := s.Traffic(finding.PortProbed, r)
	found.Threat = rule.Listed(list, entry)
	found.Threat.Entry = "" // many scanners at one host are one finding
	found.Notes = map[string]string{"threatListName": list.Name}
	found.Probe = &finding.PortProbe{Ports: []finding.Connection{*found.Connection}}
	found.Connection = nil
	if v.LocalPort == 9200 || v.LocalPort == 9300 {
		found.Severity = 8 // Elasticsearch: what is in it can be read without a password
	}
	s.Report(found)
}
