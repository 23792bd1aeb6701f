package rule

import (
	"net/netip"
	"strconv"
	"strings"

	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/finding"
)

// Query begins a suspicion about a question to the resolver.
func Query(typ string, r *record.Record, threat finding.Threat) finding.Suspicion {
	d := r.DNS
	return finding.Suspicion{
		Type: typ, Threat: threat, Actor: true,
		Instance: finding.Instance{ID: d.Instance, VPC: d.VPC, Address: d.Source},
		DNS:      &finding.DNSRequest{Domain: d.Domain(), Protocol: d.Transport, Blocked: d.Blocked()},
	}
}

// Listed says which list made something a threat.
func Listed(l *intel.List, entry string) finding.Threat {
	return finding.Threat{List: l.Name, Entry: entry, Names: l.Threats}
}

// Call begins a suspicion about an API call.
func (s *Scene) Call(typ, signal string, r *record.Record) finding.Suspicion {
	a := r.API
	call := &finding.APICall{Service: a.Service, Operation: a.Operation, Error: a.Error, Agent: a.Agent}
	if a.IP.IsValid() {
		call.Remote = s.remote(a.IP)
	} else if strings.Contains(a.Source, ".") {
		call.Domain = a.Source
	}
	if a.Actor.Account != "" && r.Account != "" && a.Actor.Account != string(r.Account) {
		call.OtherAccount = a.Actor.Account
	}
	caller := CallerOf(&a.Actor)
	caller.Instance = a.Delivered(r.Account)
	return finding.Suspicion{Type: typ, Signal: signal, Caller: caller, API: call, Actor: true}
}

// Traffic begins a suspicion about a connection, seen from the host whose
// interface logged it. Where it is not known which instance that is, Key tells
// hosts apart.
func (s *Scene) Traffic(typ string, r *record.Record) finding.Suspicion {
	f := r.Flow
	var v View
	look(&v, f)
	c := &finding.Connection{
		Inbound: !v.Outbound, Unknown: !v.Known, Blocked: f.Rejected, Protocol: Protocol(f.Protocol), Interface: f.Interface,
		Local: v.Local, LocalPort: v.LocalPort, Remote: s.remote(v.Remote),
	}
	c.Remote.Port = v.RemotePort
	out := finding.Suspicion{Type: typ, Actor: v.Outbound, Connection: c, Instance: finding.Instance{VPC: f.VPC, Address: v.Local}}
	if v.Host.Addr.IsValid() {
		out.Key = v.Host.String()
	} else {
		out.Instance.ID = v.Host.ID
	}
	return out
}

// Protocol names an IP protocol as GuardDuty does.
func Protocol(number uint8) string {
	switch number {
	case 1:
		return "ICMP"
	case 6:
		return "TCP"
	case 17:
		return "UDP"
	case 58:
		return "ICMPv6"
	}
	return strconv.Itoa(int(number))
}

// Visit begins a suspicion about a request to a front door.
func (s *Scene) Visit(typ string, r *record.Record) finding.Suspicion {
	h := r.HTTP
	return finding.Suspicion{Type: typ, Connection: &finding.Connection{
		Inbound: true, Blocked: h.Action == "BLOCK", Protocol: "TCP", Remote: s.remote(h.Client),
	}, Key: h.Resource}
}

// KubeCall begins a suspicion about a call of a Kubernetes API server.
func (s *Scene) KubeCall(typ string, r *record.Record) finding.Suspicion {
	k := r.Kubernetes
	call := &finding.KubernetesCall{
		Verb: k.Verb, URI: k.URI, Resource: k.Resource, Subresource: k.Subresource, Namespace: k.Namespace, Name: k.Name,
		Agent: k.Agent, Status: k.Code,
	}
	for _, a := range k.Sources {
		call.Sources = append(call.Sources, s.remote(a))
	}
	return finding.Suspicion{Type: typ, KubeCall: call, Kubernetes: &finding.KubernetesDetails{Cluster: k.Cluster, User: k.User, Groups: k.Groups, Namespace: k.Namespace}}
}

// Evidence names a record as what a suspicion rests on.
func Evidence(r *record.Record) finding.Evidence {
	ev := finding.Evidence{ID: r.ID, File: r.Origin.File, Line: r.Origin.Line, Offset: r.Origin.Offset, At: r.Time}
	switch {
	case r.API != nil:
		ev.Told = r.API.Service + ":" + r.API.Operation
	case r.DNS != nil:
		ev.Told = r.DNS.Type + " " + r.DNS.Domain()
	case r.Flow != nil:
		var told [128]byte
		b := append(r.Flow.Src.AppendTo(told[:0]), " → "...)
		ev.Told = string(netip.AddrPortFrom(r.Flow.Dst, r.Flow.DstPort).AppendTo(b))
	case r.HTTP != nil:
		ev.Told = r.HTTP.Method + " " + r.HTTP.Host + r.HTTP.URL
	case r.Kubernetes != nil:
		ev.Told = r.Kubernetes.Verb + " " + r.Kubernetes.URI
	}
	return ev
}

// CallerOf shows an actor as findings do.
func CallerOf(a *record.Actor) *finding.Caller {
	c := &finding.Caller{AccessKey: a.AccessKey, ID: a.ID, Name: a.Name, Type: a.Type, ARN: a.ARN, Principal: a.Principal(), Account: a.Account}
	if c.Name == "" {
		c.Name = a.Issuer.Name
	}
	return c
}

// remote shows where an address is.
func (s *Scene) remote(a netip.Addr) finding.Remote {
	at := s.Net.Look(a)
	return finding.Remote{
		Address: a, Country: at.Country, City: at.City, ASN: at.ASN, ASOrg: at.ASOrg,
		Latitude: at.Latitude, Longitude: at.Longitude,
	}
}

// Asker names who asked a question, as far as the log tells.
func Asker(d *record.DNS) string {
	if d.Instance != "" {
		return d.Instance
	}
	return d.VPC + " " + d.Source.String()
}
