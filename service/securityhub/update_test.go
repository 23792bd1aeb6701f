package securityhub

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/finding"
)

func TestCustomersUpdate(t *testing.T) {
	inHub(t, func(w *world) {
		w.send(own("one"))
		before := w.one()
		w.events()
		time.Sleep(time.Hour)
		out := must(w, &securityhubapi.BatchUpdateFindings, &securityhubapi.BatchUpdateFindingsRequest{
			FindingIdentifiers: identifiers("one", "two"),
			Note:               &securityhubapi.NoteUpdate{Text: "blocked", UpdatedBy: "runbook"},
			Severity:           &securityhubapi.SeverityUpdate{Normalized: new(int32(75))},
			Confidence:         new(int32(80)), Criticality: new(int32(90)), Types: []string{"Effects"},
			UserDefinedFields: map[string]string{"ticket": "7"},
			RelatedFindings:   []securityhubapi.RelatedFinding{{Id: "x", ProductArn: product}},
			VerificationState: new(securityhubapi.VerificationStateTruePositive),
			Workflow:          &securityhubapi.WorkflowUpdate{Status: new(securityhubapi.WorkflowStatusResolved)},
		})
		if len(out.ProcessedFindings) != 1 || out.ProcessedFindings[0].Id != "one" || len(out.UnprocessedFindings) != 1 ||
			out.UnprocessedFindings[0].FindingIdentifier.Id != "two" || out.UnprocessedFindings[0].ErrorCode != "FindingNotFound" {
			t.Errorf("got %+v", out)
		}
		f := w.one()
		if f.Note.Text != "blocked" || f.Note.UpdatedAt != stamp(time.Now()) || *f.Severity.Label != securityhubapi.SeverityLabelHigh || *f.Severity.Normalized != 75 ||
			*f.Confidence != 80 || *f.Criticality != 90 || f.Types[0] != "Effects" || f.UserDefinedFields["ticket"] != "7" || f.RelatedFindings[0].Id != "x" ||
			*f.VerificationState != securityhubapi.VerificationStateTruePositive || *f.Workflow.Status != securityhubapi.WorkflowStatusResolved {
			t.Errorf("got %+v", f)
		}
		if f.UpdatedAt != before.UpdatedAt || *f.FindingProviderFields.Severity.Label != securityhubapi.SeverityLabelMedium {
			t.Errorf("what is the provider's has changed: %+v", f)
		}
		events := w.events()
		if len(events) != 1 || *events[0].Detail.Findings[0].Workflow.Status != securityhubapi.WorkflowStatusResolved {
			t.Errorf("got events %+v", events)
		}
	})
}

func TestUpdatesThatCannotBe(t *testing.T) {
	long := strings.Repeat("x", 513)
	for _, c := range []struct {
		name string
		in   securityhubapi.BatchUpdateFindingsRequest
		want string
	}{
		{"nothing", securityhubapi.BatchUpdateFindingsRequest{FindingIdentifiers: identifiers("one")}, "At least one field must be updated."},
		{"nobody", securityhubapi.BatchUpdateFindingsRequest{FindingIdentifiers: identifiers(), Confidence: new(int32(1))}, "data should have required property 'FindingIdentifiers'."},
		{"too_many", securityhubapi.BatchUpdateFindingsRequest{FindingIdentifiers: slices.Repeat(identifiers("one"), 101), Confidence: new(int32(1))}, "data.FindingIdentifiers should NOT have more than 100 items."},
		{"long_note", securityhubapi.BatchUpdateFindingsRequest{FindingIdentifiers: identifiers("one"), Note: &securityhubapi.NoteUpdate{Text: long, UpdatedBy: "me"}},
			"data.Note.Text should NOT be longer than 512 characters."},
		{"bad_type", securityhubapi.BatchUpdateFindingsRequest{FindingIdentifiers: identifiers("one"), Types: []string{"/"}}, "data.Types[0] should match pattern"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(w *world) {
				_, err := call(w, &securityhubapi.BatchUpdateFindings, &c.in)
				if !securityhubapi.InvalidInputException.Is(err) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %s", err, c.want)
				}
			})
		})
	}
}

func TestPoliciesSeeWhatIsUpdated(t *testing.T) {
	inHub(t, func(w *world) {
		touches, err := w.touches(&securityhubapi.BatchUpdateFindings, &securityhubapi.BatchUpdateFindingsRequest{
			FindingIdentifiers: identifiers("one"), Workflow: &securityhubapi.WorkflowUpdate{Status: new(securityhubapi.WorkflowStatusSuppressed)},
			Note: &securityhubapi.NoteUpdate{Text: "t", UpdatedBy: "me"},
		})
		if err != nil || len(touches) != 1 {
			t.Fatalf("got %+v, %v", touches, err)
		}
		c := touches[0].Conditions
		if c["securityhub:ASFFSyntaxPath/Workflow.Status"][0] != "SUPPRESSED" || c["securityhub:ASFFSyntaxPath/Note.Text"][0] != "t" || len(c) != 3 ||
			touches[0].Resource.String() != "arn:aws:securityhub:us-east-1:111122223333:hub/default" {
			t.Errorf("got %+v", touches[0])
		}
	})
}

func TestHistory(t *testing.T) {
	inHub(t, func(w *world) {
		w.send(own("one"))
		time.Sleep(time.Hour)
		for _, status := range []securityhubapi.WorkflowStatus{"NOTIFIED", "RESOLVED"} { // at one instant
			must(w, &securityhubapi.BatchUpdateFindings, &securityhubapi.BatchUpdateFindingsRequest{
				FindingIdentifiers: identifiers("one"), Workflow: &securityhubapi.WorkflowUpdate{Status: &status},
			})
		}
		request := &securityhubapi.GetFindingHistoryRequest{FindingIdentifier: &identifiers("one")[0], MaxResults: new(int32(2))}
		out := must(w, &securityhubapi.GetFindingHistory, request)
		if len(out.Records) != 2 || out.NextToken == nil {
			t.Fatalf("got %+v", out)
		}
		last := out.Records[0]
		if *last.FindingCreated || *last.UpdateSource.Type != securityhubapi.FindingHistoryUpdateSourceTypeBatchUpdateFindings ||
			*last.UpdateSource.Identity != "arn:aws:iam::111122223333:root" || len(last.Updates) != 1 ||
			*last.Updates[0].UpdatedField != "Workflow.Status" || *last.Updates[0].OldValue != "NOTIFIED" || *last.Updates[0].NewValue != "RESOLVED" {
			t.Errorf("got %+v", last)
		}
		request.NextToken = out.NextToken
		out = must(w, &securityhubapi.GetFindingHistory, request)
		if len(out.Records) != 1 || out.NextToken != nil || !*out.Records[0].FindingCreated || *out.Records[0].UpdateSource.Identity != product {
			t.Errorf("got %+v", out)
		}
		request = &securityhubapi.GetFindingHistoryRequest{FindingIdentifier: request.FindingIdentifier, EndTime: new(time.Now().Add(-time.Minute))}
		if out := must(w, &securityhubapi.GetFindingHistory, request); len(out.Records) != 1 {
			t.Errorf("until a minute ago: got %d records, want 1", len(out.Records))
		}
	})
}

func TestFindingsAreForgotten(t *testing.T) {
	inHub(t, func(w *world) {
		const day = 24 * time.Hour
		w.send(own("active"))
		archived := own("archived")
		archived.RecordState = new(securityhubapi.RecordStateArchived)
		w.send(archived)
		w.advance(29 * day)
		if got := ids(w.all(&filters{})); len(got) != len("activearchived") {
			t.Errorf("after 29 days: %q", got)
		}
		w.advance(2 * day)
		if got := ids(w.all(nil)); got != "active" {
			t.Errorf("after 31 days: %q", got)
		}
		must(w, &securityhubapi.BatchUpdateFindings, &securityhubapi.BatchUpdateFindingsRequest{FindingIdentifiers: identifiers("active"), Confidence: new(int32(1))})
		w.advance(89 * day)
		if got := ids(w.all(nil)); got != "active" {
			t.Errorf("89 days after its last change: %q", got)
		}
		w.advance(2 * day)
		if got := ids(w.all(nil)); got != "" {
			t.Errorf("91 days after its last change: %q", got)
		}
		out := must(w, &securityhubapi.GetFindingHistory, &securityhubapi.GetFindingHistoryRequest{FindingIdentifier: &identifiers("active")[0]})
		if len(out.Records) != 0 {
			t.Errorf("%d changes are left", len(out.Records))
		}
	})
}

func TestHub(t *testing.T) {
	inWorld(t, func(w *world) {
		const absent = "Account 111122223333 is not subscribed to AWS Security Hub"
		const arn = "arn:aws:securityhub:us-east-1:111122223333:hub/default"
		refused(w, &securityhubapi.DescribeHub, &securityhubapi.DescribeHubRequest{}, securityhubapi.InvalidAccessException, absent)
		refused(w, &securityhubapi.GetFindings, &securityhubapi.GetFindingsRequest{}, securityhubapi.InvalidAccessException, absent)
		refused(w, &securityhubapi.DisableSecurityHub, &securityhubapi.DisableSecurityHubRequest{}, securityhubapi.InvalidAccessException, absent)
		if _, err := call(w, &securityhubapi.EnableSecurityHub, &securityhubapi.EnableSecurityHubRequest{EnableDefaultStandards: new(true)}); err == nil {
			t.Error("standards are promised")
		}
		must(w, &securityhubapi.EnableSecurityHub, &securityhubapi.EnableSecurityHubRequest{Tags: map[string]string{"a": "b"}})
		refused(w, &securityhubapi.EnableSecurityHub, &securityhubapi.EnableSecurityHubRequest{}, securityhubapi.ResourceConflictException, "Account is already subscribed to Security Hub")

		must(w, &securityhubapi.UpdateSecurityHubConfiguration, &securityhubapi.UpdateSecurityHubConfigurationRequest{AutoEnableControls: new(false)})
		hub := must(w, &securityhubapi.DescribeHub, &securityhubapi.DescribeHubRequest{})
		if *hub.HubArn != arn || *hub.AutoEnableControls || *hub.ControlFindingGenerator != securityhubapi.ControlFindingGeneratorSecurityControl || *hub.SubscribedAt != "2026-01-01T00:00:00.000Z" {
			t.Errorf("got %+v", hub)
		}
		must(w, &securityhubapi.TagResource, &securityhubapi.TagResourceRequest{ResourceArn: arn, Tags: map[string]string{"c": "d"}})
		must(w, &securityhubapi.UntagResource, &securityhubapi.UntagResourceRequest{ResourceArn: arn, TagKeys: []string{"a"}})
		if tags := must(w, &securityhubapi.ListTagsForResource, &securityhubapi.ListTagsForResourceRequest{ResourceArn: arn}).Tags; len(tags) != 1 || tags["c"] != "d" {
			t.Errorf("got tags %v", tags)
		}
		refused(w, &securityhubapi.ListTagsForResource, &securityhubapi.ListTagsForResourceRequest{ResourceArn: arn + "s"}, securityhubapi.ResourceNotFoundException,
			"The resource "+arn+"s is not found")
		must(w, &securityhubapi.DisableSecurityHub, &securityhubapi.DisableSecurityHubRequest{})
		refused(w, &securityhubapi.DescribeHub, &securityhubapi.DescribeHubRequest{}, securityhubapi.InvalidAccessException, absent)
	})
}

func TestProductsAreLetIn(t *testing.T) {
	inHub(t, func(w *world) {
		const guardduty = "arn:aws:securityhub:us-east-1::product/aws/guardduty"
		const subscription = "arn:aws:securityhub:us-east-1:111122223333:product-subscription/aws/guardduty"
		list := func() []string {
			return must(w, &securityhubapi.ListEnabledProductsForImport, &securityhubapi.ListEnabledProductsForImportRequest{}).ProductSubscriptions
		}
		if got := list(); len(got) != 1 || got[0] != subscription {
			t.Errorf("got %v", got)
		}
		if got := must(w, &securityhubapi.DescribeProducts, &securityhubapi.DescribeProductsRequest{}).Products; len(got) != 1 || got[0].ProductArn != guardduty {
			t.Errorf("got %+v", got)
		}
		must(w, &securityhubapi.DisableImportFindingsForProduct, &securityhubapi.DisableImportFindingsForProductRequest{ProductSubscriptionArn: subscription})
		w.tell(guardDutyFinding("evil.example"), finding.Created)
		if got := list(); len(got) != 0 || len(w.all(nil)) != 0 {
			t.Errorf("a product that is off: %v, %s", got, ids(w.all(nil)))
		}
		out := must(w, &securityhubapi.EnableImportFindingsForProduct, &securityhubapi.EnableImportFindingsForProductRequest{ProductArn: guardduty})
		if *out.ProductSubscriptionArn != subscription {
			t.Errorf("got %s", *out.ProductSubscriptionArn)
		}
		w.tell(guardDutyFinding("evil.example"), finding.Created)
		if len(w.all(nil)) != 1 {
			t.Error("the finding is not there")
		}
	})
}

// Whoever may not touch a list may not empty it either.
func TestEmptiedListsAreConditions(t *testing.T) {
	got := changed(&securityhubapi.BatchUpdateFindingsRequest{Types: []string{}, RelatedFindings: []securityhubapi.RelatedFinding{}})
	for _, path := range []string{"Types", "RelatedFindings.Id", "RelatedFindings.ProductArn"} {
		if !slices.Equal(got[path], []string{""}) {
			t.Errorf("%s: %q", path, got[path])
		}
	}
}
