// Package kubelistedcaller finds calls of a Kubernetes API from addresses known for bad, and from Tor.
package kubelistedcaller

import (
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
)

// Rule reports calls by what they serve and by which list their address is on.
var Rule = rule.Rule{Name: "kubelistedcaller", Types: types(), Class: record.Orchestration, See: see}

func types() (all []string) {
	for _, tactic := range [...]string{"CredentialAccess", "DefenseEvasion", "Discovery", "Impact", "Persistence"} {
		for _, how := range [...]string{rule.MaliciousIPCaller, rule.MaliciousIPCallerCustom, rule.TorIPCaller} {
			all = append(all, tactic+":Kubernetes/"+how)
		}
	}
	return all
}

func see(s *rule.Scene, r *record.Record) {
	k := r.Kubernetes
	if k.Resource == "" || len(k.Sources) == 0 || k.BySystem() {
		return
	}
	// The first is who called, the others are what stood between.
	how, threat := s.ListedCaller(k.Sources[0])
	if how == "" {
		return
	}
	out := s.KubeCall(rule.KubeServes(k)+":Kubernetes/"+how, r)
	out.Threat = threat
	s.Report(out)
}
