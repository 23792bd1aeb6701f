package respond

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The comparisons of aws:branch. Systems Manager User Guide, "Using conditional
// statements in runbooks".
var comparisons = []string{
	"StringEquals", "EqualsIgnoreCase", "StartsWith", "EndsWith", "Contains",
	"NumericEquals", "NumericGreater", "NumericLesser", "NumericGreaterOrEquals", "NumericLesserOrEquals", "BooleanEquals",
}

func branchTargets(s *Step) []string {
	var all []string
	choices, _ := s.Inputs["Choices"].([]any)
	for _, c := range choices {
		if m, ok := c.(map[string]any); ok {
			to, _ := m["NextStep"].(string)
			all = append(all, to)
		}
	}
	if to, ok := s.Inputs["Default"].(string); ok {
		all = append(all, to)
	}
	return all
}

func (b *Runbook) checkBranch(s *Step) error {
	choices, _ := s.Inputs["Choices"].([]any)
	if len(choices) == 0 {
		return bad("step %s: Choices is required", s.Name)
	}
	for name := range s.Inputs {
		if name != "Choices" && name != "Default" {
			return bad("step %s: %s is not an input of aws:branch", s.Name, name)
		}
	}
	for _, c := range choices {
		m, ok := c.(map[string]any)
		if !ok {
			return bad("step %s: a choice is an object", s.Name)
		}
		if err := b.checkChoice(s, m, true); err != nil {
			return err
		}
	}
	return nil
}

func (b *Runbook) checkChoice(s *Step, m map[string]any, top bool) error {
	kind := ""
	for name, v := range m {
		switch name {
		case "NextStep":
			if !top {
				return bad("step %s: NextStep stands at the choice itself", s.Name)
			}
			continue
		case "Variable":
			if err := b.refers("step "+s.Name, v); err != nil {
				return err
			}
			continue
		case "And", "Or":
			list, ok := v.([]any)
			if !ok || len(list) == 0 {
				return bad("step %s: %s holds a list", s.Name, name)
			}
			for _, e := range list {
				if err := b.checkOperand(s, e); err != nil {
					return err
				}
			}
		case "Not":
			if err := b.checkOperand(s, v); err != nil {
				return err
			}
		default:
			if !slices.Contains(comparisons, name) {
				return bad("step %s: %s is no comparison", s.Name, name)
			}
			if _, ok := m["Variable"].(string); !ok {
				return bad("step %s: %s has no Variable", s.Name, name)
			}
			if err := b.refers("step "+s.Name, v); err != nil {
				return err
			}
		}
		if kind != "" {
			return bad("step %s: a choice has one comparison, not %s and %s", s.Name, kind, name)
		}
		kind = name
	}
	if kind == "" {
		return bad("step %s: a choice has no comparison", s.Name)
	}
	return nil
}

func (b *Runbook) checkOperand(s *Step, v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return bad("step %s: And, Or and Not hold comparisons", s.Name)
	}
	return b.checkChoice(s, m, false)
}

// Choose evaluates aws:branch and returns the step to go to; empty when no choice
// is true and there is no default.
func Choose(s *Step, scope *Scope) (string, error) {
	choices, _ := s.Inputs["Choices"].([]any)
	for _, c := range choices {
		m, _ := c.(map[string]any)
		yes, err := holds(m, scope)
		if err != nil {
			return "", err
		}
		if yes {
			to, _ := m["NextStep"].(string)
			return to, nil
		}
	}
	to, _ := s.Inputs["Default"].(string)
	return to, nil
}

func holds(m map[string]any, scope *Scope) (bool, error) {
	if list, ok := m["And"].([]any); ok {
		return allHold(list, scope, false)
	}
	if list, ok := m["Or"].([]any); ok {
		return allHold(list, scope, true)
	}
	if inner, ok := m["Not"].(map[string]any); ok {
		yes, err := holds(inner, scope)
		return !yes && err == nil, err
	}
	left, err := scope.Fill(m["Variable"])
	if err != nil {
		return false, err
	}
	for _, name := range comparisons {
		v, ok := m[name]
		if !ok {
			continue
		}
		right, err := scope.Fill(v)
		if err != nil {
			return false, err
		}
		return compare(name, left, right)
	}
	return false, nil
}

// allHold looks for the first operand that is stop: a true one decides Or, a
// false one decides And.
func allHold(list []any, scope *Scope, stop bool) (bool, error) {
	for _, e := range list {
		m, _ := e.(map[string]any)
		yes, err := holds(m, scope)
		if err != nil || yes == stop {
			return yes, err
		}
	}
	return !stop, nil
}

func compare(name string, left, right any) (bool, error) {
	if strings.HasPrefix(name, "Numeric") {
		return compareNumbers(name, left, right)
	}
	l, r := Text(left), Text(right)
	switch name {
	case "StringEquals":
		return l == r, nil
	case "EqualsIgnoreCase":
		return strings.EqualFold(l, r), nil
	case "StartsWith":
		return strings.HasPrefix(l, r), nil
	case "EndsWith":
		return strings.HasSuffix(l, r), nil
	case "Contains":
		if list, ok := left.([]any); ok {
			return slices.ContainsFunc(list, func(e any) bool { return Text(e) == r }), nil
		}
		return strings.Contains(l, r), nil
	}
	a, err := strconv.ParseBool(l)
	if err != nil {
		return false, fmt.Errorf("%q is not a Boolean", l)
	}
	b, err := strconv.ParseBool(r)
	if err != nil {
		return false, fmt.Errorf("%q is not a Boolean", r)
	}
	return a == b, nil
}

func compareNumbers(name string, left, right any) (bool, error) {
	a, err := strconv.ParseFloat(Text(left), 64)
	if err != nil {
		return false, fmt.Errorf("%q is not a number", Text(left))
	}
	b, err := strconv.ParseFloat(Text(right), 64)
	if err != nil {
		return false, fmt.Errorf("%q is not a number", Text(right))
	}
	switch name {
	case "NumericEquals":
		return a == b, nil
	case "NumericGreater":
		return a > b, nil
	case "NumericLesser":
		return a < b, nil
	case "NumericGreaterOrEquals":
		return a >= b, nil
	}
	return a <= b, nil
}
