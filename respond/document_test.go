package respond

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// doc writes a document around steps.
func doc(steps string) string {
	return "schemaVersion: '0.3'\nparameters:\n  Text: {type: String, default: x}\n  Number: {type: Integer, default: 3}\nmainSteps:\n" + steps
}

const call = "  - {name: one, action: 'aws:executeAwsApi', inputs: {Service: iam, Api: ListUsers}, outputs: [{Name: First, Selector: '$.Users[0].UserName'}]}\n"

func TestParse(t *testing.T) {
	r, err := Parse("Test", []byte(doc(call+`  - name: two
    action: aws:waitForAwsResourceProperty
    onFailure: step:four
    onCancel: Continue
    isCritical: "false"
    nextStep: four
    maxAttempts: 3
    timeoutSeconds: 90
    inputs: {Service: iam, Api: GetUser, UserName: '{{ one.First }}', PropertySelector: $.User.Path, DesiredValues: [/, 7, true]}
  - {name: three, action: 'aws:sleep', isEnd: true, inputs: {Duration: PT1M}}
  - {name: four, action: 'aws:sleep', inputs: {Duration: '{{ Text }}'}}
`)))
	if err != nil {
		t.Fatal(err)
	}
	two := r.Steps[1]
	if two.OnFailure != "step:four" || two.OnCancel != Continue || two.IsCritical() || two.Next != "four" || two.MaxAttempts != 3 || two.Timeout != 90*time.Second {
		t.Errorf("step two: %+v", two)
	}
	if got := fmt.Sprintf("%T %T %T", two.Inputs["DesiredValues"].([]any)[0], two.Inputs["DesiredValues"].([]any)[1], two.Inputs["DesiredValues"].([]any)[2]); got != "string int64 bool" {
		t.Errorf("the types of inputs: %s", got)
	}
	if r.Steps[0].OnFailure != Abort || r.Steps[0].Outputs[0].Type != String || !r.Steps[0].IsCritical() || r.Format != YAML {
		t.Errorf("defaults: %+v", r.Steps[0])
	}
}

func TestYAMLAndJSONAreTheSame(t *testing.T) {
	for _, r := range Builtin() {
		text, err := r.In(JSON)
		if err != nil {
			t.Fatal(err)
		}
		j, err := Parse(r.Name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if j.Format != JSON || fmt.Sprint(j.Steps) != fmt.Sprint(r.Steps) || len(j.Parameters) != len(r.Parameters) {
			t.Errorf("%s in JSON:\n%v\nin YAML:\n%v", r.Name, j.Steps, r.Steps)
		}
		if _, err := j.In(YAML); err == nil {
			t.Error("JSON was written as YAML")
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, why string }{
		{"nothing", "", "one document"},
		{"two_documents", doc(call) + "---\na: b\n", "one document"},
		{"bad_json", `{"schemaVersion":`, "EOF"},
		{"text_after_json", `{} {}`, "text follows"},
		{"schema", strings.Replace(doc(call), "0.3", "2.2", 1), "schemaVersion is 2.2"},
		{"unknown_member", doc(call) + "colour: red\n", `"colour"`},
		{"unknown_step_member", doc("  - {name: a, action: 'aws:sleep', onError: x, inputs: {Duration: PT1S}}\n"), `"onError"`},
		{"no_steps", "schemaVersion: '0.3'\nmainSteps: []\n", "0 steps"},
		{"name_twice", doc(call + call), "used twice"},
		{"name", doc("  - {name: a b, action: 'aws:sleep', inputs: {Duration: PT1S}}\n"), "not valid"},
		{"action", doc("  - {name: a, action: 'aws:runCommand', inputs: {}}\n"), `"aws:runCommand" is not served`},
		{"no_service", doc("  - {name: a, action: 'aws:executeAwsApi', inputs: {Api: ListUsers}}\n"), "Service is required"},
		{"no_desired", doc("  - {name: a, action: 'aws:assertAwsResourceProperty', inputs: {Service: iam, Api: GetUser, PropertySelector: $.A}}\n"), "DesiredValues is required"},
		{"bad_property", doc("  - {name: a, action: 'aws:assertAwsResourceProperty', inputs: {Service: iam, Api: GetUser, PropertySelector: A, DesiredValues: [a]}}\n"), "does not begin with $"},
		{"sleep", doc("  - {name: a, action: 'aws:sleep', inputs: {Duration: 10m}}\n"), "not valid"},
		{"sleep_long", doc("  - {name: a, action: 'aws:sleep', inputs: {Duration: P8D}}\n"), "longer than seven days"},
		{"sleep_nothing", doc("  - {name: a, action: 'aws:sleep', inputs: {}}\n"), "either Duration or Timestamp"},
		{"on_failure", doc("  - {name: a, action: 'aws:sleep', onFailure: Retry, inputs: {Duration: PT1S}}\n"), "none of Abort"},
		{"target", doc("  - {name: a, action: 'aws:sleep', nextStep: b, inputs: {Duration: PT1S}}\n"), "there is no step b"},
		{"attempts", doc("  - {name: a, action: 'aws:sleep', maxAttempts: 0, inputs: {Duration: PT1S}}\n"), "maxAttempts"},
		{"timeout", doc("  - {name: a, action: 'aws:sleep', timeoutSeconds: -1, inputs: {Duration: PT1S}}\n"), "timeoutSeconds"},
		{"circle", doc("  - {name: a, action: 'aws:sleep', inputs: {Duration: PT1S}}\n  - {name: b, action: 'aws:sleep', nextStep: a, inputs: {Duration: PT1S}}\n"), "reached again"},
		{"itself", doc("  - {name: a, action: 'aws:sleep', onFailure: 'step:a', inputs: {Duration: PT1S}}\n"), "reached again"},
		{"no_parameter", doc("  - {name: a, action: 'aws:sleep', inputs: {Duration: '{{ Nothing }}'}}\n"), "{{ Nothing }} is no parameter"},
		{"no_output", doc(call + "  - {name: a, action: 'aws:sleep', inputs: {Duration: '{{ one.Second }}'}}\n"), "{{ one.Second }} is no output"},
		{"parameter_store", doc("  - {name: a, action: 'aws:sleep', inputs: {Duration: '{{ ssm:wait }}'}}\n"), "{{ ssm:wait }} is not served"},
		{"assume_role", doc(call) + "assumeRole: '{{ Role }}'\n", "{{ Role }} is no parameter"},
		{"outputs", doc(call) + "outputs: [one.Last]\n", "one.Last is no output"},
		{"selector", doc("  - {name: a, action: 'aws:executeAwsApi', inputs: {Service: iam, Api: ListUsers}, outputs: [{Name: A, Selector: '$..A', Type: String}]}\n"), "recursive descent"},
		{"output_type", doc("  - {name: a, action: 'aws:executeAwsApi', inputs: {Service: iam, Api: ListUsers}, outputs: [{Name: A, Selector: $.A, Type: Text}]}\n"), `output "A" is not valid`},
		{"parameter_type", "schemaVersion: '0.3'\nparameters: {A: {type: Text}}\nmainSteps:\n" + call, `the type "Text"`},
		{"look_ahead", "schemaVersion: '0.3'\nparameters: {A: {type: String, allowedPattern: '(?=a)'}}\nmainSteps:\n" + call, "allowedPattern"},
		{"default", "schemaVersion: '0.3'\nparameters: {A: {type: String, default: '{{ B }}'}}\nmainSteps:\n" + call, "globals only"},
		{"alias", "a: &a [1]\nb: *a\n", "anchors, aliases"},
		{"too_long", strings.Repeat(" ", MaxDocument+1), "bytes"},
		{"deep", strings.Repeat("[", 3000), "brackets"},
		{"deep_lists", strings.Repeat("- ", 32_000), "nested deeper"},
		{"deep_json", strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), "nested deeper"},
		{"branch_no_choices", doc("  - {name: a, action: 'aws:branch', inputs: {Default: a}}\n"), "Choices is required"},
		{"branch_comparison", doc("  - {name: a, action: 'aws:branch', inputs: {Choices: [{NextStep: b, Variable: x, Like: y}]}}\n" + call), "there is no step b"},
		{"branch_like", doc("  - {name: a, action: 'aws:branch', inputs: {Choices: [{NextStep: one, Variable: x, Like: y}]}}\n" + call), "Like is no comparison"},
		{"branch_two", doc("  - {name: a, action: 'aws:branch', inputs: {Choices: [{NextStep: one, Variable: x, StringEquals: y, Contains: z}]}}\n" + call), "one comparison"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("Test", []byte(c.text))
			if !errors.Is(err, ErrDocument) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %v, want %s", err, c.why)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, r := range Builtin() {
		f.Add([]byte(r.Text))
	}
	f.Add([]byte(doc(call)))
	f.Add([]byte(`{"schemaVersion":"0.3","mainSteps":[{"name":"a","action":"aws:branch","inputs":{"Choices":[{"Not":{"Variable":"x","StringEquals":"y"},"NextStep":"b"}]}},{"name":"b","action":"aws:sleep","inputs":{"Duration":"PT1S"}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Parse("Fuzz", text)
		if err != nil {
			if !errors.Is(err, ErrDocument) {
				t.Errorf("%v is no ErrDocument", err)
			}
			return
		}
		// Every run of a runbook that is accepted comes to an end, however its steps end.
		for _, o := range []Outcome{Success, Failed, TimedOut} {
			run := r.Begin()
			for n := 0; !run.Done(); n++ {
				if n > len(r.Steps) {
					t.Fatalf("a run with %s has no end", o)
				}
				run = r.After(run, o, "")
			}
			run = r.Cancel(r.Begin())
			for n := 0; !run.Done(); n++ {
				if n > len(r.Steps) {
					t.Fatal("a cancelled run has no end")
				}
				run = r.After(run, o, "")
			}
		}
	})
}
