package ssm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/respond"
)

// written is the day of the runbooks that come with Sumun.
func written() *time.Time { return new(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)) }

// found returns the document that a caller names, in a version that exists.
func (s *Service) found(ctx context.Context, name string, version, versionName *string) (*respond.Runbook, error) {
	n := nameOf(ctx, name)
	r := s.document(n.name)
	if r == nil || !n.here(ctx) {
		return nil, ssmapi.InvalidDocument.New("Document with name %s does not exist.", n.name)
	}
	if !known(text(version)) || !known(n.version) || versionName != nil {
		return nil, ssmapi.InvalidDocumentVersion.New("The document version is not valid or does not exist.")
	}
	return r, nil
}

func (s *Service) getDocument(ctx context.Context, in *ssmapi.GetDocumentRequest) (*ssmapi.GetDocumentResult, error) {
	r, err := s.found(ctx, in.Name, in.DocumentVersion, in.VersionName)
	if err != nil {
		return nil, err
	}
	content, format := r.Text, ssmapi.DocumentFormat(r.Format)
	// AWS answers in JSON when no format is asked for.
	asked := ssmapi.DocumentFormatJson
	if in.DocumentFormat != nil {
		asked = *in.DocumentFormat
	}
	if asked != format {
		if content, err = r.In(string(asked)); err != nil {
			return nil, aws.UnsupportedOperation.New("Sumun does not write %s documents as %s.", format, asked)
		}
	}
	return &ssmapi.GetDocumentResult{
		Name: &r.Name, CreatedDate: written(), DocumentVersion: new(onlyVersion), Status: new(ssmapi.DocumentStatusActive),
		Content: &content, DocumentType: new(ssmapi.DocumentTypeAutomation), DocumentFormat: &asked,
	}, nil
}

func (s *Service) describeDocument(ctx context.Context, in *ssmapi.DescribeDocumentRequest) (*ssmapi.DescribeDocumentResult, error) {
	r, err := s.found(ctx, in.Name, in.DocumentVersion, in.VersionName)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(r.Text))
	d := &ssmapi.DocumentDescription{
		Hash: new(hex.EncodeToString(sum[:])), HashType: new(ssmapi.DocumentHashTypeSha256), Name: &r.Name, Owner: new(string(aws.CallOf(ctx).Account)),
		CreatedDate: written(), Status: new(ssmapi.DocumentStatusActive), DocumentVersion: new(onlyVersion), Description: &r.Description,
		PlatformTypes: platforms(), DocumentType: new(ssmapi.DocumentTypeAutomation), SchemaVersion: new("0.3"), LatestVersion: new(onlyVersion),
		DefaultVersion: new(onlyVersion), DocumentFormat: new(ssmapi.DocumentFormat(r.Format)), Tags: []ssmapi.Tag{},
	}
	for i := range r.Parameters {
		p := &r.Parameters[i]
		shown := ssmapi.DocumentParameter{Name: &p.Name, Type: new(ssmapi.DocumentParameterType(p.Type)), Description: &p.Description}
		if p.Default != nil {
			shown.DefaultValue = new(respond.Text(p.Default))
		}
		d.Parameters = append(d.Parameters, shown)
	}
	return &ssmapi.DescribeDocumentResult{Document: d}, nil
}

func platforms() []ssmapi.PlatformType {
	return []ssmapi.PlatformType{ssmapi.PlatformTypeWindows, ssmapi.PlatformTypeLinux, ssmapi.PlatformTypeMacOS}
}

func (s *Service) listDocuments(ctx context.Context, in *ssmapi.ListDocumentsRequest) (*ssmapi.ListDocumentsResult, error) {
	if len(in.Filters) > 0 && len(in.DocumentFilterList) > 0 {
		return nil, ssmapi.InvalidFilterKey.New("Filters and DocumentFilterList cannot be used together.")
	}
	filters := in.Filters
	for _, f := range in.DocumentFilterList {
		key := string(f.Key)
		filters = append(filters, ssmapi.DocumentKeyValuesFilter{Key: &key, Values: []string{f.Value}})
	}
	var all []*respond.Runbook
	for _, r := range s.documents {
		is, err := listed(ctx, r, filters)
		if err != nil {
			return nil, err
		}
		if is {
			all = append(all, r)
		}
	}
	asked, err := json.Marshal(filters)
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(ctx, s, "ListDocuments", []string{string(asked)}, all, func(r *respond.Runbook) string { return r.Name }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ssmapi.ListDocumentsResult{DocumentIdentifiers: []ssmapi.DocumentIdentifier{}, NextToken: next}
	for _, r := range page {
		out.DocumentIdentifiers = append(out.DocumentIdentifiers, ssmapi.DocumentIdentifier{
			Name: &r.Name, CreatedDate: written(), Owner: new(string(aws.CallOf(ctx).Account)), PlatformTypes: platforms(), DocumentVersion: new(onlyVersion),
			DocumentType: new(ssmapi.DocumentTypeAutomation), SchemaVersion: new("0.3"), DocumentFormat: new(ssmapi.DocumentFormat(r.Format)), Tags: []ssmapi.Tag{},
		})
	}
	return out, nil
}

// listed reports whether a document passes the filters. Systems Manager API
// Reference, DocumentKeyValuesFilter.
func listed(ctx context.Context, r *respond.Runbook, filters []ssmapi.DocumentKeyValuesFilter) (bool, error) {
	for _, f := range filters {
		var is func(v string) bool
		switch key := text(f.Key); {
		case strings.EqualFold(key, "Name"):
			is = func(v string) bool { return strings.HasPrefix(r.Name, v) }
		case key == "Owner":
			is = func(v string) bool {
				return v == "All" || v == "Self" || v == "Private" || v == string(aws.CallOf(ctx).Account)
			}
		case key == "DocumentType":
			is = func(v string) bool { return v == string(ssmapi.DocumentTypeAutomation) }
		case key == "PlatformTypes":
			is = func(v string) bool { return slices.Contains(platforms(), ssmapi.PlatformType(v)) }
		case key == "SearchKeyword":
			is = func(v string) bool { return strings.Contains(strings.ToLower(r.Name), strings.ToLower(v)) }
		case key == "TargetType" || strings.HasPrefix(key, "tag:"):
			is = func(string) bool { return false } // no document here has any
		default:
			return false, ssmapi.InvalidFilterKey.New("The filter key %s is not valid.", key)
		}
		if !slices.ContainsFunc(f.Values, is) {
			return false, nil
		}
	}
	return true, nil
}
