package organizations

import (
	"context"
	"slices"
	"strings"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/service"
	"sumun.dev/wire"
)

// maxTags is how many tags a resource may have. Organizations User Guide,
// "Tagging AWS Organizations resources".
const maxTags = 50

// tagged returns tags with more added, by key.
func tagged(tags []tag, add []organizationsapi.Tag) ([]tag, error) {
	all := slices.Clone(tags)
	seen := map[string]bool{}
	for _, t := range add {
		if err := systemTag(t.Key); err != nil {
			return nil, err
		}
		if seen[t.Key] {
			return nil, invalid(organizationsapi.InvalidInputExceptionReasonDuplicateTagKey, "Tag keys must be unique among the tags attached to the same entity.")
		}
		seen[t.Key] = true
		i, found := slices.BinarySearchFunc(all, t.Key, func(have tag, key string) int { return strings.Compare(have.Key, key) })
		if found {
			all[i].Value = t.Value
			continue
		}
		all = slices.Insert(all, i, tag{t.Key, t.Value})
	}
	if len(all) > maxTags {
		return nil, violates(organizationsapi.ConstraintViolationExceptionReasonMaxTagLimitExceeded,
			"You have exceeded the number of tags allowed on this resource.")
	}
	return all, nil
}

// systemTag refuses keys that are AWS's own.
func systemTag(key string) error {
	if !strings.HasPrefix(strings.ToLower(key), "aws:") {
		return nil
	}
	return invalid(organizationsapi.InvalidInputExceptionReasonInvalidSystemTagsParameter,
		"You specified a tag key that is a system tag. You can't add, edit, or delete system tag keys.")
}

func tagMap(tags []tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}

// taggable finds the tags of a resource, and how to keep them changed.
func (s *Service) taggable(ctx context.Context, o *organization, id string) (*[]tag, func() error, error) {
	switch {
	case strings.HasPrefix(id, refPolicy):
		p, err := s.policy(ctx, o, id)
		if err != nil || p == nil || owned(id) != nil {
			return nil, nil, errorOr(err, noTarget())
		}
		return &p.Tags, func() error { return s.policies.In(o.place()).Put(ctx, p.ID, p) }, nil
	case strings.HasPrefix(id, refResourcePolicy):
		if o.Policy == nil || o.Policy.ID != id {
			return nil, nil, noTarget()
		}
		return &o.Policy.Tags, func() error { return s.put(ctx, o) }, nil
	}
	n, err := s.target(ctx, o, id)
	if err != nil {
		return nil, nil, err
	}
	return &n.Tags, func() error { return s.putNode(ctx, o, n) }, nil
}

// errorOr returns err, or what stands for it when there is none.
func errorOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func (s *Service) tagResource(ctx context.Context, in *organizationsapi.TagResourceRequest) (*organizationsapi.TagResourceResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	tags, keep, err := s.taggable(ctx, o, in.ResourceId)
	if err != nil {
		return nil, err
	}
	if *tags, err = tagged(*tags, in.Tags); err != nil {
		return nil, err
	}
	return &organizationsapi.TagResourceResponse{}, keep()
}

func (s *Service) untagResource(ctx context.Context, in *organizationsapi.UntagResourceRequest) (*organizationsapi.UntagResourceResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	tags, keep, err := s.taggable(ctx, o, in.ResourceId)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		if err := systemTag(key); err != nil {
			return nil, err
		}
	}
	*tags = slices.DeleteFunc(*tags, func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	return &organizationsapi.UntagResourceResponse{}, keep()
}

func (s *Service) listTagsForResource(ctx context.Context, in *organizationsapi.ListTagsForResourceRequest) (*organizationsapi.ListTagsForResourceResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	tags, _, err := s.taggable(ctx, o, in.ResourceId)
	if err != nil {
		return nil, err
	}
	page, next, err := slice(ctx, s, query{operation: "ListTagsForResource", value: in.ResourceId, token: in.NextToken},
		*tags, func(t tag) string { return t.Key })
	return &organizationsapi.ListTagsForResourceResponse{NextToken: next, Tags: shown(page, func(t tag) organizationsapi.Tag {
		return organizationsapi.Tag{Key: t.Key, Value: t.Value}
	})}, err
}

func (s *Service) newTags(ctx context.Context, in *organizationsapi.TagResourceRequest) ([]wire.Touch, error) {
	return s.touched(ctx, "organizations:TagResource", requested(nil, in.Tags), aResource(in.ResourceId))
}

func (s *Service) oldTags(ctx context.Context, in *organizationsapi.UntagResourceRequest) ([]wire.Touch, error) {
	return s.touched(ctx, "organizations:UntagResource", service.RequestTags(nil, nil, in.TagKeys...), aResource(in.ResourceId))
}
