// Package unusualtraffic finds hosts that talk on ports, or send amounts, that they never did.
package unusualtraffic

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

// Rule learns the ports and amounts of each host, and reports what breaks its
// habit once it was watched for long enough.
var Rule = rule.Rule{Name: "unusualtraffic", Types: []string{finding.PortUnusual, finding.VolumeUnusual}, Class: record.NetworkActivity, State: state, Concerns: concerns, See: see}

const (
	learns   = 7 * 24 * time.Hour
	days     = 5  // on which it was seen
	maxPorts = 64 // a host with more has no habit
	piece    = 1 << 20
	big      = 1 << 30 // bytes an hour to one address
	times    = 10
)

type habit struct {
	Since time.Time
	Day   int64
	Days  int
	Ports []uint16
	Most  uint64 // bytes within an hour to one public address, of hours that are over
	Now   uint64 // of this one
	Hour  int64
}

type flow struct {
	Host rule.Host
	To   netip.Addr
}

type sent struct {
	Hour  int64
	Bytes uint64
	Told  []finding.Evidence
}

// known is the state.
type known struct {
	Hosts *window.Keep[rule.Host, habit]
	Sent  *window.Keep[flow, sent]
	Users *window.Keep[uint16, []rule.Host] // of a port; two are enough
}

func state() rule.State {
	return &known{window.NewKeep[rule.Host, habit](8192), window.NewKeep[flow, sent](8192), window.NewKeep[uint16, []rule.Host](4096)}
}

// Held returns how many bytes of memory is taken, roughly.
func (k *known) Held() int { return window.Held[window.Holder](k.Hosts, k.Sent, k.Users) }

// Shed drops some of what was quiet longest.
func (k *known) Shed() { window.Shed[window.Holder](k.Hosts, k.Sent, k.Users) }

// Weight is what the list of a habit takes.
func (h *habit) Weight() int { return 2 * len(h.Ports) }

// Weight is what the evidence takes.
func (s *sent) Weight() int { return rule.PerEvidence * len(s.Told) }

func concerns(s *rule.Scene, r *record.Record) bool {
	if r.Flow.Rejected {
		return false
	}
	v := s.Flow(r)
	return v != nil && v.Outbound && v.Public
}

func see(s *rule.Scene, r *record.Record) {
	f, v := r.Flow, s.Flow(r)
	k := s.State.(*known)
	h := k.Hosts.At(v.Host)
	if h.Since.IsZero() {
		h.Since = r.Time
	}
	if day := r.Time.Unix() / 86400; day > h.Day {
		h.Day = day
		h.Days++
	}
	learnt := h.Days > days && r.Time.Sub(h.Since) >= learns
	if f.Bytes >= piece {
		k.volume(s, r, v, h, learnt)
	}
	if v.Begun != rule.Here || v.Fruitless || f.Protocol != 6 && f.Protocol != 17 || slices.Contains(h.Ports, v.RemotePort) {
		return
	}
	users := k.Users.At(v.RemotePort)
	shared := slices.ContainsFunc(*users, func(u rule.Host) bool { return u != v.Host })
	if len(*users) < 2 && !slices.Contains(*users, v.Host) {
		*users = append(*users, v.Host)
	}
	if len(h.Ports) == maxPorts {
		return
	}
	h.Ports = append(h.Ports, v.RemotePort)
	if !learnt || shared || common(v.RemotePort) {
		return
	}
	found := s.Traffic(finding.PortUnusual, r)
	found.Actor = true
	found.Key += " port " + strconv.Itoa(int(v.RemotePort))
	found.Unusual = []finding.Unusual{{Feature: "port", Value: strconv.Itoa(int(v.RemotePort)), Of: "instance", Total: uint64(len(h.Ports) - 1), Score: 1}}
	if v.RemotePort == 389 || v.RemotePort == 1389 {
		found.Severity = 8
		found.Notes = map[string]string{"context": "Possible log4j callback"}
	}
	s.Report(found)
}

// common are ports that hosts begin to use every day.
func common(port uint16) bool { return port == 80 || port == 443 || port == 53 || port == 123 }

func (k *known) volume(s *rule.Scene, r *record.Record, v *rule.View, h *habit, learnt bool) {
	n, hour := k.Sent.At(flow{v.Host, v.Remote}), r.Time.Unix()/3600
	if hour > n.Hour {
		*n = sent{Hour: hour}
	}
	if hour > h.Hour { // what is normal are hours that are over
		h.Hour, h.Most, h.Now = hour, max(h.Most, h.Now), 0
	}
	n.Bytes += r.Flow.Bytes
	h.Now = max(h.Now, n.Bytes)
	if len(n.Told) < 20 {
		n.Told = append(n.Told, rule.Evidence(r))
	}
	if !learnt || n.Bytes < big || n.Bytes/times < h.Most {
		return
	}
	found := s.Traffic(finding.VolumeUnusual, r)
	found.Actor, found.Evidence = true, n.Told
	n.Told = nil
	found.Unusual = []finding.Unusual{{Feature: "volume", Value: strconv.FormatUint(n.Bytes, 10), Of: "instance", Total: h.Most, Score: 1}}
	s.Report(found)
}

// saved is the state as it is written down.
type saved struct{ Hosts, Sent, Users []byte }

func (k *known) MarshalBinary() ([]byte, error) {
	hosts, e1 := k.Hosts.MarshalBinary()
	sent, e2 := k.Sent.MarshalBinary()
	users, e3 := k.Users.MarshalBinary()
	if err := errors.Join(e1, e2, e3); err != nil {
		return nil, err
	}
	return json.Marshal(saved{hosts, sent, users})
}

func (k *known) UnmarshalBinary(b []byte) error {
	var in saved
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	return errors.Join(k.Hosts.UnmarshalBinary(in.Hosts), k.Sent.UnmarshalBinary(in.Sent), k.Users.UnmarshalBinary(in.Users))
}
