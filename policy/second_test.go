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
	underRCP := slices.Contains(rcpServices[:], service) && !strings.EqualFold(req.Action, "kms:RetireGrant") && !linked
	bounded := p.Boundary != nil

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
	if ours && !linked {
		levels(p.SCPs)
	}
	if underRCP {
		levels(p.RCPs)
	}
	if p.Endpoint != nil && look(p.Endpoint) == unreached {
		ceilings = false
	}
	resource := max(look(p.Resource), look(p.Grants...))
	identity := look(p.Identity...) > unreached || who.Kind == aws.Root
	boundary := look(p.Boundary) > unreached || p.Boundary == nil
	session := p.Session == nil && who.Kind != aws.FederatedUser
	if !session {
		session = look(p.Session...) > unreached
	}
	must := strings.HasPrefix(strings.ToLower(req.Action), "sts:assumerole") && p.Resource == nil ||
		p.Resource != nil && (p.Resource.Kind == Trust || p.Resource.Kind == Key)
	across := ours && req.ResourceAccount != "" && req.ResourceAccount != who.Account

	granted := false
	switch {
	case !ours:
		granted = resource > unreached
	case across:
		granted = resource > unreached && identity && boundary && session
	case must && resource == unreached:
	case resource == direct:
		granted = true
	case resource == limited:
		granted = boundary && session
	default:
		granted = identity && boundary && session
	}
	switch {
	case denied:
		return ExplicitDeny
	case ceilings && granted:
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
		r := slowStatement(req, s, variables, bounded, s["Effect"] == "Deny")
		if s["Effect"] == "Deny" {
			deny = deny || r > unreached
		} else {
			best = max(best, r)
		}
	}
	return deny, best
}

func slowStatement(req *Request, s doc, variables, bounded, deny bool) reach {
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
		reached = slowPrincipal(req.Principal, x)
	}
	if x, has := s["NotPrincipal"]; has && !bounded && slowExempt(req.Principal, x) {
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
		switch {
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

func slowPrincipal(p *aws.Principal, x any) reach {
	if x == "*" {
		return direct
	}
	best := unreached
	for kind, list := range x.(doc) {
		for _, v := range many(list) {
			best = max(best, slowNamed(p, kind, v.(string)))
		}
	}
	return best
}

func slowNamed(p *aws.Principal, kind, v string) reach {
	account := kind == "AWS" && p.Account != "" && p.Kind != aws.Service &&
		(v == string(p.Account) || strings.HasPrefix(v, "arn:aws:iam::"+string(p.Account)+":root"))
	switch {
	case kind == "AWS" && v == "*":
		return direct
	case kind == "Service" && p.Kind == aws.Service && v == p.Name,
		kind == "Federated" && (p.Kind == aws.WebIdentity || p.Kind == aws.SAML) && v == p.Name:
		return direct
	case p.Kind == aws.Service || p.Kind == aws.WebIdentity || p.Kind == aws.SAML || p.Kind == aws.Anonymous || kind != "AWS":
		return unreached
	case account:
		return delegated
	case v == p.ARN.String() || v == p.ID && v != "":
		return direct
	case p.Session != nil && (v == p.Session.Issuer.String() || v == p.Session.IssuerID) && v != "":
		return limited
	}
	return unreached
}

func slowExempt(p *aws.Principal, x any) bool {
	if x == "*" {
		return true
	}
	var account, self, issuer bool
	for kind, list := range x.(doc) {
		for _, v := range many(list) {
			if v == "*" {
				return true
			}
			switch slowNamed(p, kind, v.(string)) {
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
	e := evaluation{req: req, principal: req.Principal} // keys are facts, not logic: one source
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
