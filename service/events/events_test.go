package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/eventsapi"
	"sumun.dev/aws"
)

func TestBuses(t *testing.T) {
	inWorld(t, func(w *world) {
		out := must(w, &eventsapi.CreateEventBus, &eventsapi.CreateEventBusRequest{Name: "orders", Description: new("all orders"), Tags: []eventsapi.Tag{{Key: "team", Value: "a"}}})
		if *out.EventBusArn != "arn:aws:events:us-east-1:111122223333:event-bus/orders" {
			t.Error(*out.EventBusArn)
		}
		refused(w, &eventsapi.CreateEventBus, &eventsapi.CreateEventBusRequest{Name: "orders"}, "ResourceAlreadyExistsException", "Event bus orders already exists.")
		refused(w, &eventsapi.CreateEventBus, &eventsapi.CreateEventBusRequest{Name: "default"}, "ResourceAlreadyExistsException", "Event bus default already exists.")
		refused(w, &eventsapi.CreateEventBus, &eventsapi.CreateEventBusRequest{Name: "a/b"}, "ValidationException", "Event bus name must not contain '/'.")
		refused(w, &eventsapi.CreateEventBus, &eventsapi.CreateEventBusRequest{Name: "x", DeadLetterConfig: &eventsapi.DeadLetterConfig{Arn: new("arn:aws:sqs:us-east-1:111122223333:q")}},
			"ValidationException", "DeadLetterConfig is not supported: this plane does not serve Amazon SQS yet.")
		refused(w, &eventsapi.DescribeEventBus, &eventsapi.DescribeEventBusRequest{Name: new("none")}, "ResourceNotFoundException", "Event bus none does not exist.")
		refused(w, &eventsapi.DeleteEventBus, &eventsapi.DeleteEventBusRequest{Name: "default"}, "ValidationException", "Cannot delete event bus default.")

		d := must(w, &eventsapi.DescribeEventBus, &eventsapi.DescribeEventBusRequest{})
		if *d.Name != "default" || *d.Arn != "arn:aws:events:us-east-1:111122223333:event-bus/default" {
			t.Errorf("%+v", d)
		}
		must(w, &eventsapi.UpdateEventBus, &eventsapi.UpdateEventBusRequest{Name: new("orders"), Description: new("changed")})
		if d = must(w, &eventsapi.DescribeEventBus, &eventsapi.DescribeEventBusRequest{Name: out.EventBusArn}); *d.Description != "changed" {
			t.Errorf("%+v", d)
		}
		must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "r", EventBusName: new("orders"), EventPattern: new(`{"a":["b"]}`)})
		refused(w, &eventsapi.DeleteEventBus, &eventsapi.DeleteEventBusRequest{Name: "orders"}, "ValidationException", "Event bus orders can't be deleted since it has rules.")
		must(w, &eventsapi.DeleteRule, &eventsapi.DeleteRuleRequest{Name: "r", EventBusName: new("orders")})
		must(w, &eventsapi.DeleteEventBus, &eventsapi.DeleteEventBusRequest{Name: "orders"})
		must(w, &eventsapi.DeleteEventBus, &eventsapi.DeleteEventBusRequest{Name: "orders"})
	})
}

func TestListsAreComplete(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, name := range []string{"a", "z", "dz", "da", "b"} {
			must(w, &eventsapi.CreateEventBus, &eventsapi.CreateEventBusRequest{Name: name})
		}
		list := func(prefix *string) (names []string) {
			in := &eventsapi.ListEventBusesRequest{Limit: new(int32(2)), NamePrefix: prefix}
			for {
				out := must(w, &eventsapi.ListEventBuses, in)
				for _, b := range out.EventBuses {
					names = append(names, *b.Name)
				}
				if in.NextToken = out.NextToken; in.NextToken == nil {
					return names
				}
			}
		}
		if got := list(nil); !slices.Equal(got, []string{"a", "b", "da", "default", "dz", "z"}) {
			t.Error(got)
		}
		if got := list(new("d")); !slices.Equal(got, []string{"da", "default", "dz"}) {
			t.Error(got)
		}
		must(w, &eventsapi.TagResource, &eventsapi.TagResourceRequest{ResourceARN: "arn:aws:events:us-east-1:111122223333:event-bus/default", Tags: []eventsapi.Tag{{Key: "k"}}})
		if got := list(nil); len(got) != 6 {
			t.Error(got)
		}

		for i := range 5 {
			must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: fmt.Sprintf("r%d", i), EventPattern: new(`{"a":["b"]}`)})
		}
		first := must(w, &eventsapi.ListRules, &eventsapi.ListRulesRequest{Limit: new(int32(3))})
		rest := must(w, &eventsapi.ListRules, &eventsapi.ListRulesRequest{Limit: new(int32(3)), NextToken: first.NextToken})
		if len(first.Rules) != 3 || len(rest.Rules) != 2 || rest.NextToken != nil || *rest.Rules[0].Name != "r3" {
			t.Errorf("%+v, %+v", first, rest)
		}
		refused(w, &eventsapi.ListRules, &eventsapi.ListRulesRequest{NamePrefix: new("r"), NextToken: first.NextToken}, "ValidationException", "Parameter NextToken is not valid.")
	})
}

func TestRules(t *testing.T) {
	inWorld(t, func(w *world) {
		refused(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "r"}, "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
		refused(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "r", ScheduleExpression: new("rate(1 minutes)")}, "ValidationException", "Parameter ScheduleExpression is not valid.")
		refused(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "r", EventPattern: new(`{"a":[]}`)}, "InvalidEventPatternException",
			"Event pattern is not valid. Reason: Empty arrays are not allowed\n at [Source: (String)\"{\"a\":[]}\"; line: 1, column: 8]")
		refused(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "r", EventBusName: new("none"), EventPattern: new(`{"a":["b"]}`)}, "ResourceNotFoundException", "Event bus none does not exist.")
		must(w, &eventsapi.CreateEventBus, &eventsapi.CreateEventBusRequest{Name: "orders"})
		refused(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "r", EventBusName: new("orders"), ScheduleExpression: new("rate(1 day)")},
			"ValidationException", "ScheduleExpression is supported only on the default event bus.")

		out := must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "r", EventBusName: new("orders"), EventPattern: new(`{"a": ["b"]}`), Description: new("d"), Tags: []eventsapi.Tag{{Key: "k", Value: "v"}}})
		if *out.RuleArn != "arn:aws:events:us-east-1:111122223333:rule/orders/r" {
			t.Error(*out.RuleArn)
		}
		// A second PutRule replaces everything but targets and tags.
		must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "r", EventBusName: new("orders"), EventPattern: new(`{"a": ["c"]}`), State: new(eventsapi.RuleStateDisabled)})
		d := must(w, &eventsapi.DescribeRule, &eventsapi.DescribeRuleRequest{Name: "r", EventBusName: new("orders")})
		if *d.EventPattern != `{"a": ["c"]}` || d.Description != nil || *d.State != "DISABLED" || *d.CreatedBy != account {
			t.Errorf("%+v", d)
		}
		tags := must(w, &eventsapi.ListTagsForResource, &eventsapi.ListTagsForResourceRequest{ResourceARN: *out.RuleArn})
		if len(tags.Tags) != 1 || tags.Tags[0].Value != "v" {
			t.Errorf("%+v", tags)
		}
		must(w, &eventsapi.UntagResource, &eventsapi.UntagResourceRequest{ResourceARN: *out.RuleArn, TagKeys: []string{"k"}})
		if tags = must(w, &eventsapi.ListTagsForResource, &eventsapi.ListTagsForResourceRequest{ResourceARN: *out.RuleArn}); len(tags.Tags) != 0 {
			t.Errorf("%+v", tags)
		}
		refused(w, &eventsapi.DescribeRule, &eventsapi.DescribeRuleRequest{Name: "x"}, "ResourceNotFoundException", "Rule x does not exist on EventBus default.")
		must(w, &eventsapi.DeleteRule, &eventsapi.DeleteRuleRequest{Name: "x"})
	})
}

func TestTargets(t *testing.T) {
	inWorld(t, func(w *world) {
		responder(w, eventsapi.Target{InputTransformer: toDomain})
		try := func(x eventsapi.Target, code, message string) {
			t.Helper()
			if x.Id == "" {
				x.Id = "x"
			}
			if x.Arn == "" {
				x.Arn, x.RoleArn = runbook, new(role)
			}
			refused(w, &eventsapi.PutTargets, &eventsapi.PutTargetsRequest{Rule: "respond", Targets: []eventsapi.Target{x}}, code, message)
		}
		const bad = "ValidationException"
		try(eventsapi.Target{Arn: "arn:aws:lambda:us-east-1:111122223333:function:f"}, bad,
			"Target arn:aws:lambda:us-east-1:111122223333:function:f is not supported: this plane delivers to SSM Automation and to event buses; targets of lambda are not served yet.")
		try(eventsapi.Target{Arn: "f"}, bad, "Parameter f is not valid. Reason: Provided Arn is not in correct format.")
		try(eventsapi.Target{Arn: runbook}, bad, "RoleArn is required for target "+runbook+".")
		try(eventsapi.Target{Input: new("{}"), InputPath: new("$.a")}, bad, "Only one of Input, InputPath, or InputTransformer must be provided for target x.")
		try(eventsapi.Target{Input: new("{")}, bad, "JSON syntax error in input for target x")
		try(eventsapi.Target{InputTransformer: &eventsapi.InputTransformer{InputTemplate: `"<nobody>"`}}, bad, "InputTemplate for target x contains invalid placeholder nobody.")
		try(eventsapi.Target{DeadLetterConfig: &eventsapi.DeadLetterConfig{Arn: new("arn:aws:sqs:us-east-1:111122223333:q")}}, bad,
			"DeadLetterConfig is not supported: this plane does not serve Amazon SQS yet.")
		try(eventsapi.Target{Arn: "arn:aws:events:us-east-1:111122223333:event-bus/none"}, "ResourceNotFoundException", "Event bus none does not exist.")
		var five []eventsapi.Target
		for i := range 5 {
			five = append(five, eventsapi.Target{Id: fmt.Sprintf("t%d", i), Arn: runbook, RoleArn: new(role)})
		}
		refused(w, &eventsapi.PutTargets, &eventsapi.PutTargetsRequest{Rule: "respond", Targets: five}, "LimitExceededException", "The requested resource exceeds the maximum number allowed.")
		must(w, &eventsapi.PutTargets, &eventsapi.PutTargetsRequest{Rule: "respond", Targets: five[:4]})

		list := must(w, &eventsapi.ListTargetsByRule, &eventsapi.ListTargetsByRuleRequest{Rule: "respond", Limit: new(int32(3))})
		rest := must(w, &eventsapi.ListTargetsByRule, &eventsapi.ListTargetsByRuleRequest{Rule: "respond", Limit: new(int32(3)), NextToken: list.NextToken})
		if len(list.Targets) != 3 || list.Targets[0].InputTransformer.InputTemplate != toDomain.InputTemplate || len(rest.Targets) != 2 || rest.NextToken != nil {
			t.Errorf("%+v, %+v", list, rest)
		}
		names := must(w, &eventsapi.ListRuleNamesByTarget, &eventsapi.ListRuleNamesByTargetRequest{TargetArn: runbook})
		if !slices.Equal(names.RuleNames, []string{"respond"}) {
			t.Error(names.RuleNames)
		}
		refused(w, &eventsapi.DeleteRule, &eventsapi.DeleteRuleRequest{Name: "respond"}, bad, "Rule can't be deleted since it has targets.")
		out := must(w, &eventsapi.RemoveTargets, &eventsapi.RemoveTargetsRequest{Rule: "respond", Ids: []string{"1", "t0", "t1", "t2", "t3", "gone"}})
		if *out.FailedEntryCount != 1 || *out.FailedEntries[0].TargetId != "gone" || *out.FailedEntries[0].ErrorCode != "ResourceNotFoundException" {
			t.Errorf("%+v", out)
		}
		names = must(w, &eventsapi.ListRuleNamesByTarget, &eventsapi.ListRuleNamesByTargetRequest{TargetArn: runbook})
		if len(names.RuleNames) != 0 {
			t.Error(names.RuleNames)
		}
		must(w, &eventsapi.DeleteRule, &eventsapi.DeleteRuleRequest{Name: "respond"})
	})
}

func TestPutEventsAnswersEachEntry(t *testing.T) {
	inWorld(t, func(w *world) {
		entry := func(source, kind, detail string) eventsapi.PutEventsRequestEntry {
			return eventsapi.PutEventsRequestEntry{Source: optional(source), DetailType: optional(kind), Detail: optional(detail)}
		}
		good := entry("app", "Kind", `{"a": 1}`)
		good.Time, good.Resources = new(time.Date(2025, 1, 2, 3, 4, 5, 6, time.UTC)), []string{"r"}
		nowhere := good
		nowhere.EventBusName = new("nowhere")
		out := must(w, &eventsapi.PutEvents, &eventsapi.PutEventsRequest{Entries: []eventsapi.PutEventsRequestEntry{
			good, entry("", "Kind", "{}"), entry("app", "", "{}"), entry("app", "Kind", ""), entry("app", "Kind", "[]"), entry("app", "Kind", "{"), entry("aws.ec2", "Kind", "{}"), nowhere}})
		want := []string{"", "InvalidArgument: Parameter Source is not valid. Reason: Source is a required argument.",
			"InvalidArgument: Parameter DetailType is not valid. Reason: DetailType is a required argument.",
			"InvalidArgument: Parameter Detail is not valid. Reason: Detail is a required argument.",
			"MalformedDetail: Detail is malformed.", "MalformedDetail: Detail is malformed.", "NotAuthorizedForSourceException: Not authorized for the source.", ""}
		for i, e := range out.Entries {
			got := ""
			if e.ErrorCode != nil {
				got = *e.ErrorCode + ": " + *e.ErrorMessage
			}
			if got != want[i] || (e.EventId == nil) != (want[i] != "") {
				t.Errorf("entry %d: %s", i, got)
			}
		}
		if *out.FailedEntryCount != 6 {
			t.Error(*out.FailedEntryCount)
		}
		events := w.relay()
		if len(events) != 1 {
			t.Fatalf("%d events", len(events))
		}
		if got, want := string(events[0].Data), `{"version":"0","id":"`+*out.Entries[0].EventId+`","detail-type":"Kind","source":"app","account":"111122223333","time":"2025-01-02T03:04:05Z","region":"us-east-1","resources":["r"],"detail":{"a":1}}`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		refused(w, &eventsapi.PutEvents, &eventsapi.PutEventsRequest{Entries: []eventsapi.PutEventsRequestEntry{entry("app", "Kind", `{"a":"`+strings.Repeat("x", maxEntries)+`"}`)}},
			"ValidationException", "Total size of the entries in the request is over the limit.")
	})
}

func TestTestEventPattern(t *testing.T) {
	inWorld(t, func(w *world) {
		event := `{"id":"1","account":"1","source":"a","time":"t","region":"r","resources":[],"detail-type":"d","detail":{"x":1}}`
		ask := func(p, e string) *eventsapi.TestEventPatternRequest {
			return &eventsapi.TestEventPatternRequest{EventPattern: p, Event: e}
		}
		if out := must(w, &eventsapi.TestEventPattern, ask(`{"detail":{"x":[1]}}`, event)); !*out.Result {
			t.Error("no match")
		}
		if out := must(w, &eventsapi.TestEventPattern, ask(`{"detail":{"x":[2]}}`, event)); *out.Result {
			t.Error("match")
		}
		refused(w, &eventsapi.TestEventPattern, ask(`{"source":["a"]}`, `"plain"`), "ValidationException", "Parameter Event is not valid.")
		refused(w, &eventsapi.TestEventPattern, ask(`{"a":"b"}`, event), "InvalidEventPatternException",
			"Event pattern is not valid. Reason: \"a\" must be an object or an array\n at [Source: (String)\"{\"a\":\"b\"}\"; line: 1, column: 7]")
	})
}

func TestPermissionsOpenABusToOthers(t *testing.T) {
	inWorld(t, func(w *world) {
		must(w, &eventsapi.PutPermission, &eventsapi.PutPermissionRequest{Action: new("events:PutEvents"), Principal: new(other), StatementId: new("one")})
		must(w, &eventsapi.PutPermission, &eventsapi.PutPermissionRequest{Action: new("events:PutEvents"), Principal: new("*"), StatementId: new("two"),
			Condition: &eventsapi.Condition{Type: "StringEquals", Key: "aws:PrincipalOrgID", Value: "o-1"}})
		policy := must(w, &eventsapi.DescribeEventBus, &eventsapi.DescribeEventBusRequest{}).Policy
		want := `{"Version":"2012-10-17","Statement":[{"Action":"events:PutEvents","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Resource":"arn:aws:events:us-east-1:111122223333:event-bus/default","Sid":"one"},` +
			`{"Action":"events:PutEvents","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}},"Effect":"Allow","Principal":"*","Resource":"arn:aws:events:us-east-1:111122223333:event-bus/default","Sid":"two"}]}`
		if *policy != want {
			t.Errorf("got  %s\nwant %s", *policy, want)
		}

		// An event of another account keeps that account's number, and is matched here.
		responder(w, eventsapi.Target{InputTransformer: toDomain})
		request := &eventsapi.PutEventsRequest{Entries: []eventsapi.PutEventsRequestEntry{{Source: new("app"), DetailType: new("Finding"), Detail: new(`{"severity":8,"domain":"x"}`),
			EventBusName: new("arn:aws:events:us-east-1:111122223333:event-bus/default")}}}
		touches, err := w.service.touchPutEvents(in(t.Context(), other, "PutEvents"), request)
		if err != nil || len(touches) != 1 || touches[0].Policy != *policy || touches[0].Resource.Account != account {
			t.Errorf("%+v, %v", touches, err)
		}
		if _, err := callAs(w, other, &eventsapi.PutEvents, request); err != nil {
			t.Fatal(err)
		}
		events := w.relay()
		var v aws.BusEvent
		if len(events) != 1 || json.Unmarshal(events[0].Data, &v) != nil || v.Account != other || events[0].Account != account {
			t.Errorf("%+v", events)
		}
		w.settle()
		if len(w.started) != 1 {
			t.Errorf("%d deliveries", len(w.started))
		}

		must(w, &eventsapi.RemovePermission, &eventsapi.RemovePermissionRequest{StatementId: new("one")})
		refused(w, &eventsapi.RemovePermission, &eventsapi.RemovePermissionRequest{StatementId: new("one")}, "ResourceNotFoundException", "Statement with the provided id does not exist.")
		must(w, &eventsapi.RemovePermission, &eventsapi.RemovePermissionRequest{RemoveAllPermissions: new(true)})
		refused(w, &eventsapi.RemovePermission, &eventsapi.RemovePermissionRequest{StatementId: new("two")}, "ResourceNotFoundException", "EventBus does not have a policy.")

		if _, err := call(w, &eventsapi.PutPermission, &eventsapi.PutPermissionRequest{Policy: new(`{"Statement":[{"Effect":"Perhaps"}]}`)}); !aws.ValidationException.Is(err) {
			t.Errorf("%v", err)
		}
		whole := `{"Version":"2012-10-17","Statement":{"Sid":"a","Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":"*"}}`
		must(w, &eventsapi.PutPermission, &eventsapi.PutPermissionRequest{Policy: &whole})
		must(w, &eventsapi.PutPermission, &eventsapi.PutPermissionRequest{Action: new("events:PutEvents"), Principal: new(other), StatementId: new("b")})
		must(w, &eventsapi.RemovePermission, &eventsapi.RemovePermissionRequest{StatementId: new("a")})
		if policy := must(w, &eventsapi.DescribeEventBus, &eventsapi.DescribeEventBusRequest{}).Policy; strings.Contains(*policy, `"a"`) || !strings.Contains(*policy, `"Sid":"b"`) {
			t.Error(*policy)
		}
	})
}

func TestOtherAccountsSeeNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		must(w, &eventsapi.CreateEventBus, &eventsapi.CreateEventBusRequest{Name: "mine"})
		must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "r", EventBusName: new("mine"), EventPattern: new(`{"a":["b"]}`)})
		arn := "arn:aws:events:us-east-1:111122223333:event-bus/"
		for name, err := range map[string]error{
			"mine": second(callAs(w, other, &eventsapi.DescribeEventBus, &eventsapi.DescribeEventBusRequest{Name: new(arn + "mine")})),
			"none": second(callAs(w, other, &eventsapi.DescribeEventBus, &eventsapi.DescribeEventBusRequest{Name: new(arn + "none")})),
		} {
			if want := eventsapi.ResourceNotFoundException.New("Event bus %s does not exist.", name); err == nil || err.Error() != want.Error() {
				t.Errorf("%v", err)
			}
		}
		for _, err := range []error{
			second(callAs(w, other, &eventsapi.DescribeRule, &eventsapi.DescribeRuleRequest{Name: "r", EventBusName: new(arn + "mine")})),
			second(callAs(w, other, &eventsapi.ListTagsForResource, &eventsapi.ListTagsForResourceRequest{ResourceARN: arn + "mine"})),
		} {
			var e *aws.Error
			if !errors.As(err, &e) || e.Code != "ResourceNotFoundException" {
				t.Errorf("%v", err)
			}
		}
	})
}

func TestRolesOfOtherAccountsAreNotPassed(t *testing.T) {
	inWorld(t, func(w *world) {
		must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "r", EventPattern: new(`{"a":["b"]}`)})
		for _, role := range []string{"arn:aws:iam::444455556666:role/x", "arn:aws-x:iam::111122223333:role/x", "arn:aws:iam:us-east-1:111122223333:role/x"} {
			_, err := call(w, &eventsapi.PutTargets, &eventsapi.PutTargetsRequest{Rule: "r", Targets: []eventsapi.Target{{Id: "1", Arn: runbook, RoleArn: &role}}})
			if !aws.AccessDenied.Is(err) {
				t.Errorf("%s: %v", role, err)
			}
			if _, err = call(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "s", EventPattern: new(`{"a":["b"]}`), RoleArn: &role}); !aws.AccessDenied.Is(err) {
				t.Errorf("%s: %v", role, err)
			}
		}
	})
}

// One thing has one ARN: a second one would slip past policies that name the first.
func TestOtherSpellingsOfAnARNNameNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		must(w, &eventsapi.CreateEventBus, &eventsapi.CreateEventBusRequest{Name: "mine"})
		must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "r", EventPattern: new(`{"a":["b"]}`)})
		for _, arn := range []string{"arn:aws-x:events:us-east-1:111122223333:event-bus/mine", "arn:aws:s3:us-east-1:111122223333:event-bus/mine"} {
			if _, err := call(w, &eventsapi.DescribeEventBus, &eventsapi.DescribeEventBusRequest{Name: &arn}); !eventsapi.ResourceNotFoundException.Is(err) {
				t.Errorf("%s: %v", arn, err)
			}
			out := must(w, &eventsapi.PutEvents, &eventsapi.PutEventsRequest{Entries: []eventsapi.PutEventsRequestEntry{
				{Source: new("app"), DetailType: new("x"), Detail: new("{}"), EventBusName: &arn},
			}})
			if *out.FailedEntryCount != 1 || *out.Entries[0].ErrorCode != "InvalidArgument" {
				t.Errorf("%s: %+v", arn, out.Entries)
			}
			_, err := call(w, &eventsapi.PutTargets, &eventsapi.PutTargetsRequest{Rule: "r", Targets: []eventsapi.Target{{Id: "1", Arn: arn}}})
			if !aws.ValidationException.Is(err) {
				t.Errorf("%s: %v", arn, err)
			}
		}
		for _, arn := range []string{"arn:aws:events:us-east-1:111122223333:rule/default/r", "arn:aws-x:events:us-east-1:111122223333:rule/r", "arn:aws-x:events:us-east-1:111122223333:event-bus/mine"} {
			_, err := call(w, &eventsapi.TagResource, &eventsapi.TagResourceRequest{ResourceARN: arn, Tags: []eventsapi.Tag{{Key: "k", Value: "v"}}})
			if !eventsapi.ResourceNotFoundException.Is(err) {
				t.Errorf("%s: %v", arn, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestWildcardRulesAreLimited(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range maxWildcards {
			must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: fmt.Sprintf("w%d", i), EventPattern: new(`{"a":[{"wildcard":"a*b"}]}`)})
		}
		refused(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "more", EventPattern: new(`{"a":[{"wildcard":"a*b"}]}`)},
			"LimitExceededException", "The requested resource exceeds the maximum number allowed.")
		must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "w0", EventPattern: new(`{"a":[{"wildcard":"b*b"}]}`)})
	})
}
