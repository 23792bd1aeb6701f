package service_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/wire"
)

func TestRequestTags(t *testing.T) {
	type tag struct{ k, v string }
	pair := func(t tag) (string, string) { return t.k, t.v }
	for _, c := range []struct {
		name string
		got  map[string][]string
		want map[string][]string
	}{
		{"none", service.RequestTags(nil, nil), map[string][]string{}},
		{"of a map", service.RequestTags(nil, maps.All(map[string]string{"team": "red"})), map[string][]string{"aws:RequestTag/team": {"red"}, "aws:TagKeys": {"team"}}},
		{"of a list", service.RequestTags(nil, service.Pairs([]tag{{"a", "1"}, {"b", ""}}, pair)), map[string][]string{"aws:RequestTag/a": {"1"}, "aws:RequestTag/b": {""}, "aws:TagKeys": {"a", "b"}}},
		{"one twice", service.RequestTags(nil, service.Pairs([]tag{{"a", "1"}, {"a", "2"}}, pair)), map[string][]string{"aws:RequestTag/a": {"1", "2"}, "aws:TagKeys": {"a", "a"}}},
		{"taken away", service.RequestTags(nil, nil, "a", "b"), map[string][]string{"aws:TagKeys": {"a", "b"}}},
		{"beside others", service.RequestTags(map[string][]string{"events:source": {"x"}}, nil, "a"), map[string][]string{"events:source": {"x"}, "aws:TagKeys": {"a"}}},
	} {
		if !maps.EqualFunc(c.got, c.want, slices.Equal) {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestTaggingOnCreationNeedsTheRightToTag(t *testing.T) {
	bare := wire.Touch{Action: "events:PutRule", Conditions: service.RequestTags(nil, nil)}
	if got := service.WithTagging("events:TagResource", bare); len(got) != 1 {
		t.Errorf("without tags: %+v", got)
	}
	with := wire.Touch{Action: "events:PutRule", Conditions: service.RequestTags(map[string][]string{"events:source": {"x"}}, maps.All(map[string]string{"a": "b"}))}
	got := service.WithTagging("events:TagResource", with)
	if len(got) != 2 || got[0].Action != "events:PutRule" || got[1].Action != "events:TagResource" || got[1].Conditions["aws:RequestTag/a"][0] != "b" || len(got[1].Conditions) != 2 {
		t.Errorf("with tags: %+v", got)
	}
}

func TestARoleIsPassedWithinItsAccountOnly(t *testing.T) {
	call := &aws.Call{Partition: "aws", Account: "111122223333"}
	for _, c := range []struct {
		role            string
		isRole, refused bool
	}{
		{"arn:aws:iam::111122223333:role/x", true, false},
		{"arn:aws:iam::444455556666:role/x", true, true},
		{"arn:aws-cn:iam::111122223333:role/x", true, true},
		{"arn:aws:iam:eu-central-1:111122223333:role/x", true, true},
		{"arn:aws:iam::111122223333:user/x", false, false},
		{"arn:aws:iam::111122223333:role/", false, false},
		{"arn:aws:sts::111122223333:role/x", false, false},
		{"x", false, false},
	} {
		_, ok, err := service.Passable(call, c.role)
		var e *aws.Error
		if ok != c.isRole || errors.As(err, &e) != c.refused {
			t.Errorf("%s: %t, %v", c.role, ok, err)
		}
	}
	role, _ := aws.ParseARN("arn:aws:iam::111122223333:role/x")
	rule, _ := aws.ParseARN("arn:aws:events:us-east-1:111122223333:rule/r")
	touch := service.PassRole(role, "events.amazonaws.com", rule)
	if touch.Action != "iam:PassRole" || touch.Resource != role || touch.Conditions["iam:PassedToService"][0] != "events.amazonaws.com" || touch.Conditions["iam:AssociatedResourceArn"][0] != rule.String() {
		t.Errorf("%+v", touch)
	}
}
