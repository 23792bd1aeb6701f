package securityhub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// maxUpdate is how many findings BatchUpdateFindings changes. API Reference.
const maxUpdate = 100

// changed lists the fields that a BatchUpdateFindings changes, by their paths in
// ASFF, with the values they get.
func changed(in *securityhubapi.BatchUpdateFindingsRequest) map[string][]string {
	paths := map[string][]string{}
	if in.Note != nil {
		paths["Note.Text"], paths["Note.UpdatedBy"] = []string{in.Note.Text}, []string{in.Note.UpdatedBy}
	}
	if in.Severity != nil {
		if in.Severity.Label != nil {
			paths["Severity.Label"] = []string{string(*in.Severity.Label)}
		}
		if in.Severity.Normalized != nil {
			paths["Severity.Normalized"] = []string{strconv.Itoa(int(*in.Severity.Normalized))}
		}
		if in.Severity.Product != nil {
			paths["Severity.Product"] = []string{strconv.FormatFloat(*in.Severity.Product, 'f', -1, 64)}
		}
	}
	if in.VerificationState != nil {
		paths["VerificationState"] = []string{string(*in.VerificationState)}
	}
	if in.Confidence != nil {
		paths[confidence] = []string{strconv.Itoa(int(*in.Confidence))}
	}
	if in.Criticality != nil {
		paths[criticality] = []string{strconv.Itoa(int(*in.Criticality))}
	}
	// A list that is emptied changes too: a condition must see that.
	if in.Types != nil {
		paths[types] = in.Types
		if len(in.Types) == 0 {
			paths[types] = []string{""}
		}
	}
	if in.RelatedFindings != nil && len(in.RelatedFindings) == 0 {
		paths["RelatedFindings.ProductArn"], paths["RelatedFindings.Id"] = []string{""}, []string{""}
	}
	for key, v := range in.UserDefinedFields {
		paths["UserDefinedFields."+key] = []string{v}
	}
	if in.Workflow != nil && in.Workflow.Status != nil {
		paths["Workflow.Status"] = []string{string(*in.Workflow.Status)}
	}
	for _, r := range in.RelatedFindings {
		paths["RelatedFindings.ProductArn"] = append(paths["RelatedFindings.ProductArn"], r.ProductArn)
		paths["RelatedFindings.Id"] = append(paths["RelatedFindings.Id"], r.Id)
	}
	return paths
}

// batchUpdateFindings does what customers do with findings. UpdatedAt, which is
// the provider's, stays as it is.
func (s *Service) batchUpdateFindings(ctx context.Context, in *securityhubapi.BatchUpdateFindingsRequest) (*securityhubapi.BatchUpdateFindingsResponse, error) {
	if _, err := s.hub(ctx); err != nil {
		return nil, err
	}
	if err := s.checkUpdate(in); err != nil {
		return nil, err
	}
	out := &securityhubapi.BatchUpdateFindingsResponse{
		ProcessedFindings: []securityhubapi.AwsSecurityFindingIdentifier{}, UnprocessedFindings: []securityhubapi.BatchUpdateFindingsUnprocessedFinding{},
	}
	now := time.Now()
	for _, id := range in.FindingIdentifiers {
		code, why, err := s.updateOne(ctx, id, in, now)
		if err != nil {
			return nil, err
		}
		if code == "" {
			out.ProcessedFindings = append(out.ProcessedFindings, id)
			continue
		}
		out.UnprocessedFindings = append(out.UnprocessedFindings, securityhubapi.BatchUpdateFindingsUnprocessedFinding{
			FindingIdentifier: &id, ErrorCode: code, ErrorMessage: why,
		})
	}
	return out, nil
}

// updateOne changes a finding, or says why not.
func (s *Service) updateOne(ctx context.Context, id securityhubapi.AwsSecurityFindingIdentifier, in *securityhubapi.BatchUpdateFindingsRequest, now time.Time) (code, why string, err error) {
	k, err := s.find(ctx, id.ProductArn, id.Id)
	if err != nil {
		return "", "", err
	}
	if k == nil {
		return "FindingNotFound", "Finding Not Found", nil
	}
	// What was written of a finding that gets too large is undone.
	err = s.env.Store.Update(ctx, func(ctx context.Context) error { return s.update(ctx, k, in, now) })
	if errors.Is(err, store.ErrTooLarge) {
		return "InvalidInput", tooLarge, nil
	}
	return "", "", err
}

// update changes one finding and remembers what the provider has lost to the customer.
func (s *Service) update(ctx context.Context, k *kept, in *securityhubapi.BatchUpdateFindingsRequest, now time.Time) error {
	f, err := k.finding()
	if err != nil {
		return err
	}
	own := func(field string) {
		if !slices.Contains(k.Overridden, field) {
			k.Overridden = append(k.Overridden, field)
		}
	}
	if in.Note != nil {
		f.Note = &securityhubapi.Note{Text: in.Note.Text, UpdatedBy: in.Note.UpdatedBy, UpdatedAt: stamp(now)}
	}
	if in.Severity != nil {
		f.Severity = updatedSeverity(f.Severity, in.Severity)
		own(severity)
	}
	if in.VerificationState != nil {
		f.VerificationState = in.VerificationState
	}
	if in.Confidence != nil {
		f.Confidence = in.Confidence
		own(confidence)
	}
	if in.Criticality != nil {
		f.Criticality = in.Criticality
		own(criticality)
	}
	if in.Types != nil {
		f.Types = in.Types
		own(types)
	}
	if in.RelatedFindings != nil {
		f.RelatedFindings = in.RelatedFindings
		own(related)
	}
	if in.UserDefinedFields != nil {
		f.UserDefinedFields = in.UserDefinedFields
	}
	if in.Workflow != nil && in.Workflow.Status != nil {
		f.Workflow = &securityhubapi.Workflow{Status: in.Workflow.Status}
	}
	return s.change(ctx, k, f, securityhubapi.FindingHistoryUpdateSourceTypeBatchUpdateFindings, now)
}

// updatedSeverity is what the customer says; the number follows the label.
func updatedSeverity(old *securityhubapi.Severity, in *securityhubapi.SeverityUpdate) *securityhubapi.Severity {
	s := securityhubapi.Severity{Label: in.Label, Normalized: in.Normalized, Product: in.Product}
	if old != nil {
		s.Original = old.Original
		s.Product = first(s.Product, old.Product)
		if s.Label == nil && s.Normalized == nil {
			s.Label, s.Normalized = old.Label, old.Normalized
		}
	}
	s = whole(s)
	return &s
}

// updates is what ASFF says of the fields that customers can change.
func updates(format schema) schema {
	m := format.members
	note := object(nil, map[string]schema{"Text": between(512), "UpdatedBy": between(512)})
	return object([]string{"FindingIdentifiers"}, map[string]schema{
		"FindingIdentifiers": {minItems: 1, maxItems: maxUpdate}, "Note": note, "Types": m["Types"], "UserDefinedFields": m["UserDefinedFields"],
		"RelatedFindings": m["RelatedFindings"],
	})
}

// checkUpdate refuses what AWS refuses for the call as a whole.
func (s *Service) checkUpdate(in *securityhubapi.BatchUpdateFindingsRequest) error {
	doc, err := wire.EncodeJSONDocument(&securityhubapi.BatchUpdateFindings, in)
	if err != nil {
		return fmt.Errorf("securityhub: check update: %w", err)
	}
	if problems := s.updates.problems("data", doc); len(problems) > 0 {
		return invalid("BatchUpdateFindings", strings.Join(problems, ", "))
	}
	if len(changed(in)) == 0 && in.UserDefinedFields == nil {
		return invalid("BatchUpdateFindings", "At least one field must be updated")
	}
	return nil
}
