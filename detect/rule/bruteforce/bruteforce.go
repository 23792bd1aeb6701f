// Package bruteforce finds attempts to guess passwords of SSH, RDP and WinRM.
package bruteforce

import (
	"net/netip"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports many connections between the same two hosts that are each as long
// as a log-in that fails. Done by the host it is High, done to it Low.
var Rule = rule.Rule{
	Name: "bruteforce", Types: []string{finding.RDPBruteForce, finding.SSHBruteForce, finding.WinRMBruteForce},
	Class: record.NetworkActivity, State: state, Concerns: concerns, See: see,
}

func state() rule.State { return rule.NewTries(20, 10*time.Minute, 3) }

// attempts says how much a client sends for a log-in that fails: less is a health
// check, or somebody who looks whether the port is open; more is a session.
var attempts = map[uint16]struct {
	typ              string
	packets, bytes   uint64 // at least
	atMost, mostSent uint64
}{
	22:   {finding.SSHBruteForce, 7, 700, 22, 5000},
	3389: {finding.RDPBruteForce, 5, 500, 30, 7000},
	5985: {finding.WinRMBruteForce, 5, 500, 20, 6000},
	5986: {finding.WinRMBruteForce, 5, 500, 30, 8000},
}

func concerns(s *rule.Scene, r *record.Record) bool {
	switch f := r.Flow; f.DstPort { // of what the client sends
	case 22, 3389, 5985, 5986:
		return f.Protocol == 6 && !f.Rejected && f.SrcPort >= 1024 && s.Flow(r) != nil
	}
	return false
}

func see(s *rule.Scene, r *record.Record) {
	f, v := r.Flow, s.Flow(r)
	as := attempts[f.DstPort]
	tries, k := s.State.(*rule.Tries), rule.Try{Host: v.Host, Other: v.Remote, Port: f.DstPort, Way: !v.Outbound}
	switch {
	case f.Packets < as.packets || f.Bytes < as.bytes:
	case f.Packets > as.atMost || f.Bytes > as.mostSent:
		tries.Well(k)
	default:
		if told := tries.Vain(k, netip.AddrPortFrom(f.Src, f.SrcPort), r); told != nil {
			found := s.Traffic(as.typ, r)
			found.Actor, found.Evidence, found.Severity = v.Outbound, told, 2
			if found.Actor {
				found.Severity = 8
				found.Key += " by it"
			}
			s.Report(found)
		}
	}
}
