package securityhub

import (
	"context"
	"errors"
	"maps"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/store"
)

// maxTags is how many tags a resource can have. API Reference, TagResource.
const maxTags = 50

// resource returns the hub, the one thing that has tags here.
func (s *Service) resource(ctx context.Context, arn string) (*hub, error) {
	h, err := s.hubs.Get(ctx, hubID)
	if errors.Is(err, store.ErrNotFound) || err == nil && arn != hubARN(ctx).String() {
		return nil, fail(securityhubapi.ResourceNotFoundException, "The resource %s is not found", arn)
	}
	return h, err
}

func (s *Service) tagResource(ctx context.Context, in *securityhubapi.TagResourceRequest) (*securityhubapi.TagResourceResponse, error) {
	h, err := s.resource(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if h.Tags == nil {
		h.Tags = map[string]string{}
	}
	maps.Copy(h.Tags, in.Tags)
	if len(h.Tags) > maxTags {
		return nil, invalid("Tags", "A resource can have at most 50 tags")
	}
	return &securityhubapi.TagResourceResponse{}, s.hubs.Put(ctx, hubID, h)
}

func (s *Service) untagResource(ctx context.Context, in *securityhubapi.UntagResourceRequest) (*securityhubapi.UntagResourceResponse, error) {
	h, err := s.resource(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(h.Tags, key)
	}
	return &securityhubapi.UntagResourceResponse{}, s.hubs.Put(ctx, hubID, h)
}

func (s *Service) listTagsForResource(ctx context.Context, in *securityhubapi.ListTagsForResourceRequest) (*securityhubapi.ListTagsForResourceResponse, error) {
	h, err := s.resource(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &securityhubapi.ListTagsForResourceResponse{Tags: h.Tags}, nil
}
