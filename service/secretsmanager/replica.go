package secretsmanager

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	api "sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
)

// A replica is a secret of its own in its region, with the name and the suffix of
// the primary: its values are encrypted anew under a key of that region, by the
// rights of whoever changed the primary. What cannot be brought there leaves the
// replica as it was, and its state says why. User Guide, "Replicate secrets across Regions".

func (s *Service) replicate(ctx context.Context, in *api.ReplicateSecretToRegionsRequest) (*api.ReplicateSecretToRegionsResponse, error) {
	sec, err := s.primary(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	if err := s.addReplicas(ctx, sec, in.AddReplicaRegions, isTrue(in.ForceOverwriteReplicaSecret)); err != nil {
		return nil, err
	}
	out := &api.ReplicateSecretToRegionsResponse{ARN: new(sec.arn.String())}
	out.ReplicationStatus, err = s.replication(ctx, sec)
	return out, err
}

func (s *Service) addReplicas(ctx context.Context, sec *secret, regions []api.ReplicaRegionType, force bool) error {
	for i, r := range regions {
		region := text(r.Region)
		switch {
		case !aws.KnownRegion(aws.Region(region)):
			return api.InvalidParameterException.New("The Region %s is not valid.", region)
		case region == string(sec.arn.Region):
			return api.InvalidParameterException.New("Invalid replica region: %s is the secret's own region.", region)
		case slices.ContainsFunc(regions[:i], func(other api.ReplicaRegionType) bool { return text(other.Region) == region }):
			return api.InvalidParameterException.New("The Region %s is named twice.", region)
		}
		at := sec.replicaIn(region)
		if at >= 0 && sec.Replicas[at].Status == string(api.StatusTypeInSync) {
			return api.InvalidParameterException.New("Secret %s is already replicated to region %s.", sec.Name, region)
		}
		if at < 0 {
			at, sec.Replicas = len(sec.Replicas), append(sec.Replicas, replica{Region: region})
		}
		to := &sec.Replicas[at]
		to.Key = text(r.KmsKeyId)
		sec.Primary = string(sec.arn.Region)
		to.Status, to.Message, to.overwrites = string(api.StatusTypeInProgress), "", force
	}
	return s.change(ctx, sec, nil)
}

func (r *replica) fail(why string) {
	r.Status, r.Message = string(api.StatusTypeFailed), why
}

// hasReplica reports whether another secret is a replica of this one.
func (s *secret) hasReplica(other *secret) bool {
	return other.ID == s.ID && other.isReplica() && other.Primary == string(s.arn.Region)
}

// in is the ARN that the secret has in another region.
func (s *secret) in(region string) aws.ARN {
	arn := s.arn
	arn.Region = aws.Region(region)
	return arn
}

func (s *secret) replicaIn(region string) int {
	return slices.IndexFunc(s.Replicas, func(r replica) bool { return r.Region == region })
}

func (s *secret) regions() string {
	var all []string
	for _, r := range s.Replicas {
		all = append(all, r.Region)
	}
	return strings.Join(all, ", ")
}

// follow brings the replicas to where the primary is. fresh are values at hand; what
// else a replica lacks is decrypted with the caller's rights.
func (s *Service) follow(ctx context.Context, sec *secret, fresh map[string]content) error {
	for i := range sec.Replicas {
		r := &sec.Replicas[i]
		err := s.bring(ctx, sec, r, fresh)
		var e *aws.Error
		switch {
		case err == nil:
		case errors.As(err, &e):
			r.fail("Replication failed: " + e.Message)
		default:
			return err
		}
		if err := s.tellReplicated(ctx, sec, r); err != nil {
			return err
		}
	}
	return nil
}

// bring makes one replica like the primary, or changes nothing of it.
func (s *Service) bring(ctx context.Context, sec *secret, r *replica, fresh map[string]content) error {
	to, gone, err := s.replica(ctx, sec, r)
	if err != nil || to == nil {
		return err
	}
	sealed := map[string]*version{}
	for id := range sec.labelled() {
		_, there := to.Versions[id]
		if _, made := sec.Versions[id]; there || !made { // AWSPENDING of a rotation that has made no value yet
			continue
		}
		value, at := fresh[id]
		v, err := s.version(ctx, sec, id)
		if !at && err == nil {
			value, err = s.open(ctx, sec, v)
		}
		if at {
			err = nil
		}
		if err != nil {
			return err
		}
		if sealed[id], err = s.seal(ctx, to, id, value); err != nil {
			return err
		}
		sealed[id].Created = sec.Versions[id]
	}
	if gone != nil {
		if err := s.remove(ctx, gone); err != nil {
			return err
		}
	}
	for id := range to.Versions {
		if _, there := sec.Versions[id]; !there {
			if err := s.dropVersion(ctx, to, id); err != nil {
				return err
			}
		}
	}
	for id, v := range sealed {
		to.Versions[id] = v.Created
		if err := s.versions.At(to.arn).Insert(ctx, to.versionID(id), v); err != nil {
			return err
		}
	}
	to.Description, to.Policy, to.Tags, to.Stages = sec.Description, sec.Policy, slices.Clone(sec.Tags), maps.Clone(sec.Stages)
	to.Rotated, to.Changed, to.Primary = sec.Rotated, sec.Changed, string(sec.arn.Region)
	r.Status, r.Message = string(api.StatusTypeInSync), ""
	return s.save(ctx, to)
}

// replica returns a replica's record: a new one when there is none, nil when its
// name is somebody else's and stays so. gone is the secret that gives way to it,
// once the replica's values are at hand.
func (s *Service) replica(ctx context.Context, sec *secret, r *replica) (there, gone *secret, err error) {
	there, err = s.named(ctx, sec.in(r.Region), sec.Name)
	if err != nil {
		return nil, nil, err
	}
	if there != nil && !sec.hasReplica(there) && r.overwrites && len(there.Replicas) == 0 && !there.isReplica() {
		there, gone = nil, there
	}
	if there == nil {
		there = &secret{ID: sec.ID, Name: sec.Name, Created: time.Now().UTC(), Versions: map[string]time.Time{}, arn: sec.in(r.Region)}
	} else if !sec.hasReplica(there) {
		r.fail("Replication failed: Secret name " + sec.Name + " already exists in region " + r.Region + ".")
		return nil, nil, nil
	}
	if there.Versions == nil {
		there.Versions = map[string]time.Time{}
	}
	there.Key = r.Key
	return there, gone, nil
}

// replication is the state of the replicas.
func (s *Service) replication(ctx context.Context, sec *secret) ([]api.ReplicationStatusType, error) {
	var all []api.ReplicationStatusType
	for _, r := range sec.Replicas {
		st := api.ReplicationStatusType{Region: &r.Region, KmsKeyId: some(r.Key), Status: new(api.StatusType(r.Status)), StatusMessage: some(r.Message)}
		if r.Key == "" {
			st.KmsKeyId = new("alias/aws/secretsmanager")
		}
		there, err := s.named(ctx, sec.in(r.Region), sec.Name)
		if err != nil {
			return nil, err
		}
		if there != nil && sec.hasReplica(there) {
			st.LastAccessedDate = moment(there.Accessed)
		}
		all = append(all, st)
	}
	return all, nil
}

func (s *Service) removeRegions(ctx context.Context, in *api.RemoveRegionsFromReplicationRequest) (*api.RemoveRegionsFromReplicationResponse, error) {
	sec, err := s.primary(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	for _, region := range in.RemoveReplicaRegions {
		at := sec.replicaIn(region)
		if at < 0 {
			return nil, api.InvalidParameterException.New("Secret %s is not replicated to region %s.", sec.Name, region)
		}
		there, err := s.named(ctx, sec.in(region), sec.Name)
		if err != nil {
			return nil, err
		}
		if there != nil && sec.hasReplica(there) {
			if err := s.remove(ctx, there); err != nil {
				return nil, err
			}
		}
		sec.Replicas = slices.Delete(sec.Replicas, at, at+1)
	}
	if err := s.change(ctx, sec, nil); err != nil {
		return nil, err
	}
	out := &api.RemoveRegionsFromReplicationResponse{ARN: new(sec.arn.String())}
	out.ReplicationStatus, err = s.replication(ctx, sec)
	return out, err
}

// stopReplication makes a replica a secret that stands alone; it is called in the
// replica's region.
func (s *Service) stopReplication(ctx context.Context, in *api.StopReplicationToReplicaRequest) (*api.StopReplicationToReplicaResponse, error) {
	sec, err := s.living(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	if !sec.isReplica() {
		return nil, api.InvalidRequestException.New("You can't stop the replication of secret %s because it is not a replica.", sec.Name)
	}
	from, err := s.named(ctx, sec.in(sec.Primary), sec.Name)
	if err != nil {
		return nil, err
	}
	if from != nil && from.hasReplica(sec) {
		if at := from.replicaIn(string(sec.arn.Region)); at >= 0 {
			from.Replicas = slices.Delete(from.Replicas, at, at+1)
		}
		if err := s.save(ctx, from); err != nil {
			return nil, err
		}
	}
	sec.Primary, sec.Changed = "", time.Now().UTC()
	return &api.StopReplicationToReplicaResponse{ARN: new(sec.arn.String())}, s.save(ctx, sec)
}
