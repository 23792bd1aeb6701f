package iam

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// credentialReport is the account's newest.
type credentialReport struct {
	Created time.Time
	Content []byte // CSV, compressed
}

const (
	reportID = "report"
	// reportFresh is how long a report counts as new. IAM User Guide, "Generate
	// credential reports for your AWS account".
	reportFresh = 4 * time.Hour
)

// reportColumns are those of the IAM User Guide, "Understanding the report format".
const reportColumns = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active," +
	"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service," +
	"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service," +
	"cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"

const (
	notAvailable  = "N/A"
	noInformation = "no_information"
	notSupported  = "not_supported"
)

func (s *Service) credentialReportRoutes() []wire.Route {
	return []wire.Route{
		iamapi.GenerateCredentialReport.To(s.generateCredentialReport, touchAll[iamapi.GenerateCredentialReportRequest]("iam:GenerateCredentialReport")),
		iamapi.GetCredentialReport.To(s.getCredentialReport, touchAll[iamapi.GetCredentialReportRequest]("iam:GetCredentialReport")),
	}
}

// generateCredentialReport makes a report unless there is a new one. It is ready
// at once, and said to be so from the next call on, as clients of AWS expect.
func (s *Service) generateCredentialReport(ctx context.Context, _ *iamapi.GenerateCredentialReportRequest) (*iamapi.GenerateCredentialReportResponse, error) {
	had, err := s.credentialReports.Get(ctx, reportID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err == nil && time.Since(had.Created) < reportFresh {
		return &iamapi.GenerateCredentialReportResponse{State: new(iamapi.ReportStateTypeComplete)}, nil
	}
	content, err := s.credentialTable(ctx)
	if err != nil {
		return nil, err
	}
	return &iamapi.GenerateCredentialReportResponse{State: new(iamapi.ReportStateTypeStarted), Description: new("No report exists. Starting a new report generation task")},
		s.credentialReports.Put(ctx, reportID, &credentialReport{Created: now(), Content: content})
}

func (s *Service) getCredentialReport(ctx context.Context, _ *iamapi.GetCredentialReportRequest) (*iamapi.GetCredentialReportResponse, error) {
	r, err := s.credentialReports.Get(ctx, reportID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, iamapi.CredentialReportNotPresentException.New("No report exists. You must generate one with GenerateCredentialReport.")
	}
	if err != nil {
		return nil, err
	}
	if time.Since(r.Created) >= reportFresh {
		return nil, iamapi.CredentialReportExpiredException.New("The report has expired. You must generate a new one with GenerateCredentialReport.")
	}
	content, err := unpacked(r.Content)
	return &iamapi.GetCredentialReportResponse{Content: []byte(content), ReportFormat: new(iamapi.ReportFormatTypeTextCsv), GeneratedTime: &r.Created}, err
}

// credentialTable writes the report: root first, then all users.
func (s *Service) credentialTable(ctx context.Context) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rules, err := s.passwordPolicy(ctx)
	if err != nil {
		return nil, err
	}
	call, outside := aws.CallOf(ctx), store.Outside(ctx)
	root, err := s.root(ctx)
	if err != nil {
		return nil, err
	}
	line, err := s.credentialLine(outside, rules, &owner{id: rootID}, "<root_account>", call.GlobalARN("iam", "root"), root.Created, root.Keys)
	if err != nil {
		return nil, err
	}
	lines := [][]string{strings.Split(reportColumns, ","), line}
	for e, err := range s.users.All(outside, "") {
		if err != nil {
			return nil, err
		}
		u := e.Value
		line, err := s.credentialLine(outside, rules, &owner{id: u.ID, name: u.Name}, u.Name, userARN(call.Partition, call.Account, u), u.Created, u.Keys)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	if err := w.WriteAll(lines); err != nil {
		return nil, err
	}
	return packed(b.String())
}

func (s *Service) credentialLine(ctx context.Context, rules *passwordPolicy, o *owner, name string, arn aws.ARN, created time.Time, keys []string) ([]string, error) {
	o, err := s.owned(ctx, o.id, o.name)
	if err != nil {
		return nil, err
	}
	line := append([]string{name, arn.String(), stamp(created)}, o.passwordCells(rules)...)
	line = append(line, truth(len(o.MFA) > 0))
	for i := range keysPerUser {
		if i >= len(keys) {
			line = append(line, truth(false), notAvailable, notAvailable, notAvailable, notAvailable)
			continue
		}
		k, err := s.keys.Get(ctx, keys[i])
		if err != nil {
			return nil, err
		}
		line = append(line, truth(k.Active), stamp(k.Created))
		if k.Used == nil {
			line = append(line, notAvailable, notAvailable, notAvailable)
			continue
		}
		line = append(line, stamp(k.Used.At), k.Used.Region, k.Used.Service)
	}
	for i := range signingPerUser {
		if i >= len(o.Signing) {
			line = append(line, truth(false), notAvailable)
			continue
		}
		line = append(line, truth(o.Signing[i].Active), stamp(o.Signing[i].Uploaded))
	}
	return line, nil
}

// passwordCells are the four columns about the password. Root has none here.
func (o *owner) passwordCells(rules *passwordPolicy) []string {
	switch {
	case o.id == rootID:
		return []string{notSupported, noInformation, notSupported, notSupported}
	case o.Login == nil || o.Login.Password == nil:
		return []string{"FALSE", notAvailable, notAvailable, notAvailable}
	}
	next := notAvailable
	if until := rules.expires(o.Login.Password.Set); until != nil {
		next = stamp(*until)
	}
	used := noInformation
	if o.Login.Used != nil {
		used = stamp(*o.Login.Used)
	}
	return []string{"TRUE", used, stamp(o.Login.Password.Set), next}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }

func truth(b bool) string {
	if b {
		return "TRUE"
	}
	return "FALSE"
}
