package lint

import (
	"slices"
	"strings"

	"sumun.dev/policy"
	"sumun.dev/policy/facts"
)

func (l *linter) actions(s *statement) {
	if s.action.empty() || s.notAction.empty() {
		l.add("EMPTY_ARRAY_ACTION", s.node)
	}
	if l.kind == policy.RCP && s.notAction != nil {
		l.add("RCP_SYNTAX_ERROR_NOTACTION", s.notAction)
	}
	if l.kind == policy.RCP && s.effect == "Allow" {
		l.add("RCP_SYNTAX_ERROR_ALLOW", s.get("Effect"))
	}
	all := s.actions()
	for _, n := range all {
		l.noVariables("Action", n)
		l.action(n)
	}
	l.covered(all, "REDUNDANT_ACTION", func(wide, narrow string) bool {
		return globs(strings.ToLower(wide), strings.ToLower(narrow))
	})
}

func (l *linter) action(n *node) {
	prefix, name, found := strings.Cut(n.text, ":")
	switch {
	case l.kind == policy.RCP && (n.text == "*" || strings.ContainsAny(prefix, "*?")):
		l.add("RCP_SYNTAX_ERROR_ACTION_WILDCARD", n)
		return
	case strings.Trim(n.text, "*") == "" && n.text != "":
		return
	case l.kind == policy.Trust && !strings.EqualFold(prefix, "sts"):
		l.add("UNSUPPORTED_ACTION_IN_POLICY", n, n.text)
		return
	case !found || strings.Contains(name, ":") || name == "":
		l.add("INVALID_ACTION", n, n.text)
		return
	case strings.ContainsAny(prefix, "*?"):
		l.add("WILDCARD_IN_SERVICE_NAME", n, n.text)
		return
	}
	if _, known := facts.Service(prefix); !known {
		code := "INVALID_SERVICE_IN_ACTION"
		if slices.Contains(retired[:], strings.ToLower(prefix)) {
			code = "RETIRED_SERVICE"
		}
		l.add(code, n, prefix)
		return
	}
	if strings.Trim(name, "*") != "" && len(facts.Expand(n.text)) == 0 {
		l.add("INVALID_ACTION", n, n.text)
		return
	}
	if l.kind == policy.RCP && !policy.SupportsRCP(prefix) {
		l.add("UNSUPPORTED_SERVICE_IN_RCP", n, prefix)
	}
}

// retired are services that were AWS's once, whose names are still in policies.
var retired = [...]string{"deepcomposer", "deeplens", "deepracer", "elastic-inference", "iot1click", "zocalo"}

// covered reports texts that another of the list means already.
func (l *linter) covered(all []*node, code string, covers func(wide, narrow string) bool) {
	if len(all) > 200 { // the comparison is of each with each
		return
	}
	for i, narrow := range all {
		j := slices.IndexFunc(all, func(wide *node) bool {
			return wide != narrow && covers(wide.text, narrow.text)
		})
		// Of two that mean the same the later is needless.
		if j >= 0 && (j < i || !covers(narrow.text, all[j].text)) {
			l.add(code, narrow, narrow.text, all[j].text)
		}
	}
}

// globs reports whether every text that narrow matches is matched by wide: wide
// has to match narrow as it is written, its wildcards taken as plain characters.
func globs(wide, narrow string) bool {
	return facts.Glob(wide, strings.ReplaceAll(narrow, "?", "\x00")) || wide == narrow
}
