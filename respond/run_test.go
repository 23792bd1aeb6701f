package respond

import (
	"strings"
	"testing"
)

// steps makes a runbook of sleeping steps; each line is a name and properties.
func steps(t *testing.T, lines ...string) *Runbook {
	t.Helper()
	var b strings.Builder
	for _, line := range lines {
		name, more, _ := strings.Cut(line, " ")
		b.WriteString("  - {name: " + name + ", action: 'aws:sleep', inputs: {Duration: PT1S}" + more + "}\n")
	}
	r, err := Parse("Test", []byte(doc(b.String())))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name     string
		steps    []string
		outcomes string // of the steps, in the order in which they are done
		want     string // the steps done, and how the run ends
	}{
		{"in_order", []string{"a", "b", "c"}, "sss", "abc Success"},
		{"failure_aborts", []string{"a", "b", "c"}, "sf", "ab Failed"},
		{"timeout_aborts", []string{"a", "b"}, "t", "a TimedOut"},
		{"continue", []string{"a , onFailure: Continue", "b"}, "fs", "ab Success"},
		{"continue_critical", []string{"a , onFailure: Continue, isCritical: true", "b"}, "fs", "ab Failed"},
		{"continue_goes_to_next_step", []string{"a , onFailure: Continue, nextStep: c", "b", "c"}, "fs", "ac Success"},
		{"next_step", []string{"a , nextStep: c", "b", "c"}, "ss", "ac Success"},
		{"end", []string{"a , isEnd: true", "b"}, "s", "a Success"},
		{"end_on_failure_too", []string{"a , isEnd: true, onFailure: Continue", "b"}, "f", "a Success"},
		{"on_failure_step", []string{"a , onFailure: 'step:c'", "b", "c"}, "fs", "ac Failed"},
		{"on_failure_step_not_critical", []string{"a , onFailure: 'step:c', isCritical: false", "b", "c"}, "fs", "ac Success"},
		{"not_critical_but_aborts", []string{"a , isCritical: false", "b"}, "f", "a Failed"},
		{"cancel", []string{"a", "b"}, "c", "a Cancelled"},
		{"cancel_later", []string{"a", "b", "c"}, "sc", "ab Cancelled"},
		{"on_cancel_step", []string{"a , onCancel: 'step:c'", "b", "c"}, "cs", "ac Cancelled"},
		{"on_cancel_continue", []string{"a , onCancel: Continue", "b", "c"}, "css", "abc Cancelled"},
		{"on_cancel_step_fails", []string{"a , onCancel: 'step:c'", "b", "c"}, "cf", "ac Cancelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := steps(t, c.steps...)
			done, run := "", r.Begin()
			for _, o := range c.outcomes {
				done += run.At
				switch o {
				case 's':
					run = r.After(run, Success, "")
				case 'f':
					run = r.After(run, Failed, "")
				case 't':
					run = r.After(run, TimedOut, "")
				case 'c':
					run = r.Cancel(run)
				}
			}
			if got := done + " " + string(run.End); got != c.want || !run.Done() {
				t.Errorf("got %s (at %q), want %s", got, run.At, c.want)
			}
		})
	}
}

func TestBranch(t *testing.T) {
	for _, c := range []struct{ name, choice, want string }{
		{"equals", `Variable: '{{ Text }}', StringEquals: x`, "yes"},
		{"differs", `Variable: '{{ Text }}', StringEquals: X`, "no"},
		{"ignore_case", `Variable: '{{ Text }}', EqualsIgnoreCase: X`, "yes"},
		{"starts", `Variable: 'ab{{ Text }}', StartsWith: abx`, "yes"},
		{"ends", `Variable: 'ab{{ Text }}', EndsWith: bx`, "yes"},
		{"contains", `Variable: 'ab{{ Text }}c', Contains: '{{ Text }}'`, "yes"},
		{"numeric", `Variable: '{{ Number }}', NumericEquals: 3.0`, "yes"},
		{"greater", `Variable: '{{ Number }}', NumericGreater: 3`, "no"},
		{"greater_or_equal", `Variable: '{{ Number }}', NumericGreaterOrEquals: '3'`, "yes"},
		{"lesser", `Variable: '{{ Number }}', NumericLesser: 10`, "yes"},
		{"lesser_or_equal", `Variable: '{{ Number }}', NumericLesserOrEquals: 2`, "no"},
		{"boolean", `Variable: 'true', BooleanEquals: true`, "yes"},
		{"not", `Not: {Variable: '{{ Text }}', StringEquals: y}`, "yes"},
		{"and", `And: [{Variable: '{{ Text }}', StringEquals: x}, {Variable: '{{ Number }}', NumericEquals: 4}]`, "no"},
		{"or", `Or: [{Variable: '{{ Text }}', StringEquals: y}, {Variable: '{{ Number }}', NumericEquals: 3}]`, "yes"},
		{"nested", `And: [{Not: {Or: [{Variable: a, StringEquals: b}]}}, {Variable: a, StringEquals: a}]`, "yes"},
		{"not_a_number", `Variable: '{{ Text }}', NumericEquals: 3`, "error"},
		{"not_a_boolean", `Variable: '{{ Text }}', BooleanEquals: true`, "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Parse("Test", []byte(doc("  - {name: b, action: 'aws:branch', inputs: {Choices: [{NextStep: yes1, "+c.choice+"}], Default: no1}}\n"+
				"  - {name: yes1, action: 'aws:sleep', inputs: {Duration: PT1S}}\n  - {name: no1, action: 'aws:sleep', inputs: {Duration: PT1S}}\n")))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Choose(&r.Steps[0], &Scope{Parameters: map[string]any{"Text": "x", "Number": int64(3)}})
			got = strings.TrimSuffix(got, "1")
			if err != nil {
				got = "error"
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
