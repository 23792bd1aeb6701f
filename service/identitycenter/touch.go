package identitycenter

import (
	"context"

	api "sumun.dev/api/ssoadminapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/wire"
)

type touches[In any] = func(context.Context, In) ([]wire.Touch, error)

// anywhere touches no resource of its own.
func anywhere[In any](operation string) touches[In] {
	return func(context.Context, In) ([]wire.Touch, error) {
		return []wire.Touch{{Action: "sso:" + operation}}, nil
	}
}

// named touches the resources whose ARNs a request gives, as it gives them.
func (s *Service) named(ctx context.Context, operation string, arns ...string) ([]wire.Touch, error) {
	var out []wire.Touch
	for _, text := range arns {
		a, err := aws.ParseARN(text)
		if err != nil {
			return nil, api.ValidationException.New("%s is not an ARN.", text)
		}
		out = append(out, wire.Touch{Action: "sso:" + operation, Resource: a, Tags: s.tagsOf(ctx, text)})
	}
	return out, nil
}

// account is an account as a resource of Identity Center.
func account(ctx context.Context, id string) string {
	return aws.ARN{Partition: aws.CallOf(ctx).Partition, Service: "sso", Resource: "account/" + id}.String()
}

func onInstance[In any](s *Service, operation string, arn func(In) string) touches[In] {
	return func(ctx context.Context, in In) ([]wire.Touch, error) { return s.named(ctx, operation, arn(in)) }
}

func onSet[In any](s *Service, operation string, arns func(In) (instance, set string)) touches[In] {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		instance, set := arns(in)
		return s.named(ctx, operation, instance, set)
	}
}

func onAccount[In any](s *Service, operation string, names func(In) (instance, set, account string)) touches[In] {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		instance, set, id := names(in)
		return s.named(ctx, operation, instance, set, account(ctx, id))
	}
}

func onIssuer[In any](s *Service, operation string, arn func(In) string) touches[In] {
	return func(ctx context.Context, in In) ([]wire.Touch, error) { return s.named(ctx, operation, arn(in)) }
}

// asked adds the tags of a request to touches, and the right to tag.
func asked(ts []wire.Touch, err error, tags []api.Tag) ([]wire.Touch, error) {
	if err != nil || len(tags) == 0 {
		return ts, err
	}
	for i := range ts {
		ts[i].Conditions = service.RequestTags(nil, pairs(tags))
	}
	return append(ts, service.WithTagging("sso:TagResource", ts[len(ts)-1])[1:]...), nil
}

func pairs(tags []api.Tag) func(func(string, string) bool) {
	return service.Pairs(tags, func(t api.Tag) (string, string) { return t.Key, t.Value })
}

func (s *Service) newInstance(ctx context.Context, in *api.CreateInstanceRequest) ([]wire.Touch, error) {
	ts, err := s.named(ctx, "CreateInstance", instanceARN(aws.CallOf(ctx).Partition, "*").String())
	return asked(ts, err, in.Tags)
}

func (s *Service) newSet(ctx context.Context, in *api.CreatePermissionSetRequest) ([]wire.Touch, error) {
	a, _ := aws.ParseARN(in.InstanceArn) // one that is none names no instance
	set := aws.ARN{Partition: aws.CallOf(ctx).Partition, Service: "sso", Resource: "permissionSet/" + shortName(a.Resource) + "/*"}
	ts, err := s.named(ctx, "CreatePermissionSet", in.InstanceArn, set.String())
	return asked(ts, err, in.Tags)
}

func (s *Service) newIssuer(ctx context.Context, in *api.CreateTrustedTokenIssuerRequest) ([]wire.Touch, error) {
	a, _ := aws.ParseARN(in.InstanceArn)
	issuer := aws.CallOf(ctx).GlobalARN("sso", "trustedTokenIssuer/"+shortName(a.Resource)+"/*")
	ts, err := s.named(ctx, "CreateTrustedTokenIssuer", in.InstanceArn, issuer.String())
	return asked(ts, err, in.Tags)
}

func (s *Service) setsInAccount(ctx context.Context, in *api.ListPermissionSetsProvisionedToAccountRequest) ([]wire.Touch, error) {
	return s.named(ctx, "ListPermissionSetsProvisionedToAccount", in.InstanceArn, account(ctx, in.AccountId))
}

func (s *Service) touchTagging(ctx context.Context, in *api.TagResourceRequest) ([]wire.Touch, error) {
	ts, err := s.named(ctx, "TagResource", in.ResourceArn)
	if err != nil {
		return nil, err
	}
	ts[0].Conditions = service.RequestTags(nil, pairs(in.Tags))
	return ts, nil
}

func (s *Service) touchUntagging(ctx context.Context, in *api.UntagResourceRequest) ([]wire.Touch, error) {
	ts, err := s.named(ctx, "UntagResource", in.ResourceArn)
	if err != nil {
		return nil, err
	}
	ts[0].Conditions = service.RequestTags(nil, nil, in.TagKeys...)
	return ts, nil
}

func (s *Service) touchTags(ctx context.Context, in *api.ListTagsForResourceRequest) ([]wire.Touch, error) {
	return s.named(ctx, "ListTagsForResource", in.ResourceArn)
}
