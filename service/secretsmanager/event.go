package secretsmanager

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// Besides the calls, the trail has what Secrets Manager does itself, as service
// events: rotation, the deletion of versions, replication. User Guide, "AWS
// CloudTrail entries for Secrets Manager".

// maxReason is how much of a failure's sentence an event carries: a database
// server's may have any length.
const maxReason = 1000

// tell puts a service event about a secret into the trail, with the reason of a failure.
func (s *Service) tell(ctx context.Context, sec *secret, name string, why error) error {
	about := map[string]string{}
	if why != nil {
		about["Reason"] = cut(why.Error(), maxReason)
	}
	return s.tellOf(ctx, sec, name, about)
}

// tellVersions tells of each version of a secret by an event of its own.
func (s *Service) tellVersions(ctx context.Context, sec *secret, name string) error {
	for _, id := range slices.Sorted(maps.Keys(sec.Versions)) {
		if err := s.tellOf(ctx, sec, name, map[string]string{"SecretVersionId": id}); err != nil {
			return err
		}
	}
	return nil
}

// tellReplicated tells how the replication to a region went.
func (s *Service) tellReplicated(ctx context.Context, sec *secret, r *replica) error {
	if err := s.tellOf(ctx, sec, "ReplicationStarted", map[string]string{"ReplicaRegion": r.Region}); err != nil {
		return err
	}
	if r.Message != "" {
		return s.tellOf(ctx, sec, "ReplicationFailed", map[string]string{"ReplicaRegion": r.Region, "Reason": cut(r.Message, maxReason)})
	}
	return s.tellOf(ctx, sec, "ReplicationSucceeded", map[string]string{"ReplicaRegion": r.Region})
}

func (s *Service) tellOf(ctx context.Context, sec *secret, name string, about map[string]string) error {
	about["SecretId"] = sec.arn.String()
	e := aws.ServiceEvent{
		Source: "secretsmanager.amazonaws.com", Name: name, Account: sec.arn.Account, Region: sec.arn.Region, Time: time.Now(), Additional: about,
		Identity: map[string]string{"accountId": string(sec.arn.Account), "invokedBy": "secretsmanager.amazonaws.com"},
		SourceIP: "secretsmanager.amazonaws.com", UserAgent: "secretsmanager.amazonaws.com",
	}
	told, err := e.Event()
	if err != nil {
		return err
	}
	store.Emit(ctx, told)
	return nil
}

// cut returns at most n bytes of a text.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}
