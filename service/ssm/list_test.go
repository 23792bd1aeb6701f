package ssm

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/ssmapi"
)

func TestDescribeAutomationExecutions(t *testing.T) {
	inWorld(t, func(w *world) {
		var ids []string
		for range 5 {
			ids = append(ids, w.start(block("responder")))
			w.advance(time.Minute)
		}
		denied := block("powerless")
		denied.Tags = []ssmapi.Tag{{Key: "team", Value: "blue"}}
		denied.DocumentName = "Sumun-UnblockDomain"
		ids = append(ids, w.start(denied))
		w.advance(time.Minute)
		slices.Reverse(ids) // the newest first

		var seen []string
		in := &ssmapi.DescribeAutomationExecutionsRequest{MaxResults: new(int32(4))}
		for pages := 0; ; pages++ {
			out := must(w, &ssmapi.DescribeAutomationExecutions, in)
			for _, m := range out.AutomationExecutionMetadataList {
				seen = append(seen, *m.AutomationExecutionId)
			}
			if out.NextToken == nil {
				if pages != 1 {
					t.Errorf("%d pages", pages+1)
				}
				break
			}
			in.NextToken = out.NextToken
		}
		if !slices.Equal(seen, ids) {
			t.Errorf("listed %q, want %q", seen, ids)
		}
		in.Filters = []ssmapi.AutomationExecutionFilter{{Key: "ExecutionStatus", Values: []string{"Success"}}}
		refused(w, &ssmapi.DescribeAutomationExecutions, in, "InvalidNextToken", "The specified token isn't valid.")

		for _, c := range []struct {
			key    ssmapi.AutomationExecutionFilterKey
			values string
			want   int
		}{
			{"ExecutionStatus", "Failed", 1}, {"ExecutionStatus", "Success,Failed", 6}, {"DocumentNamePrefix", "Sumun-B", 5}, {"ExecutionId", ids[2], 1},
			{"StartTimeAfter", "2026-01-01T00:03:30Z", 2}, {"StartTimeBefore", "2026-01-01T00:03:30Z", 4}, {"AutomationType", "Local", 6}, {"AutomationType", "CrossAccount", 0},
			{"TagKey", "team", 1}, {"ParentExecutionId", ids[0], 0}, {"CurrentAction", "aws:sleep", 0},
		} {
			in := &ssmapi.DescribeAutomationExecutionsRequest{Filters: []ssmapi.AutomationExecutionFilter{{Key: c.key, Values: strings.Split(c.values, ",")}}}
			if got := len(must(w, &ssmapi.DescribeAutomationExecutions, in).AutomationExecutionMetadataList); got != c.want {
				t.Errorf("%s=%s: %d executions, want %d", c.key, c.values, got, c.want)
			}
		}
		bad := func(key ssmapi.AutomationExecutionFilterKey, value, message string) {
			in := &ssmapi.DescribeAutomationExecutionsRequest{Filters: []ssmapi.AutomationExecutionFilter{{Key: key, Values: []string{value}}}}
			refused(w, &ssmapi.DescribeAutomationExecutions, in, "InvalidFilterValue", message)
		}
		bad("StartTimeAfter", "yesterday", "The filter value yesterday of StartTimeAfter is not a time such as 2026-01-02T15:04:05Z.")
		bad("ExecutionStatus", "Fine", "The filter value Fine of ExecutionStatus is not valid.")
	})
}

func TestDescribeAutomationStepExecutions(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.start(block("powerless"))
		w.advance(0)
		names := func(in *ssmapi.DescribeAutomationStepExecutionsRequest) string {
			in.AutomationExecutionId = id
			var all []string
			for {
				out := must(w, &ssmapi.DescribeAutomationStepExecutions, in)
				for _, s := range out.StepExecutions {
					all = append(all, *s.StepName)
				}
				if out.NextToken == nil {
					return strings.Join(all, " ")
				}
				in.NextToken = out.NextToken
			}
		}
		filter := func(key ssmapi.StepExecutionFilterKey, values ...string) *ssmapi.DescribeAutomationStepExecutionsRequest {
			return &ssmapi.DescribeAutomationStepExecutionsRequest{Filters: []ssmapi.StepExecutionFilter{{Key: key, Values: values}}}
		}
		for want, in := range map[string]*ssmapi.DescribeAutomationStepExecutionsRequest{
			"BlockDomain ResolveFinding": {MaxResults: new(int32(1))},
			"ResolveFinding BlockDomain": {MaxResults: new(int32(1)), ReverseOrder: new(true)},
			"BlockDomain":                filter("StepExecutionStatus", "Failed", "Success"),
			"ResolveFinding":             filter("StepName", "ResolveFinding"),
			"":                           filter("Action", "aws:sleep"),
		} {
			if got := names(in); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if got := names(filter("StartTimeAfter", "2025-01-01T00:00:00Z")); got != "BlockDomain" {
			t.Errorf("begun: %q", got)
		}
		in := filter("StartTimeBefore", "soon")
		in.AutomationExecutionId = id
		refused(w, &ssmapi.DescribeAutomationStepExecutions, in, "InvalidFilterValue", "The filter value soon of StartTimeBefore is not a time such as 2026-01-02T15:04:05Z.")
	})
}

func TestDocuments(t *testing.T) {
	inWorld(t, func(w *world) {
		out := must(w, &ssmapi.GetDocument, &ssmapi.GetDocumentRequest{Name: "Sumun-BlockDomain", DocumentFormat: new(ssmapi.DocumentFormatYaml)})
		if !strings.Contains(*out.Content, "schemaVersion: '0.3'") || *out.DocumentType != ssmapi.DocumentTypeAutomation {
			t.Errorf("YAML: %s", *out.Content)
		}
		out = must(w, &ssmapi.GetDocument, &ssmapi.GetDocumentRequest{Name: "Sumun-BlockDomain", DocumentVersion: new("$LATEST")})
		if !strings.Contains(*out.Content, `"schemaVersion": "0.3"`) || *out.DocumentFormat != ssmapi.DocumentFormatJson {
			t.Errorf("JSON: %s", *out.Content)
		}
		refused(w, &ssmapi.GetDocument, &ssmapi.GetDocumentRequest{Name: "AWS-Nothing"}, "InvalidDocument", "Document with name AWS-Nothing does not exist.")
		refused(w, &ssmapi.GetDocument, &ssmapi.GetDocumentRequest{Name: "Sumun-BlockDomain", DocumentVersion: new("3")}, "InvalidDocumentVersion", "The document version is not valid or does not exist.")

		d := must(w, &ssmapi.DescribeDocument, &ssmapi.DescribeDocumentRequest{Name: "Sumun-BlockDomain"}).Document
		if len(d.Parameters) != 5 || *d.Parameters[0].Name != "AutomationAssumeRole" || d.Parameters[0].DefaultValue != nil || *d.DefaultVersion != "1" {
			t.Errorf("described: %+v", d)
		}
		names := func(in *ssmapi.ListDocumentsRequest) string {
			var all []string
			for {
				out := must(w, &ssmapi.ListDocuments, in)
				for _, d := range out.DocumentIdentifiers {
					all = append(all, *d.Name)
				}
				if out.NextToken == nil {
					return strings.Join(all, " ")
				}
				in.NextToken = out.NextToken
			}
		}
		by := func(key, value string) *ssmapi.ListDocumentsRequest {
			return &ssmapi.ListDocumentsRequest{Filters: []ssmapi.DocumentKeyValuesFilter{{Key: &key, Values: []string{value}}}}
		}
		const both = "Sumun-BlockDomain Sumun-UnblockDomain"
		for _, c := range []struct {
			in   *ssmapi.ListDocumentsRequest
			want string
		}{
			{&ssmapi.ListDocumentsRequest{}, both}, {&ssmapi.ListDocumentsRequest{MaxResults: new(int32(1))}, both}, {by("Name", "Sumun-U"), "Sumun-UnblockDomain"},
			{by("Owner", "Self"), both}, {by("Owner", "Amazon"), ""}, {by("DocumentType", "Automation"), both}, {by("DocumentType", "Command"), ""}, {by("SearchKeyword", "unblock"), "Sumun-UnblockDomain"},
		} {
			if got := names(c.in); got != c.want {
				t.Errorf("%+v: %q, want %q", c.in.Filters, got, c.want)
			}
		}
		refused(w, &ssmapi.ListDocuments, by("Colour", "red"), "InvalidFilterKey", "The filter key Colour is not valid.")
	})
}
