package lint

import (
	"strings"

	"sumun.dev/policy"
	"sumun.dev/policy/facts"
)

// spreading are rights that give away other rights when they are for everything.
var spreading = []struct{ action, code string }{
	{"iam:passrole", "PASS_ROLE"},
	{"iam:createservicelinkedrole", "CREATE_SLR"},
}

// rights looks for rights that are safe only for named resources.
func (l *linter) rights(s *statement) {
	if !s.allows() || l.kind != policy.Identity {
		return
	}
	where, all := "", false
	switch {
	case s.notResource != nil:
		where = "NOT_RESOURCE"
	default:
		for _, r := range s.resources() {
			all = all || everyRole(r.text)
		}
		if !all {
			return
		}
		where = "STAR_IN_RESOURCE"
	}
	for _, right := range spreading {
		l.right(s, right.action, right.code, where)
	}
}

// everyRole reports whether a resource means all roles.
func everyRole(resource string) bool {
	if strings.Trim(resource, "*") == "" {
		return resource != ""
	}
	parts := strings.SplitN(resource, ":", 6)
	return len(parts) == 6 && parts[2] == "iam" && (strings.Trim(parts[5], "*") == "" || parts[5] == "role/*" || parts[5] == "role*")
}

func (l *linter) right(s *statement, action, code, where string) {
	if s.notAction != nil {
		for _, a := range s.actions() {
			if facts.Glob(strings.ToLower(a.text), action) {
				return
			}
		}
		l.add(code+"_WITH_NOT_ACTION_AND_"+where, s.notAction)
		return
	}
	if s.hasKey("iam:passedtoservice", "iam:awsservicename") {
		return // for a named service
	}
	for _, a := range s.actions() {
		lower := strings.ToLower(a.text)
		switch {
		case lower == action:
			l.add(code+"_WITH_"+where, a)
			return
		case facts.Glob(lower, action):
			short := strings.TrimPrefix(where, "STAR_IN_")
			l.add(code+"_WITH_STAR_IN_ACTION_AND_"+short, a, a.text)
			return
		}
	}
}
