package guardduty

import (
	"context"
	"errors"
	"strings"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// tagsOf finds the tags of a detector, filter or set, and how to keep them
// changed.
func (s *Service) tagsOf(ctx context.Context, resource string) (*map[string]string, func() error, error) {
	call := aws.CallOf(ctx)
	arn, err := aws.ParseARN(resource)
	if err != nil || arn != call.ARN("guardduty", arn.Resource) {
		return nil, nil, noResource()
	}
	parts := strings.Split(arn.Resource, "/")
	if len(parts) < 2 || parts[0] != "detector" {
		return nil, nil, noResource()
	}
	d, err := s.detectors.Get(ctx, parts[1])
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, noResource()
	}
	if err != nil {
		return nil, nil, err
	}
	switch {
	case len(parts) == 2:
		return &d.Tags, func() error { return s.detectors.Put(ctx, d.ID, d) }, nil
	case len(parts) == 4 && parts[2] == "filter":
		f, err := s.filters.Get(ctx, parts[3])
		if err != nil {
			return nil, nil, missing(err)
		}
		return &f.Tags, func() error { return s.filters.Put(ctx, f.Name, f) }, nil
	case len(parts) == 4:
		key := parts[2] + ":" + parts[3]
		x, err := s.sets.Get(ctx, key)
		if err != nil {
			return nil, nil, missing(err)
		}
		return &x.Tags, func() error { return s.sets.Put(ctx, key, x) }, nil
	}
	return nil, nil, noResource()
}

func noResource() error {
	return bad("NoSuchEntityException", "The request is rejected since no such resource found.")
}

func missing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return noResource()
	}
	return err
}

func (s *Service) tagResource(ctx context.Context, in *guarddutyapi.TagResourceRequest) (*guarddutyapi.TagResourceResponse, error) {
	tags, keep, err := s.tagsOf(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if *tags, err = tagged(*tags, in.Tags); err != nil {
		return nil, err
	}
	return &guarddutyapi.TagResourceResponse{}, keep()
}

func (s *Service) untagResource(ctx context.Context, in *guarddutyapi.UntagResourceRequest) (*guarddutyapi.UntagResourceResponse, error) {
	tags, keep, err := s.tagsOf(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(*tags, key)
	}
	return &guarddutyapi.UntagResourceResponse{}, keep()
}

func (s *Service) listTagsForResource(ctx context.Context, in *guarddutyapi.ListTagsForResourceRequest) (*guarddutyapi.ListTagsForResourceResponse, error) {
	tags, _, err := s.tagsOf(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &guarddutyapi.ListTagsForResourceResponse{Tags: shown(*tags)}, nil
}
