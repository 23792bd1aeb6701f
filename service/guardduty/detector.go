package guardduty

import (
	"context"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/finding"
	"sumun.dev/store"
)

func (s *Service) createDetector(ctx context.Context, in *guarddutyapi.CreateDetectorRequest) (*guarddutyapi.CreateDetectorResponse, error) {
	there, err := s.detector(ctx)
	if err != nil {
		return nil, err
	}
	if there != nil && there.Token != "" && there.Token == text(in.ClientToken) {
		return &guarddutyapi.CreateDetectorResponse{DetectorId: &there.ID}, nil // the same request again
	}
	if there != nil {
		return nil, bad("InvalidInputException", "The request is rejected because a detector already exists for the current account.")
	}
	now := time.Now()
	d := &detector{ID: newID(), Enabled: in.Enable, Frequency: guarddutyapi.FindingPublishingFrequencySixHours, Token: text(in.ClientToken), Created: now, Updated: now}
	if in.FindingPublishingFrequency != nil {
		d.Frequency = *in.FindingPublishingFrequency
	}
	if d.Tags, err = tagged(nil, in.Tags); err != nil {
		return nil, err
	}
	if err := d.configure(in.DataSources, in.Features, now); err != nil {
		return nil, err
	}
	d.begin(true, now)
	if err := s.present(ctx, here(ctx, aws.CallOf(ctx).Account), true); err != nil {
		return nil, err
	}
	return &guarddutyapi.CreateDetectorResponse{DetectorId: &d.ID}, s.detectors.Insert(ctx, d.ID, d)
}

// detector returns the detector of the call's account and region, nil when there
// is none.
func (s *Service) detector(ctx context.Context) (*detector, error) {
	all, err := s.detectors.Page(ctx, store.Range{Limit: 1})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0].Value, nil
}

func (s *Service) getDetector(ctx context.Context, in *guarddutyapi.GetDetectorRequest) (*guarddutyapi.GetDetectorResponse, error) {
	d, err := s.own(ctx, in.DetectorId)
	if err != nil {
		return nil, err
	}
	status := guarddutyapi.DetectorStatusDisabled
	if d.Enabled {
		status = guarddutyapi.DetectorStatusEnabled
	}
	often, err := s.frequency(ctx, d)
	if err != nil {
		return nil, err
	}
	role := aws.CallOf(ctx).GlobalARN("iam", "role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty")
	return &guarddutyapi.GetDetectorResponse{
		CreatedAt: new(d.Created.UTC().Format(finding.Millis)), UpdatedAt: new(d.Updated.UTC().Format(finding.Millis)),
		FindingPublishingFrequency: &often, ServiceRole: role.String(), Status: status, Tags: shown(d.Tags),
		DataSources: d.dataSources(), Features: d.features(),
	}, nil
}

func (s *Service) listDetectors(ctx context.Context, in *guarddutyapi.ListDetectorsRequest) (*guarddutyapi.ListDetectorsResponse, error) {
	r, bind, err := s.page(ctx, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := s.detectors.Page(ctx, r)
	if err != nil {
		return nil, err
	}
	all, token := next(s, bind, r, all)
	out := &guarddutyapi.ListDetectorsResponse{DetectorIds: []string{}, NextToken: token}
	for _, e := range all {
		out.DetectorIds = append(out.DetectorIds, e.ID)
	}
	return out, nil
}

func (s *Service) updateDetector(ctx context.Context, in *guarddutyapi.UpdateDetectorRequest) (*guarddutyapi.UpdateDetectorResponse, error) {
	d, err := s.own(ctx, in.DetectorId)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if in.Enable != nil || in.FindingPublishingFrequency != nil || in.DataSources != nil || len(in.Features) > 0 {
		if err := s.free(ctx, "update its detector"); err != nil {
			return nil, err
		}
	}
	if in.Enable != nil {
		d.Enabled = *in.Enable
	}
	if in.FindingPublishingFrequency != nil {
		d.Frequency = *in.FindingPublishingFrequency
	}
	if err := d.configure(in.DataSources, in.Features, now); err != nil {
		return nil, err
	}
	d.Updated = now
	if err := s.present(ctx, here(ctx, aws.CallOf(ctx).Account), true); err != nil { // one that was made before this was noted
		return nil, err
	}
	return &guarddutyapi.UpdateDetectorResponse{}, s.detectors.Put(ctx, d.ID, d)
}

// deleteDetector also deletes all that belongs to the detector: User Guide,
// "Suspending or disabling GuardDuty".
func (s *Service) deleteDetector(ctx context.Context, in *guarddutyapi.DeleteDetectorRequest) (*guarddutyapi.DeleteDetectorResponse, error) {
	d, err := s.own(ctx, in.DetectorId)
	if err != nil {
		return nil, err
	}
	if err := s.free(ctx, "delete its detector"); err != nil {
		return nil, err
	}
	for e, err := range s.members.All(ctx, "") {
		switch {
		case err != nil:
			return nil, err
		case e.Value.associated() || e.Value.Status == memberInvited:
			return nil, bad("InvalidInputException", "The request is rejected because the current account cannot delete detector while it has invited or associated members.")
		}
		if err := s.forgetMember(ctx, e.Value); err != nil {
			return nil, err
		}
	}
	// Findings may be more than one unit of work can hold.
	store.Schedule(ctx, store.Due{Kind: jobPurge, ID: d.ID, At: time.Now()})
	if err := s.forgetSets(ctx); err != nil {
		return nil, err
	}
	for e, err := range s.filters.All(ctx, "") {
		if err != nil {
			return nil, err
		}
		if err := s.filters.Delete(ctx, e.ID); err != nil {
			return nil, err
		}
	}
	if err := s.present(ctx, here(ctx, aws.CallOf(ctx).Account), false); err != nil {
		return nil, err
	}
	return &guarddutyapi.DeleteDetectorResponse{}, s.detectors.Delete(ctx, d.ID)
}

func (s *Service) forgetSets(ctx context.Context) error {
	for e, err := range s.sets.All(ctx, "") {
		if err != nil {
			return err
		}
		if err := s.dropPieces(ctx, e.Value); err != nil {
			return err
		}
		if err := s.sets.Delete(ctx, e.ID); err != nil {
			return err
		}
	}
	return nil
}

// purgeDue removes findings of a detector that is gone, some at a time. They are
// not shown any more.
func (s *Service) purgeDue(ctx context.Context, due store.Due) error {
	page, err := s.findings.Page(ctx, store.Range{After: string(due.Payload), Limit: atOnce})
	if err != nil {
		return err
	}
	for _, e := range page {
		if e.Value.Detector != due.ID {
			continue
		}
		if err := s.forget(ctx, e.ID); err != nil {
			return err
		}
	}
	if len(page) == atOnce {
		store.Schedule(ctx, store.Due{Kind: jobPurge, ID: due.ID, At: time.Now(), Payload: []byte(page[atOnce-1].ID)})
	}
	return nil
}

// atOnce bounds how many findings one run of purgeDue looks at.
const atOnce = 1000

// forget deletes a finding and what was to be done with it.
func (s *Service) forget(ctx context.Context, id string) error {
	store.Unschedule(ctx, jobPublish, id)
	store.Unschedule(ctx, jobExpire, id)
	if err := s.findings.Delete(ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}

// shown is what AWS shows of tags: an empty map when there are none.
func shown(tags map[string]string) map[string]string {
	if tags == nil {
		return map[string]string{}
	}
	return tags
}

// tagged returns tags with more added.
func tagged(tags, add map[string]string) (map[string]string, error) {
	all := map[string]string{}
	for k, v := range tags {
		all[k] = v
	}
	for k, v := range add {
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			return nil, bad("InvalidInputException", "The request is rejected because a tag key begins with the reserved prefix aws:.")
		}
		all[k] = v
	}
	if len(all) > maxTags {
		return nil, bad("InvalidInputException", "The request is rejected because the resource would have more than %d tags.", maxTags)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}
