package rule

import (
	"strings"

	"sumun.dev/detect/enrich"
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
		call.Remote = Remote(s.Net, r)
	} else if strings.Contains(a.Source, ".") {
		call.Domain = a.Source
	}
	if a.Actor.Account != "" && r.Account != "" && a.Actor.Account != string(r.Account) {
		call.OtherAccount = a.Actor.Account
	}
	return finding.Suspicion{Type: typ, Signal: signal, Caller: CallerOf(&a.Actor), API: call, Actor: true}
}

// CallerOf shows an actor as findings do.
func CallerOf(a *record.Actor) *finding.Caller {
	c := &finding.Caller{AccessKey: a.AccessKey, ID: a.ID, Name: a.Name, Type: a.Type, ARN: a.ARN, Principal: a.Principal(), Account: a.Account}
	if c.Name == "" {
		c.Name = a.Issuer.Name
	}
	return c
}

// Remote shows where a call came from.
func Remote(net *enrich.Net, r *record.Record) finding.Remote {
	at := net.Look(r.API.IP)
	return finding.Remote{
		Address: r.API.IP, Country: at.Country, City: at.City, ASN: at.ASN, ASOrg: at.ASOrg,
		Latitude: at.Latitude, Longitude: at.Longitude,
	}
}
