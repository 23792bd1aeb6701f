package ssm

import (
	"context"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/respond"
)

// own starts a runbook of these steps as the responder.
func (w *world) own(steps string) string {
	w.t.Helper()
	w.runbooks = nil
	w.with("Own", "schemaVersion: '0.3'\nassumeRole: 'arn:aws:iam::{{ global:ACCOUNT_ID }}:role/responder'\nparameters: {Count: {type: Integer, default: 9007199254740993}}\nmainSteps:\n"+steps)
	return w.start(&ssmapi.StartAutomationExecutionRequest{DocumentName: "Own"})
}

const (
	nap    = "{name: nap, action: 'aws:sleep', inputs: {Duration: PT10M}}"
	lastly = "{name: last, action: 'aws:sleep', inputs: {Duration: PT1S}}"
	count  = "Service: route53resolver, Api: GetFirewallDomainList, FirewallDomainListId: " + listID + ", PropertySelector: $.FirewallDomainList.DomainCount"
)

func TestSleep(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.own("- " + nap + "\n")
		w.advance(9 * time.Minute)
		if got := summary(w.get(id)); got != "InProgress: nap=InProgress" {
			t.Errorf("after nine minutes: %s", got)
		}
		if e := w.get(id); *e.CurrentStepName != "nap" || *e.CurrentAction != "aws:sleep" {
			t.Errorf("current: %s", *e.CurrentStepName)
		}
		w.begin() // a restart does not begin the sleep anew
		w.advance(time.Minute)
		e := w.get(id)
		if got := summary(e); got != "Success: nap=Success" || e.ExecutionEndTime.Sub(*e.ExecutionStartTime) != 10*time.Minute {
			t.Errorf("after ten minutes: %s", got)
		}
	})
}

func TestBranch(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.own("- {name: which, action: 'aws:branch', inputs: {Choices: [{Variable: '{{ Count }}', StringEquals: '9007199254740993', NextStep: last}], Default: nap}}\n- " + nap + "\n- " + lastly + "\n")
		w.advance(time.Minute)
		if got := summary(w.get(id)); got != "Success: which=Success nap=Pending last=Success" {
			t.Errorf("run: %s", got)
		}
	})
}

func TestAssert(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.own("- {name: is, action: 'aws:assertAwsResourceProperty', inputs: {" + count + ", DesiredValues: ['0']}}\n" +
			"- {name: isnot, action: 'aws:assertAwsResourceProperty', inputs: {" + count + ", DesiredValues: [1, 2]}}\n")
		w.advance(time.Minute)
		e := w.get(id)
		if got := summary(e); got != "Failed: is=Success isnot=Failed" || !strings.Contains(*e.FailureMessage, "the property $.FirewallDomainList.DomainCount is 0, which is none of the desired values [1,2].") {
			t.Errorf("run: %s %s", got, *e.FailureMessage)
		}
	})
}

func TestWait(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.own("- {name: until, action: 'aws:waitForAwsResourceProperty', timeoutSeconds: 60, inputs: {" + count + ", DesiredValues: ['1']}}\n")
		w.advance(52 * time.Second)
		if got := summary(w.get(id)); got != "InProgress: until=InProgress" || len(w.calls) != 11 {
			t.Errorf("meanwhile: %s after %d looks", got, len(w.calls))
		}
		w.runbooks = append(w.runbooks, respond.Builtin()...)
		w.begin()
		w.start(block("responder"))
		w.advance(3 * time.Second)
		if got := summary(w.get(id)); got != "Success: until=Success" {
			t.Errorf("at last: %s", got)
		}
		id = w.own("- {name: until, action: 'aws:waitForAwsResourceProperty', timeoutSeconds: 61, inputs: {" + count + ", DesiredValues: ['2']}}\n")
		w.advance(2 * time.Minute)
		e := w.get(id)
		if got := summary(e); got != "TimedOut: until=TimedOut" || e.ExecutionEndTime.Sub(*e.ExecutionStartTime) != 61*time.Second {
			t.Errorf("too long: %s", got)
		}
		id = w.own("- {name: until, action: 'aws:waitForAwsResourceProperty', timeoutSeconds: 60, maxAttempts: 2, inputs: {" + count + ", DesiredValues: ['2']}}\n")
		w.advance(3 * time.Minute)
		e = w.get(id)
		if got := summary(e); got != "TimedOut: until=TimedOut" || e.ExecutionEndTime.Sub(*e.ExecutionStartTime) != 121*time.Second {
			t.Errorf("twice too long: %s %s", got, e.ExecutionEndTime.Sub(*e.ExecutionStartTime))
		}
	})
}

func TestAttempts(t *testing.T) {
	inWorld(t, func(w *world) {
		denied := aws.AccessDenied.New("no")
		w.trouble = []error{denied, denied}
		id := w.own("- {name: look, action: 'aws:executeAwsApi', maxAttempts: 3, inputs: {Service: route53resolver, Api: getFirewallDomainList, FirewallDomainListId: " + listID + "}}\n")
		w.advance(time.Minute)
		if got := summary(w.get(id)); got != "Success: look=Success" || len(w.calls) != 3 {
			t.Errorf("run: %s, calls %q", got, w.calls)
		}
	})
}

func TestInputsThatCannotBeRead(t *testing.T) {
	inWorld(t, func(w *world) {
		for inputs, why := range map[string]string{
			"Service: route53resolver, Api: GetFirewallDomainList":                           "Step fails when it is validating and resolving the step inputs.",
			"Service: route53resolver, Api: GetFirewallDomainList, FirewallDomainListId: {}": "Step fails when it is validating and resolving the step inputs.",
			"Service: ec2, Api: StopInstances":                                               "the operation StopInstances of the service ec2 is not served here.",
		} {
			id := w.own("- {name: a, action: 'aws:executeAwsApi', inputs: {" + inputs + "}}\n")
			w.advance(0)
			e := w.get(id)
			if got := summary(e); got != "Failed: a=Failed" || !strings.Contains(*e.FailureMessage, why) || *e.StepExecutions[0].FailureDetails.FailureStage != "InputValidation" {
				t.Errorf("%s: %s %s", inputs, got, *e.FailureMessage)
			}
		}
		if len(w.calls) != 0 {
			t.Errorf("calls: %q", w.calls)
		}
	})
}

func TestStop(t *testing.T) {
	inWorld(t, func(w *world) {
		stop := func(id string, kind ssmapi.StopType) *ssmapi.StopAutomationExecutionRequest {
			return &ssmapi.StopAutomationExecutionRequest{AutomationExecutionId: id, Type: &kind}
		}
		id := w.own("- " + nap + "\n- " + lastly + "\n")
		w.advance(time.Minute)
		must(w, &ssmapi.StopAutomationExecution, &ssmapi.StopAutomationExecutionRequest{AutomationExecutionId: id})
		w.advance(time.Hour)
		if got := summary(w.get(id)); got != "Cancelled: nap=Cancelled last=Pending" {
			t.Errorf("cancelled: %s", got)
		}
		if got := strings.Join(w.told(), ", "); got != "Step Cancelled nap, Execution Cancelled" {
			t.Errorf("events: %s", got)
		}
		refused(w, &ssmapi.StopAutomationExecution, stop(id, ssmapi.StopTypeCancel), "InvalidAutomationStatusUpdateException", "The execution "+id+" has already ended with the status Cancelled.")

		id = w.own("- " + nap + "\n- " + lastly + "\n")
		w.advance(time.Minute)
		must(w, &ssmapi.StopAutomationExecution, stop(id, ssmapi.StopTypeComplete))
		w.advance(time.Hour)
		if got := summary(w.get(id)); got != "Success: nap=Success last=Pending" {
			t.Errorf("completed: %s", got)
		}

		id = w.own("- " + nap + "\n")
		must(w, &ssmapi.StopAutomationExecution, stop(id, ssmapi.StopTypeComplete))
		w.advance(time.Hour)
		if got := summary(w.get(id)); got != "Success: nap=Pending" {
			t.Errorf("completed at once: %s", got)
		}

		id = w.own("- {name: nap, action: 'aws:sleep', onCancel: 'step:last', inputs: {Duration: PT10M}}\n- " + strings.Replace(nap, "nap", "not", 1) + "\n- " + lastly + "\n")
		w.advance(time.Minute)
		must(w, &ssmapi.StopAutomationExecution, stop(id, ssmapi.StopTypeCancel))
		if got := summary(w.get(id)); got != "Cancelling: nap=Cancelled not=Pending last=Pending" {
			t.Errorf("on its way: %s", got)
		}
		w.advance(time.Hour)
		if got := summary(w.get(id)); got != "Cancelled: nap=Cancelled not=Pending last=Success" {
			t.Errorf("cancelled with a last step: %s", got)
		}
	})
}

// TestARunKeepsItsRunbook: a run goes on with the document that it began with.
func TestARunKeepsItsRunbook(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.own("- " + nap + "\n- " + lastly + "\n")
		w.advance(time.Minute)
		w.runbooks = nil
		w.begin()
		w.advance(time.Hour)
		if got := summary(w.get(id)); got != "Success: nap=Success last=Success" {
			t.Errorf("run: %s", got)
		}
	})
}

// TestALongInputIsCut: what is shown of it is, not what the call gets.
func TestALongInputIsCut(t *testing.T) {
	inWorld(t, func(w *world) {
		long := strings.Repeat("x", 60_000)
		id := w.own("- {name: a, action: 'aws:sleep', inputs: {Duration: PT1S, Note: " + long + "}}\n")
		w.advance(time.Minute)
		e := w.get(id)
		if got := summary(e); got != "Success: a=Success" || len(e.StepExecutions[0].Inputs["Note"]) > maxShown+8 {
			t.Errorf("run: %s, %d bytes are shown", got, len(e.StepExecutions[0].Inputs["Note"]))
		}
	})
}

func TestOutputsAreBounded(t *testing.T) {
	step := &respond.Step{Outputs: []respond.Output{{Name: "A", Selector: "$.A", Type: respond.String}, {Name: "B", Selector: "$.A", Type: respond.String}}}
	rec := &stepRecord{}
	p := take(step, rec, map[string]any{"A": strings.Repeat("x", maxStepOutput/2+1)})
	if p.outcome != respond.Failed || !strings.Contains(p.failure.Message, "the outputs are longer than 131072 bytes") || rec.Outputs != nil {
		t.Errorf("two outputs of 64 KB: %+v", p.failure)
	}
	if p = take(step, rec, map[string]any{"A": "x"}); p.outcome != respond.Success || rec.Outputs["B"] != "x" {
		t.Errorf("two short outputs: %+v", p)
	}
}

// TestALongRunFails rather than outgrow the store's rows.
func TestALongRunFails(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.own("- {name: look, action: 'aws:executeAwsApi', inputs: {Service: route53resolver, Api: GetFirewallDomainList, FirewallDomainListId: " + listID + "}}\n")
		err := w.store.Update(w.in(account, "fill"), func(ctx context.Context) error {
			e, err := w.service.executions.Get(ctx, id)
			if err != nil {
				return err
			}
			e.Tags = map[string]string{"long": strings.Repeat("x", maxRun)}
			return w.service.executions.Put(ctx, id, e)
		})
		if err != nil {
			t.Fatal(err)
		}
		w.advance(0)
		e := w.get(id)
		if got := summary(e); got != "Failed: look=Failed" || !strings.Contains(*e.FailureMessage, "more than can be recorded") {
			t.Errorf("run: %s", got)
		}
	})
}

func TestParametersAreBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.with("Long", "schemaVersion: '0.3'\nassumeRole: 'arn:aws:iam::{{ global:ACCOUNT_ID }}:role/responder'\nparameters: {Words: {type: StringList}}\nmainSteps:\n- "+nap+"\n")
		in := &ssmapi.StartAutomationExecutionRequest{DocumentName: "Long", Parameters: map[string][]string{"Words": {strings.Repeat("x", maxParameters)}}}
		refused(w, &ssmapi.StartAutomationExecution, in, "InvalidAutomationExecutionParametersException", "The parameters are longer than 262144 bytes.")
	})
}
