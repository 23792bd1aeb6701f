// Package commandhidden finds commands in requests that only intruders give.
package commandhidden

import (
	"bytes"
	"strings"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
)

const typ = "InitialAccess:IAMUser/AnomalousBehavior"

// Rule reports requests that hand a program the task to send its credentials away,
// to open a shell to somebody, or to mine.
var Rule = rule.Rule{Name: "commandhidden", Types: []string{typ}, Class: record.APIActivity, See: see}

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.ReadOnly || a.ByService() || len(a.Request.Raw()) < 32 {
		return
	}
	raw := a.Request.Raw()
	signal := ""
	switch {
	case contains(raw, "/dev/tcp/", "/dev/udp/", "nc -e", "ncat -e", "mkfifo /tmp", "socket.socket", "stratum+tcp", "stratum+ssl", "xmrig"):
		signal = "ShellOrMinerStarted"
	case contains(raw, "169.254.170.2", "169.254.169.254", "AWS_CONTAINER_CREDENTIALS") && contains(raw, "curl", "wget", "urllib", "requests.", "Invoke-"):
		signal = "CredentialsFetchedByCommand"
	case contains(raw, "base64 -d", "base64 --decode", "curl ", "wget ") && contains(raw, "| bash", "|bash", "| sh", "|sh"):
		if !strings.HasPrefix(a.Service, "codebuild") { // builds fetch their tools so
			signal = "CommandFetched"
		}
	}
	if signal == "" {
		return
	}
	out := s.Call(typ, signal, r)
	out.Severity, out.Key = 5, a.Service+":"+a.Operation
	s.Report(out)
}

func contains(raw []byte, any ...string) bool {
	for _, w := range any {
		if bytes.Contains(raw, []byte(w)) {
			return true
		}
	}
	return false
}
