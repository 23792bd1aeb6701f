package lint

import (
	"slices"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/policy/facts"
)

func (l *linter) resources(s *statement) {
	n, name := s.resource, "Resource"
	if n == nil {
		n, name = s.notResource, "NotResource"
	}
	if n == nil {
		return
	}
	if l.kind == policy.Trust {
		l.add("ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE", n, name)
		return
	}
	if n.empty() {
		l.add("EMPTY_ARRAY_RESOURCE", n)
	}
	all := s.resources()
	for _, r := range all {
		if l.variable(name, r) {
			l.resource(r)
		}
	}
	l.covered(all, "REDUNDANT_RESOURCE", func(wide, narrow string) bool { return !strings.Contains(wide, "${") && globs(wide, narrow) })
}

// resource checks an ARN part by part.
func (l *linter) resource(n *node) {
	if strings.Trim(n.text, "*") == "" && n.text != "" {
		return
	}
	parts := strings.SplitN(withoutVariables(n.text), ":", 6)
	if parts[0] != "arn" {
		if l.kind == policy.Identity || l.kind == policy.SCP || l.kind == policy.RCP || !strings.Contains(n.text, "*") {
			l.add("INVALID_ARN_PREFIX", n, n.text)
		}
		return
	}
	if len(parts) < 6 {
		// "arn:aws:s3:::*" shortened: what is missing at the end after a * is
		// everything.
		if !strings.HasSuffix(n.text, "*") || len(parts) < 3 {
			l.add("MISSING_ARN_FIELD", n, n.text)
		}
		return
	}
	partition, service, region, account := parts[1], parts[2], parts[3], parts[4]
	if partition != "aws" && !strings.HasPrefix(partition, "aws-") && !wild(partition) {
		l.add("INVALID_PARTITION", n, partition)
		return
	}
	if service != strings.ToLower(service) {
		l.add("INVALID_ARN_SERVICE_CASE", n, service)
		return
	}
	types := typesOf(service)
	if types == nil {
		if !wild(service) {
			if _, known := facts.Service(service); !known && !slices.Contains(retired[:], service) {
				l.add("INVALID_SERVICE", n, service)
			}
		}
		return
	}
	if region != "" && !wild(region) && !knownRegion(partition, region) {
		l.add("INVALID_REGION", n, region)
		return
	}
	if account != "" && !wild(account) && account != "aws" && account != "cloudfront" {
		if _, err := aws.ParseAccount(account); err != nil {
			l.add("INVALID_ARN_ACCOUNT", n, account)
			return
		}
	}
	l.resourceType(n, service, parts, types)
}

// resourceType compares an ARN with the types of its service: first as a whole,
// then without its region and its account, to say what is wrong.
func (l *linter) resourceType(n *node, service string, parts []string, types []string) {
	fits := func(change func(want []string)) bool {
		for _, t := range types {
			want := strings.SplitN(t, ":", 6)
			if len(want) != 6 {
				return true
			}
			change(want)
			all := true
			for i := 3; i < 6; i++ {
				all = all && meet(want[i], parts[i])
			}
			if all {
				return true
			}
		}
		return false
	}
	switch {
	case fits(func([]string) {}):
	case fits(func(want []string) { want[3] = "*" }) && parts[3] == "":
		l.add("MISSING_ARN_REGION", n, service, n.text)
	case fits(func(want []string) { want[3] = "*" }):
		l.add("ARN_REGION_NOT_ALLOWED", n, service, n.text)
	case fits(func(want []string) { want[4] = "*" }) && parts[4] != "":
		l.add("ARN_ACCOUNT_NOT_ALLOWED", n, service, n.text)
	case fits(func(want []string) { want[4] = "*" }):
		l.add("MISSING_ARN_ACCOUNT", n, service, n.text)
	default:
		l.add("INVALID_ARN_RESOURCE", n, n.text, service)
	}
}

// typesOf returns the ARN patterns of all resource types whose ARN names the
// service, of whatever service they are; nil when there are none.
func typesOf(service string) []string {
	var all []string
	for _, r := range facts.Resources(service) {
		for _, p := range r.Patterns() {
			if !strings.HasPrefix(p, "arn:*:"+service+":") {
				continue
			}
			// A region or account that varies is always there.
			parts := strings.SplitN(p, ":", 6)
			for i := 3; i < 5 && len(parts) == 6; i++ {
				if parts[i] == "*" {
					parts[i] = "?*"
				}
			}
			all = append(all, strings.Join(parts, ":"))
		}
	}
	for _, p := range unlisted {
		if strings.HasPrefix(p, "arn:*:"+service+":") {
			all = append(all, p)
		}
	}
	return all
}

// unlisted are ARNs that AWS documents and uses in policies of its own, but does not
// list among the types of resources.
var unlisted = [...]string{
	"arn:*:apigateway:?*::/tags", "arn:*:apigateway:?*::/v2/*", // API Gateway Developer Guide, "Tag-based access control"
	"arn:*:aps:?*:?*:/workspaces", "arn:*:grafana:?*:?*:/workspaces", // what is created has no name yet
	"arn:*:backup:?*:?*:recovery-point:*",                          // Backup Developer Guide, "Access control"; the list has those of other services
	"arn:*:cloudformation:?*:?*:transform/*",                       // CloudFormation User Guide, "Control access with IAM": macros
	"arn:*:iam::?*:root",                                           // IAM User Guide, "Perform a privileged task on a member account"
	"arn:*:waf:?*:?*:changetoken/*", "arn:*:waf::?*:changetoken/*", // AWS WAF Classic: tokens of changes
	"arn:*:waf-regional:?*:?*:changetoken/*",
}

func wild(s string) bool { return strings.ContainsAny(s, "*?") }

func knownRegion(partition, region string) bool {
	if partition != "aws" {
		return strings.Count(region, "-") >= 2
	}
	return aws.KnownRegion(aws.Region(region))
}

// withoutVariables puts a wildcard in place of each variable.
func withoutVariables(s string) string {
	for {
		before, rest, found := strings.Cut(s, "${")
		_, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return s
		}
		s = before + "*" + after
	}
}

// maxMeet bounds the patterns that are compared, since that takes the product of
// their lengths.
const maxMeet = 1 << 10

// meet reports whether some text is matched by both patterns.
func meet(a, b string) bool {
	if len(a) > maxMeet || len(b) > maxMeet {
		return true
	}
	// row[j] says whether a[i:] and b[j:] meet.
	row := make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		next := make([]bool, len(b)+1)
		for j := len(b); j >= 0; j-- {
			switch {
			case i == len(a) && j == len(b):
				next[j] = true
			case i < len(a) && a[i] == '*':
				next[j] = row[j] || j < len(b) && next[j+1]
			case j < len(b) && b[j] == '*':
				next[j] = next[j+1] || i < len(a) && row[j]
			case i < len(a) && j < len(b):
				next[j] = (a[i] == '?' || b[j] == '?' || a[i] == b[j]) && row[j+1]
			}
		}
		row = next
	}
	return row[0]
}
