package secretsmanager

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
)

func (s *Service) getValue(ctx context.Context, in *api.GetSecretValueRequest) (*api.GetSecretValueResponse, error) {
	sec, err := s.living(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	id, err := sec.wanted(in)
	if err != nil {
		return nil, err
	}
	v, err := s.version(ctx, sec, id)
	if err != nil {
		return nil, err
	}
	if sec.Key == "" && aws.CallOf(ctx).Principal.Account != sec.arn.Account {
		return nil, api.InvalidRequestException.New("You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key.")
	}
	value, err := s.open(ctx, sec, v)
	if err != nil {
		return nil, err
	}
	if err := s.noteAccess(ctx, sec, v); err != nil {
		return nil, err
	}
	out := &api.GetSecretValueResponse{ARN: new(sec.arn.String()), Name: &sec.Name, VersionId: &v.ID, VersionStages: sec.stagesOf(v.ID), CreatedDate: &v.Created}
	if value.Binary {
		out.SecretBinary = value.Bytes
	} else {
		out.SecretString = new(string(value.Bytes))
	}
	return out, nil
}

// wanted is the version that a reader names, by id or label; else the current one.
func (s *secret) wanted(in *api.GetSecretValueRequest) (string, error) {
	stage, id := text(in.VersionStage), text(in.VersionId)
	if stage == "" && id == "" {
		stage = current
	}
	if id == "" {
		id = s.Stages[stage]
		if id == "" {
			return "", api.ResourceNotFoundException.New("Secrets Manager can't find the specified secret value for staging label: %s", stage)
		}
		return id, nil
	}
	if _, there := s.Versions[id]; !there {
		return "", api.ResourceNotFoundException.New("Secrets Manager can't find the specified secret value for VersionId: %s", id)
	}
	if stage != "" && s.Stages[stage] != id {
		return "", api.InvalidRequestException.New("You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return id, nil
}

// noteAccess keeps the day of the last read: one write a day, however many reads.
func (s *Service) noteAccess(ctx context.Context, sec *secret, v *version) error {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	if !v.Accessed.Equal(today) {
		v.Accessed = today
		if err := s.versions.At(sec.arn).Put(ctx, sec.versionID(v.ID), v); err != nil {
			return err
		}
	}
	if sec.Accessed.Equal(today) {
		return nil
	}
	sec.Accessed = today
	return s.save(ctx, sec)
}

func (s *Service) putValue(ctx context.Context, in *api.PutSecretValueRequest) (*api.PutSecretValueResponse, error) {
	value, given, err := contentOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, api.InvalidRequestException.New("You must provide either SecretString or SecretBinary.")
	}
	sec, err := s.primary(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	token, err := tokenOf(in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	if err := s.putVersion(ctx, sec, token, value, in.VersionStages); err != nil {
		return nil, err
	}
	return &api.PutSecretValueResponse{ARN: new(sec.arn.String()), Name: &sec.Name, VersionId: &token, VersionStages: sec.stagesOf(token)}, nil
}

// tokenOf is the id of a new version: the request's token.
func tokenOf(given *string) (string, error) {
	t := text(given)
	switch {
	case t == "":
		return aws.UUID(), nil
	case strings.ContainsFunc(t, unicode.IsControl):
		return "", api.InvalidParameterException.New("ClientRequestToken must not contain control characters.")
	}
	return t, nil
}

const maxBatch = 20 // secrets in one batch. API Reference, "BatchGetSecretValue"

// batch reads several secrets. Each is read by a call of its own, which needs the
// caller's permission and leaves its own record, as in AWS.
func (s *Service) batch(ctx context.Context, in *api.BatchGetSecretValueRequest) (*api.BatchGetSecretValueResponse, error) {
	var next *string
	ids := in.SecretIdList
	switch {
	case len(ids) > 0 && len(in.Filters) > 0, len(ids) == 0 && len(in.Filters) == 0:
		return nil, api.InvalidRequestException.New("You must provide either SecretIdList or Filters, but not both.")
	case len(ids) > 0 && (in.MaxResults != nil || in.NextToken != nil):
		return nil, api.InvalidParameterException.New("MaxResults and NextToken can only be used with Filters.")
	case len(ids) > maxBatch:
		return nil, api.InvalidParameterException.New("SecretIdList can have at most %d secrets.", maxBatch)
	}
	if len(ids) == 0 {
		most := int32(maxBatch)
		if in.MaxResults != nil {
			most = *in.MaxResults
		}
		found, token, err := s.matching(ctx, "BatchGetSecretValue", &api.ListSecretsRequest{Filters: in.Filters, MaxResults: &most, NextToken: in.NextToken})
		if err != nil {
			return nil, err
		}
		for _, sec := range found {
			ids = append(ids, sec.arn.String())
		}
		next = token
	}
	out := &api.BatchGetSecretValueResponse{SecretValues: []api.SecretValueEntry{}, Errors: []api.APIErrorType{}, NextToken: next}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			continue
		}
		v, err := api.GetSecretValue.Call(ctx, s.env.AWS, &api.GetSecretValueRequest{SecretId: id})
		var e *aws.Error
		switch {
		case err == nil:
			out.SecretValues = append(out.SecretValues, api.SecretValueEntry(*v))
		case errors.As(err, &e):
			out.Errors = append(out.Errors, api.APIErrorType{SecretId: &id, ErrorCode: &e.Code, Message: &e.Message})
		default:
			return nil, err
		}
	}
	return out, nil
}
