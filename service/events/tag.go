package events

import (
	"context"
	"maps"
	"slices"
	"strings"

	"sumun.dev/api/eventsapi"
	"sumun.dev/aws"
)

// tagged returns tags with more added.
func tagged(tags map[string]string, add []eventsapi.Tag) (map[string]string, error) {
	all := maps.Clone(tags)
	for _, t := range add {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, aws.ValidationException.New("Tag keys starting with aws: are reserved for system use.")
		}
		if all == nil {
			all = map[string]string{}
		}
		all[t.Key] = t.Value
	}
	if len(all) > maxTags {
		return nil, aws.ValidationException.New("A resource can have at most %d tags.", maxTags)
	}
	return all, nil
}

// tagsOf finds the tags of a bus or a rule, and how to keep them changed.
func (s *Service) tagsOf(ctx context.Context, resource string) (*map[string]string, func() error, error) {
	call := aws.CallOf(ctx)
	arn, err := aws.ParseARN(resource)
	if err != nil || arn.Service != "events" || arn.Account != call.Account || arn.Region != call.Region {
		return nil, nil, noResource(resource)
	}
	if name, ok := strings.CutPrefix(arn.Resource, "event-bus/"); ok && arn == busARN(call, name) {
		b, err := s.bus(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		return &b.Tags, func() error { return s.putBus(ctx, b) }, nil
	}
	name, ok := strings.CutPrefix(arn.Resource, "rule/")
	if !ok {
		return nil, nil, noResource(resource)
	}
	bus := defaultBus
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		bus, name = name[:i], name[i+1:]
	}
	if arn != ruleARN(call, bus, name) {
		return nil, nil, noResource(resource) // rule/default/x is no name of rule/x
	}
	r, err := s.rule(ctx, &bus, name)
	if err != nil {
		return nil, nil, err
	}
	return &r.Tags, func() error { return s.rules.Put(ctx, ruleID(r.Bus, r.Name), r) }, nil
}

func noResource(arn string) error {
	return eventsapi.ResourceNotFoundException.New("Resource %s does not exist.", arn)
}

func (s *Service) tagResource(ctx context.Context, in *eventsapi.TagResourceRequest) (*eventsapi.TagResourceResponse, error) {
	tags, keep, err := s.tagsOf(ctx, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	if *tags, err = tagged(*tags, in.Tags); err != nil {
		return nil, err
	}
	return &eventsapi.TagResourceResponse{}, keep()
}

func (s *Service) untagResource(ctx context.Context, in *eventsapi.UntagResourceRequest) (*eventsapi.UntagResourceResponse, error) {
	tags, keep, err := s.tagsOf(ctx, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(*tags, key)
	}
	return &eventsapi.UntagResourceResponse{}, keep()
}

func (s *Service) listTagsForResource(ctx context.Context, in *eventsapi.ListTagsForResourceRequest) (*eventsapi.ListTagsForResourceResponse, error) {
	tags, _, err := s.tagsOf(ctx, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &eventsapi.ListTagsForResourceResponse{Tags: []eventsapi.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(*tags)) {
		out.Tags = append(out.Tags, eventsapi.Tag{Key: key, Value: (*tags)[key]})
	}
	return out, nil
}
