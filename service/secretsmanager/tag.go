package secretsmanager

import (
	"context"
	"slices"
	"strings"

	api "sumun.dev/api/secretsmanagerapi"
)

const maxTags = 50 // User Guide, "Secrets Manager quotas"

func (s *Service) tagResource(ctx context.Context, in *api.TagResourceRequest) (*api.TagResourceResponse, error) {
	sec, err := s.primary(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	if sec.Tags, err = merged(sec.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &api.TagResourceResponse{}, s.change(ctx, sec, nil)
}

func (s *Service) untagResource(ctx context.Context, in *api.UntagResourceRequest) (*api.UntagResourceResponse, error) {
	sec, err := s.primary(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	sec.Tags = slices.DeleteFunc(sec.Tags, func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	return &api.UntagResourceResponse{}, s.change(ctx, sec, nil)
}

// merged returns tags with others added or replaced.
func merged(have []tag, more []api.Tag) ([]tag, error) {
	if len(more) > maxTags { // a key comes once
		return nil, tooManyTags()
	}
	all, seen := slices.Clone(have), map[string]bool{}
	for _, t := range more {
		key, value := text(t.Key), text(t.Value)
		switch {
		case key == "":
			return nil, api.InvalidParameterException.New("A tag must have a key.")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, api.InvalidParameterException.New("Tag keys that begin with aws: are reserved for AWS.")
		case seen[key]:
			return nil, api.InvalidParameterException.New("Duplicate tag keys found: %s", key)
		}
		seen[key] = true
		if i := slices.IndexFunc(all, func(t tag) bool { return t.Key == key }); i >= 0 {
			all[i].Value = value
			continue
		}
		all = append(all, tag{key, value})
	}
	if len(all) > maxTags {
		return nil, tooManyTags()
	}
	return all, nil
}

func tooManyTags() error {
	return api.LimitExceededException.New("A secret can have at most %d tags.", maxTags)
}

func (s *secret) tags() map[string]string {
	all := make(map[string]string, len(s.Tags))
	for _, t := range s.Tags {
		all[t.Key] = t.Value
	}
	return all
}
