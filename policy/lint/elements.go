package lint

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/policy"
)

// A statement is one statement, taken apart. What it does not have is nil.
type statement struct {
	*node
	effect                                                                  string // "Allow", "Deny", or something else
	principal, notPrincipal, action, notAction, resource, notResource, when *node
}

func (s *statement) allows() bool { return s.effect == "Allow" }

// actions returns the strings of Action or NotAction.
func (s *statement) actions() []*node {
	if s.action != nil {
		return s.action.texts()
	}
	return s.notAction.texts()
}

func (s *statement) resources() []*node {
	if s.resource != nil {
		return s.resource.texts()
	}
	return s.notResource.texts()
}

// conditions returns each key under each operator.
func (s *statement) conditions() []conditionNode {
	if s.when == nil || s.when.kind != '{' {
		return nil
	}
	var all []conditionNode
	for _, op := range s.when.members {
		for _, key := range op.value.members {
			all = append(all, conditionNode{operator: op.name, key: key.name, at: &node{at: key.at, path: key.value.path}, values: key.value})
		}
	}
	return all
}

// hasKey reports whether a condition is about one of the keys, given in lower case.
func (s *statement) hasKey(keys ...string) bool {
	return slices.ContainsFunc(s.conditions(), func(c conditionNode) bool { return slices.Contains(keys, strings.ToLower(c.key)) })
}

type conditionNode struct {
	operator, key string
	at, values    *node
}

var kindWords = map[jsontext.Kind]string{'{': "an object", '[': "a list", '"': "a string", '0': "a number", 't': "a boolean", 'f': "a boolean", 'n': "null"}

// want reports whether n is one of the kinds of value, and a finding if not.
func (l *linter) want(n *node, what string, kinds ...jsontext.Kind) bool {
	if n == nil || slices.Contains(kinds, n.kind) {
		return n != nil
	}
	l.add("DATA_TYPE_MISMATCH", n, what, kindWords[n.kind])
	return false
}

func (l *linter) document(root *node) {
	if !l.want(root, "An object", '{') {
		return
	}
	l.members(root, "Version", "Id", "Statement")
	version := root.get("Version")
	switch {
	case version == nil:
		l.add("MISSING_VERSION", root)
	case !l.want(version, "A string", '"'):
	case version.text == "2012-10-17":
		l.variables = true
	case version.text != "2008-10-17":
		l.add("INVALID_VERSION", version, version.text)
	}
	l.want(root.get("Id"), "A string", '"')
	l.size(root)
	list := root.get("Statement")
	if list == nil || list.empty() {
		l.add("MISSING_STATEMENT", root)
		return
	}
	if !l.want(list, "A statement or a list of them", '{', '[') {
		return
	}
	var all []*statement
	for _, n := range list.list() {
		if l.want(n, "A statement", '{') {
			all = append(all, l.statement(n))
		}
	}
	l.sids(all)
	for _, s := range all {
		l.principals(s)
		l.actions(s)
		l.resources(s)
		l.conditions(s)
		l.rights(s)
	}
	l.redundant(all)
}

// members reports elements that there are not, and those that are there twice.
func (l *linter) members(n *node, known ...string) {
	seen := map[string]bool{}
	for _, m := range n.members {
		at := &node{at: m.at, path: m.value.path}
		switch {
		case !slices.Contains(known, m.name):
			l.add("INVALID_POLICY_ELEMENT", at, m.name)
		case seen[m.name]:
			l.add("DUPLICATE_ELEMENT", at, m.name)
		}
		seen[m.name] = true
	}
}

func (l *linter) statement(n *node) *statement {
	l.members(n, "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
	s := &statement{
		node: n, principal: n.get("Principal"), notPrincipal: n.get("NotPrincipal"), action: n.get("Action"), notAction: n.get("NotAction"),
		resource: n.get("Resource"), notResource: n.get("NotResource"), when: n.get("Condition"),
	}
	for _, name := range []string{"Principal", "Action", "Resource"} {
		if n.get(name) != nil && n.get("Not"+name) != nil {
			l.add("UNSUPPORTED_ELEMENT_COMBINATION", n.get("Not"+name), name, "Not"+name)
		}
	}
	effect := n.get("Effect")
	switch {
	case effect == nil:
		l.add("MISSING_EFFECT", n)
	case !l.want(effect, "A string", '"'):
	case effect.text != "Allow" && effect.text != "Deny":
		l.add("INVALID_EFFECT", effect, effect.text)
	default:
		s.effect = effect.text
	}
	if s.action == nil && s.notAction == nil {
		l.add("MISSING_ACTION", n)
	}
	if s.resource == nil && s.notResource == nil && l.kind != policy.Trust {
		l.add("MISSING_RESOURCE", n)
	}
	for _, list := range []*node{s.action, s.notAction, s.resource, s.notResource} {
		if l.want(list, "A string or a list of strings", '"', '[') {
			for _, item := range list.list() {
				l.want(item, "A string", '"')
			}
		}
	}
	if s.when != nil && !l.want(s.when, "An object", '{') {
		s.when = nil
	}
	return s
}

// sids checks the names of statements. IAM wants letters and digits; other
// services take more.
func (l *linter) sids(all []*statement) {
	seen := map[string]bool{}
	inIAM := l.kind == policy.Identity || l.kind == policy.Trust || l.kind == policy.SCP || l.kind == policy.RCP
	for _, s := range all {
		sid := s.get("Sid")
		if !l.want(sid, "A string", '"') {
			continue
		}
		l.noVariables("Sid", sid)
		switch {
		case sid.text == "":
			l.add("EMPTY_SID_VALUE", sid)
			continue
		case seen[sid.text] && inIAM:
			l.add("UNIQUE_SIDS_REQUIRED", sid, sid.text)
		case seen[sid.text]:
			l.add("UNIQUE_SIDS_RECOMMENDED", sid, sid.text)
		case inIAM && strings.Trim(sid.text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "":
			l.add("UNSUPPORTED_SID", sid, sid.text)
		}
		seen[sid.text] = true
	}
}
