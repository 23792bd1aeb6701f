package guardduty

import (
	"context"
	"errors"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/finding"
	"sumun.dev/store"
)

// getFindings returns the findings with these ids. Ids that are not there are
// passed over, as GuardDuty does.
func (s *Service) getFindings(ctx context.Context, in *guarddutyapi.GetFindingsRequest) (*guarddutyapi.GetFindingsResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	order, err := orderOf(in.SortCriteria)
	if err != nil {
		return nil, err
	}
	scopes, err := s.scopes(ctx, in.DetectorId)
	if err != nil {
		return nil, err
	}
	var all []*seen
	for _, id := range distinct(in.FindingIds) {
		k, _, err := find(ctx, scopes, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, see(k))
	}
	if in.SortCriteria != nil {
		order.sort(all)
	}
	out := &guarddutyapi.GetFindingsResponse{Findings: []guarddutyapi.Finding{}}
	for _, f := range all {
		out.Findings = append(out.Findings, *f.GuardDuty())
	}
	return out, nil
}

func distinct(ids []string) []string {
	var out []string
	for _, id := range ids {
		if !has(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// change applies f to findings that must all be there, and keeps those of which it
// says that they have changed.
func (s *Service) change(ctx context.Context, detectorID string, ids []string, f func(*kept) (bool, error)) error {
	if _, err := s.own(ctx, detectorID); err != nil {
		return err
	}
	scopes, err := s.scopes(ctx, detectorID)
	if err != nil {
		return err
	}
	for _, id := range distinct(ids) {
		k, table, err := find(ctx, scopes, id)
		if errors.Is(err, store.ErrNotFound) {
			return bad("InvalidInputException", "The request is rejected because one or more finding IDs do not exist.")
		}
		if err != nil {
			return err
		}
		changed, err := f(k)
		if err == nil && changed {
			err = table.Put(ctx, k.ID, k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// archive hides findings, or shows them again. Others hear of it at once, since
// Security Hub's copy follows.
func (s *Service) archive(ctx context.Context, detectorID string, ids []string, archived bool) error {
	action := finding.Unarchived
	if archived {
		action = finding.Archived
	}
	if err := s.free(ctx, "archive findings"); err != nil {
		return err
	}
	return s.change(ctx, detectorID, ids, func(k *kept) (bool, error) {
		if k.Archived == archived {
			return false, nil
		}
		k.Archived, k.Updated = archived, time.Now()
		if !archived {
			k.Suppressed = false
		}
		told, err := k.Finding.Told(action)
		if err != nil {
			return false, err
		}
		store.Emit(ctx, told)
		return true, nil
	})
}

func (s *Service) archiveFindings(ctx context.Context, in *guarddutyapi.ArchiveFindingsRequest) (*guarddutyapi.ArchiveFindingsResponse, error) {
	return &guarddutyapi.ArchiveFindingsResponse{}, s.archive(ctx, in.DetectorId, in.FindingIds, true)
}

func (s *Service) unarchiveFindings(ctx context.Context, in *guarddutyapi.UnarchiveFindingsRequest) (*guarddutyapi.UnarchiveFindingsResponse, error) {
	return &guarddutyapi.UnarchiveFindingsResponse{}, s.archive(ctx, in.DetectorId, in.FindingIds, false)
}

// updateFindingsFeedback marks findings as useful or not. The comment goes to AWS's
// developers there; here it goes nowhere and is not kept.
func (s *Service) updateFindingsFeedback(ctx context.Context, in *guarddutyapi.UpdateFindingsFeedbackRequest) (*guarddutyapi.UpdateFindingsFeedbackResponse, error) {
	return &guarddutyapi.UpdateFindingsFeedbackResponse{}, s.change(ctx, in.DetectorId, in.FindingIds, func(k *kept) (bool, error) {
		k.Feedback = string(in.Feedback)
		return true, nil
	})
}
