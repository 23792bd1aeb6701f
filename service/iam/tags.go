package iam

import (
	"context"
	"slices"
	"strings"

	"sumun.dev/api/iamapi"
)

// tagsMost is how many tags an IAM resource can have. IAM User Guide, "Rules for
// tagging in IAM and AWS STS".
const tagsMost = 50

// retagged returns have with more: a key in any case is the same key.
func retagged(have []tag, more []iamapi.Tag) ([]tag, error) {
	if err := checkTags(more); err != nil {
		return nil, err
	}
	next := slices.Clone(have)
	for _, t := range more {
		next = slices.DeleteFunc(next, func(h tag) bool { return strings.EqualFold(h.Key, t.Key) })
		next = append(next, tag{t.Key, t.Value})
	}
	if len(next) > tagsMost {
		return nil, iamapi.LimitExceededException.New("The number of tags has reached the maximum limit.")
	}
	return next, nil
}

// untagged returns have without keys; those that are not there do not matter.
func untagged(have []tag, keys []string) []tag {
	return slices.DeleteFunc(slices.Clone(have), func(h tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, h.Key) })
	})
}

// pageOfTags pages through the tags of the resource called holder.
func pageOfTags(ctx context.Context, s *Service, operation, holder string, have []tag, marker *string, most *int32) ([]iamapi.Tag, *string, error) {
	keys := make([]string, len(have))
	for i, t := range have {
		keys[i] = t.Key
	}
	slices.Sort(keys)
	page, next, err := names(ctx, s, operation, holder, keys, marker, most)
	if err != nil {
		return nil, nil, err
	}
	values := tagMap(have)
	tags := make([]iamapi.Tag, len(page))
	for i, key := range page {
		tags[i] = iamapi.Tag{Key: key, Value: values[key]}
	}
	return tags, next, nil
}

// keysOf returns what policies may test of a request that takes tags away.
func keysOf(keys []string) map[string][]string {
	if len(keys) == 0 {
		return nil
	}
	return map[string][]string{"aws:TagKeys": keys}
}
