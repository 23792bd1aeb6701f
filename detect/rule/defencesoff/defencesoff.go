// Package defencesoff finds what watches or protects an account being switched off.
package defencesoff

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
)

const (
	typ   = "DefenseEvasion:IAMUser/AnomalousBehavior"
	off   = "LogsOrDetectorsDeleted"
	blind = "DetectionSilenced"
	weak  = "ProtectionWeakened"
)

// What makes many: alarms and rules, and groups of logs, within span.
const (
	alarms, groups = 3, 8
	span           = 10 * time.Minute
)

// Rule reports calls by what they end: a service that watches, its findings, or
// a protection; alarms and groups of logs when there are many.
var Rule = rule.Rule{
	Name: "defencesoff", Types: []string{typ}, Class: record.APIActivity, See: see,
	State: func() rule.State {
		return &state{window.New(alarms, span, 1<<12), window.New(groups, span, 1<<12)}
	},
}

type state struct{ alarms, groups *window.Counter }

// Held returns how many bytes of memory is taken, roughly.
func (s *state) Held() int { return window.Held(s.alarms, s.groups) }

// Shed drops some of what was quiet longest.
func (s *state) Shed() { window.Shed(s.alarms, s.groups) }

func see(s *rule.Scene, r *record.Record) {
	a := r.API
	if a.ReadOnly || a.Failed() || a.ByService() {
		return
	}
	service := strings.TrimSuffix(a.Service, ".amazonaws.com")
	verb, noun := split(strings.TrimPrefix(a.Operation, "Batch"))
	switch {
	case ends(service, verb, noun):
		report(s, r, off, 5)
	case silences(service, a):
		report(s, r, blind, 4)
	case weakens(service, a):
		report(s, r, weak, 4)
	default:
		many(s, r, service, verb, noun)
	}
}

// ends reports whether a call ends a service that watches or guards, or what that
// works on.
func ends(service, verb, noun string) bool {
	switch verb {
	case "Delete", "Disable", "Stop", "Disassociate", "Deregister", "Suspend":
	default:
		return false
	}
	switch service {
	case "guardduty":
		return !has(noun, "Filter", "IPSet", "TrustedEntitySet", "Invitation", "Tag")
	case "securityhub":
		return !has(noun, "Insight", "ActionTarget", "AutomationRule", "Invitation", "FindingAggregator", "Tag")
	case "config":
		return has(noun, "Recorder", "DeliveryChannel")
	case "macie2", "inspector2", "detective", "securitylake", "auditmanager", "fms":
		return !has(noun, "Filter", "CustomDataIdentifier", "AllowList", "FindingsFilter", "Invitation", "Tag", "Control", "Assessment", "DataSource", "AppsList", "ProtocolsList", "ResourceSet")
	case "access-analyzer":
		return noun == "Analyzer"
	case "wafv2", "waf", "waf-regional":
		return has(noun, "LoggingConfiguration", "WebACL")
	case "network-firewall":
		return noun == "Firewall" || noun == "FirewallPolicy"
	case "shield":
		return has(noun, "Protection", "Subscription")
	case "bedrock":
		return noun == "Guardrail"
	}
	return false
}

// silences reports whether findings will not be seen any more.
func silences(service string, a *record.API) bool {
	switch service {
	case "guardduty":
		switch a.Operation {
		case "UpdateDetector":
			return a.Request.Str("enable") == "false"
		case "CreateFilter", "UpdateFilter":
			return a.Request.Str("action") == "ARCHIVE"
		case "CreateIPSet", "UpdateIPSet", "CreateTrustedEntitySet", "UpdateTrustedEntitySet":
			return a.Request.True("activate")
		}
	case "logs":
		// Names that AWS prescribes or proposes for what those who watch read.
		if a.Operation == "DeleteLogGroup" || a.Operation == "DeleteLogStream" {
			name := strings.ToLower(a.Request.Str("logGroupName"))
			return has(name, "cloudtrail", "flowlog", "flow-log", "audit", "waf-logs", "guardduty")
		}
	case "inspector2":
		return a.Operation == "CreateFilter" && a.Request.Str("action") == "SUPPRESS"
	case "eks":
		if a.Operation != "UpdateClusterConfig" {
			return false
		}
		kept := false
		gone := 0
		a.Request.Each(func(v any) {
			if m, ok := v.(map[string]any); ok {
				types, _ := m["types"].([]any)
				if m["enabled"] == false && slices.Contains(types, any("audit")) {
					gone++
				}
				kept = kept || m["enabled"] == true && slices.Contains(types, any("audit"))
			}
		}, "logging", "clusterLogging")
		return gone > 0 && !kept
	}
	return false
}

// weakens reports whether a protection that holds for all is taken away.
func weakens(service string, a *record.API) bool {
	if service != "ec2" {
		return false
	}
	switch a.Operation {
	case "DisableEbsEncryptionByDefault", "DisableSnapshotBlockPublicAccess", "DisableImageBlockPublicAccess":
		return true
	case "ModifyInstanceMetadataOptions":
		// The first version hands credentials to whoever can make the instance ask.
		return a.Request.Str("ModifyInstanceMetadataOptionsRequest", "HttpTokens") == "optional" || a.Request.Str("httpTokens") == "optional"
	}
	return false
}

// many counts alarms, rules that route events, and groups of logs that go away.
func many(s *rule.Scene, r *record.Record, service, verb, noun string) {
	if verb != "Delete" && verb != "Disable" {
		return
	}
	a, st := r.API, s.State.(*state)
	who := a.Actor.Principal()
	add := func(c *window.Counter, signal, value string) {
		if value == "" {
			return
		}
		if all := c.Add(who, window.Event{At: r.Time, Value: value, Note: r.ID}); all != nil {
			report(s, r, signal, 4)
		}
	}
	switch {
	case service == "monitoring" && has(noun, "Alarm"):
		for _, n := range a.Request.All("alarmNames") {
			add(st.alarms, blind, n)
		}
	case service == "events" && noun == "Rule":
		add(st.alarms, blind, "rule "+a.Request.Str("name"))
	case service == "logs" && (noun == "LogGroup" || noun == "LogStream"):
		add(st.groups, off, a.Request.Str("logGroupName")+" "+a.Request.Str("logStreamName"))
	}
}

func report(s *rule.Scene, r *record.Record, signal string, severity float64) {
	out := s.Call(typ, signal, r)
	out.Severity, out.Key = severity, r.API.Operation
	s.Report(out)
}

func split(operation string) (verb, noun string) {
	for i := 1; i < len(operation); i++ {
		if operation[i] >= 'A' && operation[i] <= 'Z' {
			return operation[:i], operation[i:]
		}
	}
	return operation, ""
}

func has(s string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}

// MarshalBinary writes what was counted.
func (s *state) MarshalBinary() ([]byte, error) {
	a, err := s.alarms.MarshalBinary()
	if err != nil {
		return nil, err
	}
	g, err := s.groups.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return json.Marshal([][]byte{a, g})
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (s *state) UnmarshalBinary(b []byte) error {
	var in [2][]byte
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if err := s.alarms.UnmarshalBinary(in[0]); err != nil {
		return err
	}
	return s.groups.UnmarshalBinary(in[1])
}
