package rule

import (
	"net/netip"

	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/finding"
)

// How a caller's address is known: the end of the names of finding types.
const (
	MaliciousIPCaller       = "MaliciousIPCaller"
	MaliciousIPCallerCustom = "MaliciousIPCaller.Custom"
	TorIPCaller             = "TorIPCaller"
)

// ListedCaller says how the address of a caller is known; empty when it is on no list,
// or trusted. What the account itself says comes first.
func (s *Scene) ListedCaller(a netip.Addr) (how string, threat finding.Threat) {
	if !a.IsValid() || a.IsPrivate() || s.Lists.TrustsAddr(a) {
		return "", threat
	}
	for _, k := range [...]struct {
		kind intel.Kind
		how  string
	}{{intel.Custom, MaliciousIPCallerCustom}, {intel.Tor, TorIPCaller}, {intel.Malicious, MaliciousIPCaller}, {intel.CommandAndControl, MaliciousIPCaller}} {
		if list, entry := s.Lists.FindAddr(k.kind, a); list != nil {
			threat = Listed(list, entry)
			if k.how == TorIPCaller {
				threat.Entry = "" // Tor gives its users another address every few minutes
			}
			return k.how, threat
		}
	}
	if s.Net.Look(a).Tor {
		return TorIPCaller, finding.Threat{List: "Tor"}
	}
	return "", threat
}

// KubeServes says what an attacker would make a call of a Kubernetes API for: the
// beginning of the names of finding types.
func KubeServes(k *record.Kubernetes) string {
	reads := k.Verb == "get" || k.Verb == "list" || k.Verb == "watch"
	switch {
	case k.Resource == "secrets" && reads, k.Subresource == "token":
		return "CredentialAccess"
	case k.Resource == "events" && (k.Verb == "delete" || k.Verb == "deletecollection"):
		return "DefenseEvasion"
	case k.Subresource == "exec" || k.Subresource == "attach" || k.Subresource == "portforward" || k.Subresource == "proxy":
		return "Impact"
	case k.Verb == "delete" || k.Verb == "deletecollection":
		return "Impact"
	case reads:
		return "Discovery"
	case k.Resource == "selfsubjectaccessreviews" || k.Resource == "selfsubjectrulesreviews":
		return "Discovery"
	}
	return "Persistence"
}
