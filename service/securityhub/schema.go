package securityhub

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"sumun.dev/api/securityhubapi"
)

// A schema is what ASFF says of one value. The zero schema says nothing.
type schema struct {
	required   []string
	members    map[string]schema
	items      *schema // of a list's elements
	minItems   int
	maxItems   int
	maxEntries int // of a map, with the lengths of its keys and values
	maxKey     int
	maxValue   int
	minLength  int
	maxLength  int
	format     string // "date-time", "uri", "ipv4", "ipv6"
	pattern    *regexp.Regexp
	enum       []string
	least      *float64
	most       *float64
}

// maxProblems keeps the message about one finding short.
const maxProblems = 10

// problems lists what a document breaks, in the words of Security Hub.
func (s schema) problems(at string, v any) []string {
	var all []string
	s.check(at, v, func(at, why string) {
		if len(all) < maxProblems {
			all = append(all, at+" "+why)
		}
	})
	return all
}

func (s *schema) check(at string, v any, say func(at, why string)) {
	switch v := v.(type) {
	case map[string]any:
		s.object(at, v, say)
	case []any:
		if len(v) < s.minItems {
			say(at, fmt.Sprintf("should NOT have fewer than %d items", s.minItems))
		}
		if s.maxItems > 0 && len(v) > s.maxItems {
			say(at, fmt.Sprintf("should NOT have more than %d items", s.maxItems))
		}
		if s.items == nil {
			return
		}
		for i, x := range v {
			s.items.check(fmt.Sprintf("%s[%d]", at, i), x, say)
		}
	case string:
		s.text(at, v, say)
	case float64:
		if s.least != nil && v < *s.least {
			say(at, fmt.Sprintf("should be >= %g", *s.least))
		}
		if s.most != nil && v > *s.most {
			say(at, fmt.Sprintf("should be <= %g", *s.most))
		}
	}
}

// object checks members. One that must be there and is empty counts as missing: in
// a decoded request they look the same.
func (s *schema) object(at string, v map[string]any, say func(at, why string)) {
	for _, name := range s.required {
		if x, ok := v[name]; !ok || x == nil || x == "" {
			say(at, fmt.Sprintf("should have required property '%s'", name))
		}
	}
	if s.maxEntries > 0 && len(v) > s.maxEntries {
		say(at, fmt.Sprintf("should NOT have more than %d properties", s.maxEntries))
	}
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		x := v[name]
		if m, ok := s.members[name]; ok && !(x == "" && slices.Contains(s.required, name)) {
			m.check(at+"."+name, x, say)
		}
		if s.maxKey > 0 && utf8.RuneCountInString(name) > s.maxKey {
			say(at, fmt.Sprintf("property name '%s' should NOT be longer than %d characters", clip(name), s.maxKey))
		}
		if t, ok := x.(string); ok && s.maxValue > 0 && utf8.RuneCountInString(t) > s.maxValue {
			say(at+"['"+clip(name)+"']", fmt.Sprintf("should NOT be longer than %d characters", s.maxValue))
		}
	}
}

func clip(s string) string {
	if len(s) <= 128 {
		return s
	}
	return strings.ToValidUTF8(s[:128], "") + "…"
}

func (s *schema) text(at, v string, say func(at, why string)) {
	n := utf8.RuneCountInString(v)
	if n < s.minLength {
		say(at, fmt.Sprintf("should NOT be shorter than %d characters", s.minLength))
	}
	if s.maxLength > 0 && n > s.maxLength {
		say(at, fmt.Sprintf("should NOT be longer than %d characters", s.maxLength))
	}
	if s.pattern != nil && !s.pattern.MatchString(v) {
		say(at, fmt.Sprintf("should match pattern %q", s.pattern))
	}
	if s.enum != nil && !slices.Contains(s.enum, v) {
		say(at, "should be equal to one of the allowed values")
	}
	if s.format != "" && !formatted(s.format, v) {
		say(at, fmt.Sprintf("should match format %q", s.format))
	}
}

func formatted(format, v string) bool {
	switch format {
	case "date-time":
		_, err := parseTime(v)
		return err == nil
	case "ipv4":
		a, err := netip.ParseAddr(v)
		return err == nil && a.Is4()
	case "ipv6":
		a, err := netip.ParseAddr(v)
		return err == nil && a.Is6()
	case "uri":
		u, err := url.Parse(v)
		return err == nil && u.IsAbs()
	}
	return false
}

// between is a text of 1 to n characters.
func between(n int) schema { return schema{minLength: 1, maxLength: n} }

func date() schema { return schema{format: "date-time"} }

func link() schema { return schema{minLength: 1, maxLength: 2048, format: "uri"} }

func within(least, most float64) schema { return schema{least: &least, most: &most} }

func listOf(max int, of schema) schema { return schema{maxItems: max, items: &of} }

func oneOf(e interface{ Values() []string }) schema { return schema{enum: e.Values()} }

func object(required []string, members map[string]schema) schema {
	return schema{required: required, members: members}
}

// asff is the AWS Security Finding Format as far as findings are checked for it.
// User Guide, "AWS Security Finding Format (ASFF)": "Required top-level ASFF
// attributes", "Optional top-level ASFF attributes".
func asff() schema {
	percent := within(0, 100)
	ports := within(0, 65535)
	relatedFindings := schema{minItems: 1, maxItems: 10, items: new(object([]string{"Id", "ProductArn"}, map[string]schema{"Id": between(512), "ProductArn": between(2048)}))}
	typesOf := listOf(50, schema{pattern: regexp.MustCompile(`^([^/]+)(/[^/]+){0,2}$`)})
	label := oneOf(securityhubapi.SeverityLabel(""))
	address := func(format string) schema { return schema{format: format} }
	return object([]string{"SchemaVersion", "Id", "ProductArn", "GeneratorId", "AwsAccountId", "CreatedAt", "UpdatedAt", "Title", "Description", "Resources"}, map[string]schema{
		"SchemaVersion": {enum: []string{"2018-10-08"}},
		"Id":            between(512), "GeneratorId": between(512), "ProductArn": between(2048),
		"AwsAccountId": {pattern: regexp.MustCompile(`^[0-9]{12}$`)},
		"Title":        between(256), "Description": between(1024), "SourceUrl": link(),
		"ProductName": between(128), "CompanyName": between(128), "Region": between(16),
		"CreatedAt": date(), "UpdatedAt": date(), "FirstObservedAt": date(), "LastObservedAt": date(), "ProcessedAt": date(),
		"Types": typesOf, "Confidence": percent, "Criticality": percent,
		"Severity":          object(nil, map[string]schema{"Label": label, "Normalized": percent, "Original": between(64)}),
		"ProductFields":     {maxEntries: 50, maxKey: 128, maxValue: 2048},
		"UserDefinedFields": {maxEntries: 50, maxKey: 128, maxValue: 1024},
		"RelatedFindings":   relatedFindings,
		"Remediation":       object(nil, map[string]schema{"Recommendation": object(nil, map[string]schema{"Text": between(512), "Url": link()})}),
		"Note":              object([]string{"Text", "UpdatedBy", "UpdatedAt"}, map[string]schema{"Text": between(512), "UpdatedBy": between(512), "UpdatedAt": date()}),
		"Malware": listOf(5, object([]string{"Name"}, map[string]schema{
			"Name": between(64), "Path": between(512), "Type": oneOf(securityhubapi.MalwareType("")), "State": oneOf(securityhubapi.MalwareState("")),
		})),
		"Network": object(nil, map[string]schema{
			"Direction": oneOf(securityhubapi.NetworkDirection("")), "Protocol": between(16),
			"SourceIpV4": address("ipv4"), "SourceIpV6": address("ipv6"), "DestinationIpV4": address("ipv4"), "DestinationIpV6": address("ipv6"),
			"SourcePort": ports, "DestinationPort": ports, "SourceDomain": between(128), "DestinationDomain": between(128),
			"SourceMac": {pattern: regexp.MustCompile(`^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$`)},
		}),
		"Process": object(nil, map[string]schema{"Name": between(64), "Path": between(512), "LaunchedAt": date(), "TerminatedAt": date()}),
		"ThreatIntelIndicators": listOf(5, object(nil, map[string]schema{
			"Type": oneOf(securityhubapi.ThreatIntelIndicatorType("")), "Category": oneOf(securityhubapi.ThreatIntelIndicatorCategory("")),
			"Value": between(512), "Source": between(64), "SourceUrl": link(), "LastObservedAt": date(),
		})),
		"Threats": listOf(32, schema{}),
		"Resources": {minItems: 1, maxItems: 32, items: new(object([]string{"Type", "Id"}, map[string]schema{
			"Type": between(256), "Id": between(512), "Region": between(16), "Partition": oneOf(securityhubapi.Partition("")),
			"Tags": {maxEntries: 50, maxKey: 128, maxValue: 256},
		}))},
		"Compliance": object(nil, map[string]schema{
			"Status": oneOf(securityhubapi.ComplianceStatus("")), "RelatedRequirements": listOf(32, between(64)),
			"StatusReasons": listOf(20, object([]string{"ReasonCode"}, nil)),
		}),
		"VerificationState": oneOf(securityhubapi.VerificationState("")), "WorkflowState": oneOf(securityhubapi.WorkflowState("")),
		"Workflow":    object(nil, map[string]schema{"Status": oneOf(securityhubapi.WorkflowStatus(""))}),
		"RecordState": oneOf(securityhubapi.RecordState("")),
		"FindingProviderFields": object(nil, map[string]schema{
			"Confidence": percent, "Criticality": percent, "RelatedFindings": relatedFindings, "Types": typesOf,
			"Severity": object(nil, map[string]schema{"Label": label, "Original": between(64)}),
		}),
	})
}
