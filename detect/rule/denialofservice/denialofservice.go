// Package denialofservice finds hosts that flood others.
package denialofservice

import (
	"net/netip"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

// Rule reports hosts that send very many packets to one public address, and get
// next to none back.
var Rule = rule.Rule{
	Name: "denialofservice", Class: record.NetworkActivity, State: state, Concerns: concerns, See: see,
	Types: []string{finding.FloodDNS, finding.FloodTCP, finding.FloodUDP, finding.FloodUDPOnTCP, finding.FloodOther},
}

const (
	much = 30_000 // packets a minute
	once = 20     // for one packet back
)

// aim is what is flooded, and how.
type aim struct {
	Host rule.Host
	At   netip.Addr
	How  string // the finding type
}

// sent is what went to and fro within a minute.
type sent struct {
	Minute time.Time
	Out    float64
	In     float64
	Before bool // there was too much in the minute before already
	Told   []finding.Evidence
}

// Weight is what the evidence takes.
func (s *sent) Weight() int { return rule.PerEvidence * len(s.Told) }

func state() rule.State { return window.NewKeep[aim, sent](8192) }

func concerns(s *rule.Scene, r *record.Record) bool {
	if f := r.Flow; f.Packets == 0 || f.Rejected {
		return false
	}
	v := s.Flow(r)
	if v == nil || !v.Public {
		return false
	}
	how, _ := kind(r.Flow, v)
	return how != ""
}

func see(s *rule.Scene, r *record.Record) {
	f, v := r.Flow, s.Flow(r)
	how, sure := kind(f, v)
	at, all := aim{v.Host, v.Remote, how}, s.State.(*window.Keep[aim, sent])
	n := all.Find(at)
	if n == nil {
		if !v.Outbound {
			return
		}
		n = all.At(at)
	}
	if minute := r.Time.Truncate(time.Minute); minute.After(n.Minute) {
		*n = sent{Minute: minute, Before: n.Out >= much && n.In*once < n.Out && minute.Sub(n.Minute) <= 10*time.Minute}
	}
	// Of a longer interval only a minute's share counts.
	packets := float64(f.Packets)
	if d := f.End.Sub(f.Start); d > time.Minute {
		packets *= float64(time.Minute) / float64(d)
	}
	if !v.Outbound {
		n.In += packets
		return
	}
	n.Out += packets
	if len(n.Told) < 20 {
		n.Told = append(n.Told, rule.Evidence(r))
	}
	if n.Out < much || n.In*once >= n.Out || !sure && !n.Before {
		return
	}
	found := s.Traffic(how, r)
	found.Actor, found.Evidence = true, n.Told
	n.Told = nil
	if found.Evidence == nil {
		found.Evidence = []finding.Evidence{rule.Evidence(r)}
	}
	s.Report(found)
}

// kind says what kind of flood a flow may be part of; "" for none. It is sure
// unless honest services send so much too, whose answers may yet come.
func kind(f *record.Flow, v *rule.View) (typ string, sure bool) {
	switch f.Protocol {
	case 6:
		// Only floods of connections: one that stands has as many packets without
		// data when it takes much in.
		if v.Outbound && (v.Begun == rule.There || !v.Fruitless && !onlySYN(f)) {
			return "", false
		}
		return finding.FloodTCP, true
	case 17:
		switch port := v.RemotePort; {
		case v.Begun == rule.There: // a server answers
			return "", false
		case port == 53:
			return finding.FloodDNS, true
		case port == 443, port == 500, port == 1194, port == 4500, port == 51820, port >= 3478 && port <= 3481:
			return finding.FloodUDP, false // HTTP/3, tunnels, calls
		case onTCP[port]:
			return finding.FloodUDPOnTCP, true
		}
		return finding.FloodUDP, true
	case 1, 58:
		return "", false
	case 4, 41, 47, 50, 51, 132: // tunnels and SCTP are answered
		return finding.FloodOther, false
	}
	return finding.FloodOther, true
}

func onlySYN(f *record.Flow) bool { return f.Flags == 2 && f.Bytes <= 64*f.Packets }

// onTCP are ports of services that have no business with UDP.
var onTCP = map[uint16]bool{
	20: true, 21: true, 22: true, 23: true, 25: true, 80: true, 110: true, 143: true, 465: true, 587: true, 993: true, 995: true,
	1433: true, 1521: true, 3306: true, 3389: true, 5432: true, 5900: true, 6379: true, 8000: true, 8080: true, 8443: true, 9200: true, 27017: true,
}
