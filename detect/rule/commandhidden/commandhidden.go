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
	case word(raw, "nc -e"), contains(raw, "/dev/tcp/", "/dev/udp/", "ncat -e", "mkfifo /tmp", "socket.socket", "stratum+tcp", "stratum+ssl", "xmrig"):
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

// word reports whether a text stands in raw and begins a word there: "nc -e" is no
// part of "rsync -e".
func word(raw []byte, w string) bool {
	for from := 0; ; {
		i := bytes.Index(raw[from:], []byte(w))
		if i < 0 {
			return false
		}
		i += from
		if i == 0 || !letter(raw[i-1]) || i > 1 && raw[i-2] == '\\' { // a line break is \n in JSON
			return true
		}
		from = i + len(w)
	}
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-' }
