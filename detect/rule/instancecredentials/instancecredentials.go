// Package instancecredentials finds credentials of an instance's role that are used elsewhere.
package instancecredentials

import (
	"net/netip"
	"strings"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

const typ = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"

// Rule reports instances' sessions whose calls come from outside of AWS.
var Rule = rule.Rule{
	Name: "instancecredentials", Types: []string{typ}, Class: record.APIActivity, See: see,
	// Two networks within as long as the credentials of an instance are valid.
	State: func() rule.State { return window.New(2, 12*time.Hour, 1<<14) },
}

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.Actor.Type != "AssumedRole" || !instance(a.Actor.Session()) || a.ByService() {
		return
	}
	ip := a.IP.Unmap()
	if !ip.IsValid() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || a.VPCEndpoint != "" {
		// It came through an endpoint of the instance's network: its place is known.
		s.State.(*window.Counter).Add(a.Actor.AccessKey, window.Event{At: r.Time, Value: "private"})
		return
	}
	at := s.Net.Look(ip)
	switch {
	case at.Cloud == "AWS":
		return
	case at.ASN != 0 || at.Cloud != "" || at.Anonymous():
		report(s, r, 0, nil)
		return
	}
	// Nothing is known of addresses. An instance calls from its own address or
	// that of a gateway: one key in two networks is used in two places.
	ev := rule.Evidence(r)
	both := s.State.(*window.Counter).Add(a.Actor.AccessKey, window.Event{At: r.Time, Value: network(ip), Note: ev.ID})
	if both == nil || a.Actor.AccessKey == "" {
		return
	}
	if first := both[0]; first.Value != "private" {
		report(s, r, 5, []finding.Evidence{{ID: first.Note, At: first.At}, ev})
	}
}

func report(s *rule.Scene, r *record.Record, severity float64, ev []finding.Evidence) {
	out := s.Call(typ, "", r)
	out.Severity, out.Evidence = severity, ev
	out.Instance.ID = r.API.Actor.Session()
	s.Report(out)
}

// instance reports whether a session is named as EC2 names those of instances.
func instance(session string) bool {
	id, ok := strings.CutPrefix(session, "i-")
	return ok && (len(id) == 8 || len(id) == 17) && strings.Trim(id, "0123456789abcdef") == ""
}

// network is wide enough for the gateways of one place of the cloud.
func network(ip netip.Addr) string {
	length := 12
	if ip.Is6() {
		length = 32
	}
	p, _ := ip.Prefix(length)
	return p.String()
}
