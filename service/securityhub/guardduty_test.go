package securityhub

import (
	"testing"
	"time"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/finding"
)

func TestGuardDutyFindingIsImportedAndTold(t *testing.T) {
	inHub(t, func(w *world) {
		w.tell(guardDutyFinding("evil.example"), finding.Created)

		f := w.one()
		if *f.ProductName != "GuardDuty" || *f.Severity.Label != securityhubapi.SeverityLabelHigh || *f.Workflow.Status != securityhubapi.WorkflowStatusNew ||
			*f.RecordState != securityhubapi.RecordStateActive || f.ProductFields["aws/guardduty/service/action/dnsRequestAction/domain"] != "evil.example" {
			t.Errorf("got %+v", f)
		}
		events := w.events()
		if len(events) != 1 {
			t.Fatalf("%d events, want one", len(events))
		}
		e := events[0]
		if e.Source != "aws.securityhub" || e.DetailType != "Security Hub Findings - Imported" || e.Account != account || e.Region != "us-east-1" ||
			e.Resources[0] != "arn:aws:securityhub:us-east-1::product/aws/guardduty/"+f.Id || len(e.Detail.Findings) != 1 || e.Detail.Findings[0].Id != f.Id {
			t.Errorf("got event %+v", e)
		}
	})
}

func TestWithoutHubGuardDutyFindingsArePassedOver(t *testing.T) {
	inWorld(t, func(w *world) {
		w.tell(guardDutyFinding("evil.example"), finding.Created)
		must(w, &securityhubapi.EnableSecurityHub, &securityhubapi.EnableSecurityHubRequest{})
		if all := w.all(nil); len(all) != 0 {
			t.Errorf("%d findings, want none", len(all))
		}
	})
}

func TestGuardDutyArchivesAndReopens(t *testing.T) {
	inHub(t, func(w *world) {
		g := guardDutyFinding("evil.example")
		w.tell(g, finding.Created)
		resolve(w)
		g.Archived = true // within the same instant
		w.tell(g, finding.Archived)
		if f := w.one(); *f.RecordState != securityhubapi.RecordStateArchived || *f.Workflow.Status != securityhubapi.WorkflowStatusResolved {
			t.Errorf("archived: %s %s", *f.RecordState, *f.Workflow.Status)
		}
		time.Sleep(time.Minute)
		g.Archived, g.Updated = false, time.Now()
		w.tell(g, finding.Unarchived)
		if f := w.one(); *f.RecordState != securityhubapi.RecordStateActive || *f.Workflow.Status != securityhubapi.WorkflowStatusNew {
			t.Errorf("active again: %s %s", *f.RecordState, *f.Workflow.Status)
		}
		if n := len(w.events()); n != 4 {
			t.Errorf("%d events, want 4", n)
		}
	})
}

func TestUnreadableGuardDutyEventIsSkipped(t *testing.T) {
	inHub(t, func(w *world) {
		w.consume(aws.Event{Stream: aws.FindingsStream, ID: "1", Type: "guardduty", Data: []byte("{")})
		if all := w.all(nil); len(all) != 0 {
			t.Errorf("%d findings, want none", len(all))
		}
	})
}

// resolve sets the only finding's workflow to RESOLVED.
func resolve(w *world) {
	f := w.one()
	must(w, &securityhubapi.BatchUpdateFindings, &securityhubapi.BatchUpdateFindingsRequest{
		FindingIdentifiers: []securityhubapi.AwsSecurityFindingIdentifier{{Id: f.Id, ProductArn: f.ProductArn}},
		Workflow:           &securityhubapi.WorkflowUpdate{Status: new(securityhubapi.WorkflowStatusResolved)},
	})
}
