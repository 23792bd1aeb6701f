package secretsmanager

import (
	"context"
	"iter"
	"strconv"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/wire"
)

// Actions, resources and condition keys are those of the Service Authorization
// Reference, "Actions, resources, and condition keys for AWS Secrets Manager".

// touchAll is for operations that IAM does not restrict to resources.
func touchAll[In any](action string) func(context.Context, In) ([]wire.Touch, error) {
	return func(context.Context, In) ([]wire.Touch, error) {
		return []wire.Touch{{Action: "secretsmanager:" + action}}, nil
	}
}

// touchBatch asks for the batch, and for the list when the secrets are found by
// filters. Each of them is read by a GetSecretValue of its own. API Reference,
// "BatchGetSecretValue".
func touchBatch(_ context.Context, in *api.BatchGetSecretValueRequest) ([]wire.Touch, error) {
	touches := []wire.Touch{{Action: "secretsmanager:BatchGetSecretValue"}}
	if len(in.Filters) > 0 {
		touches = append(touches, wire.Touch{Action: "secretsmanager:ListSecrets"})
	}
	return touches, nil
}

// touch is for operations on one secret that have no condition keys of their own.
func touch[In any](s *Service, action string, id func(In) string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		return s.touch(ctx, action, id(in), nil)
	}
}

// touch asks for one action on a secret. Whether it exists does not show.
func (s *Service) touch(ctx context.Context, action, id string, conditions map[string][]string) ([]wire.Touch, error) {
	arn, sec, err := s.find(ctx, id)
	if err != nil {
		return nil, err
	}
	if conditions == nil {
		conditions = map[string][]string{}
	}
	conditions["secretsmanager:SecretId"] = []string{id}
	t := wire.Touch{Action: "secretsmanager:" + action, Resource: arn, Conditions: conditions}
	if sec == nil {
		return []wire.Touch{t}, nil
	}
	t.Policy, t.Tags = sec.Policy, sec.tags()
	for _, tag := range sec.Tags {
		conditions["secretsmanager:ResourceTag/"+tag.Key] = []string{tag.Value}
	}
	if sec.Primary != "" {
		conditions["secretsmanager:SecretPrimaryRegion"] = []string{sec.Primary}
	}
	if sec.Rotation != nil && sec.Rotation.Function != "" {
		conditions["secretsmanager:resource/AllowRotationLambdaArn"] = []string{sec.Rotation.Function}
	}
	return []wire.Touch{t}, nil
}

// touchNew is for a secret whose random characters nobody knows yet: the six
// question marks stand for them, so that policies for "NAME-*" and "NAME-??????"
// apply. API Reference, "CreateSecret", says which further actions it takes.
func (s *Service) touchNew(ctx context.Context, in *api.CreateSecretRequest) ([]wire.Touch, error) {
	conditions := map[string][]string{"secretsmanager:Name": {in.Name}}
	given(conditions, "Description", in.Description)
	keyConditions(ctx, conditions, in.KmsKeyId)
	replicaConditions(conditions, in.AddReplicaRegions, in.ForceOverwriteReplicaSecret)
	for _, t := range in.Tags {
		conditions["secretsmanager:ResourceTag/"+text(t.Key)] = []string{text(t.Value)}
	}
	made := wire.Touch{
		Action: "secretsmanager:CreateSecret", Resource: aws.CallOf(ctx).ARN("secretsmanager", "secret:"+in.Name+"-??????"),
		Conditions: service.RequestTags(conditions, pairs(in.Tags)),
	}
	touches := service.WithTagging("secretsmanager:TagResource", made)
	if len(in.AddReplicaRegions) > 0 {
		replicated := map[string][]string{}
		replicaConditions(replicated, in.AddReplicaRegions, in.ForceOverwriteReplicaSecret)
		touches = append(touches, wire.Touch{Action: "secretsmanager:ReplicateSecretToRegions", Resource: made.Resource, Conditions: replicated})
	}
	return touches, nil
}

func (s *Service) touchUpdate(ctx context.Context, in *api.UpdateSecretRequest) ([]wire.Touch, error) {
	conditions := map[string][]string{}
	given(conditions, "Description", in.Description)
	keyConditions(ctx, conditions, in.KmsKeyId)
	return s.touch(ctx, "UpdateSecret", in.SecretId, conditions)
}

func (s *Service) touchValue(ctx context.Context, in *api.GetSecretValueRequest) ([]wire.Touch, error) {
	conditions := map[string][]string{}
	given(conditions, "VersionId", in.VersionId)
	given(conditions, "VersionStage", in.VersionStage)
	if in.VersionId == nil && in.VersionStage == nil {
		conditions["secretsmanager:VersionStage"] = []string{current} // what is read when nothing is named
	}
	return s.touch(ctx, "GetSecretValue", in.SecretId, conditions)
}

func (s *Service) touchStage(ctx context.Context, in *api.UpdateSecretVersionStageRequest) ([]wire.Touch, error) {
	return s.touch(ctx, "UpdateSecretVersionStage", in.SecretId, map[string][]string{"secretsmanager:VersionStage": {in.VersionStage}})
}

func (s *Service) touchDelete(ctx context.Context, in *api.DeleteSecretRequest) ([]wire.Touch, error) {
	conditions := map[string][]string{}
	if in.RecoveryWindowInDays != nil {
		conditions["secretsmanager:RecoveryWindowInDays"] = []string{strconv.FormatInt(*in.RecoveryWindowInDays, 10)}
	}
	givenBool(conditions, "ForceDeleteWithoutRecovery", in.ForceDeleteWithoutRecovery)
	return s.touch(ctx, "DeleteSecret", in.SecretId, conditions)
}

func (s *Service) touchTag(ctx context.Context, in *api.TagResourceRequest) ([]wire.Touch, error) {
	return s.touch(ctx, "TagResource", in.SecretId, service.RequestTags(nil, pairs(in.Tags)))
}

func (s *Service) touchUntag(ctx context.Context, in *api.UntagResourceRequest) ([]wire.Touch, error) {
	return s.touch(ctx, "UntagResource", in.SecretId, service.RequestTags(nil, nil, in.TagKeys...))
}

func (s *Service) touchPolicy(ctx context.Context, in *api.PutResourcePolicyRequest) ([]wire.Touch, error) {
	conditions := map[string][]string{}
	givenBool(conditions, "BlockPublicPolicy", in.BlockPublicPolicy)
	return s.touch(ctx, "PutResourcePolicy", in.SecretId, conditions)
}

func (s *Service) touchValidate(ctx context.Context, in *api.ValidateResourcePolicyRequest) ([]wire.Touch, error) {
	if in.SecretId == nil {
		return []wire.Touch{{Action: "secretsmanager:ValidateResourcePolicy"}}, nil
	}
	return s.touch(ctx, "ValidateResourcePolicy", *in.SecretId, nil)
}

func (s *Service) touchReplicate(ctx context.Context, in *api.ReplicateSecretToRegionsRequest) ([]wire.Touch, error) {
	conditions := map[string][]string{}
	replicaConditions(conditions, in.AddReplicaRegions, in.ForceOverwriteReplicaSecret)
	return s.touch(ctx, "ReplicateSecretToRegions", in.SecretId, conditions)
}

func given(conditions map[string][]string, key string, value *string) {
	if value != nil {
		conditions["secretsmanager:"+key] = []string{*value}
	}
}

func givenBool(conditions map[string][]string, key string, value *bool) {
	if value != nil {
		conditions["secretsmanager:"+key] = []string{strconv.FormatBool(*value)}
	}
}

// keyConditions tells the key of a request as it is named, and its ARN.
func keyConditions(ctx context.Context, conditions map[string][]string, key *string) {
	if key == nil || *key == "" {
		return
	}
	named := secret{Key: *key, arn: aws.CallOf(ctx).ARN("secretsmanager", "")}
	conditions["secretsmanager:KmsKeyId"] = []string{*key}
	conditions["secretsmanager:KmsKeyArn"] = []string{named.key()}
}

func replicaConditions(conditions map[string][]string, regions []api.ReplicaRegionType, force *bool) {
	for _, r := range regions {
		conditions["secretsmanager:AddReplicaRegions"] = append(conditions["secretsmanager:AddReplicaRegions"], text(r.Region))
	}
	givenBool(conditions, "ForceOverwriteReplicaSecret", force)
}

// pairs yields tags of Secrets Manager.
func pairs(tags []api.Tag) iter.Seq2[string, string] {
	return service.Pairs(tags, func(t api.Tag) (string, string) { return text(t.Key), text(t.Value) })
}
