// Package kubeanonymouscall finds calls of a Kubernetes API by those who had not signed in.
package kubeanonymouscall

import (
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
)

// The types, by what a call serves.
const (
	credentials = "CredentialAccess:Kubernetes/SuccessfulAnonymousAccess"
	evasion     = "DefenseEvasion:Kubernetes/SuccessfulAnonymousAccess"
	discovery   = "Discovery:Kubernetes/SuccessfulAnonymousAccess"
	impact      = "Impact:Kubernetes/SuccessfulAnonymousAccess"
	persistence = "Persistence:Kubernetes/SuccessfulAnonymousAccess"
)

// Rule is the rule.
var Rule = rule.Rule{
	Name:  "kubeanonymouscall",
	Types: []string{credentials, evasion, discovery, impact, persistence},
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
	out := s.KubeCall(serves(k), r)
	out.Key = k.Resource
	s.Report(out)
}

// serves says what an attacker would make a call for.
func serves(k *record.Kubernetes) string {
	switch {
	case k.Resource == "secrets" && reads(k.Verb), k.Subresource == "token":
		return credentials
	case k.Resource == "events" && (k.Verb == "delete" || k.Verb == "deletecollection"):
		return evasion
	case k.Subresource == "exec" || k.Subresource == "attach" || k.Subresource == "portforward" || k.Subresource == "proxy":
		return impact
	case k.Verb == "delete" || k.Verb == "deletecollection":
		return impact
	case reads(k.Verb):
		return discovery
	case k.Resource == "selfsubjectaccessreviews" || k.Resource == "selfsubjectrulesreviews":
		return discovery
	}
	return persistence
}

func reads(verb string) bool { return verb == "get" || verb == "list" || verb == "watch" }
