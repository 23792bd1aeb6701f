package kms

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"sumun.dev/api/kmsapi"
	"sumun.dev/service"
)

// maxTags is how many tags a key has. KMS Developer Guide, "Quotas".
const maxTags = 50

func pairs(tags []kmsapi.Tag) iter.Seq2[string, string] {
	return service.Pairs(tags, func(t kmsapi.Tag) (string, string) { return t.TagKey, t.TagValue })
}

func newTags(in *kmsapi.TagResourceRequest) map[string][]string {
	return service.RequestTags(nil, pairs(in.Tags))
}

func oldTags(in *kmsapi.UntagResourceRequest) map[string][]string {
	return service.RequestTags(nil, nil, in.TagKeys...)
}

// checkTags returns have with the tags added.
func checkTags(have map[string]string, tags []kmsapi.Tag) (map[string]string, error) {
	all := maps.Clone(have)
	if all == nil {
		all = map[string]string{}
	}
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case t.TagKey == "" || utf8.RuneCountInString(t.TagKey) > 128 || utf8.RuneCountInString(t.TagValue) > 256:
			return nil, kmsapi.TagException.New("A tag key has 1 to 128 characters, its value at most 256.")
		case strings.HasPrefix(strings.ToLower(t.TagKey), "aws:"):
			return nil, kmsapi.TagException.New("Tag keys that begin with aws: are reserved.")
		case seen[t.TagKey]:
			return nil, kmsapi.TagException.New("Duplicate tag keys: %s", t.TagKey)
		}
		seen[t.TagKey], all[t.TagKey] = true, t.TagValue
	}
	if len(all) > maxTags {
		return nil, kmsapi.LimitExceededException.New("A key has at most %d tags.", maxTags)
	}
	return all, nil
}

func (s *Service) tagResource(ctx context.Context, in *kmsapi.TagResourceRequest) (*kmsapi.TagResourceResponse, error) {
	k, arn, err := s.manage(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.Tags, err = checkTags(k.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &kmsapi.TagResourceResponse{}, s.keep(ctx, arn, k)
}

func (s *Service) untagResource(ctx context.Context, in *kmsapi.UntagResourceRequest) (*kmsapi.UntagResourceResponse, error) {
	k, arn, err := s.manage(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	for _, name := range in.TagKeys {
		delete(k.Tags, name)
	}
	return &kmsapi.UntagResourceResponse{}, s.keep(ctx, arn, k)
}

func (s *Service) listResourceTags(ctx context.Context, in *kmsapi.ListResourceTagsRequest) (*kmsapi.ListResourceTagsResponse, error) {
	k, _, err := s.look(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	p, err := s.pageOf(ctx, in.Marker, in.Limit, 50, k.ID)
	if err != nil {
		return nil, err
	}
	out := &kmsapi.ListResourceTagsResponse{Tags: []kmsapi.Tag{}, Truncated: new(false)}
	for _, name := range slices.Sorted(maps.Keys(k.Tags)) {
		if name <= p.after {
			continue
		}
		if len(out.Tags) == p.limit {
			out.NextMarker, out.Truncated = new(s.env.Store.NextToken(p.bind, out.Tags[p.limit-1].TagKey)), new(true)
			break
		}
		out.Tags = append(out.Tags, kmsapi.Tag{TagKey: name, TagValue: k.Tags[name]})
	}
	return out, nil
}

// tagList is a key's tags as they are shown.
func (k *key) tagList() []kmsapi.Tag {
	var list []kmsapi.Tag
	for _, name := range slices.Sorted(maps.Keys(k.Tags)) {
		list = append(list, kmsapi.Tag{TagKey: name, TagValue: k.Tags[name]})
	}
	return list
}
