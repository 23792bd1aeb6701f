// Package events is Amazon EventBridge: buses, rules, targets and the way of events between them.
//
// Routes is its table of contents. An event that reaches a bus, by PutEvents or
// from a service, stands on the spine's bus stream; match.go finds the rules that
// it matches and schedules one delivery for each target; deliver.go makes the
// delivery, again and again if need be. What is promised survives a crash: a
// delivery is a due record, written together with the stream's position.
package events

import (
	"sumun.dev/api/eventsapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves EventBridge.
type Service struct {
	env   service.Env
	buses *store.Table[bus]
	rules *store.Table[rule]
	cache cache
}

// New returns EventBridge.
func New(env service.Env) *Service {
	s := &Service{
		env:   env,
		buses: store.NewTable[bus](env.Store, "events.buses"),
		rules: store.NewTable(env.Store, "events.rules", store.Index(byTarget, targetARNs)),
	}
	env.Store.Watch("events.rules", s.cache.changed)
	return s
}

// Routes lists what EventBridge serves.
func (s *Service) Routes() []wire.Route {
	return []wire.Route{
		eventsapi.CreateEventBus.To(s.createEventBus, touchNewBus),
		eventsapi.DescribeEventBus.To(s.describeEventBus, touchBus(s, "events:DescribeEventBus", func(in *eventsapi.DescribeEventBusRequest) *string { return in.Name })),
		eventsapi.UpdateEventBus.To(s.updateEventBus, touchBus(s, "events:UpdateEventBus", func(in *eventsapi.UpdateEventBusRequest) *string { return in.Name })),
		eventsapi.DeleteEventBus.To(s.deleteEventBus, touchBus(s, "events:DeleteEventBus", func(in *eventsapi.DeleteEventBusRequest) *string { return &in.Name })),
		eventsapi.ListEventBuses.To(s.listEventBuses, touchAll[*eventsapi.ListEventBusesRequest]("events:ListEventBuses")),
		eventsapi.PutPermission.To(s.putPermission, touchAll[*eventsapi.PutPermissionRequest]("events:PutPermission")),
		eventsapi.RemovePermission.To(s.removePermission, touchAll[*eventsapi.RemovePermissionRequest]("events:RemovePermission")),

		eventsapi.PutRule.To(s.putRule, s.touchPutRule),
		eventsapi.DescribeRule.To(s.describeRule, touchRule(s, "events:DescribeRule", func(in *eventsapi.DescribeRuleRequest) (*string, string) { return in.EventBusName, in.Name })),
		eventsapi.EnableRule.To(s.enableRule, touchRule(s, "events:EnableRule", func(in *eventsapi.EnableRuleRequest) (*string, string) { return in.EventBusName, in.Name })),
		eventsapi.DisableRule.To(s.disableRule, touchRule(s, "events:DisableRule", func(in *eventsapi.DisableRuleRequest) (*string, string) { return in.EventBusName, in.Name })),
		eventsapi.DeleteRule.To(s.deleteRule, touchRule(s, "events:DeleteRule", func(in *eventsapi.DeleteRuleRequest) (*string, string) { return in.EventBusName, in.Name })),
		eventsapi.ListRules.To(s.listRules, touchAll[*eventsapi.ListRulesRequest]("events:ListRules")),
		eventsapi.ListRuleNamesByTarget.To(s.listRuleNamesByTarget, touchAll[*eventsapi.ListRuleNamesByTargetRequest]("events:ListRuleNamesByTarget")),

		eventsapi.PutTargets.To(s.putTargets, s.touchPutTargets),
		eventsapi.RemoveTargets.To(s.removeTargets, touchRule(s, "events:RemoveTargets", func(in *eventsapi.RemoveTargetsRequest) (*string, string) { return in.EventBusName, in.Rule })),
		eventsapi.ListTargetsByRule.To(s.listTargetsByRule, touchRule(s, "events:ListTargetsByRule", func(in *eventsapi.ListTargetsByRuleRequest) (*string, string) { return in.EventBusName, in.Rule })),

		eventsapi.PutEvents.To(s.putEvents, s.touchPutEvents),
		eventsapi.TestEventPattern.To(s.testEventPattern, touchAll[*eventsapi.TestEventPatternRequest]("events:TestEventPattern")),

		eventsapi.TagResource.To(s.tagResource, touchTagged(s, "events:TagResource", func(in *eventsapi.TagResourceRequest) (string, []eventsapi.Tag, []string) {
			return in.ResourceARN, in.Tags, nil
		})),
		eventsapi.UntagResource.To(s.untagResource, touchTagged(s, "events:UntagResource", func(in *eventsapi.UntagResourceRequest) (string, []eventsapi.Tag, []string) {
			return in.ResourceARN, nil, in.TagKeys
		})),
		eventsapi.ListTagsForResource.To(s.listTagsForResource, touchTagged(s, "events:ListTagsForResource", func(in *eventsapi.ListTagsForResourceRequest) (string, []eventsapi.Tag, []string) {
			return in.ResourceARN, nil, nil
		})),
	}
}

// Needs lists the calls that deliver to targets.
func (s *Service) Needs() []wire.AnyOperation {
	return []wire.AnyOperation{&ssmapi.StartAutomationExecution}
}

// Consumers lists what EventBridge reads: every bus.
func (s *Service) Consumers() []service.Consumer {
	return []service.Consumer{{Name: "events-rules", Stream: aws.BusStream, Handle: s.match, MaxBatch: batch}}
}

// Jobs lists what EventBridge does later.
func (s *Service) Jobs() []service.Job {
	return []service.Job{{Kind: jobDeliver, Run: s.deliver}, {Kind: jobRoute, Run: s.routeDue}, {Kind: jobSchedule, Run: s.tick}}
}
