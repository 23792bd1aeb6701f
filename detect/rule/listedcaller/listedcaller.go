// Package listedcaller finds API calls from addresses known for bad, and from Tor.
package listedcaller

import (
	"strings"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports calls by what they do and by which list their address is on.
var Rule = rule.Rule{Name: "listedcaller", Class: record.APIActivity, See: see, Types: []string{
	"Discovery:S3/MaliciousIPCaller", "Discovery:S3/MaliciousIPCaller.Custom", "Discovery:S3/TorIPCaller",
	"Exfiltration:S3/MaliciousIPCaller", "Impact:S3/MaliciousIPCaller",
	"Recon:IAMUser/MaliciousIPCaller", "Recon:IAMUser/MaliciousIPCaller.Custom", "Recon:IAMUser/TorIPCaller",
	"UnauthorizedAccess:IAMUser/MaliciousIPCaller", "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom", "UnauthorizedAccess:IAMUser/TorIPCaller",
	"UnauthorizedAccess:S3/MaliciousIPCaller.Custom", "UnauthorizedAccess:S3/TorIPCaller",
}}

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.ByService() {
		return
	}
	how, threat := s.ListedCaller(a.IP)
	if how == "" {
		return
	}
	looks := looksAround(a)
	typ, bucket := "UnauthorizedAccess:IAMUser/"+how, ""
	if looks {
		typ = "Recon:IAMUser/" + how
	}
	if a.Service == "s3.amazonaws.com" {
		bucket = a.Request.Str("bucketName")
	}
	if bucket != "" {
		switch {
		case looks:
			typ = "Discovery:S3/" + how
		case how != rule.MaliciousIPCaller:
			typ = "UnauthorizedAccess:S3/" + how
		case strings.HasPrefix(a.Operation, "Get") || strings.HasPrefix(a.Operation, "Select"):
			typ = "Exfiltration:S3/" + how
		default:
			typ = "Impact:S3/" + how
		}
	}
	found := s.Call(typ, "", r)
	found.Threat = threat
	if bucket != "" {
		found.Buckets = []finding.Bucket{{Name: bucket}}
	}
	s.Report(found)
}

// looksAround reports whether a call tells what there is, and neither changes it
// nor hands out what it holds.
func looksAround(a *record.API) bool {
	for _, verb := range [...]string{"Describe", "List", "Head", "Lookup", "Search"} {
		if strings.HasPrefix(a.Operation, verb) {
			return true
		}
	}
	if !strings.HasPrefix(a.Operation, "Get") {
		return false
	}
	if a.Service == "s3.amazonaws.com" {
		return a.Operation != "GetObject" && a.Operation != "GetObjectTorrent"
	}
	switch a.Operation {
	case "GetFederationToken", "GetSessionToken", "GetSecretValue", "GetPasswordData", "GetAuthorizationToken", "GetRoleCredentials", "GetCredentialsForIdentity":
		return false
	}
	return a.ReadOnly || a.Management
}
