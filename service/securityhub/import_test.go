package securityhub

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/wire"
)

const product = "arn:aws:securityhub:us-east-1:111122223333:product/111122223333/default"

// own is a finding that an account sends about itself.
func own(id string) *securityhubapi.AwsSecurityFinding {
	now := stamp(time.Now())
	return &securityhubapi.AwsSecurityFinding{
		SchemaVersion: "2018-10-08", Id: id, ProductArn: product, GeneratorId: "checker", AwsAccountId: account,
		CreatedAt: now, UpdatedAt: now, Title: "Port open", Description: "A port is open.",
		Severity:  &securityhubapi.Severity{Label: new(securityhubapi.SeverityLabelMedium)},
		Types:     []string{"Software and Configuration Checks"},
		Resources: []securityhubapi.Resource{{Type: "AwsEc2Instance", Id: "arn:aws:ec2:us-east-1:111122223333:instance/i-1"}},
	}
}

func (w *world) send(findings ...*securityhubapi.AwsSecurityFinding) *securityhubapi.BatchImportFindingsResponse {
	w.t.Helper()
	in := &securityhubapi.BatchImportFindingsRequest{}
	for _, f := range findings {
		in.Findings = append(in.Findings, *f)
	}
	return must(w, &securityhubapi.BatchImportFindings, in)
}

func TestImportChecksEachFindingForItself(t *testing.T) {
	const format = "Finding does not adhere to Amazon Finding Format. "
	for _, c := range []struct {
		name string
		f    func(*securityhubapi.AwsSecurityFinding)
		code string
		want string
	}{
		{"fine", func(f *securityhubapi.AwsSecurityFinding) {}, "", ""},
		{"provider_fields_only", func(f *securityhubapi.AwsSecurityFinding) {
			f.FindingProviderFields = &securityhubapi.FindingProviderFields{Types: f.Types, Severity: &securityhubapi.FindingProviderSeverity{Label: f.Severity.Label}}
			f.Types, f.Severity = nil, nil
		}, "", ""},
		{"no_title", func(f *securityhubapi.AwsSecurityFinding) { f.Title = "" }, "InvalidInput", format + "data should have required property 'Title'."},
		{"no_severity", func(f *securityhubapi.AwsSecurityFinding) { f.Severity = nil }, "InvalidInput",
			format + "data should have required property 'Severity', data should have required property 'FindingProviderFields', data should match some schema in anyOf."},
		{"long_title", func(f *securityhubapi.AwsSecurityFinding) { f.Title = strings.Repeat("守", 257) }, "InvalidInput", format + "data.Title should NOT be longer than 256 characters."},
		{"version", func(f *securityhubapi.AwsSecurityFinding) { f.SchemaVersion = "2019-01-01" }, "InvalidInput", format + "data.SchemaVersion should be equal to one of the allowed values."},
		{"time", func(f *securityhubapi.AwsSecurityFinding) { f.UpdatedAt = "yesterday" }, "InvalidInput", format + `data.UpdatedAt should match format "date-time".`},
		{"type", func(f *securityhubapi.AwsSecurityFinding) { f.Types = []string{"a/b/c/d"} }, "InvalidInput",
			format + `data.Types[0] should match pattern "^([^/]+)(/[^/]+){0,2}$".`},
		{"no_resources", func(f *securityhubapi.AwsSecurityFinding) { f.Resources = []securityhubapi.Resource{} }, "InvalidInput", format + "data.Resources should NOT have fewer than 1 items."},
		{"resource_without_id", func(f *securityhubapi.AwsSecurityFinding) { f.Resources[0].Id = "" }, "InvalidInput", format + "data.Resources[0] should have required property 'Id'."},
		{"severity", func(f *securityhubapi.AwsSecurityFinding) {
			f.Severity.Label = new(securityhubapi.SeverityLabel("BAD"))
		}, "InvalidInput", format + "data.Severity.Label should be equal to one of the allowed values."},
		{"confidence", func(f *securityhubapi.AwsSecurityFinding) { f.Confidence = new(int32(101)) }, "InvalidInput", format + "data.Confidence should be <= 100."},
		{"address", func(f *securityhubapi.AwsSecurityFinding) {
			f.Network = &securityhubapi.Network{SourceIpV4: new("1.2.3")}
		}, "InvalidInput", format + `data.Network.SourceIpV4 should match format "ipv4".`},
		{"related", func(f *securityhubapi.AwsSecurityFinding) { f.RelatedFindings = []securityhubapi.RelatedFinding{} }, "InvalidInput", format + "data.RelatedFindings should NOT have fewer than 1 items."},
		{"too_large", func(f *securityhubapi.AwsSecurityFinding) {
			f.Resources[0].Details = &securityhubapi.ResourceDetails{Other: map[string]string{"a": strings.Repeat("x", 240<<10)}}
		}, "InvalidInput", "Finding exceeds the maximum size of 240 KB."},
		{"grows_too_large", func(f *securityhubapi.AwsSecurityFinding) {
			f.Resources[0].Details = &securityhubapi.ResourceDetails{Other: map[string]string{"a": strings.Repeat("<", 200<<10)}}
		}, "InvalidInput", "Finding exceeds the maximum size of 240 KB."},
		{"product_of_aws", func(f *securityhubapi.AwsSecurityFinding) {
			f.ProductArn = "arn:aws:securityhub:us-east-1::product/aws/guardduty"
		}, "AccessDeniedException", "Account 111122223333 is not allowed to import findings of the product arn:aws:securityhub:us-east-1::product/aws/guardduty."},
		{"product_elsewhere", func(f *securityhubapi.AwsSecurityFinding) {
			f.ProductArn = strings.Replace(product, "us-east-1", "eu-west-1", 1)
		}, "InvalidInput", "ProductArn arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default is not a product of Region us-east-1."},
		{"no_product", func(f *securityhubapi.AwsSecurityFinding) { f.ProductArn = "mine" }, "InvalidInput", format + "data.ProductArn should be the ARN of a product."},
		{"about_another_account", func(f *securityhubapi.AwsSecurityFinding) { f.AwsAccountId = other }, "AccessDeniedException",
			"Account 111122223333 is not allowed to import findings for account 444455556666."},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(w *world) {
				f := own("one")
				c.f(f)
				out := w.send(f, own("another"))
				if c.code == "" {
					if out.SuccessCount != 2 || out.FailedCount != 0 {
						t.Errorf("got %+v", out)
					}
					return
				}
				if out.SuccessCount != 1 || out.FailedCount != 1 || len(w.all(nil)) != 1 {
					t.Fatalf("got %+v", out)
				}
				if got := out.FailedFindings[0]; got.Id != "one" || got.ErrorCode != c.code || got.ErrorMessage != c.want {
					t.Errorf("got  %s %s\nwant %s %s", got.ErrorCode, got.ErrorMessage, c.code, c.want)
				}
			})
		})
	}
}

func TestImportCompletesANewFinding(t *testing.T) {
	inHub(t, func(w *world) {
		w.send(own("one"))
		f := w.one()
		p := f.FindingProviderFields
		if *f.Severity.Normalized != 40 || *p.Severity.Label != securityhubapi.SeverityLabelMedium || p.Types[0] != f.Types[0] ||
			*f.RecordState != securityhubapi.RecordStateActive || *f.Workflow.Status != securityhubapi.WorkflowStatusNew ||
			*f.ProductName != "Default" || *f.CompanyName != "Personal" || *f.Region != "us-east-1" || *f.ProcessedAt != stamp(time.Now()) ||
			f.ProductFields["aws/securityhub/FindingId"] != product+"/one" {
			t.Errorf("got %+v", f)
		}
	})
}

func TestProvidersUpdateKeepsWhatCustomersDo(t *testing.T) {
	inHub(t, func(w *world) {
		w.send(own("one"))
		must(w, &securityhubapi.BatchUpdateFindings, &securityhubapi.BatchUpdateFindingsRequest{
			FindingIdentifiers: identifiers("one"),
			Note:               &securityhubapi.NoteUpdate{Text: "looking", UpdatedBy: "me"},
			Severity:           &securityhubapi.SeverityUpdate{Label: new(securityhubapi.SeverityLabelLow)},
			UserDefinedFields:  map[string]string{"team": "red"},
			Workflow:           &securityhubapi.WorkflowUpdate{Status: new(securityhubapi.WorkflowStatusNotified)},
			VerificationState:  new(securityhubapi.VerificationStateTruePositive),
		})
		time.Sleep(time.Minute)
		f := own("one")
		f.Title, f.Confidence = "Two ports open", new(int32(70))
		f.Severity = &securityhubapi.Severity{Label: new(securityhubapi.SeverityLabelCritical)}
		f.Note = &securityhubapi.Note{Text: "theirs", UpdatedBy: "them", UpdatedAt: f.UpdatedAt}
		f.Workflow = &securityhubapi.Workflow{Status: new(securityhubapi.WorkflowStatusSuppressed)}
		f.UserDefinedFields = map[string]string{"team": "blue"}
		w.send(f)

		got := w.one()
		if got.Title != "Two ports open" || *got.Confidence != 70 || got.Note.Text != "looking" || got.UserDefinedFields["team"] != "red" ||
			*got.Workflow.Status != securityhubapi.WorkflowStatusNotified || *got.VerificationState != securityhubapi.VerificationStateTruePositive {
			t.Errorf("got %+v", got)
		}
		if *got.Severity.Label != securityhubapi.SeverityLabelLow || *got.Severity.Normalized != 1 || *got.FindingProviderFields.Severity.Label != securityhubapi.SeverityLabelCritical {
			t.Errorf("severity %+v, provider's %+v", got.Severity, got.FindingProviderFields.Severity)
		}
	})
}

func TestOldUpdatesAreIgnored(t *testing.T) {
	inHub(t, func(w *world) {
		old := own("one")
		time.Sleep(time.Minute)
		w.send(own("one"))
		w.events()
		old.Title = "Old"
		same := own("one")
		same.Title = "Same time"
		if out := w.send(old, same); out.SuccessCount != 2 {
			t.Errorf("got %+v", out)
		}
		if got := w.one(); got.Title != "Port open" || len(w.events()) != 0 {
			t.Errorf("title %q", got.Title)
		}
	})
}

func TestWorkflowOpensAgain(t *testing.T) {
	passed, failed := securityhubapi.ComplianceStatusPassed, securityhubapi.ComplianceStatusFailed
	active, archived := securityhubapi.RecordStateActive, securityhubapi.RecordStateArchived
	for _, c := range []struct {
		name         string
		status       securityhubapi.WorkflowStatus
		from, to     securityhubapi.RecordState
		before, then securityhubapi.ComplianceStatus
		want         securityhubapi.WorkflowStatus
	}{
		{"active_again", "RESOLVED", archived, active, "", "", "NEW"},
		{"notified_active_again", "NOTIFIED", archived, active, "", "", "NEW"},
		{"suppressed_stays", "SUPPRESSED", archived, active, "", "", "SUPPRESSED"},
		{"still_active", "RESOLVED", active, active, "", "", "RESOLVED"},
		{"archived", "RESOLVED", active, archived, "", "", "RESOLVED"},
		{"fails_again", "RESOLVED", active, active, passed, failed, "NEW"},
		{"still_fails", "NOTIFIED", active, active, failed, failed, "NOTIFIED"},
		{"suppressed_fails_again", "SUPPRESSED", active, active, passed, failed, "SUPPRESSED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(w *world) {
				send := func(r securityhubapi.RecordState, s securityhubapi.ComplianceStatus) {
					f := own("one")
					f.RecordState = &r
					if s != "" {
						f.Compliance = &securityhubapi.Compliance{Status: &s}
					}
					w.send(f)
					time.Sleep(time.Second)
				}
				send(c.from, c.before)
				must(w, &securityhubapi.BatchUpdateFindings, &securityhubapi.BatchUpdateFindingsRequest{
					FindingIdentifiers: identifiers("one"), Workflow: &securityhubapi.WorkflowUpdate{Status: &c.status},
				})
				send(c.to, c.then)
				if got := *w.one().Workflow.Status; got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			})
		})
	}
}

// What the gate decodes must leave broken findings to the service, and still
// refuse a call with too many.
func TestRequestWithABrokenFindingReachesTheService(t *testing.T) {
	w := newWorld(t)
	request := func(findings int) (*wire.Match, *wire.Request) {
		body := `{"Findings":[` + strings.TrimSuffix(strings.Repeat(`{"Id":"x","Title":" "},`, findings), ",") + `]}`
		r := &wire.Request{Method: "POST", RawPath: "/findings/import", Header: http.Header{"Content-Type": {"application/json"}}, Scope: "securityhub", Body: []byte(body)}
		m, err := wire.Recognise(r, wire.NewIndex(w.service.Routes()))
		if err != nil {
			t.Fatal(err)
		}
		return m, r
	}
	m, r := request(1)
	in, err := m.Decode(r, wire.Limits{})
	if err != nil || in.(*securityhubapi.BatchImportFindingsRequest).Findings[0].Id != "x" {
		t.Errorf("got %+v, %v", in, err)
	}
	m, r = request(101)
	if _, err := m.Decode(r, wire.Limits{}); !securityhubapi.InvalidInputException.Is(err) {
		t.Errorf("got %v, want InvalidInputException", err)
	}
}

func TestImportAsksForEachProduct(t *testing.T) {
	inHub(t, func(w *world) {
		theirs := own("two")
		theirs.ProductArn, theirs.AwsAccountId = "arn:aws:securityhub:us-east-1::product/acme/scan", other
		bad := own("three")
		bad.ProductArn = "?"
		request := &securityhubapi.BatchImportFindingsRequest{Findings: []securityhubapi.AwsSecurityFinding{*own("one"), *theirs, *bad}}
		touches, err := w.touches(&securityhubapi.BatchImportFindings, request)
		if err != nil || len(touches) != 2 {
			t.Fatalf("got %+v, %v", touches, err)
		}
		for i, want := range [][2]string{{product, account}, {theirs.ProductArn, other}} {
			if touches[i].Action != "securityhub:BatchImportFindings" || touches[i].Resource.String() != want[0] || touches[i].Conditions["securityhub:TargetAccount"][0] != want[1] {
				t.Errorf("got %+v, want %s", touches[i], want)
			}
		}
	})
}

func (w *world) touches(op wire.AnyOperation, request any) (touches []wire.Touch, err error) {
	route := w.route(op)
	err = w.store.Update(in(w.t.Context(), account, op.About().Name), func(ctx context.Context) error {
		touches, err = route.Touches(ctx, request)
		return err
	})
	return touches, err
}

func identifiers(ids ...string) (all []securityhubapi.AwsSecurityFindingIdentifier) {
	for _, id := range ids {
		all = append(all, securityhubapi.AwsSecurityFindingIdentifier{Id: id, ProductArn: product})
	}
	return all
}

// Units of work of several calls at once do not make a finding twice, and no
// change is lost.
func TestManyAtOnceLeaveOneFinding(t *testing.T) {
	w := newWorld(t)
	must(w, &securityhubapi.EnableSecurityHub, &securityhubapi.EnableSecurityHubRequest{})
	start := time.Now()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			f := own("one")
			f.UpdatedAt = stamp(start.Add(time.Duration(i) * time.Second))
			w.send(f)
			must(w, &securityhubapi.BatchUpdateFindings, &securityhubapi.BatchUpdateFindingsRequest{
				FindingIdentifiers: identifiers("one"), Confidence: new(int32(i)),
			})
		})
	}
	all.Wait()
	f := w.one()
	if f.UpdatedAt != stamp(start.Add(7*time.Second)) || f.Confidence == nil {
		t.Errorf("got %s, %v", f.UpdatedAt, f.Confidence)
	}
	history := must(w, &securityhubapi.GetFindingHistory, &securityhubapi.GetFindingHistoryRequest{FindingIdentifier: &identifiers("one")[0]})
	if events := len(w.events()); events != len(history.Records) || events < 9 {
		t.Errorf("%d events, %d changes", events, len(history.Records))
	}
}
