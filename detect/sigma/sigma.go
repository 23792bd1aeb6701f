// Package sigma makes rules of Sigma rules for CloudTrail.
//
// It reads the subset of the Sigma specification 2.1 that docs/detection-rules.md
// lists, and refuses the rest by name. condition.go reads conditions, match.go
// values and their modifiers, field.go finds a field in a record.
package sigma

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/tactic"
	"sumun.dev/engine/yamltext"
	"sumun.dev/finding"
)

// MaxFile bounds a file of rules, in bytes.
const MaxFile = 256 << 10

// Bounds of what a file may ask for.
const (
	maxValues = 5000 // of one rule
	maxText   = 4096 // bytes of a value
	maxSaid   = 4096 // bytes of a title, a description, a false positive
	maxListed = 50   // techniques, false positives
)

// An Elsewhere is a rule for other logs than CloudTrail's.
type Elsewhere struct{ Source string }

// Error says which logs.
func (e Elsewhere) Error() string {
	return fmt.Sprintf("logsource: %s is not read; only product aws, service cloudtrail", e.Source)
}

// Parse reads the rules of one file. A rule that uses what is not in the subset
// gives an error that names it, and stops no other rule of the file.
func Parse(b []byte) ([]*rule.Rule, []error) {
	if len(b) > MaxFile {
		return nil, []error{fmt.Errorf("is larger than %d KiB", MaxFile>>10)}
	}
	all, err := yamltext.Documents(b)
	if err != nil {
		return nil, []error{err}
	}
	if len(all) == 0 {
		return nil, []error{errors.New("holds no rule")}
	}
	var rules []*rule.Rule
	var refused []error
	for _, d := range all {
		r, err := compile(d)
		if err != nil {
			if title := text(d["title"]); title != "" && len(all) > 1 {
				err = fmt.Errorf("%q: %w", short(title), err)
			}
			refused = append(refused, err)
			continue
		}
		rules = append(rules, r)
	}
	return rules, refused
}

// levels are the severities of Sigma's words. What is informational is no alert by
// itself: it counts where it comes together with other signals.
var levels = map[string]float64{"": 5, "informational": 1, "low": 2, "medium": 5, "high": 8, "critical": 8.9}

// sigma is a rule made ready.
type sigma struct {
	holds    node
	purpose  string // of the finding type; "" when the call tells
	signal   string
	severity float64
	said     *finding.Said
}

// compile makes a rule of one document.
func compile(d map[string]any) (*rule.Rule, error) {
	for _, key := range []string{"correlation", "filter", "action"} {
		if _, ok := d[key]; ok {
			return nil, fmt.Errorf("%s: only rules with a detection are read, no correlations, filters or collections", key)
		}
	}
	if _, ok := d["timeframe"]; ok {
		return nil, errTimeframe
	}
	title := strings.TrimSpace(text(d["title"]))
	if title == "" || len(title) > maxSaid {
		return nil, errors.New("title: a rule has one")
	}
	if err := source(d["logsource"]); err != nil {
		return nil, err
	}
	severity, ok := levels[text(d["level"])]
	if !ok {
		return nil, fmt.Errorf("level: %q is none of informational, low, medium, high, critical", short(text(d["level"])))
	}
	detection, ok := d["detection"].(map[string]any)
	if !ok {
		return nil, errors.New("detection: is no map")
	}
	holds, err := detect(detection)
	if err != nil {
		return nil, err
	}
	s := &sigma{holds: holds, signal: short(title), severity: severity, said: &finding.Said{
		Title: short(title), Description: long(text(d["description"])), Author: short(text(d["author"])), ID: short(text(d["id"])),
	}}
	for _, tag := range list(d["tags"]) {
		s.tag(strings.ToLower(text(tag)))
	}
	for _, f := range list(d["falsepositives"]) {
		if t := long(text(f)); t != "" && len(s.said.FalsePositives) < maxListed {
			s.said.FalsePositives = append(s.said.FalsePositives, t)
		}
	}
	types := purposes
	if s.purpose != "" {
		types = []string{s.purpose}
	}
	out := &rule.Rule{Name: name(title), Class: record.APIActivity, Calls: holds.calls(), AnyCase: true, See: s.see, Said: s.said}
	for _, p := range types {
		out.Types = append(out.Types, p+anomalous)
	}
	return out, nil
}

// source takes what a rule is about.
func source(v any) error {
	of, ok := v.(map[string]any)
	if !ok {
		return errors.New("logsource: is no map")
	}
	category, product, service := text(of["category"]), text(of["product"]), text(of["service"])
	if service != "cloudtrail" || product != "" && product != "aws" || category != "" {
		return Elsewhere{short(strings.Join(slices.DeleteFunc([]string{category, product, service}, func(s string) bool { return s == "" }), " "))}
	}
	return nil
}

// anomalous is the family of finding types that calls of use to attackers have.
const anomalous = ":IAMUser/AnomalousBehavior"

// purposes are those that the family has.
var purposes = []string{
	tactic.CredentialAccess, tactic.DefenseEvasion, tactic.Discovery, tactic.Exfiltration, tactic.Impact, tactic.InitialAccess,
	tactic.Persistence, tactic.PrivilegeEscalation,
}

// tactics are ATT&CK's as Sigma tags them, and the purpose that comes nearest.
var tactics = map[string]string{
	"reconnaissance": tactic.Discovery, "discovery": tactic.Discovery,
	"resource-development": tactic.InitialAccess, "initial-access": tactic.InitialAccess, "execution": tactic.InitialAccess, "lateral-movement": tactic.InitialAccess,
	"persistence": tactic.Persistence, "privilege-escalation": tactic.PrivilegeEscalation,
	"defense-evasion": tactic.DefenseEvasion, "defense-impairment": tactic.DefenseEvasion, "stealth": tactic.DefenseEvasion,
	"credential-access": tactic.CredentialAccess, "collection": tactic.Exfiltration, "exfiltration": tactic.Exfiltration, "command-and-control": tactic.Exfiltration,
	"impact": tactic.Impact,
}

var techniqueForm = regexp.MustCompile(`^attack\.(t\d{4}(?:\.\d{3})?)$`)

// tag takes up ATT&CK's techniques, and the first tactic.
func (s *sigma) tag(tag string) {
	if m := techniqueForm.FindStringSubmatch(tag); m != nil && len(s.said.Techniques) < maxListed {
		s.said.Techniques = append(s.said.Techniques, strings.ToUpper(m[1]))
	}
	of, _ := strings.CutPrefix(tag, "attack.")
	s.purpose = cmp.Or(s.purpose, tactics[strings.ReplaceAll(of, "_", "-")])
}

// see judges a record.
func (s *sigma) see(scene *rule.Scene, r *record.Record) {
	if !s.holds.match(r) {
		return
	}
	purpose := s.purpose
	if purpose == "" {
		purpose = tactics[dashed(tactic.Of(r.API.Service, r.API.Operation, r.API.ReadOnly))]
	}
	if purpose == "" && r.API.ReadOnly {
		purpose = tactic.Discovery
	}
	out := scene.Call(cmp.Or(purpose, tactic.Impact)+anomalous, s.signal, r)
	out.Severity, out.Said = s.severity, s.said
	scene.Report(out)
}

var capital = regexp.MustCompile(`([a-z])([A-Z])`)

func dashed(name string) string { return strings.ToLower(capital.ReplaceAllString(name, "$1-$2")) }

var unfit = regexp.MustCompile(`[^a-z0-9]+`)

// name makes the name of a rule of its title.
func name(title string) string {
	n := strings.Trim(unfit.ReplaceAllString(strings.ToLower(title), "-"), "-")
	return "sigma-" + strings.Trim(n[:min(len(n), 80)], "-")
}

// text returns a scalar as text; "" for anything else.
func text(v any) string {
	switch v := v.(type) {
	case nil, map[string]any, []any:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// list returns a list, of a single value one of it.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// short and long cut what people are shown, on one line and on several. A terminal
// would obey control characters.
func short(s string) string { return strings.Join(strings.Fields(cut(s, 200)), " ") }
func long(s string) string  { return cut(s, maxSaid) }

func cut(s string, n int) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "\ufffd")
	s = strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)) {
			return '\ufffd'
		}
		return r
	}, s)
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
