package secretsmanager

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// The labels that Secrets Manager moves itself.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
	pending  = "AWSPENDING"
)

// Bounds of a secret. User Guide, "Secrets Manager quotas".
const (
	maxStages   = 20
	maxVersions = 100
	youth       = 24 * time.Hour // versions younger than this are not removed
)

func (sec *secret) versionID(id string) string { return sec.ID + "/" + id }

// version returns a version of a secret.
func (s *Service) version(ctx context.Context, sec *secret, id string) (*version, error) {
	v, err := s.versions.At(sec.arn).Get(ctx, sec.versionID(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, api.ResourceNotFoundException.New("Secrets Manager can't find the specified secret value for VersionId: %s", id)
	}
	return v, err
}

// putVersion gives a secret a version with these staging labels, AWSCURRENT when
// there are none, and keeps both. The same token with the same value changes
// nothing; with another it is refused. API Reference, "PutSecretValue".
func (s *Service) putVersion(ctx context.Context, sec *secret, token string, value content, stages []string) error {
	if len(stages) == 0 {
		stages = []string{current}
	}
	if len(sec.Versions) == 0 && !slices.Contains(stages, current) {
		stages = append(slices.Clip(stages), current)
	}
	if _, there := sec.Versions[token]; there {
		v, err := s.version(ctx, sec, token)
		if err != nil {
			return err
		}
		if !v.holds(value) {
			return api.ResourceExistsException.New("You can't use ClientRequestToken %s because that token is already in use for a version of secret %s.", token, sec.arn)
		}
		return nil
	}
	v, err := s.seal(ctx, sec, token, value)
	if err != nil {
		return err
	}
	if sec.Versions == nil {
		sec.Versions, sec.Stages = map[string]time.Time{}, map[string]string{}
	}
	sec.Versions[token] = v.Created
	for _, stage := range stages {
		sec.label(stage, token)
	}
	if len(sec.Stages) > maxStages {
		return api.LimitExceededException.New("The secret %s would have more than %d staging labels.", sec.Name, maxStages)
	}
	if err := s.prune(ctx, sec); err != nil {
		return err
	}
	if err := s.versions.At(sec.arn).Insert(ctx, sec.versionID(token), v); err != nil {
		return err
	}
	if sec.Stages[current] == token {
		s.renewed(ctx, sec)
	}
	return s.change(ctx, sec, map[string]content{token: value})
}

// label attaches a staging label to a version, and AWSPREVIOUS to the one that was
// current.
func (s *secret) label(stage, id string) {
	was := s.Stages[stage]
	s.Stages[stage] = id
	if stage == current && was != "" && was != id {
		s.Stages[previous] = was
	}
}

// prune removes the oldest versions without labels when there are too many.
func (s *Service) prune(ctx context.Context, sec *secret) error {
	labelled := map[string]bool{}
	for _, id := range sec.Stages {
		labelled[id] = true
	}
	oldest := slices.SortedFunc(maps.Keys(sec.Versions), func(a, b string) int {
		if c := sec.Versions[a].Compare(sec.Versions[b]); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	for _, id := range oldest {
		if len(sec.Versions) <= maxVersions {
			return nil
		}
		if labelled[id] || time.Since(sec.Versions[id]) < youth {
			continue
		}
		if err := s.tellOf(ctx, sec, "SecretVersionDeletion", map[string]string{"SecretVersionId": id}); err != nil {
			return err
		}
		if err := s.dropVersion(ctx, sec, id); err != nil {
			return err
		}
	}
	if len(sec.Versions) > maxVersions {
		return api.LimitExceededException.New("The secret %s has %d versions, and those without staging labels are younger than 24 hours.", sec.Name, maxVersions)
	}
	return nil
}

func (s *Service) dropVersion(ctx context.Context, sec *secret, id string) error {
	delete(sec.Versions, id)
	err := s.versions.At(sec.arn).Delete(ctx, sec.versionID(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// moveStage moves a staging label to a version, or takes it away when to is empty.
// from must name the version that has it now, if one has. It keeps the secret.
// API Reference, "UpdateSecretVersionStage".
func (s *Service) moveStage(ctx context.Context, sec *secret, stage, to, from string) error {
	was := sec.Stages[stage]
	switch {
	case to == "" && from == "":
		return api.InvalidParameterException.New("You must specify MoveToVersionId, RemoveFromVersionId or both.")
	case to == "" && stage == current:
		return api.InvalidParameterException.New("You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	case from != "" && was != from:
		return api.InvalidParameterException.New("Staging label %s is not attached to version %s.", stage, from)
	case to != "" && from == "" && was != "" && was != to:
		return api.InvalidParameterException.New("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", stage, was)
	}
	if to == "" {
		delete(sec.Stages, stage)
		return s.change(ctx, sec, nil)
	}
	if _, there := sec.Versions[to]; !there {
		return api.ResourceNotFoundException.New("Secrets Manager can't find the specified secret value for VersionId: %s", to)
	}
	sec.label(stage, to)
	if stage == current {
		s.renewed(ctx, sec)
	}
	if len(sec.Stages) > maxStages {
		return api.LimitExceededException.New("The secret %s would have more than %d staging labels.", sec.Name, maxStages)
	}
	return s.change(ctx, sec, nil)
}

func (s *Service) updateStage(ctx context.Context, in *api.UpdateSecretVersionStageRequest) (*api.UpdateSecretVersionStageResponse, error) {
	sec, err := s.primary(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	if err := s.moveStage(ctx, sec, in.VersionStage, text(in.MoveToVersionId), text(in.RemoveFromVersionId)); err != nil {
		return nil, err
	}
	return &api.UpdateSecretVersionStageResponse{ARN: new(sec.arn.String()), Name: &sec.Name}, nil
}

// stagesOf returns the labels of a version, sorted.
func (s *secret) stagesOf(id string) []string {
	var all []string
	for stage, of := range s.Stages {
		if of == id {
			all = append(all, stage)
		}
	}
	slices.Sort(all)
	return all
}

// labelled returns the versions that have labels, with them.
func (s *secret) labelled() map[string][]string {
	all := map[string][]string{}
	for _, id := range s.Stages {
		if all[id] == nil {
			all[id] = s.stagesOf(id)
		}
	}
	return all
}

func (s *Service) listVersions(ctx context.Context, in *api.ListSecretVersionIdsRequest) (*api.ListSecretVersionIdsResponse, error) {
	sec, err := s.living(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	bind := []string{"ListSecretVersionIds", sec.arn.String(), string(aws.CallOf(ctx).Principal.Account), fmt.Sprint(isTrue(in.IncludeDeprecated))}
	after, limit, err := s.page(bind, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &api.ListSecretVersionIdsResponse{ARN: new(sec.arn.String()), Name: &sec.Name, Versions: []api.SecretVersionsListEntry{}}
	for _, id := range slices.Sorted(maps.Keys(sec.Versions)) {
		stages := sec.stagesOf(id)
		if id <= after || stages == nil && !isTrue(in.IncludeDeprecated) {
			continue
		}
		if len(out.Versions) == limit {
			out.NextToken = new(s.env.Store.NextToken(bind, text(out.Versions[limit-1].VersionId)))
			break
		}
		v, err := s.version(ctx, sec, id)
		if err != nil {
			return nil, err
		}
		key := v.KeyID
		if sec.Key == "" {
			key = "DefaultEncryptionKey"
		}
		out.Versions = append(out.Versions, api.SecretVersionsListEntry{
			VersionId: &v.ID, VersionStages: stages, CreatedDate: &v.Created, LastAccessedDate: moment(v.Accessed), KmsKeyIds: []string{key},
		})
	}
	return out, nil
}

const maxPage = 100

// page reads where a list goes on, and how many it shows.
func (s *Service) page(bind []string, token *string, most *int32) (after string, limit int, err error) {
	limit = maxPage
	if most != nil {
		limit = int(*most)
	}
	if after, err = s.env.Store.OpenTokenOf(4096, bind, text(token)); err != nil {
		return "", 0, api.InvalidNextTokenException.New("The NextToken value is invalid.")
	}
	return after, limit, nil
}
