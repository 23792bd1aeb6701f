// Package tornode finds hosts that use the Tor network or serve it.
package tornode

import (
	"net/netip"
	"slices"
	"time"

	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

// Rule reports hosts that connect to nodes of Tor, and those that nodes connect to
// as well, as they do with a relay.
var Rule = rule.Rule{Name: "tornode", Types: []string{finding.TorClient, finding.TorRelay}, Class: record.NetworkActivity, State: state, Concerns: concerns, See: see}

const (
	span = time.Hour
	few  = 3 // nodes each way that make a relay
)

// seen are the nodes that a host had to do with.
type seen struct {
	Since  time.Time
	Out    []netip.Addr
	In     []netip.AddrPort // and the port they came to
	OutTo  []finding.Evidence
	InFrom []finding.Evidence
}

func state() rule.State { return window.NewKeep[rule.Host, seen](4096) }

func concerns(s *rule.Scene, r *record.Record) bool {
	v := s.Flow(r)
	if v == nil || !v.Public || v.Begun == rule.Unclear {
		return false
	}
	list, _ := v.On(intel.Tor)
	return list != nil || s.Net.Look(v.Remote).Tor
}

func see(s *rule.Scene, r *record.Record) {
	v := s.Flow(r)
	threat := finding.Threat{List: "Tor", Entry: v.Remote.String()}
	if list, entry := v.On(intel.Tor); list != nil {
		threat = rule.Listed(list, entry)
	}
	threat.Entry = "" // a client has many guards, and is one finding
	n := s.State.(*window.Keep[rule.Host, seen]).At(v.Host)
	if n.Since.IsZero() || r.Time.Sub(n.Since) > span {
		*n = seen{Since: r.Time}
	}
	if v.Begun == rule.Here {
		if len(n.Out) < few && !slices.Contains(n.Out, v.Remote) {
			n.Out, n.OutTo = append(n.Out, v.Remote), append(n.OutTo, rule.Evidence(r))
		}
	} else if !v.Fruitless {
		at := netip.AddrPortFrom(v.Remote, v.LocalPort)
		if len(n.In) > 0 && n.In[0].Port() != at.Port() { // users of Tor visit web servers
			if at.Port() == 80 || at.Port() == 443 {
				return
			}
		}
		if len(n.In) < few && !slices.Contains(n.In, at) {
			n.In, n.InFrom = append(n.In, at), append(n.InFrom, rule.Evidence(r))
		}
	}
	if len(n.Out) == few && len(n.In) == few {
		found := s.Traffic(finding.TorRelay, r)
		found.Actor, found.Threat, found.Evidence = true, threat, slices.Concat(n.OutTo, n.InFrom)
		s.Report(found)
		return
	}
	if v.Begun == rule.Here {
		found := s.Traffic(finding.TorClient, r)
		found.Actor, found.Threat = true, threat
		s.Report(found)
	}
}
