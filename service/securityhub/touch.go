package securityhub

import (
	"context"
	"errors"
	"maps"
	"slices"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Actions, resources and condition keys are those of the Service Authorization
// Reference, "Actions, resources, and condition keys for AWS Security Hub". What
// belongs to a hub is asked for on the hub where the reference names no resource,
// so that policies can be narrower than "*".

func hubARN(ctx context.Context) aws.ARN { return aws.CallOf(ctx).ARN("securityhub", "hub/"+hubID) }

// touchHub is for what is done to the hub or to what belongs to it.
func touchHub[In any](s *Service, action string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, _ In) ([]wire.Touch, error) {
		t, err := s.hubTouch(ctx, action)
		return []wire.Touch{t}, err
	}
}

func (s *Service) hubTouch(ctx context.Context, action string) (wire.Touch, error) {
	t := wire.Touch{Action: "securityhub:" + action, Resource: hubARN(ctx)}
	h, err := s.hubs.Get(ctx, hubID)
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err == nil {
		t.Tags = h.Tags
	}
	return t, err
}

func (s *Service) touchNewHub(ctx context.Context, in *securityhubapi.EnableSecurityHubRequest) ([]wire.Touch, error) {
	t := wire.Touch{Action: "securityhub:EnableSecurityHub", Resource: hubARN(ctx), Conditions: service.RequestTags(nil, maps.All(in.Tags))}
	return service.WithTagging("securityhub:TagResource", t), nil
}

// touchUpdate names the fields that BatchUpdateFindings changes by the condition
// keys securityhub:ASFFSyntaxPath/<path>, with the values they get. User Guide,
// "Configuring access to BatchUpdateFindings".
func (s *Service) touchUpdate(ctx context.Context, in *securityhubapi.BatchUpdateFindingsRequest) ([]wire.Touch, error) {
	t, err := s.hubTouch(ctx, "BatchUpdateFindings")
	if err != nil {
		return nil, err
	}
	t.Conditions = map[string][]string{}
	for path, values := range changed(in) {
		t.Conditions["securityhub:ASFFSyntaxPath/"+path] = values
	}
	return []wire.Touch{t}, nil
}

// touchImport asks for the right to send findings of each product, for the account
// that they are about. What is no ARN is left to the import to refuse.
func touchImport(ctx context.Context, in *securityhubapi.BatchImportFindingsRequest) ([]wire.Touch, error) {
	var all []wire.Touch
	for _, name := range products(in) {
		product, err := aws.ParseARN(name)
		if err != nil {
			continue
		}
		t := wire.Touch{Action: "securityhub:BatchImportFindings", Resource: product, Conditions: map[string][]string{}}
		for i := range in.Findings {
			if f := &in.Findings[i]; f.ProductArn == name && !slices.Contains(t.Conditions[targetAccount], f.AwsAccountId) {
				t.Conditions[targetAccount] = append(t.Conditions[targetAccount], f.AwsAccountId)
			}
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		return []wire.Touch{{Action: "securityhub:BatchImportFindings", Resource: aws.CallOf(ctx).ARN("securityhub", "product/*/*")}}, nil
	}
	return all, nil
}

const targetAccount = "securityhub:TargetAccount"

// tagged is the touch of a resource with its tags. What is not there is asked for too.
func (s *Service) tagged(ctx context.Context, action, resource string, conditions map[string][]string) ([]wire.Touch, error) {
	t, err := s.hubTouch(ctx, action)
	t.Conditions = conditions
	if arn, bad := aws.ParseARN(resource); bad == nil && arn != t.Resource {
		t.Resource, t.Tags = arn, nil
	}
	return []wire.Touch{t}, err
}

func (s *Service) touchTag(ctx context.Context, in *securityhubapi.TagResourceRequest) ([]wire.Touch, error) {
	return s.tagged(ctx, "TagResource", in.ResourceArn, service.RequestTags(nil, maps.All(in.Tags)))
}

func (s *Service) touchUntag(ctx context.Context, in *securityhubapi.UntagResourceRequest) ([]wire.Touch, error) {
	return s.tagged(ctx, "UntagResource", in.ResourceArn, service.RequestTags(nil, nil, in.TagKeys...))
}

func (s *Service) touchTags(ctx context.Context, in *securityhubapi.ListTagsForResourceRequest) ([]wire.Touch, error) {
	return s.tagged(ctx, "ListTagsForResource", in.ResourceArn, nil)
}
