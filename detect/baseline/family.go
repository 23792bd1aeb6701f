package baseline

import (
	"strings"

	"sumun.dev/detect/record"
)

// Family returns what a user agent is without what changes from one release or
// machine to the next: its first product and, for AWS's SDKs, what runs them. A
// browser is its engine.
func Family(agent string) string {
	first, rest, _ := strings.Cut(agent, " ")
	name, _, _ := strings.Cut(first, "/")
	name = letters(name)
	switch {
	case name == "":
		return ""
	case name == "Mozilla":
		for _, b := range []string{"Firefox/", "Edg/", "Chrome/", "Safari/"} {
			if strings.Contains(rest, b) {
				return "browser " + strings.TrimSuffix(b, "/")
			}
		}
		return "browser"
	}
	// What is put before an SDK's own name, or after it, is the program's.
	for _, p := range strings.Fields(rest) {
		product, _, _ := strings.Cut(p, "/")
		switch {
		case strings.HasPrefix(p, "os/"):
			os, _, _ := strings.Cut(strings.TrimPrefix(p, "os/"), "#")
			return name + " " + letters(os)
		case strings.HasPrefix(product, "aws-sdk"):
			name += " " + letters(product)
		}
	}
	return name
}

// letters cuts a name where digits begin to tell one machine or run from another.
func letters(s string) string {
	s = strings.Trim(s, "[]();")
	run := 0
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			if run++; run > 1 {
				return strings.TrimRight(s[:i-1], "_-.")
			}
			continue
		}
		run = 0
	}
	if len(s) > 64 {
		s = s[:64]
	}
	return s
}

// Group names the peers of an actor: those who work in the same way.
func Group(a *record.Actor) string {
	switch {
	case a.Type != "AssumedRole":
		return a.Type
	case strings.HasPrefix(a.Session(), "i-"):
		return "instance"
	case strings.Contains(a.Issuer.ARN, ":role/aws-service-role/"):
		return "service role"
	case strings.Contains(a.Issuer.ARN, ":role/aws-reserved/sso.amazonaws.com/"):
		return "single sign-on"
	case a.Provider != "":
		return "federated role"
	}
	return "role"
}
