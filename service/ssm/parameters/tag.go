package parameters

import (
	"context"
	"maps"
	"slices"
	"strings"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
)

// maxTags is how many tags a parameter can have. User Guide, "Tagging parameters".
const maxTags = 50

func (s *Service) addTagsToResource(ctx context.Context, in *ssmapi.AddTagsToResourceRequest) (*ssmapi.AddTagsToResourceResult, error) {
	p, err := s.taggable(ctx, "AddTagsToResource", in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if p.Tags == nil {
		p.Tags = map[string]string{}
	}
	maps.Copy(p.Tags, tagsOf(in.Tags))
	if len(p.Tags) > maxTags {
		return nil, tooManyTags()
	}
	return &ssmapi.AddTagsToResourceResult{}, s.parameters.Put(ctx, p.Name, p)
}

func (s *Service) removeTagsFromResource(ctx context.Context, in *ssmapi.RemoveTagsFromResourceRequest) (*ssmapi.RemoveTagsFromResourceResult, error) {
	p, err := s.taggable(ctx, "RemoveTagsFromResource", in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(p.Tags, key)
	}
	return &ssmapi.RemoveTagsFromResourceResult{}, s.parameters.Put(ctx, p.Name, p)
}

func (s *Service) listTagsForResource(ctx context.Context, in *ssmapi.ListTagsForResourceRequest) (*ssmapi.ListTagsForResourceResult, error) {
	p, err := s.taggable(ctx, "ListTagsForResource", in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	out := &ssmapi.ListTagsForResourceResult{TagList: []ssmapi.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		out.TagList = append(out.TagList, ssmapi.Tag{Key: key, Value: p.Tags[key]})
	}
	return out, nil
}

// taggable returns the parameter whose tags are meant. Systems Manager's other
// resources have no tags here.
func (s *Service) taggable(ctx context.Context, operation string, kind ssmapi.ResourceTypeForTagging, id string) (*parameter, error) {
	if kind != ssmapi.ResourceTypeForTaggingParameter {
		return nil, aws.UnsupportedOperation.New("%s of AWS Systems Manager is not served here yet for the resource type %s.", operation, kind)
	}
	p, err := s.owned(ctx, id)
	if ssmapi.ParameterNotFound.Is(err) {
		return nil, ssmapi.InvalidResourceId.New("The resource ID is not valid. Verify that you entered the correct ID and try again.")
	}
	return p, err
}

// tagsOf are tags by key; nil when there are none.
func tagsOf(list []ssmapi.Tag) map[string]string {
	if len(list) == 0 {
		return nil
	}
	all := make(map[string]string, len(list))
	for _, t := range list {
		all[t.Key] = t.Value
	}
	return all
}

func checkTags(list []ssmapi.Tag) error {
	seen := map[string]bool{}
	for _, t := range list {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return aws.ValidationException.New("Tag keys can't be prefixed with \"aws:\": %s.", t.Key)
		}
		if seen[t.Key] {
			return aws.ValidationException.New("Duplicate tag keys found: %s. Each tag key must be unique.", t.Key)
		}
		seen[t.Key] = true
	}
	if len(list) > maxTags {
		return tooManyTags()
	}
	return nil
}

func tooManyTags() error {
	return ssmapi.TooManyTagsError.New("The number of tags on a parameter can't exceed %d. Remove some tags, and try again.", maxTags)
}
