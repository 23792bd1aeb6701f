package lint

import "strings"

// variable checks the variables of a Resource or a condition's value, and reports
// whether the rest of it can be looked at.
func (l *linter) variable(element string, n *node) bool {
	if !strings.Contains(n.text, "${") {
		return true
	}
	if !l.variables {
		l.add("VARIABLE_UNSUPPORTED_IN_VERSION", n, n.text)
		return true
	}
	rest := n.text
	for {
		_, after, found := strings.Cut(rest, "${")
		if !found {
			break
		}
		inside, next, closed := strings.Cut(after, "}")
		if !closed {
			l.add("MISSING_BRACE_IN_VARIABLE", n, n.text)
			return false
		}
		if code := variableError(inside); code != "" {
			l.add(code, n, n.text)
			return false
		}
		rest = next
	}
	if element != "Resource" && element != "NotResource" {
		return true
	}
	// Only the last part of an ARN has variables.
	if parts := strings.SplitN(n.text, ":", 6); len(parts) == 6 && strings.Contains(strings.Join(parts[:5], ":"), "${") {
		l.add("VARIABLE_UNSUPPORTED_IN_ELEMENT", n, "An ARN before its last part", n.text)
		return false
	}
	return true
}

func variableError(inside string) string {
	name, otherwise, hasDefault := strings.Cut(inside, ",")
	switch trimmed := strings.TrimSpace(otherwise); {
	case strings.TrimSpace(name) == "":
		return "EMPTY_VARIABLE"
	case strings.TrimSpace(name) != name && !hasDefault || strings.Contains(strings.TrimSpace(name), " "):
		return "UNSUPPORTED_SPACE_IN_VARIABLE"
	case hasDefault && (len(trimmed) < 2 || trimmed[0] != '\'' || trimmed[len(trimmed)-1] != '\''):
		return "MISSING_QUOTE_IN_VARIABLE"
	}
	return ""
}

// noVariables reports variables where there are none.
func (l *linter) noVariables(element string, n *node) {
	if strings.Contains(n.text, "${") {
		l.add("VARIABLE_UNSUPPORTED_IN_ELEMENT", n, element, n.text)
	}
}
