package respond

import (
	"slices"
	"strings"
	"time"
)

// The actions that can be run.
const (
	ExecuteAPI     = "aws:executeAwsApi"
	AssertProperty = "aws:assertAwsResourceProperty"
	WaitProperty   = "aws:waitForAwsResourceProperty"
	Sleep          = "aws:sleep"
	Branch         = "aws:branch"
)

var actions = []string{ExecuteAPI, AssertProperty, WaitProperty, Sleep, Branch}

const (
	maxAttempts = 10
	maxTimeout  = 7 * 24 * time.Hour
)

// check refuses what could not be run to its end.
func (b *Runbook) check() error {
	if len(b.Steps) == 0 || len(b.Steps) > MaxSteps {
		return bad("mainSteps has %d steps; 1 to %d are allowed", len(b.Steps), MaxSteps)
	}
	if err := b.refers("assumeRole", b.AssumeRole); err != nil {
		return err
	}
	for _, p := range b.Parameters {
		if err := refersToGlobals(p.Name, p.Default); err != nil {
			return err
		}
		if text, ok := p.Default.(string); ok && baseType(p.Type) != String && !strings.Contains(text, "{{") {
			return bad("parameter %s: the default is not of type %s", p.Name, p.Type)
		}
	}
	seen := map[string]bool{}
	for i := range b.Steps {
		s := &b.Steps[i]
		if !isName(s.Name) || len(s.Name) > 128 || seen[s.Name] {
			return bad("step %d: the name %q is not valid or used twice", i+1, s.Name)
		}
		seen[s.Name] = true
	}
	for i := range b.Steps {
		if err := b.checkStep(&b.Steps[i]); err != nil {
			return err
		}
	}
	for _, o := range b.Outputs {
		if err := b.refers("outputs", "{{ "+o+" }}"); err != nil || !strings.Contains(o, ".") {
			return bad("outputs: %s is no output of a step", o)
		}
	}
	return b.checkCircles()
}

func (b *Runbook) checkStep(s *Step) error {
	if !slices.Contains(actions, s.Action) {
		return bad("step %s: the action %q is not served; %s are", s.Name, s.Action, strings.Join(actions, ", "))
	}
	if s.MaxAttempts < 1 || s.MaxAttempts > maxAttempts {
		return bad("step %s: maxAttempts is 1 to %d", s.Name, maxAttempts)
	}
	if s.Timeout < 0 || s.Timeout > maxTimeout {
		return bad("step %s: timeoutSeconds is 1 to %d", s.Name, int(maxTimeout.Seconds()))
	}
	for _, to := range b.targets(s) {
		if b.index(to) < 0 {
			return bad("step %s: there is no step %s", s.Name, to)
		}
	}
	for _, on := range []string{s.OnFailure, s.OnCancel} {
		if on != Abort && on != Continue && !strings.HasPrefix(on, "step:") {
			return bad("step %s: %q is none of Abort, Continue, step:NAME", s.Name, on)
		}
	}
	if s.Action != Branch {
		if err := b.refers("step "+s.Name, s.Inputs); err != nil {
			return err
		}
	}
	for i, o := range s.Outputs {
		if !isName(o.Name) || baseType(o.Type) == "" || slices.ContainsFunc(s.Outputs[:i], func(p Output) bool { return p.Name == o.Name }) {
			return bad("step %s: output %q is not valid", s.Name, o.Name)
		}
		if _, err := parseSelector(o.Selector); err != nil {
			return bad("step %s: output %s: %v", s.Name, o.Name, err)
		}
	}
	return b.checkInputs(s)
}

// checkInputs looks at what each action needs.
func (b *Runbook) checkInputs(s *Step) error {
	switch s.Action {
	case Branch:
		return b.checkBranch(s)
	case Sleep:
		duration, hasDuration := s.Inputs["Duration"].(string)
		at, hasTime := s.Inputs["Timestamp"].(string)
		if hasDuration == hasTime {
			return bad("step %s: either Duration or Timestamp is required", s.Name)
		}
		if strings.Contains(duration+at, "{{") {
			return nil
		}
		_, err := SleepUntil(s.Inputs, time.Now())
		if err != nil {
			return bad("step %s: %v", s.Name, err)
		}
		return nil
	}
	need := []string{"Service", "Api"}
	if s.Action != ExecuteAPI {
		need = append(need, "PropertySelector")
		if l, ok := s.Inputs["DesiredValues"].([]any); !ok || len(l) == 0 {
			return bad("step %s: DesiredValues is required", s.Name)
		}
	}
	for _, name := range need {
		if text, ok := s.Inputs[name].(string); !ok || text == "" {
			return bad("step %s: %s is required", s.Name, name)
		}
	}
	if selector, ok := s.Inputs["PropertySelector"].(string); ok && s.Action != ExecuteAPI && !strings.Contains(selector, "{{") {
		if _, err := parseSelector(selector); err != nil {
			return bad("step %s: PropertySelector: %v", s.Name, err)
		}
	}
	return nil
}

// targets lists the steps that s names.
func (b *Runbook) targets(s *Step) []string {
	var all []string
	if s.Next != "" {
		all = append(all, s.Next)
	}
	for _, on := range []string{s.OnFailure, s.OnCancel} {
		if to, ok := strings.CutPrefix(on, "step:"); ok {
			all = append(all, to)
		}
	}
	if s.Action == Branch {
		all = append(all, branchTargets(s)...)
	}
	return all
}

// checkCircles refuses runbooks that could run without end.
func (b *Runbook) checkCircles() error {
	const entered, left = 1, 2
	state := make([]int, len(b.Steps))
	var visit func(i int) error
	visit = func(i int) error {
		if state[i] == left {
			return nil
		}
		if state[i] == entered {
			return bad("step %s is reached again from itself", b.Steps[i].Name)
		}
		state[i] = entered
		s := &b.Steps[i]
		next := b.targets(s)
		if !s.End && i+1 < len(b.Steps) && (s.Next == "" || s.OnFailure == Continue) {
			next = append(next, b.Steps[i+1].Name)
		}
		for _, to := range next {
			if err := visit(b.index(to)); err != nil {
				return err
			}
		}
		state[i] = left
		return nil
	}
	for i := range b.Steps {
		if err := visit(i); err != nil {
			return err
		}
	}
	return nil
}

// refers checks that every reference in v names something that the runbook has.
func (b *Runbook) refers(where string, v any) error {
	return references(v, func(name string) error {
		switch {
		case strings.Contains(name, ":"):
			if !slices.Contains(Globals(), name) {
				return bad("%s: {{ %s }} is not served", where, name)
			}
		case strings.Contains(name, "."):
			step, output, _ := strings.Cut(name, ".")
			s, ok := b.Step(step)
			if !ok || !slices.ContainsFunc(s.Outputs, func(o Output) bool { return o.Name == output }) {
				return bad("%s: {{ %s }} is no output of a step", where, name)
			}
		default:
			if !slices.ContainsFunc(b.Parameters, func(p Parameter) bool { return p.Name == name }) {
				return bad("%s: {{ %s }} is no parameter", where, name)
			}
		}
		return nil
	})
}

func refersToGlobals(parameter string, v any) error {
	return references(v, func(name string) error {
		if !slices.Contains(Globals(), name) {
			return bad("parameter %s: a default may refer to globals only, not to %s", parameter, name)
		}
		return nil
	})
}

// references calls look for every reference in the strings of v.
func references(v any, look func(name string) error) error {
	switch v := v.(type) {
	case string:
		parts, err := split(v)
		if err != nil {
			return err
		}
		for _, p := range parts {
			if !p.reference {
				continue
			}
			if err := look(p.text); err != nil {
				return err
			}
		}
	case []any:
		for _, e := range v {
			if err := references(e, look); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, e := range v {
			if err := references(e, look); err != nil {
				return err
			}
		}
	}
	return nil
}
