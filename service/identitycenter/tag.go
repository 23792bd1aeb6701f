package identitycenter

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	api "sumun.dev/api/ssoadminapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// maxTags is of one resource. IAM Identity Center User Guide, "Tag restrictions".
const maxTags = 50

func tagMap(tags []api.Tag) (map[string]string, error) {
	out := make(map[string]string, len(tags))
	for _, t := range tags {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, api.ValidationException.New("Tag keys cannot start with aws:")
		}
		if _, twice := out[t.Key]; twice {
			return nil, api.ValidationException.New("Duplicate tag keys found. Tag keys must be unique.")
		}
		out[t.Key] = t.Value
	}
	if len(out) > maxTags {
		return nil, tooManyTags()
	}
	return out, nil
}

func tooManyTags() error {
	return api.ServiceQuotaExceededException.New("You cannot have more than %d tags on a resource.", maxTags)
}

// tagged is something with tags, and how to write it back.
type tagged struct {
	tags *map[string]string
	put  func(context.Context) error
}

// taggedBy finds the resource that an ARN names, of the caller's own instance.
func (s *Service) taggedBy(ctx context.Context, text string) (*tagged, error) {
	a, err := aws.ParseARN(text)
	kind, rest, _ := strings.Cut(a.Resource, "/")
	unknown := api.ResourceNotFoundException.New("Could not find a resource with the ARN %s", text)
	if err != nil || a.Partition != aws.CallOf(ctx).Partition || a.Account != "" && a.Account != aws.CallOf(ctx).Account {
		return nil, unknown
	}
	switch kind {
	case "instance":
		var i *instance
		if i, err = s.instances.Get(ctx, rest); err == nil {
			return &tagged{&i.Tags, func(ctx context.Context) error { return s.instances.Put(ctx, rest, i) }}, nil
		}
	case "permissionSet":
		var p *permissionSet
		if p, err = s.sets.Get(ctx, rest); err == nil {
			return &tagged{&p.Tags, func(ctx context.Context) error { return s.sets.Put(ctx, rest, p) }}, nil
		}
	case "trustedTokenIssuer":
		var i *tokenIssuer
		if i, err = s.issuers.Get(ctx, rest); err == nil {
			return &tagged{&i.Tags, func(ctx context.Context) error { return s.issuers.Put(ctx, rest, i) }}, nil
		}
	default:
		return nil, unknown
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, unknown
	}
	return nil, err
}

// tagsOf returns the tags of what an ARN names; none when it names nothing.
func (s *Service) tagsOf(ctx context.Context, arn string) map[string]string {
	if t, err := s.taggedBy(ctx, arn); err == nil {
		return *t.tags
	}
	return nil
}

func (s *Service) tagResource(ctx context.Context, in *api.TagResourceRequest) (*api.TagResourceResponse, error) {
	t, err := s.taggedBy(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	add, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	next := maps.Clone(*t.tags)
	if next == nil {
		next = map[string]string{}
	}
	maps.Copy(next, add)
	if len(next) > maxTags {
		return nil, tooManyTags()
	}
	*t.tags = next
	return &api.TagResourceResponse{}, t.put(ctx)
}

func (s *Service) untagResource(ctx context.Context, in *api.UntagResourceRequest) (*api.UntagResourceResponse, error) {
	t, err := s.taggedBy(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(*t.tags, key)
	}
	return &api.UntagResourceResponse{}, t.put(ctx)
}

func (s *Service) listTagsForResource(ctx context.Context, in *api.ListTagsForResourceRequest) (*api.ListTagsForResourceResponse, error) {
	t, err := s.taggedBy(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &api.ListTagsForResourceResponse{Tags: []api.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(*t.tags)) {
		out.Tags = append(out.Tags, api.Tag{Key: key, Value: (*t.tags)[key]})
	}
	return out, nil
}
