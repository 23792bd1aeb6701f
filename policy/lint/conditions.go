package lint

import (
	"slices"
	"strings"

	"sumun.dev/policy"
	"sumun.dev/policy/facts"
)

// An operator is a condition operator taken apart.
type operator struct {
	base       string // "StringNotEquals"
	qualifier  string // "ForAllValues", "ForAnyValue", or nothing
	ifExists   bool
	family     string // "String", "Numeric", "Date", "Bool", "Binary", "IP", "Arn", "Null"
	negated    bool
	like, many bool // takes wildcards; takes more than one value with a meaning
}

// operatorOf reads an operator. IAM User Guide, "IAM JSON policy elements:
// Condition operators".
func operatorOf(written string) (operator, bool) {
	o := operator{base: written, many: true}
	for _, q := range []string{"ForAllValues", "ForAnyValue"} {
		if rest, found := strings.CutPrefix(o.base, q+":"); found {
			o.base, o.qualifier = rest, q
			break
		}
	}
	o.base, o.ifExists = strings.CutSuffix(o.base, "IfExists")
	switch o.base {
	case "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		o.family = "String"
	case "StringLike", "StringNotLike":
		o.family, o.like = "String", true
	case "NumericEquals", "NumericNotEquals":
		o.family = "Numeric"
	case "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals":
		o.family, o.many = "Numeric", false
	case "DateEquals", "DateNotEquals":
		o.family = "Date"
	case "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals":
		o.family, o.many = "Date", false
	case "Bool", "BinaryEquals":
		o.family = strings.TrimSuffix(o.base, "Equals")
	case "IpAddress", "NotIpAddress":
		o.family = "IP"
	case "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike":
		o.family, o.like = "Arn", true
	case "Null":
		o.family = "Null"
	default:
		return operator{}, false
	}
	o.negated = strings.Contains(o.base, "Not")
	return o, true
}

func (l *linter) conditions(s *statement) {
	if s.when == nil {
		return
	}
	if len(s.when.members) == 0 {
		l.add("EMPTY_OBJECT_CONDITION", s.when)
	}
	for _, m := range s.when.members {
		at := &node{at: m.at, path: m.value.path}
		o, known := operatorOf(m.name)
		switch {
		case !known:
			l.add("INVALID_CONDITION_OPERATOR", at, m.name)
		case o.family == "Null" && o.ifExists:
			l.add("NULL_WITH_IF_EXISTS", at)
		case o.family == "Null" && o.qualifier != "":
			l.add("NULL_WITH_QUALIFIER", at, o.qualifier)
		}
		if !l.want(m.value, "An object", '{') {
			continue
		}
		if len(m.value.members) == 0 {
			l.add("EMPTY_OBJECT_CONDITION", m.value)
		}
		l.keys(s, m, o, known)
	}
	if s.hasKey("aws:vpcsourceip") && !s.hasKey("aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths") {
		l.add("MISSING_PAIRED_CONDITION_KEYS", s.when, "aws:VpcSourceIp")
	}
}

// keys checks the keys under one operator.
func (l *linter) keys(s *statement, m member, o operator, known bool) {
	seen := map[string]string{}
	for _, k := range m.value.members {
		at := &node{at: k.at, path: k.value.path}
		lower := strings.ToLower(k.name)
		if before := seen[lower]; before != "" {
			l.add("DUPLICATE_KEYS_WITH_DIFFERENT_CASE", at, before, k.name)
		}
		seen[lower] = k.name
		f := l.key(s, at, k.name, o.ifExists)
		if !known || !l.want(k.value, "A value or a list of values", '"', '0', 't', 'f', '[') {
			continue
		}
		c := conditionNode{operator: m.name, key: k.name, at: at, values: k.value}
		l.quantity(s, c, o, f)
		if k.value.empty() {
			l.noValues(c, o)
			continue
		}
		l.values(c, o, f)
	}
}

// replaced are global keys that have a successor.
var replaced = map[string]string{"aws:sourceowner": "aws:SourceAccount"}

// key checks that a condition key exists, and that the statement's actions have it.
// It returns the key's facts, nil when they are not known.
// With ifExists it may be missing.
func (l *linter) key(s *statement, at *node, name string, ifExists bool) *facts.KeyFacts {
	prefix, rest, found := strings.Cut(name, ":")
	lower := strings.ToLower(name)
	switch {
	case !found || prefix == "" || rest == "" || strings.ContainsAny(prefix, " *?"):
		l.add("INVALID_CONDITION_KEY_FORMAT", at, name)
		return nil
	case lower == "aws:arn":
		l.add("UNSUPPORTED_GLOBAL_CONDITION_KEY", at, name)
		return nil
	case strings.HasSuffix(name, "Tag/") || strings.HasSuffix(lower, "tag/"):
		l.add("MISSING_TAG_KEY", at, name)
		return nil
	case replaced[lower] != "":
		l.add("DEPRECATED_GLOBAL_CONDITION_KEY", at, name, replaced[lower])
	}
	f, known := facts.ConditionKey(name)
	switch {
	case !known && (lower == "aws:principalorgmasteraccountid" || slices.Contains(retired[:], strings.ToLower(prefix))):
		return nil // of the former there is no page, but AWS's own policies have it
	case !known && strings.EqualFold(prefix, "aws"):
		l.add("INVALID_GLOBAL_CONDITION_KEY", at, name)
		return nil
	case !known && strings.ContainsAny(prefix, "./"): // of an identity provider, which has the claims that it likes
		return nil
	case !known:
		l.add("INVALID_SERVICE_CONDITION_KEY", at, name, prefix)
		return nil
	}
	if strings.EqualFold(prefix, "aws") {
		l.tagKey(s, at, name)
		return f
	}
	if s.action == nil || ifExists || l.kind == policy.Trust { // the actions of a trust policy are asked for together
		return f
	}
	for _, a := range s.actions() {
		if action, known := facts.Action(a.text); known && strings.EqualFold(action.Service, prefix) && !action.KnowsKey(name) {
			l.add("UNSUPPORTED_ACTION_FOR_CONDITION_KEY", a, action.String(), name)
		}
	}
	return f
}

// tagKey looks for services that know nothing of tags in requests or resources.
func (l *linter) tagKey(s *statement, at *node, name string) {
	lower := strings.ToLower(name)
	if lower != "aws:tagkeys" && !strings.HasPrefix(lower, "aws:requesttag/") && !strings.HasPrefix(lower, "aws:resourcetag/") || s.action == nil {
		return
	}
	seen := map[string]bool{}
	for _, a := range s.actions() {
		prefix, _, _ := strings.Cut(strings.ToLower(a.text), ":")
		service, known := facts.Service(prefix)
		if !known || seen[prefix] {
			continue
		}
		seen[prefix] = true
		if slices.ContainsFunc(service.Keys, func(k *facts.KeyFacts) bool { return k.Is(name) }) {
			continue
		}
		code := "DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"
		if s.allows() {
			code = "ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"
		}
		l.add(code, at, name, prefix)
	}
}

// quantity compares how many values a key has with the operator's qualifier.
func (l *linter) quantity(s *statement, c conditionNode, o operator, f *facts.KeyFacts) {
	if f == nil || o.family == "Null" {
		return
	}
	switch {
	case f.Multivalued() && o.qualifier == "" && strings.HasPrefix(strings.ToLower(c.key), "aws:"):
		l.add("MISSING_QUALIFIER", c.at, c.key)
	case !f.Multivalued() && o.qualifier == "ForAllValues":
		l.add("FOR_ALL_VALUES_WITH_SINGLE_VALUED_KEY", c.at, c.key)
	case f.Multivalued() && o.qualifier == "ForAllValues" && s.allows() && !s.there(c.key):
		l.add("FOR_ALL_VALUES_WITHOUT_NULL", c.at, c.key, c.key)
	}
}

// there reports whether the statement asks for a key to be in the request.
func (s *statement) there(key string) bool {
	for _, c := range s.conditions() {
		o, _ := operatorOf(c.operator)
		if !strings.EqualFold(c.key, key) {
			continue
		}
		if o.family == "Null" && len(c.values.list()) == 1 && strings.EqualFold(c.values.list()[0].text, "false") || o.qualifier == "ForAnyValue" {
			return true
		}
	}
	return false
}

func (l *linter) noValues(c conditionNode, o operator) {
	switch {
	case o.qualifier == "ForAllValues":
		l.add("EMPTY_ARRAY_CONDITION_FOR_ALL_VALUES", c.at, c.operator, c.key)
	case o.qualifier == "ForAnyValue":
		l.add("EMPTY_ARRAY_CONDITION_FOR_ANY_VALUE", c.at, c.operator)
	case o.ifExists:
		l.add("EMPTY_ARRAY_CONDITION_IF_EXISTS", c.at, c.operator, c.key)
	default:
		l.add("EMPTY_ARRAY_CONDITION", c.at, c.operator)
	}
}

// sized are the quotas of each kind of document.
func (l *linter) size(root *node) {
	n := policy.Size(l.doc)
	switch l.kind {
	case policy.Identity:
		l.tooLarge("POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA", root, n, policy.MaxManaged)
	case policy.Trust:
		l.tooLarge("POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA", root, n, policy.MaxTrust)
	case policy.SCP:
		l.tooLarge("POLICY_SIZE_EXCEEDS_SCP_QUOTA", root, len(l.doc), policy.MaxSCP)
	case policy.RCP:
		l.tooLarge("POLICY_SIZE_EXCEEDS_RCP_QUOTA", root, len(l.doc), policy.MaxRCP)
	default:
		l.tooLarge("POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA", root, n, maxResource)
	}
}

// maxResource is the size of a bucket policy, which is the most that a service takes.
// S3 User Guide, "Policies and permissions".
const maxResource = 20 << 10

func (l *linter) tooLarge(code string, root *node, size, most int) {
	if size > most {
		l.add(code, root, size, most)
	}
}
