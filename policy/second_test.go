package policy

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"sumun.dev/aws"
)

// The second evaluator: slow, obvious, from the documents' text, and sharing
// nothing with the first but the request. It says only the outcome.

// written remembers the text of every document that a test parses.
var written sync.Map

type doc = map[string]any

func slowly(req *Request, p *Policies) Outcome {
	if req.Principal == nil {
		copied := *req
		copied.Principal = &aws.Principal{}
		req = &copied
	}
	who := req.Principal
	linked := who.Session != nil && strings.HasPrefix(who.Session.Issuer.Resource, "role/aws-service-role/")
	ours := who.Kind == aws.Root || who.Kind == aws.User || who.Kind == aws.AssumedRole || who.Kind == aws.FederatedUser
	service := strings.ToLower(strings.Split(req.Action, ":")[0])
	underRCP := slices.Contains(rcpServices[:], service) && !strings.EqualFold(req.Action, "kms:RetireGrant") && !linked &&
		!req.AWSManagedKey && !p.ResourceManagement
	boundable := ours && !linked && who.Kind != aws.Root
	bounded := p.Boundary != nil && boundable

	denied, ceilings := false, true
	look := func(list ...*Attached) (best reach) {
		for _, a := range list {
			if a == nil {
				continue
			}
			deny, r := slowDocument(req, a, bounded)
			denied = denied || deny
			best = max(best, r)
		}
		return best
	}
	levels := func(l [][]*Attached) {
		if l != nil && len(l) == 0 {
			ceilings = false
		}
		for _, level := range l {
			if look(level...) == unreached {
				ceilings = false
			}
		}
	}
	if ours && !linked && !p.Management {
		levels(p.SCPs)
	}
	if underRCP {
		levels(p.RCPs)
	}
	if p.Endpoint != nil && look(p.Endpoint) == unreached {
		ceilings = false
	}
	across := ours && req.ResourceAccount != "" && req.ResourceAccount != who.Account && !strings.EqualFold(req.Action, "sts:AssumeRoot")
	resource := look(p.Resource)
	if p.RestrictPublicBuckets && p.Resource != nil && slowPublic(p.Resource) && who.Kind != aws.Service && (across || !ours) {
		resource = unreached
	}
	byGrant := look(p.Grants...)
	granted := byGrant > delegated && strings.HasPrefix(strings.ToLower(req.Action), "kms:")
	resource = max(resource, byGrant)
	identity := ours && look(p.Identity...) > unreached || who.Kind == aws.Root
	boundary := !bounded || look(p.Boundary) > unreached
	made := who.Session != nil && (who.Session.Policy != "" || who.Session.PolicyARNs != nil || who.Session.TaskPolicy != "")
	session := p.Session == nil && who.Kind != aws.FederatedUser && !made
	if !session {
		session = look(p.Session...) > unreached
	}
	act := strings.ToLower(req.Action)
	trusted := strings.HasPrefix(act, "sts:assumerole") ||
		slices.Contains([]string{"sts:tagsession", "sts:setsourceidentity", "sts:setcontext"}, act) && wildcard("", "arn:*:iam:*:*:role/*", req.Resource)
	must := trusted && p.Resource == nil || p.Resource != nil && (p.Resource.Kind == Trust || p.Resource.Kind == Key)
	if who.Kind == aws.Root && who.Session != nil && who.Session.TaskPolicy != "" {
		resource = min(resource, delegated)
	}

	allowed := false
	switch {
	case !ours:
		allowed = resource > unreached
	case across:
		allowed = resource > unreached && (identity || granted) && boundary && session
	case must && resource == unreached:
	case resource == direct:
		allowed = true
	case resource == limited:
		allowed = boundary && session
	default:
		allowed = identity && boundary && session
	}
	switch {
	case denied:
		return ExplicitDeny
	case ceilings && allowed:
		return Allowed
	}
	return ImplicitDeny
}

func slowDocument(req *Request, a *Attached, bounded bool) (deny bool, best reach) {
	text, _ := written.Load(a.Document)
	var d doc
	if err := json.Unmarshal([]byte(text.(string)), &d); err != nil {
		panic(err)
	}
	variables := d["Version"] == "2012-10-17"
	for _, one := range many(d["Statement"]) {
		s := one.(doc)
		r := slowStatement(req, s, variables, bounded, s["Effect"] == "Deny", a.Kind == Trust)
		if s["Effect"] == "Deny" {
			deny = deny || r > unreached
		} else {
			best = max(best, r)
		}
	}
	return deny, best
}

func slowStatement(req *Request, s doc, variables, bounded, deny, trust bool) reach {
	matchAny := func(list any, test func(string) bool) bool {
		return slices.ContainsFunc(many(list), func(x any) bool { return test(x.(string)) })
	}
	action := func(x string) bool { return x == "*" || x == "*:*" || wildcard("(?is)", x, req.Action) }
	if list, has := s["Action"]; has && !matchAny(list, action) {
		return unreached
	}
	if list, has := s["NotAction"]; has && matchAny(list, action) {
		return unreached
	}
	open := false
	resource := func(x string) bool {
		hit, ok := slowARN(req, x, req.Resource, variables)
		open = open || !ok
		return hit
	}
	if list, has := s["Resource"]; has && !matchAny(list, resource) {
		return unreached
	}
	if list, has := s["NotResource"]; has && (matchAny(list, resource) || open) {
		return unreached
	}
	reached := direct
	if x, has := s["Principal"]; has {
		reached = slowPrincipal(req, x, deny, trust)
	}
	if x, has := s["NotPrincipal"]; has && !bounded && slowExempt(req, x) {
		return unreached
	}
	conditions, _ := s["Condition"].(doc)
	for op, keys := range conditions {
		for key, values := range keys.(doc) {
			if !slowCondition(req, op, key, many(values), variables, deny) {
				return unreached
			}
		}
	}
	return reached
}

func many(x any) []any {
	if list, ok := x.([]any); ok {
		return list
	}
	return []any{x}
}

// wildcard turns a pattern into a regular expression.
func wildcard(flags, pattern, s string) bool {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.ReplaceAll(strings.ReplaceAll(quoted, `\*`, `.*`), `\?`, `.`)
	return regexp.MustCompile(flags + "^" + quoted + "$").MatchString(s)
}

var variableForm = regexp.MustCompile(`\$\{\s*([^,}]*?)\s*(?:, *'([^']*)' *)?\}`)

// expand replaces variables by marks, so that their values are no wildcards.
func expand(req *Request, pattern string, variables bool) (string, bool) {
	if !variables {
		return pattern, true
	}
	ok := true
	out := variableForm.ReplaceAllStringFunc(pattern, func(v string) string {
		m := variableForm.FindStringSubmatch(v)
		if m[1] == "*" || m[1] == "?" || m[1] == "$" {
			return protect(m[1])
		}
		got, _ := slowLookup(req, m[1])
		switch lower := strings.ToLower(m[1]); {
		case len(got) > 0 && (strings.HasSuffix(lower, "orgpaths") || strings.HasSuffix(lower, "keys") || lower == "aws:calledvia" || strings.HasSuffix(lower, "list") && lower != "k:list"):
			ok = false
			return ""
		case len(got) == 1:
			return protect(got[0])
		case len(got) == 0 && strings.Contains(v, ","):
			return protect(m[2])
		}
		ok = false
		return ""
	})
	return out, ok
}

func protect(s string) string {
	return strings.NewReplacer("*", "\uE000", "?", "\uE001", ":", "\uE002").Replace(s)
}

func plain(s string) string {
	return strings.NewReplacer("\uE000", "*", "\uE001", "?", "\uE002", ":").Replace(s)
}

func like(pattern, s string) bool { return wildcard("(?s)", pattern, protect(s)) }

// wildcards stand for any character, also protected ones, so protecting the
// subject changes nothing but what is literal.
func slowARN(req *Request, pattern, s string, variables bool) (hit, ok bool) {
	p, ok := expand(req, pattern, variables)
	if !ok {
		// It stays open only when some value could have made it match.
		could, _ := slowARN(req, variableForm.ReplaceAllString(pattern, "*"), s, false)
		return false, !could
	}
	if strings.Trim(p, "*") == "" {
		return true, true
	}
	if !strings.HasPrefix(p, "arn:") && !strings.HasPrefix(p, "*:") {
		return like(p, s), true
	}
	want, got := strings.SplitN(p, ":", 6), strings.SplitN(s, ":", 6)
	if len(got) != 6 || got[0] != "arn" {
		return false, true
	}
	for i := range want {
		if !like(strings.ReplaceAll(want[i], ":", "\uE002"), got[i]) {
			return false, true
		}
	}
	return true, true
}

func slowPrincipal(req *Request, x any, deny, trust bool) reach {
	if x == "*" {
		x = doc{"AWS": "*"}
	}
	best := unreached
	for kind, list := range x.(doc) {
		for _, v := range many(list) {
			best = max(best, slowNamed(req, kind, v.(string), deny, trust))
		}
	}
	return best
}

func slowNamed(req *Request, kind, v string, deny, trust bool) reach {
	p := req.Principal
	anyone := p.Kind == aws.Anonymous
	service := p.Kind == aws.Service
	token := p.Kind == aws.WebIdentity || p.Kind == aws.SAML
	ours := !anyone && !service && !token
	switch {
	case kind == "AWS" && v == "*" && trust && !deny && token:
		return unreached
	case kind == "AWS" && v == "*" && trust && !deny && ours:
		return delegated
	case kind == "AWS" && v == "*":
		return direct
	case kind == "Signed" && ours:
		return delegated
	case kind == "CanonicalUser" && ours && v == req.CanonicalID:
		return delegated
	case kind == "Service" && service && slowService(req, v), kind == "Federated" && token && v == p.Name:
		return direct
	case !ours || kind != "AWS":
		return unreached
	case v == string(p.Account) || v == "arn:aws:iam::"+string(p.Account)+":root":
		return delegated
	case v == p.ARN.String() || v == p.ID && v != "":
		return direct
	case p.Session != nil && (v == p.Session.Issuer.String() || v == p.Session.IssuerID) && v != "":
		return limited
	}
	return unreached
}

// slowService compares names of services, with and without a region.
func slowService(req *Request, v string) bool {
	form := regexp.MustCompile(`^(.+)\.([a-z]+-[a-z-]+-[0-9])\.(amazonaws\..+)$`)
	if m := form.FindStringSubmatch(v); m != nil && m[1]+"."+m[3] == req.Principal.Name {
		region, _ := slowLookup(req, "aws:RequestedRegion")
		return slices.Equal(region, []string{m[2]})
	}
	if m := form.FindStringSubmatch(req.Principal.Name); m != nil && m[1]+"."+m[3] == v {
		return true
	}
	return v == req.Principal.Name
}

// slowPublic looks for an Allow for everyone without a condition; the dice makes
// only conditions that narrow nothing.
func slowPublic(a *Attached) bool {
	text, _ := written.Load(a.Document)
	var d doc
	if err := json.Unmarshal([]byte(text.(string)), &d); err != nil {
		panic(err)
	}
	return slices.ContainsFunc(many(d["Statement"]), func(x any) bool {
		s := x.(doc)
		aws, _ := s["Principal"].(doc)
		return s["Effect"] == "Allow" && (s["Principal"] == "*" || aws != nil && slices.Contains(many(aws["AWS"]), any("*"))) && !strings.Contains(narrowed(s), "PrincipalArn")
	})
}

// narrowed returns the conditions that hold a statement to a fixed audience.
func narrowed(s doc) string {
	conditions, _ := s["Condition"].(doc)
	for op, keys := range conditions {
		if strings.HasPrefix(op, "ForAllValues:") || strings.Contains(op, "Not") || strings.Contains(op, "IfExists") {
			continue
		}
		for key, values := range keys.(doc) {
			if strings.EqualFold(key, "aws:PrincipalArn") && !slices.ContainsFunc(many(values), func(v any) bool { return strings.ContainsAny(v.(string), "*?$") }) {
				return key
			}
		}
	}
	return ""
}

func slowExempt(req *Request, x any) bool {
	p := req.Principal
	if x == "*" {
		return true
	}
	var account, self, issuer bool
	for kind, list := range x.(doc) {
		for _, v := range many(list) {
			if v == "*" {
				return true
			}
			switch slowNamed(req, kind, v.(string), true, false) {
			case delegated:
				account = true
			case direct:
				self = true
			case limited:
				issuer = true
			}
		}
	}
	switch p.Kind {
	case aws.Root:
		return account
	case aws.User:
		return account && self
	case aws.AssumedRole, aws.FederatedUser:
		return account && self && issuer
	}
	return self
}

// slowLookup returns the values of a key, and whether they contradict.
func slowLookup(req *Request, key string) (values []string, contradict bool) {
	var e evaluation // keys are facts, not logic: one source
	e.init(req, &Policies{})
	v := e.lookup(strings.ToLower(key))
	return v.strings(), v.kind == ambiguous
}

func slowCondition(req *Request, op, key string, values []any, variables, deny bool) bool {
	got, contradict := slowLookup(req, key)
	if contradict {
		return deny
	}
	all, some := strings.HasPrefix(op, "ForAllValues:"), strings.HasPrefix(op, "ForAnyValue:")
	op = strings.TrimPrefix(strings.TrimPrefix(op, "ForAllValues:"), "ForAnyValue:")
	ifExists := strings.HasSuffix(op, "IfExists")
	op = strings.TrimSuffix(op, "IfExists")
	if op == "Null" {
		return slices.ContainsFunc(values, func(v any) bool { return (scalar(v) == "true") == (len(got) == 0) })
	}
	negated := strings.Contains(op, "Not")
	op = strings.ReplaceAll(op, "Not", "")
	if len(got) == 1 && got[0] == "" && (all || some) {
		got = nil
	}
	if len(got) == 0 {
		return ifExists || all || negated && !some
	}
	// How many of the request's values are as wanted, not so, or open?
	in, out := 0, 0
	for _, g := range got {
		hit, open := false, false
		for _, v := range values {
			h, ok := slowCompare(req, op, g, scalar(v), variables)
			hit, open = hit || h, open || !ok
		}
		switch {
		case hit:
			in++
		case !open:
			out++
		}
	}
	switch {
	case negated && some:
		return out > 0
	case negated:
		return out == len(got)
	case all:
		return in == len(got)
	}
	return in > 0
}

func scalar(v any) string {
	switch x := v.(type) {
	case bool:
		if x {
			return "true"
		}
		return "false"
	case float64:
		return new(big.Rat).SetFloat64(x).FloatString(6)
	}
	return strings.TrimSpace(v.(string))
}

func slowCompare(req *Request, op, got, want string, variables bool) (hit, ok bool) {
	switch op {
	case "StringEquals", "StringEqualsIgnoreCase", "StringLike":
		w, ok := expand(req, want, variables)
		if !ok {
			return false, false
		}
		if op == "StringLike" {
			return like(strings.ReplaceAll(w, ":", "\uE002"), got), true
		}
		return plain(w) == got || op == "StringEqualsIgnoreCase" && strings.EqualFold(plain(w), got), true
	case "ArnEquals", "ArnLike":
		if w, ok := expand(req, want, variables); ok && !strings.Contains(want, ":") || strings.HasPrefix(want, "${") {
			return ok && like(strings.ReplaceAll(w, ":", "\uE002"), got), ok
		}
		return slowARN(req, want, got, variables)
	case "Bool":
		return strings.EqualFold(got, want), true
	case "BinaryEquals":
		g, err := base64.StdEncoding.DecodeString(got)
		w, _ := base64.StdEncoding.DecodeString(want)
		return err == nil && string(g) == string(w), true
	case "IpAddress":
		a, err := netip.ParseAddr(got)
		p, perr := netip.ParsePrefix(want)
		if perr != nil {
			b, _ := netip.ParseAddr(want)
			return err == nil && a == b, true
		}
		return err == nil && p.Contains(a), true
	}
	var order int
	if name, numeric := strings.CutPrefix(op, "Numeric"); numeric {
		g, gok := new(big.Rat).SetString(got)
		w, _ := new(big.Rat).SetString(want)
		if !gok {
			return false, true
		}
		order, op = g.Cmp(w), name
	} else {
		g, gok := slowDate(got)
		w, _ := slowDate(want)
		if !gok {
			return false, true
		}
		order, op = g.Compare(w), strings.TrimPrefix(op, "Date")
	}
	return map[string]bool{"Equals": order == 0, "LessThan": order < 0, "LessThanEquals": order <= 0,
		"GreaterThan": order > 0, "GreaterThanEquals": order >= 0}[op], true
}

func slowDate(s string) (time.Time, bool) {
	for _, form := range []string{time.RFC3339, "2006-01-02", "2006"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	n, ok := new(big.Int).SetString(s, 10)
	if !ok || !n.IsInt64() {
		return time.Time{}, false
	}
	return time.Unix(n.Int64(), 0), true
}
