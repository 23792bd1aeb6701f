package parameters

import (
	"context"
	"strconv"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/wire"
)

// Actions, resources and condition keys are those of the Service Authorization
// Reference, "Actions, resources, and condition keys for AWS Systems Manager".

// touchOne is for operations on one parameter. Whether it exists does not show.
func touchOne[In any](s *Service, action string, name func(In) string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		t, err := s.touch(ctx, action, referenceOf(ctx, name(in)))
		return []wire.Touch{t}, err
	}
}

// touchEach is for operations on several parameters, each of which must be allowed.
func touchEach[In any](s *Service, action string, names func(In) []string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		var all []wire.Touch
		for _, name := range names(in) {
			t, err := s.touch(ctx, action, referenceOf(ctx, name))
			if err != nil {
				return nil, err
			}
			all = append(all, t)
		}
		return all, nil
	}
}

// touch is the touch of a parameter, with its tags and with the policy that
// shares it.
func (s *Service) touch(ctx context.Context, action string, r reference) (wire.Touch, error) {
	t := wire.Touch{Action: action, Resource: r.arn}
	if _, secret := r.secret(); secret || r.public() || !r.here(ctx) {
		return t, nil
	}
	p, err := s.find(ctx, r)
	if err == nil && p != nil {
		t.Tags, t.Policy = p.Tags, p.Policy
	}
	return t, err
}

// touchARN is for operations that take a parameter's ARN only.
func touchARN[In any](s *Service, action string, name func(In) string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		arn, err := aws.ParseARN(name(in))
		if err != nil { // refused when it is served
			arn = aws.CallOf(ctx).ARN("ssm", "parameter/"+name(in))
		}
		t := wire.Touch{Action: action, Resource: arn}
		if r := referenceOf(ctx, arn.String()); r.own(ctx) && r.arn.Service == "ssm" {
			p, err := s.find(ctx, r)
			if err != nil {
				return nil, err
			}
			if p != nil {
				t.Tags = p.Tags
			}
		}
		return []wire.Touch{t}, nil
	}
}

// touchPut asks for a parameter, and for the tags that it is to get.
func (s *Service) touchPut(ctx context.Context, in *ssmapi.PutParameterRequest) ([]wire.Touch, error) {
	tags := service.Pairs(in.Tags, func(t ssmapi.Tag) (string, string) { return t.Key, t.Value })
	conditions := service.RequestTags(nil, tags)
	conditions["ssm:Overwrite"] = []string{strconv.FormatBool(yes(in.Overwrite))}
	if in.Policies != nil {
		conditions["ssm:Policies"] = []string{*in.Policies}
	}
	t, err := s.touch(ctx, "ssm:PutParameter", reference{names: []string{in.Name}, arn: arnOf(aws.CallOf(ctx), in.Name)})
	t.Conditions = conditions
	t.Policy = "" // sharing is for reading
	return service.WithTagging("ssm:AddTagsToResource", t), err
}

// touchPath asks for the path as the caller writes it, and for nothing below it.
func touchPath(ctx context.Context, in *ssmapi.GetParametersByPathRequest) ([]wire.Touch, error) {
	return []wire.Touch{{
		Action: "ssm:GetParametersByPath", Resource: arnOf(aws.CallOf(ctx), in.Path),
		Conditions: map[string][]string{"ssm:Recursive": {recursion(in)}},
	}}, nil
}

// touchDescribe asks for all that Systems Manager has, as AWS's denials say.
func touchDescribe(ctx context.Context, _ *ssmapi.DescribeParametersRequest) ([]wire.Touch, error) {
	return []wire.Touch{{Action: "ssm:DescribeParameters", Resource: aws.CallOf(ctx).ARN("ssm", "*")}}, nil
}

// tagged is what has tags in Systems Manager, by the type that callers name.
var tagged = map[ssmapi.ResourceTypeForTagging]string{
	ssmapi.ResourceTypeForTaggingDocument: "document/", ssmapi.ResourceTypeForTaggingManagedInstance: "managed-instance/",
	ssmapi.ResourceTypeForTaggingMaintenanceWindow: "maintenancewindow/", ssmapi.ResourceTypeForTaggingPatchBaseline: "patchbaseline/",
	ssmapi.ResourceTypeForTaggingOpsItem: "opsitem/", ssmapi.ResourceTypeForTaggingOpsMetadata: "opsmetadata/",
	ssmapi.ResourceTypeForTaggingAutomation: "automation-execution/", ssmapi.ResourceTypeForTaggingAssociation: "association/",
}

func (s *Service) touchTags(ctx context.Context, action string, kind ssmapi.ResourceTypeForTagging, id string) (wire.Touch, error) {
	if prefix, other := tagged[kind]; other {
		return wire.Touch{Action: action, Resource: aws.CallOf(ctx).ARN("ssm", prefix+id)}, nil
	}
	t, err := s.touch(ctx, action, referenceOf(ctx, id))
	t.Policy = ""
	return t, err
}

func (s *Service) touchAddTags(ctx context.Context, in *ssmapi.AddTagsToResourceRequest) ([]wire.Touch, error) {
	t, err := s.touchTags(ctx, "ssm:AddTagsToResource", in.ResourceType, in.ResourceId)
	t.Conditions = service.RequestTags(nil, service.Pairs(in.Tags, func(t ssmapi.Tag) (string, string) { return t.Key, t.Value }))
	return []wire.Touch{t}, err
}

func (s *Service) touchRemoveTags(ctx context.Context, in *ssmapi.RemoveTagsFromResourceRequest) ([]wire.Touch, error) {
	t, err := s.touchTags(ctx, "ssm:RemoveTagsFromResource", in.ResourceType, in.ResourceId)
	t.Conditions = service.RequestTags(nil, nil, in.TagKeys...)
	return []wire.Touch{t}, err
}

func (s *Service) touchListTags(ctx context.Context, in *ssmapi.ListTagsForResourceRequest) ([]wire.Touch, error) {
	t, err := s.touchTags(ctx, "ssm:ListTagsForResource", in.ResourceType, in.ResourceId)
	return []wire.Touch{t}, err
}

func touchSetting[In any](action string, id func(In) string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		return []wire.Touch{{Action: action, Resource: settingARN(ctx, settingName(id(in)))}}, nil
	}
}
