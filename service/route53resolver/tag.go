package route53resolver

import (
	"context"
	"maps"
	"slices"
	"strings"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/aws"
)

// maxTags is how many tags a resource can have. Route 53 Developer Guide, "Tagging".
const maxTags = 50

func tagMap(tags []api.Tag) (map[string]string, error) {
	m := map[string]string{}
	for _, t := range tags {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, api.InvalidTagException.New("The tag key \"%s\" begins with \"aws:\", which is reserved.", t.Key)
		}
		m[t.Key] = t.Value
	}
	if len(m) > maxTags {
		return nil, api.LimitExceededException.New("A resource can have at most %d tags.", maxTags).With("ResourceType", "tag")
	}
	return m, nil
}

// A tagged resource is one whose tags can be read and, in a unit, replaced.
type tagged struct {
	tags map[string]string
	save func(map[string]string) error
}

// tagged returns the resource with this ARN.
func (s *Service) tagged(ctx context.Context, text string) (*tagged, error) {
	call := aws.CallOf(ctx)
	arn, err := aws.ParseARN(text)
	if err != nil || arn.Service != "route53resolver" {
		return nil, api.InvalidParameterException.New("\"%s\" is not the ARN of a Route 53 Resolver resource.", text).With("FieldName", "ResourceArn")
	}
	kind, id, _ := strings.Cut(arn.Resource, "/")
	if arn.Account != call.Account || arn.Region != call.Region || kind != typeOf(id) {
		return nil, notFound(id)
	}
	switch kind {
	case "firewall-domain-list":
		l, err := s.list(ctx, id)
		if err != nil {
			return nil, err
		}
		return &tagged{l.Tags, func(m map[string]string) error { l.Tags = m; return s.lists.Put(ctx, id, l) }}, nil
	case "firewall-rule-group":
		g, err := s.group(ctx, id)
		if err != nil {
			return nil, err
		}
		return &tagged{g.Tags, func(m map[string]string) error { g.Tags = m; return s.groups.Put(ctx, id, g) }}, nil
	case "firewall-rule-group-association":
		a, err := s.association(ctx, id)
		if err != nil {
			return nil, err
		}
		return &tagged{a.Tags, func(m map[string]string) error { a.Tags = m; return s.ties.Put(ctx, id, a) }}, nil
	case "resolver-query-log-config":
		l, err := s.log(ctx, id)
		if err != nil {
			return nil, err
		}
		return &tagged{l.Tags, func(m map[string]string) error { l.Tags = m; return s.logs.Put(ctx, id, l) }}, nil
	}
	return nil, notFound(id)
}

func (s *Service) tagResource(ctx context.Context, in *api.TagResourceRequest) (*api.TagResourceResponse, error) {
	r, err := s.tagged(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	add, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(r.tags)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, add)
	if len(all) > maxTags {
		return nil, api.LimitExceededException.New("A resource can have at most %d tags.", maxTags).With("ResourceType", "tag")
	}
	return &api.TagResourceResponse{}, r.save(all)
}

func (s *Service) untagResource(ctx context.Context, in *api.UntagResourceRequest) (*api.UntagResourceResponse, error) {
	r, err := s.tagged(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	rest := maps.Clone(r.tags)
	for _, key := range in.TagKeys {
		delete(rest, key)
	}
	return &api.UntagResourceResponse{}, r.save(rest)
}

func (s *Service) listTags(ctx context.Context, in *api.ListTagsForResourceRequest) (*api.ListTagsForResourceResponse, error) {
	r, err := s.tagged(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	bind := []string{"route53resolver:ListTagsForResource", in.ResourceArn}
	last, err := s.open(bind, in.NextToken)
	if err != nil {
		return nil, err
	}
	left := defaultPage
	if in.MaxResults != nil {
		left = int(*in.MaxResults)
	}
	out := &api.ListTagsForResourceResponse{Tags: []api.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(r.tags)) {
		if last != "" && key <= last {
			continue
		}
		if len(out.Tags) == left {
			out.NextToken = new(s.env.Store.NextToken(bind, out.Tags[left-1].Key))
			break
		}
		out.Tags = append(out.Tags, api.Tag{Key: key, Value: r.tags[key]})
	}
	return out, nil
}
