package secretsmanager

import (
	"context"
	"slices"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// secretRoutes are those of secrets, their values, stages, policies, tags and replicas.
func (s *Service) secretRoutes() []wire.Route {
	return []wire.Route{
		api.CreateSecret.To(s.createSecret, s.touchNew),
		api.UpdateSecret.To(s.updateSecret, s.touchUpdate),
		api.DescribeSecret.To(s.describeSecret, touch(s, "DescribeSecret", func(in *api.DescribeSecretRequest) string { return in.SecretId })),
		api.ListSecrets.To(s.listSecrets, touchAll[*api.ListSecretsRequest]("ListSecrets")),
		api.GetSecretValue.To(s.getValue, s.touchValue),
		api.PutSecretValue.To(s.putValue, touch(s, "PutSecretValue", func(in *api.PutSecretValueRequest) string { return in.SecretId })),
		api.BatchGetSecretValue.To(s.batch, touchBatch),
		api.ListSecretVersionIds.To(s.listVersions, touch(s, "ListSecretVersionIds", func(in *api.ListSecretVersionIdsRequest) string { return in.SecretId })),
		api.UpdateSecretVersionStage.To(s.updateStage, s.touchStage),
		api.GetRandomPassword.To(getRandomPassword, touchAll[*api.GetRandomPasswordRequest]("GetRandomPassword")),
		api.DeleteSecret.To(s.deleteSecret, s.touchDelete),
		api.RestoreSecret.To(s.restoreSecret, touch(s, "RestoreSecret", func(in *api.RestoreSecretRequest) string { return in.SecretId })),
		api.TagResource.To(s.tagResource, s.touchTag),
		api.UntagResource.To(s.untagResource, s.touchUntag),
		api.PutResourcePolicy.To(s.putPolicy, s.touchPolicy),
		api.GetResourcePolicy.To(s.getPolicy, touch(s, "GetResourcePolicy", func(in *api.GetResourcePolicyRequest) string { return in.SecretId })),
		api.DeleteResourcePolicy.To(s.deletePolicy, touch(s, "DeleteResourcePolicy", func(in *api.DeleteResourcePolicyRequest) string { return in.SecretId })),
		api.ValidateResourcePolicy.To(s.validatePolicy, s.touchValidate),
		api.ReplicateSecretToRegions.To(s.replicate, s.touchReplicate),
		api.RemoveRegionsFromReplication.To(s.removeRegions, touch(s, "RemoveRegionsFromReplication", func(in *api.RemoveRegionsFromReplicationRequest) string { return in.SecretId })),
		api.StopReplicationToReplica.To(s.stopReplication, touch(s, "StopReplicationToReplica", func(in *api.StopReplicationToReplicaRequest) string { return in.SecretId })),
	}
}

func (s *Service) secretJobs() []service.Job {
	return []service.Job{{Kind: deletion, Run: s.deleteDue}}
}

func (s *Service) createSecret(ctx context.Context, in *api.CreateSecretRequest) (*api.CreateSecretResponse, error) {
	if !shape.MatchString(in.Name) {
		return nil, aws.ValidationException.New("Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	if in.Type != nil && *in.Type != "" {
		return nil, api.InvalidParameterException.New("Secrets of type %s, which partners manage, are not offered here.", *in.Type)
	}
	value, given, err := contentOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	token, err := tokenOf(in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	call := aws.CallOf(ctx)
	if there, err := s.named(ctx, call.ARN("secretsmanager", ""), in.Name); err != nil || there != nil {
		if err != nil {
			return nil, err
		}
		return s.createdBefore(ctx, there, token, value, given)
	}
	id, err := newID(in.Name)
	if err != nil {
		return nil, err
	}
	sec := &secret{ID: id, Name: in.Name, Description: text(in.Description), Key: text(in.KmsKeyId), Created: time.Now().UTC()}
	sec.Changed, sec.arn = sec.Created, call.ARN("secretsmanager", "secret:"+id)
	if sec.Tags, err = merged(nil, in.Tags); err != nil {
		return nil, err
	}
	if sec.Key != "" {
		if err := s.mayUse(ctx, sec); err != nil {
			return nil, err
		}
	}
	out := &api.CreateSecretResponse{ARN: new(sec.arn.String()), Name: &sec.Name}
	if given {
		out.VersionId = &token
		err = s.putVersion(ctx, sec, token, value, nil)
	} else {
		err = s.save(ctx, sec)
	}
	if err != nil {
		return nil, err
	}
	if len(in.AddReplicaRegions) > 0 {
		if err := s.addReplicas(ctx, sec, in.AddReplicaRegions, isTrue(in.ForceOverwriteReplicaSecret)); err != nil {
			return nil, err
		}
		if out.ReplicationStatus, err = s.replication(ctx, sec); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// createdBefore answers a request whose name is taken: as the first time when it is
// the same request again.
func (s *Service) createdBefore(ctx context.Context, sec *secret, token string, value content, given bool) (*api.CreateSecretResponse, error) {
	if sec.Deletion != nil {
		return nil, api.InvalidRequestException.New("You can't create this secret because a secret with this name is already scheduled for deletion.")
	}
	if _, there := sec.Versions[token]; given && there {
		v, err := s.version(ctx, sec, token)
		if err != nil {
			return nil, err
		}
		if v.holds(value) {
			return &api.CreateSecretResponse{ARN: new(sec.arn.String()), Name: &sec.Name, VersionId: &token}, nil
		}
	}
	return nil, api.ResourceExistsException.New("The operation failed because the secret %s already exists.", sec.Name)
}

func (s *Service) updateSecret(ctx context.Context, in *api.UpdateSecretRequest) (*api.UpdateSecretResponse, error) {
	if in.Type != nil && *in.Type != "" {
		return nil, api.InvalidParameterException.New("Secrets of type %s, which partners manage, are not offered here.", *in.Type)
	}
	value, given, err := contentOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	sec, err := s.primary(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	if in.Description != nil {
		sec.Description = *in.Description
	}
	out := &api.UpdateSecretResponse{ARN: new(sec.arn.String()), Name: &sec.Name}
	if in.KmsKeyId != nil && *in.KmsKeyId != sec.Key {
		if err := s.changeKey(ctx, sec, *in.KmsKeyId); err != nil {
			return nil, err
		}
	}
	if !given {
		return out, s.change(ctx, sec, nil)
	}
	token, err := tokenOf(in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	out.VersionId = &token
	if _, there := sec.Versions[token]; there {
		if err := s.putVersion(ctx, sec, token, value, nil); err != nil {
			return nil, err
		}
		return out, s.change(ctx, sec, nil)
	}
	return out, s.putVersion(ctx, sec, token, value, nil)
}

// changeKey puts a secret under another key, and its three labelled versions as far
// as the caller may decrypt them. API Reference, "UpdateSecret", KmsKeyId.
func (s *Service) changeKey(ctx context.Context, sec *secret, key string) error {
	was := *sec
	sec.Key = key
	if err := s.mayUse(ctx, sec); err != nil {
		return err
	}
	var done []string
	for _, stage := range []string{current, pending, previous} {
		id := sec.Stages[stage]
		if _, made := sec.Versions[id]; !made || slices.Contains(done, id) {
			continue // none, done, or AWSPENDING of a rotation that has made no value yet
		}
		done = append(done, id)
		old, err := s.version(ctx, sec, id)
		if err != nil {
			return err
		}
		value, err := s.open(ctx, &was, old)
		if aws.AccessDenied.Is(err) {
			continue // it stays under the key that it has
		}
		if err != nil {
			return err
		}
		v, err := s.seal(ctx, sec, id, value)
		if err != nil {
			return err
		}
		v.Created, v.Accessed, v.Digest = old.Created, old.Accessed, old.Digest
		if err := s.versions.At(sec.arn).Put(ctx, sec.versionID(id), v); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) describeSecret(ctx context.Context, in *api.DescribeSecretRequest) (*api.DescribeSecretResponse, error) {
	sec, err := s.secret(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	e := sec.entry()
	out := &api.DescribeSecretResponse{
		ARN: e.ARN, Name: e.Name, Description: e.Description, KmsKeyId: e.KmsKeyId,
		RotationEnabled: e.RotationEnabled, RotationLambdaARN: e.RotationLambdaARN, RotationRules: e.RotationRules,
		LastRotatedDate: e.LastRotatedDate, LastChangedDate: e.LastChangedDate, LastAccessedDate: e.LastAccessedDate,
		DeletedDate: e.DeletedDate, NextRotationDate: e.NextRotationDate, Tags: e.Tags, VersionIdsToStages: e.SecretVersionsToStages,
		CreatedDate: e.CreatedDate, PrimaryRegion: e.PrimaryRegion,
	}
	out.ReplicationStatus, err = s.replication(ctx, sec)
	return out, err
}

// entry is a secret as lists show it.
func (s *secret) entry() api.SecretListEntry {
	e := api.SecretListEntry{
		ARN: new(s.arn.String()), Name: &s.Name, Description: some(s.Description), KmsKeyId: some(s.Key),
		LastChangedDate: moment(s.Changed), LastAccessedDate: moment(s.Accessed), LastRotatedDate: moment(s.Rotated), DeletedDate: moment(s.Deleted),
		CreatedDate: &s.Created, PrimaryRegion: some(s.Primary),
	}
	for _, t := range s.Tags {
		e.Tags = append(e.Tags, api.Tag{Key: new(t.Key), Value: new(t.Value)})
	}
	if len(s.Stages) > 0 {
		e.SecretVersionsToStages = s.labelled()
	}
	if r := s.Rotation; r != nil {
		e.RotationEnabled, e.RotationLambdaARN, e.NextRotationDate = &r.Enabled, some(r.Function), moment(r.Next)
		e.RotationRules = &api.RotationRulesType{Duration: some(r.Duration), ScheduleExpression: some(r.Schedule)}
		if r.Days > 0 {
			e.RotationRules.AutomaticallyAfterDays = new(int64(r.Days))
		}
	}
	return e
}

// remove takes a secret away, with its versions and what is due of it.
func (s *Service) remove(ctx context.Context, sec *secret) error {
	if sec.Deletion == nil {
		if err := s.tellVersions(ctx, sec, "StartSecretVersionDelete"); err != nil {
			return err
		}
	}
	if err := s.tellVersions(ctx, sec, "EndSecretVersionDelete"); err != nil {
		return err
	}
	for id := range sec.Versions {
		if err := s.dropVersion(ctx, sec, id); err != nil {
			return err
		}
	}
	if err := s.displace(ctx, sec); err != nil {
		return err
	}
	for _, kind := range []string{deletion, jobWindow, jobStep} {
		store.UnscheduleIn(ctx, placeOf(sec), kind, sec.ID)
	}
	return s.secrets.At(sec.arn).Delete(ctx, sec.ID)
}
