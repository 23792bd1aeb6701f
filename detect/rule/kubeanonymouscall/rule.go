// Package kubeanonymouscall finds calls of a Kubernetes API by those who had not signed in.
package kubeanonymouscall

import (
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
)

const anonymous = ":Kubernetes/SuccessfulAnonymousAccess"

// Rule is the rule.
var Rule = rule.Rule{
	Name:  "kubeanonymouscall",
	Types: []string{"CredentialAccess" + anonymous, "DefenseEvasion" + anonymous, "Discovery" + anonymous, "Impact" + anonymous, "Persistence" + anonymous},
	Class: record.Orchestration,
	See:   see,
}

func see(s *rule.Scene, r *record.Record) {
	k := r.Kubernetes
	if !k.Anonymous() || k.Resource == "" || !(k.Code == 101 || k.Code >= 200 && k.Code < 300) {
		return
	}
	// By this, nodes that have a token only find their cluster.
	if k.Namespace == "kube-public" && k.Resource == "configmaps" && k.Name == "cluster-info" && k.Verb == "get" {
		return
	}
	out := s.KubeCall(rule.KubeServes(k)+anonymous, r)
	out.Key = k.Resource
	s.Report(out)
}
