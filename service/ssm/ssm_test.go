package ssm

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

func TestBlockDomain(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.start(block("responder"))
		if got := summary(w.get(id)); got != "InProgress: BlockDomain=Pending ResolveFinding=Pending" {
			t.Errorf("at first: %s", got)
		}
		w.work()
		if got := summary(w.get(id)); got != "InProgress: BlockDomain=Success ResolveFinding=Pending" {
			t.Errorf("then: %s", got)
		}
		w.advance(0)
		e := w.get(id)
		if got := summary(e); got != "Success: BlockDomain=Success ResolveFinding=Success" {
			t.Errorf("at last: %s", got)
		}
		if l := w.blocked(); !slices.Equal(l.Domains, []string{"bad.example.com"}) || l.Updates != 1 {
			t.Errorf("the list: %+v", l)
		}
		f, err := w.findings.Get(w.in(account, "look"), "finding-1")
		if err != nil || f.Workflow != "RESOLVED" || !strings.Contains(f.Note, "bad.example.com is blocked by DNS Firewall domain list "+listID+" (Automation "+id+")") {
			t.Errorf("the finding: %+v, %v", f, err)
		}
		want := []string{"UpdateFirewallDomains as role/responder/Automation-" + id, "BatchUpdateFindings as role/responder/Automation-" + id}
		if !slices.Equal(w.calls, want) {
			t.Errorf("calls: %q", w.calls)
		}
		if got := strings.Join(w.told(), ", "); got != "Step Success BlockDomain, Step Success ResolveFinding, Execution Success" {
			t.Errorf("events: %s", got)
		}
		shownRun(t, e)
		w.undo(id)
	})
}

func shownRun(t *testing.T, e *ssmapi.AutomationExecution) {
	t.Helper()
	if *e.ExecutedBy != "arn:aws:iam::111122223333:user/alice" || *e.DocumentVersion != "1" || *e.Mode != ssmapi.ExecutionModeAuto || e.FailureMessage != nil ||
		e.ExecutionEndTime == nil || e.CurrentStepName != nil || *e.ProgressCounters.SuccessSteps != 2 {
		t.Errorf("execution: %+v", e)
	}
	if got := e.Parameters["FindingProductArn"]; !slices.Equal(got, []string{"arn:aws:securityhub:us-east-1::product/aws/guardduty"}) {
		t.Errorf("a default: %q", got)
	}
	if !maps.EqualFunc(e.Outputs, map[string][]string{"BlockDomain.Status": {"COMPLETE"}, "ResolveFinding.FindingId": {"finding-1"}}, slices.Equal) {
		t.Errorf("outputs: %v", e.Outputs)
	}
	s := e.StepExecutions[0]
	if s.Inputs["Domains"] != `["bad.example.com"]` || s.Inputs["Service"] != `"route53resolver"` || *s.ResponseCode != "0" || *s.OnFailure != "Abort" ||
		!*s.IsCritical || *s.IsEnd || !slices.Equal(s.ValidNextSteps, []string{"ResolveFinding"}) || !slices.Equal(s.Outputs["Status"], []string{"COMPLETE"}) {
		t.Errorf("step: %+v", s)
	}
}

// undo runs the other runbook.
func (w *world) undo(id string) {
	w.t.Helper()
	in := block("responder")
	in.DocumentName = "Sumun-UnblockDomain"
	w.start(in)
	w.advance(0)
	f, err := w.findings.Get(w.in(account, "look"), "finding-1")
	if l := w.blocked(); len(l.Domains) != 0 || err != nil || f.Workflow != "NOTIFIED" {
		w.t.Errorf("undone %s: %+v, %+v, %v", id, l, f, err)
	}
}

func TestEventsLookLikeAWS(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.start(block("responder"))
		w.advance(0)
		w.told()
		var step, run map[string]any
		if err := errors.Join(json.Unmarshal(w.events[0].Data, &step), json.Unmarshal(w.events[2].Data, &run)); err != nil {
			t.Fatal(err)
		}
		delete(step, "id")
		got, err := json.Marshal(step)
		if err != nil {
			t.Fatal(err)
		}
		want := `{"account":"111122223333","detail":{"Action":"aws:executeAwsApi","Definition":"Sumun-BlockDomain","DefinitionVersion":1,"EndTime":"Jan 1, 2026 12:00:00 AM",` +
			`"ExecutionId":"` + id + `","StartTime":"Jan 1, 2026 12:00:00 AM","Status":"Success","StepName":"BlockDomain","Time":0},` +
			`"detail-type":"EC2 Automation Step Status-change Notification","region":"us-east-1",` +
			`"resources":["arn:aws:ssm:us-east-1:111122223333:automation-execution/` + id + `","arn:aws:ssm:us-east-1:111122223333:automation-definition/Sumun-BlockDomain:1"],` +
			`"source":"aws.ssm","time":"2026-01-01T00:00:00Z","version":"0"}`
		if string(got) != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if by := run["detail"].(map[string]any)["ExecutedBy"]; by != "arn:aws:iam::111122223333:user/alice" || run["detail-type"] != executionChanged {
			t.Errorf("execution's event: %s", w.events[2].Data)
		}
	})
}

// TestDenied: without permission the run fails visibly, in AWS's words.
func TestDenied(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.start(block("powerless"))
		w.advance(0)
		e := w.get(id)
		if got := summary(e); got != "Failed: BlockDomain=Failed ResolveFinding=Pending" {
			t.Errorf("run: %s", got)
		}
		want := "Step fails when it is Execute/Cancelling action. An error occurred (AccessDeniedException) when calling the UpdateFirewallDomains operation: " +
			"User: arn:aws:sts::111122223333:assumed-role/powerless is not authorized to perform: route53resolver:UpdateFirewallDomains because no identity-based policy allows the action. " +
			"Please refer to Automation Service Troubleshooting Guide for more diagnosis details."
		s := e.StepExecutions[0]
		if *s.FailureMessage != want || *e.FailureMessage != want || *s.FailureDetails.FailureType != "Permission" || *s.FailureDetails.FailureStage != "Invocation" {
			t.Errorf("failure: %s\n%+v", *s.FailureMessage, s.FailureDetails)
		}
		if l := w.blocked(); l.Updates != 0 || len(w.calls) != 1 {
			t.Errorf("list %+v, calls %q", l, w.calls)
		}
		if got := strings.Join(w.told(), ", "); got != "Step Failed BlockDomain, Execution Failed" {
			t.Errorf("events: %s", got)
		}
	})
}

func TestAFindingThatIsNotThereFailsVisibly(t *testing.T) {
	inWorld(t, func(w *world) {
		in := block("responder")
		in.Parameters["FindingId"] = []string{"finding-2"}
		id := w.start(in)
		w.advance(0)
		e := w.get(id)
		if got := summary(e); got != "Failed: BlockDomain=Success ResolveFinding=Failed" || !strings.Contains(*e.FailureMessage, "$.ProcessedFindings[0].Id finds nothing in the answer") {
			t.Errorf("%s: %s", got, *e.FailureMessage)
		}
	})
}

func TestStartRefuses(t *testing.T) {
	inWorld(t, func(w *world) {
		const parameters = "InvalidAutomationExecutionParametersException"
		for _, c := range []struct {
			change        func(in *ssmapi.StartAutomationExecutionRequest)
			code, message string
		}{
			{func(in *ssmapi.StartAutomationExecutionRequest) { in.DocumentName = "AWS-StopEC2Instance" }, "AutomationDefinitionNotFoundException", "Automation definition AWS-StopEC2Instance does not exist."},
			{func(in *ssmapi.StartAutomationExecutionRequest) {
				in.DocumentName = "arn:aws:ssm:us-east-1:444455556666:document/Sumun-BlockDomain"
			}, "AutomationDefinitionNotFoundException", "Automation definition arn:aws:ssm:us-east-1:444455556666:document/Sumun-BlockDomain does not exist."},
			{func(in *ssmapi.StartAutomationExecutionRequest) { in.DocumentVersion = new("2") }, "AutomationDefinitionVersionNotFoundException", "Version 2 of automation definition Sumun-BlockDomain does not exist."},
			{func(in *ssmapi.StartAutomationExecutionRequest) { in.Parameters = nil }, parameters, "Missing required parameter: AutomationAssumeRole in user inputs."},
			{func(in *ssmapi.StartAutomationExecutionRequest) { in.Parameters["Domain"] = []string{"no domain"} }, parameters,
				`Parameter "Domain" has value "no domain" not matching the pattern (\*\.)?([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?.`},
			{func(in *ssmapi.StartAutomationExecutionRequest) {
				in.Parameters["AutomationAssumeRole"] = []string{"arn:aws:iam::111122223333:role/distrusting"}
			}, parameters, "The defined assume role is unable to be assumed."},
			{func(in *ssmapi.StartAutomationExecutionRequest) {
				in.Parameters["AutomationAssumeRole"] = []string{"arn:aws:iam::444455556666:role/responder"}
			}, parameters, "The defined assume role is unable to be assumed."},
			{func(in *ssmapi.StartAutomationExecutionRequest) { in.Mode = new(ssmapi.ExecutionModeInteractive) }, "UnsupportedOperation", "Sumun does not serve the Mode Interactive of StartAutomationExecution yet."},
			{func(in *ssmapi.StartAutomationExecutionRequest) { in.MaxConcurrency = new("1") }, "UnsupportedOperation", "Sumun does not serve the parameter MaxConcurrency of StartAutomationExecution yet."},
			{func(in *ssmapi.StartAutomationExecutionRequest) { in.Tags = []ssmapi.Tag{{Key: "a"}, {Key: "a"}} }, "ValidationException", "Duplicate tag key a."},
		} {
			in := block("responder")
			c.change(in)
			refused(w, &ssmapi.StartAutomationExecution, in, c.code, c.message)
		}
		if n := w.work(); n != 0 {
			t.Errorf("%d runs were begun", n)
		}
	})
}

func TestARunbookWithoutRoleIsRefused(t *testing.T) {
	inWorld(t, func(w *world) {
		w.with("Roleless", "schemaVersion: '0.3'\nmainSteps:\n- {name: a, action: 'aws:sleep', inputs: {Duration: PT1S}}\n")
		refused(w, &ssmapi.StartAutomationExecution, &ssmapi.StartAutomationExecutionRequest{DocumentName: "Roleless"}, "UnsupportedOperation", "Sumun runs Roleless only as a role: its assumeRole is empty.")
	})
}

func TestClientTokens(t *testing.T) {
	inWorld(t, func(w *world) {
		in := block("responder")
		in.ClientToken = new("01234567-89ab-cdef-0123-456789abcdef")
		first := w.start(in)
		w.advance(0)
		if again := w.start(in); again != first {
			t.Errorf("the second start made %s beside %s", again, first)
		}
		w.advance(0)
		if l := w.blocked(); l.Updates != 1 {
			t.Errorf("the list was changed %d times", l.Updates)
		}
		in.Parameters["Domain"] = []string{"worse.example.com"}
		refused(w, &ssmapi.StartAutomationExecution, in, "IdempotentParameterMismatch", "The client token 01234567-89ab-cdef-0123-456789abcdef was used with other parameters.")
	})
}

func TestWhatStartingTouches(t *testing.T) {
	inWorld(t, func(w *world) {
		in := block("responder")
		in.Tags = []ssmapi.Tag{{Key: "team", Value: "blue"}}
		_, touches, err := callAs(w, account, &ssmapi.StartAutomationExecution, in)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"ssm:StartAutomationExecution arn:aws:ssm:us-east-1:111122223333:automation-definition/Sumun-BlockDomain:$DEFAULT",
			"ssm:AddTagsToResource arn:aws:ssm:us-east-1:111122223333:automation-execution/*",
			"iam:PassRole arn:aws:iam::111122223333:role/responder",
		}
		if got := actions(touches); !slices.Equal(got, want) {
			t.Errorf("touches: %q", got)
		}
		if c := touches[2].Conditions["iam:PassedToService"]; !slices.Equal(c, []string{"ssm.amazonaws.com"}) {
			t.Errorf("passed to %q", c)
		}
		in = block("responder")
		in.DocumentName, in.DocumentVersion = "arn:aws:ssm:us-east-1:111122223333:automation-definition/Sumun-BlockDomain:1", nil
		if _, touches, err = callAs(w, account, &ssmapi.StartAutomationExecution, in); err != nil || actions(touches)[0] != "ssm:StartAutomationExecution arn:aws:ssm:us-east-1:111122223333:automation-definition/Sumun-BlockDomain:1" {
			t.Errorf("by ARN: %q, %v", actions(touches), err)
		}
		id := w.start(in)
		_, touches, err = callAs(w, account, &ssmapi.GetAutomationExecution, &ssmapi.GetAutomationExecutionRequest{AutomationExecutionId: id})
		if err != nil || actions(touches)[0] != "ssm:GetAutomationExecution arn:aws:ssm:us-east-1:111122223333:automation-execution/"+id {
			t.Errorf("get: %q, %v", actions(touches), err)
		}
		_, _, err = callAs(w, other, &ssmapi.GetAutomationExecution, &ssmapi.GetAutomationExecutionRequest{AutomationExecutionId: id})
		if !ssmapi.AutomationExecutionNotFoundException.Is(err) {
			t.Errorf("another account sees %v", err)
		}
	})
}

func actions(touches []wire.Touch) []string {
	var all []string
	for _, t := range touches {
		all = append(all, t.Action+" "+t.Resource.String())
	}
	return all
}

// TestKilledAnywhere: a process that dies before a step's commit has done
// nothing; the next one does the step once.
func TestKilledAnywhere(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.start(block("responder"))
		for range 2 {
			for _, d := range w.claim() {
				ctx, _ := w.store.Begin(w.in(account, d.Kind))
				if err := w.job(ctx, d); err != nil {
					t.Fatal(err)
				}
				// Killed here: the unit is never committed.
			}
			w.begin()
			time.Sleep(2 * time.Minute) // the lease ends
			w.work()
		}
		if got := summary(w.get(id)); got != "Success: BlockDomain=Success ResolveFinding=Success" {
			t.Errorf("run: %s", got)
		}
		if l := w.blocked(); l.Updates != 1 || len(w.calls) != 4 {
			t.Errorf("list %+v, calls %q", l, w.calls)
		}
		if got := strings.Join(w.told(), ", "); got != "Step Success BlockDomain, Step Success ResolveFinding, Execution Success" {
			t.Errorf("events: %s", got)
		}
	})
}

// TestTwoNodes: when two do the same due record, one of them has done nothing.
func TestTwoNodes(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.start(block("responder"))
		slow := w.claim()[0]
		ctx, unit := w.store.Begin(w.in(account, slow.Kind))
		if err := w.job(ctx, slow); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		w.advance(0)
		if err := unit.Commit(ctx); !errors.Is(err, store.ErrConflict) {
			t.Errorf("the slow one's commit: %v", err)
		}
		if got := summary(w.get(id)); got != "Success: BlockDomain=Success ResolveFinding=Success" || w.blocked().Updates != 1 {
			t.Errorf("run: %s, list %+v", got, w.blocked())
		}
	})
}

func TestTroubleThatPasses(t *testing.T) {
	inWorld(t, func(w *world) {
		throttled, down := aws.ThrottlingException.New("Rate exceeded"), aws.ServiceUnavailable.New("down")
		w.trouble = []error{throttled, down}
		id := w.start(block("responder"))
		w.advance(2 * time.Second)
		if got := summary(w.get(id)); got != "InProgress: BlockDomain=InProgress ResolveFinding=Pending" {
			t.Errorf("meanwhile: %s", got)
		}
		w.advance(time.Second)
		if got := summary(w.get(id)); got != "Success: BlockDomain=Success ResolveFinding=Success" {
			t.Errorf("run: %s, calls %q", got, w.calls)
		}
		w.trouble = []error{throttled, throttled, throttled, throttled, throttled}
		id = w.start(block("responder"))
		w.advance(time.Minute)
		e := w.get(id)
		if got := summary(e); got != "Failed: BlockDomain=Failed ResolveFinding=Pending" || *e.StepExecutions[0].FailureDetails.FailureType != "Throttling" {
			t.Errorf("run: %s", got)
		}
	})
}

// TestConflictStartsTheUnitAgain: a conflict is no failure of the step.
func TestConflictStartsTheUnitAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.trouble = []error{store.ErrConflict}
		id := w.start(block("responder"))
		w.advance(0)
		if got := summary(w.get(id)); got != "Success: BlockDomain=Success ResolveFinding=Success" || w.blocked().Updates != 1 {
			t.Errorf("run: %s, list %+v", got, w.blocked())
		}
	})
}

func TestExecutionsAreForgotten(t *testing.T) {
	inWorld(t, func(w *world) {
		in := block("responder")
		in.ClientToken = new("01234567-89ab-cdef-0123-456789abcdef")
		id := w.start(in)
		w.advance(30*24*time.Hour - time.Second)
		w.get(id)
		w.advance(time.Minute)
		refused(w, &ssmapi.GetAutomationExecution, &ssmapi.GetAutomationExecutionRequest{AutomationExecutionId: id}, "AutomationExecutionNotFoundException", "Automation execution "+id+" does not exist.")
		if l := must(w, &ssmapi.DescribeAutomationExecutions, &ssmapi.DescribeAutomationExecutionsRequest{}); len(l.AutomationExecutionMetadataList) != 0 {
			t.Errorf("the history: %+v", l)
		}
		if again := w.start(in); again == id {
			t.Error("the token was not forgotten")
		}
		_, ok, err := w.store.NextDue(context.Background())
		if err != nil || !ok {
			t.Errorf("the new run: %v %v", ok, err)
		}
	})
}

func TestTooManyRuns(t *testing.T) {
	inWorld(t, func(w *world) {
		err := w.store.Update(w.in(account, "set up"), func(ctx context.Context) error {
			for range maxRunning - 1 {
				id := aws.UUID()
				if err := w.service.running.Put(ctx, id, &start{id}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.start(block("responder"))
		refused(w, &ssmapi.StartAutomationExecution, block("responder"), "AutomationExecutionLimitExceededException",
			"The number of automation executions that run at the same time has reached the limit of 5000.")
		w.advance(0) // the run ends
		w.start(block("responder"))
	})
}
