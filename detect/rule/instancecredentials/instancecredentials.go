// Package instancecredentials finds credentials of an instance's role that are used elsewhere.
package instancecredentials

import (
	"net/netip"
	"time"

	"sumun.dev/detect/baseline"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/finding"
)

const (
	typ    = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
	inside = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS"
)

// span is as long as the credentials of an instance are valid.
const span = 12 * time.Hour

// Rule reports instances' sessions whose calls come from outside of AWS.
var Rule = rule.Rule{
	Name: "instancecredentials", Types: []string{inside, typ}, Class: record.APIActivity, See: see,
	State: func() rule.State {
		return &state{networks: window.New(2, span, 1<<13), shared: window.New(2, span, 1<<13), regions: window.New(2, span, 1<<13)}
	},
}

type state struct {
	networks *window.Counter // of a key
	shared   *window.Counter // address → instances, people
	regions  *window.Counter // of a key: where AWS's addresses are that it was used from
}

func see(s *rule.Scene, r *record.Record) {
	a, st := r.API, s.State.(*state)
	ip := a.IP.Unmap()
	local := !ip.IsValid() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || a.VPCEndpoint != ""
	if a.ByService() {
		return
	}
	if a.Actor.Instance() == "" {
		if !local && (a.Actor.Type == "IAMUser" || a.Actor.Type == "Root" || a.Actor.OnConsole) {
			st.shared.Add(ip.String(), window.Event{At: r.Time, Value: "person", Note: r.ID})
		}
		return
	}
	if local {
		// It came through an endpoint of the instance's network: its place is known.
		st.networks.Add(a.Actor.AccessKey, window.Event{At: r.Time, Value: "private"})
		return
	}
	at := s.Net.Look(ip)
	switch {
	case at.Cloud == "AWS":
		// An instance leaves AWS by one region; a key that does by two is in two places.
		if at.CloudRegion == "" || at.CloudRegion == "GLOBAL" || a.Actor.AccessKey == "" {
			return
		}
		if all := st.regions.Add(a.Actor.AccessKey, window.Event{At: r.Time, Value: at.CloudRegion, Note: r.ID}); all != nil {
			report(s, r, inside, 0, []finding.Evidence{{ID: all[0].Note, At: all[0].At}, rule.Evidence(r)})
		}
		return
	case at.ASN != 0 && s.Net.Knows("AWS") || at.Cloud != "" || at.Anonymous():
		report(s, r, typ, 0, nil)
		return
	}
	// Whether the address is AWS's is not known. An instance calls from its own address or
	// that of a gateway: one key in two networks is used in two places, and where
	// a person calls from, there is no instance.
	moved := st.networks.Add(a.Actor.AccessKey, window.Event{At: r.Time, Value: network(ip), Note: r.ID})
	met := st.shared.Add(ip.String(), window.Event{At: r.Time, Value: "instance", Note: r.ID})
	j := s.Normal.Judge(r, at)
	if j.Seen(baseline.Principal, baseline.Network) > 0 {
		return
	}
	ev := rule.Evidence(r)
	switch {
	case moved != nil && a.Actor.AccessKey != "" && moved[0].Value != "private":
		report(s, r, typ, 5, []finding.Evidence{{ID: moved[0].Note, At: moved[0].At}, ev})
	case met != nil:
		report(s, r, typ, 5, []finding.Evidence{{ID: met[0].Note, At: met[0].At}, ev})
	case j.Ready && j.Days >= baseline.Known && !j.Roams && j.New(baseline.Everybody, baseline.Network) && j.New(baseline.Principal, baseline.Agent):
		// What instances run, and the way that they leave by, seldom change at once.
		report(s, r, typ, 5, nil)
	}
}

// MarshalBinary writes what was seen.
func (s *state) MarshalBinary() ([]byte, error) { return s.all().MarshalBinary() }

// UnmarshalBinary reads what MarshalBinary wrote.
func (s *state) UnmarshalBinary(b []byte) error { return s.all().UnmarshalBinary(b) }

// Held returns how many bytes of memory is taken, roughly.
func (s *state) Held() int { return s.all().Held() }

// Shed drops some of what was quiet longest.
func (s *state) Shed() { s.all().Shed() }

func (s *state) all() window.Counters {
	return window.Counters{s.networks, s.shared, s.regions}
}

func report(s *rule.Scene, r *record.Record, typ string, severity float64, ev []finding.Evidence) {
	out := s.Call(typ, "", r)
	out.Severity, out.Evidence = severity, ev
	out.Instance.ID = r.API.Actor.Session()
	s.Report(out)
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
