package events

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/eventsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

const (
	runbook = "arn:aws:ssm:us-east-1:111122223333:automation-definition/Sumun-BlockDomain:$DEFAULT"
	role    = "arn:aws:iam::111122223333:role/responder"
)

// responder is a rule that starts a runbook for findings.
func responder(w *world, t eventsapi.Target) {
	w.t.Helper()
	must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "respond", EventPattern: new(`{"source":["app"],"detail":{"severity":[{"numeric":[">",4]}]}}`)})
	if t.Id == "" {
		t.Id = "1"
	}
	if t.Arn == "" {
		t.Arn, t.RoleArn = runbook, new(role)
	}
	must(w, &eventsapi.PutTargets, &eventsapi.PutTargetsRequest{Rule: "respond", Targets: []eventsapi.Target{t}})
}

var toDomain = &eventsapi.InputTransformer{InputPathsMap: map[string]string{"d": "$.detail.domain"}, InputTemplate: `{"Domain": [<d>], "Note": ["found <d>"]}`}

func put(w *world, detail string) *eventsapi.PutEventsResponse {
	return must(w, &eventsapi.PutEvents, &eventsapi.PutEventsRequest{Entries: []eventsapi.PutEventsRequestEntry{{Source: new("app"), DetailType: new("Finding"), Detail: &detail}}})
}

func TestEventStartsRunbookAsItsRole(t *testing.T) {
	inWorld(t, func(w *world) {
		responder(w, eventsapi.Target{InputTransformer: toDomain})
		put(w, `{"severity":8,"domain":"evil.example"}`)
		put(w, `{"severity":2,"domain":"good.example"}`)
		w.settle()
		if len(w.started) != 1 {
			t.Fatalf("%d runbooks were started", len(w.started))
		}
		s := w.started[0]
		if s.role != role || s.in.DocumentName != "Sumun-BlockDomain" || *s.in.DocumentVersion != "$DEFAULT" {
			t.Errorf("%+v", s)
		}
		if got := w.parameters(0); got != `{"Domain":["evil.example"],"Note":["found evil.example"]}` {
			t.Error(got)
		}
		w.advance(48 * time.Hour)
		if len(w.started) != 1 {
			t.Errorf("delivered %d times", len(w.started))
		}
	})
}

func TestFailuresAreRetriedWithinThePolicy(t *testing.T) {
	inWorld(t, func(w *world) {
		responder(w, eventsapi.Target{InputTransformer: toDomain, RetryPolicy: &eventsapi.RetryPolicy{MaximumRetryAttempts: new(int32(3))}})
		w.refuse = aws.ThrottlingException.New("Rate exceeded")
		put(w, `{"severity":8,"domain":"evil.example"}`)
		w.advance(time.Hour)
		if len(w.started) != 4 {
			t.Errorf("%d attempts, want the first and three more", len(w.started))
		}
		token := *w.started[0].in.ClientToken
		for _, s := range w.started {
			if *s.in.ClientToken != token {
				t.Error("an attempt has another token")
			}
		}

		w.started = nil
		put(w, `{"severity":9,"domain":"evil.example"}`)
		w.settle()
		w.refuse = nil
		w.advance(time.Minute)
		if len(w.started) != 2 {
			t.Errorf("%d attempts, want a failure and a success", len(w.started))
		}
	})
}

func TestRetriesFillADay(t *testing.T) {
	inWorld(t, func(w *world) {
		responder(w, eventsapi.Target{InputTransformer: toDomain})
		w.refuse = aws.ServiceUnavailable.New("busy")
		put(w, `{"severity":8,"domain":"x"}`)
		w.advance(72 * time.Hour)
		if n := len(w.started); n < 150 || n > 186 {
			t.Errorf("%d attempts", n)
		}
	})
}

func TestAgeEndsRetries(t *testing.T) {
	inWorld(t, func(w *world) {
		responder(w, eventsapi.Target{InputTransformer: toDomain, RetryPolicy: &eventsapi.RetryPolicy{MaximumEventAgeInSeconds: new(int32(60))}})
		w.refuse = aws.ServiceUnavailable.New("busy")
		put(w, `{"severity":8,"domain":"x"}`)
		w.advance(time.Minute)
		n := len(w.started)
		w.advance(time.Hour)
		if len(w.started) != n || n < 4 || n > 8 {
			t.Errorf("%d attempts in a minute, %d in an hour", n, len(w.started))
		}
	})
}

func TestMissingRightsAreNotRetried(t *testing.T) {
	inWorld(t, func(w *world) {
		responder(w, eventsapi.Target{InputTransformer: toDomain})
		w.refuse = aws.AccessDenied.New("no")
		put(w, `{"severity":8,"domain":"x"}`)
		w.advance(time.Hour)
		if len(w.started) != 1 {
			t.Errorf("%d attempts", len(w.started))
		}
	})
}

func TestInputOfTargets(t *testing.T) {
	for _, c := range []struct {
		name   string
		target eventsapi.Target
		want   string
	}{
		{"constant", eventsapi.Target{Input: new(`{"A":["b"]}`)}, `{"A":["b"]}`},
		{"path", eventsapi.Target{InputPath: new("$.detail.parameters")}, `{"B":["c"],"C":["single"]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				responder(w, c.target)
				put(w, `{"severity":8,"parameters":{"B":["c"],"C":"single"}}`)
				w.settle()
				if got := w.parameters(0); got != c.want {
					t.Errorf("got %s", got)
				}
			})
		})
	}
}

func TestRemovedTargetGetsNoMore(t *testing.T) {
	inWorld(t, func(w *world) {
		responder(w, eventsapi.Target{InputTransformer: toDomain})
		w.refuse = aws.ServiceUnavailable.New("busy")
		put(w, `{"severity":8,"domain":"x"}`)
		w.settle()
		must(w, &eventsapi.RemoveTargets, &eventsapi.RemoveTargetsRequest{Rule: "respond", Ids: []string{"1"}})
		w.advance(time.Hour)
		if len(w.started) != 1 {
			t.Errorf("%d attempts", len(w.started))
		}
	})
}

func TestRuleChangesApplyToTheNextEvent(t *testing.T) {
	inWorld(t, func(w *world) {
		responder(w, eventsapi.Target{InputTransformer: toDomain})
		count := func(want int) {
			t.Helper()
			w.started = nil
			put(w, `{"severity":8,"domain":"x"}`)
			w.settle()
			if len(w.started) != want {
				t.Errorf("%d deliveries, want %d", len(w.started), want)
			}
		}
		count(1)
		must(w, &eventsapi.DisableRule, &eventsapi.DisableRuleRequest{Name: "respond"})
		count(0)
		must(w, &eventsapi.EnableRule, &eventsapi.EnableRuleRequest{Name: "respond"})
		count(1)
		must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "respond", EventPattern: new(`{"source":["else"]}`)})
		count(0)
		must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "respond", EventPattern: new(`{"source":["app"]}`)})
		count(1)
	})
}

func TestDeliveriesSurviveARestart(t *testing.T) {
	inWorld(t, func(w *world) {
		responder(w, eventsapi.Target{InputTransformer: toDomain})
		put(w, `{"severity":8,"domain":"one.example"}`)
		w.begin() // acknowledged, not yet matched
		w.relay()
		w.begin() // matched, not yet delivered
		w.settle()
		if got := w.parameters(0); len(w.started) != 1 || !strings.Contains(got, "one.example") {
			t.Errorf("%d started, %s", len(w.started), got)
		}
	})
}

func TestBusForwardsOnceAndUnchanged(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, name := range []string{"a", "b"} {
			must(w, &eventsapi.CreateEventBus, &eventsapi.CreateEventBusRequest{Name: name})
		}
		everything := new(`{"source":[{"prefix":""}]}`)
		for from, to := range map[string]string{"default": "a", "a": "b", "b": "default"} {
			must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "on", EventBusName: &from, EventPattern: everything})
			must(w, &eventsapi.PutTargets, &eventsapi.PutTargetsRequest{Rule: "on", EventBusName: &from, Targets: []eventsapi.Target{
				{Id: "bus", Arn: "arn:aws:events:us-east-1:111122223333:event-bus/" + to}}})
		}
		put(w, `{"x":1}`)
		first := w.relay()
		w.work()
		second := w.relay()
		w.advance(time.Hour)
		if len(first) != 1 || len(second) != 1 || second[0].Attrs["bus"] != "a" || string(first[0].Data) != string(second[0].Data) {
			t.Errorf("%+v, then %+v", first, second)
		}
		if more := w.relay(); len(more) != 0 {
			t.Errorf("forwarded again: %+v", more)
		}
	})
}

func TestSchedulesInvokeTheirTargets(t *testing.T) {
	inWorld(t, func(w *world) {
		must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "clock", ScheduleExpression: new("rate(1 hour)")})
		must(w, &eventsapi.PutTargets, &eventsapi.PutTargetsRequest{Rule: "clock", Targets: []eventsapi.Target{{Id: "1", Arn: runbook, RoleArn: new(role),
			InputTransformer: &eventsapi.InputTransformer{InputPathsMap: map[string]string{"t": "$.time", "r": "$.resources[0]"}, InputTemplate: `{"At":[<t>],"Rule":[<r>]}`}}}})
		w.advance(3*time.Hour + time.Minute)
		if len(w.started) != 3 {
			t.Fatalf("%d times in three hours", len(w.started))
		}
		if got := w.parameters(2); got != `{"At":["2026-01-01T03:00:00Z"],"Rule":["arn:aws:events:us-east-1:111122223333:rule/clock"]}` {
			t.Error(got)
		}
		// Down for a while: the beats missed are not made up for, the beat stays.
		time.Sleep(10 * time.Hour)
		w.begin()
		w.advance(time.Hour)
		if len(w.started) != 5 {
			t.Errorf("%d times", len(w.started))
		}
		must(w, &eventsapi.DisableRule, &eventsapi.DisableRuleRequest{Name: "clock"})
		w.advance(5 * time.Hour)
		if len(w.started) != 5 {
			t.Errorf("%d times, though disabled", len(w.started))
		}
	})
}

func TestReadOnlyManagementEventsWaitToBeAsked(t *testing.T) {
	inWorld(t, func(w *world) {
		rule := &eventsapi.PutRuleRequest{Name: "api", EventPattern: new(`{"detail-type":["AWS API Call via CloudTrail"]}`)}
		must(w, &eventsapi.PutRule, rule)
		must(w, &eventsapi.PutTargets, &eventsapi.PutTargetsRequest{Rule: "api", Targets: []eventsapi.Target{{Id: "1", Arn: runbook, RoleArn: new(role), Input: new(`{}`)}}})
		send := func(readOnly bool) {
			detail, _ := json.Marshal(map[string]bool{"readOnly": readOnly})
			must(w, &eventsapi.PutEvents, &eventsapi.PutEventsRequest{Entries: []eventsapi.PutEventsRequestEntry{
				{Source: new("trail"), DetailType: new("AWS API Call via CloudTrail"), Detail: new(string(detail))}}})
			w.settle()
		}
		send(false)
		send(true)
		if len(w.started) != 1 {
			t.Errorf("%d", len(w.started))
		}
		rule.State = new(eventsapi.RuleStateEnabledWithAllCloudtrailManagementEvents)
		must(w, &eventsapi.PutRule, rule)
		send(true)
		if len(w.started) != 2 {
			t.Errorf("%d", len(w.started))
		}
	})
}

// An event of the largest size that starts hundreds of deliveries must not make
// a unit of work that no store takes: the stream would stand still for ever.
func TestManyLargeDeliveriesDoNotStopTheStream(t *testing.T) {
	inWorld(t, func(w *world) {
		const some = 60
		for i := range some {
			name := fmt.Sprintf("r%03d", i)
			must(w, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: name, EventPattern: new(`{"source":["app"]}`)})
			targets := make([]eventsapi.Target, maxTargets)
			for n := range targets {
				targets[n] = eventsapi.Target{Id: fmt.Sprint(n), Arn: runbook, RoleArn: new(role)}
			}
			must(w, &eventsapi.PutTargets, &eventsapi.PutTargetsRequest{Rule: name, Targets: targets})
		}
		put(w, `{"severity":8,"domain":"`+strings.Repeat("x", 240_000)+`"}`)
		w.relay()
		seen := map[string]bool{}
		for range 40 {
			dues, err := w.store.ClaimDue(t.Context(), time.Now(), time.Minute, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if len(dues) == 0 {
				break
			}
			for _, d := range dues {
				err := w.store.Update(in(t.Context(), account, d.Kind), func(ctx context.Context) error {
					store.Complete(ctx, d)
					if d.Kind == jobRoute {
						return w.service.routeDue(ctx, d)
					}
					if seen[d.ID] {
						t.Errorf("%s twice", d.ID)
					}
					seen[d.ID] = true
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(seen) != some*maxTargets {
			t.Errorf("%d deliveries, want %d", len(seen), some*maxTargets)
		}
	})
}
