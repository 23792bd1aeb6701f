package finding

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// ASFF returns a GuardDuty finding as GuardDuty sends it to Security Hub:
// Security Hub User Guide, "AWS service integrations", "Amazon GuardDuty".
func ASFF(f *guarddutyapi.Finding) *securityhubapi.AwsSecurityFinding {
	partition := text(f.Partition)
	product := fmt.Sprintf("arn:%s:securityhub:%s::product/aws/guardduty", partition, f.Region)
	generator, _, _ := strings.Cut(f.Arn, "/finding/")
	label, normalized := severity(f.Severity)
	types := []string{asffType(f.Type)}
	out := &securityhubapi.AwsSecurityFinding{
		SchemaVersion: "2018-10-08", Id: f.Arn, ProductArn: product, ProductName: new("GuardDuty"), CompanyName: new("Amazon"),
		Region: &f.Region, GeneratorId: generator, AwsAccountId: f.AccountId, Types: types,
		CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt,
		Severity: &securityhubapi.Severity{Product: &f.Severity, Label: &label, Normalized: &normalized},
		Title:    cut(text(f.Title), 256), Description: cut(text(f.Description), 1024),
		SourceUrl:     new(console(aws.Region(f.Region), f.Id)),
		ProductFields: productFields(f, product),
		Resources:     resources(f, partition),
		Workflow:      &securityhubapi.Workflow{Status: new(securityhubapi.WorkflowStatusNew)},
		WorkflowState: new(securityhubapi.WorkflowStateNew),
		RecordState:   new(securityhubapi.RecordStateActive),
		FindingProviderFields: &securityhubapi.FindingProviderFields{
			Types: types, Severity: &securityhubapi.FindingProviderSeverity{Label: &label, Original: new(number(f.Severity))},
		},
	}
	if s := f.Service; s != nil {
		out.FirstObservedAt, out.LastObservedAt = s.EventFirstSeen, s.EventLastSeen
		if s.Archived != nil && *s.Archived {
			out.RecordState = new(securityhubapi.RecordStateArchived)
		}
		out.Action = asffAction(s.Action)
		if s.AdditionalInfo != nil && strings.Contains(text(s.AdditionalInfo.Value), `"sample":true`) {
			out.Sample = new(true)
		}
	}
	return out
}

// ownASFF returns a finding as an account may import it: of the product that each
// account has for its own findings. Security Hub takes those of GuardDuty from
// GuardDuty alone, and keeps names that begin with aws/ for AWS. User Guide, "Sending
// findings from custom products"; ASFF, "ProductFields".
func ownASFF(f *Finding) *securityhubapi.AwsSecurityFinding {
	g := f.GuardDuty()
	out := ASFF(g)
	out.ProductArn = fmt.Sprintf("arn:%s:securityhub:%s:%s:product/%[3]s/default", text(g.Partition), g.Region, g.AccountId)
	out.ProductName, out.CompanyName, out.SourceUrl = new("Sumun"), new("Sumun"), nil
	if out.GeneratorId = "sumun/" + f.Rule; f.Rule == "" {
		out.GeneratorId = "sumun/" + f.Type
	}
	if g.Region == "" {
		out.Region = nil
	}
	fields := map[string]string{}
	for name, value := range out.ProductFields {
		if rest, ok := strings.CutPrefix(name, "aws/guardduty/"); ok {
			fields["sumun/"+rest] = value
		}
	}
	out.ProductFields = fields
	return out
}

// EncodeASFF writes findings as BatchImportFindings takes them of the account that they
// are about (100 at once), which is as its own.
func EncodeASFF(found ...*Finding) ([]byte, error) {
	all := make([]*securityhubapi.AwsSecurityFinding, len(found))
	for i, f := range found {
		all[i] = ownASFF(f)
	}
	return encodeASFF(all...)
}

func encodeASFF(found ...*securityhubapi.AwsSecurityFinding) ([]byte, error) {
	in := &securityhubapi.BatchImportFindingsRequest{Findings: []securityhubapi.AwsSecurityFinding{}}
	for _, f := range found {
		in.Findings = append(in.Findings, *f)
	}
	doc, err := wire.EncodeJSONDocument(&securityhubapi.BatchImportFindings, in)
	if err != nil {
		return nil, fmt.Errorf("encode for Security Hub: %w", err)
	}
	return json.Marshal(doc)
}

// severity maps GuardDuty's number to the label of its range and the number that
// Security Hub gives that label. ASFF, "Severity".
func severity(n float64) (securityhubapi.SeverityLabel, int32) {
	switch {
	case n >= 9:
		return securityhubapi.SeverityLabelCritical, 90
	case n >= 7:
		return securityhubapi.SeverityLabelHigh, 70
	case n >= 4:
		return securityhubapi.SeverityLabelMedium, 40
	case n >= 1:
		return securityhubapi.SeverityLabelLow, 1
	}
	return securityhubapi.SeverityLabelInformational, 0
}

func console(region aws.Region, id string) string {
	return fmt.Sprintf("https://%s.console.aws.amazon.com/guardduty/home?region=%s#/findings?macros=current&fId=%s", region, region, id)
}

// productFields carries GuardDuty's service section, one field for each value.
func productFields(f *guarddutyapi.Finding, product string) map[string]string {
	fields := map[string]string{
		"aws/securityhub/FindingId":   product + "/" + f.Arn,
		"aws/securityhub/ProductName": "GuardDuty",
		"aws/securityhub/CompanyName": "Amazon",
	}
	put := func(name string, value *string) {
		if value != nil && *value != "" {
			fields["aws/guardduty/service/"+name] = *value
		}
	}
	s := f.Service
	if s == nil {
		return fields
	}
	put("serviceName", s.ServiceName)
	put("detectorId", s.DetectorId)
	put("resourceRole", s.ResourceRole)
	put("featureName", s.FeatureName)
	put("eventFirstSeen", s.EventFirstSeen)
	put("eventLastSeen", s.EventLastSeen)
	put("userFeedback", s.UserFeedback)
	if s.Archived != nil {
		put("archived", new(strconv.FormatBool(*s.Archived)))
	}
	if s.Count != nil {
		put("count", new(strconv.Itoa(int(*s.Count))))
	}
	if s.AdditionalInfo != nil {
		put("additionalInfo/value", s.AdditionalInfo.Value)
		put("additionalInfo/type", s.AdditionalInfo.Type)
	}
	if s.Evidence != nil {
		for i, d := range s.Evidence.ThreatIntelligenceDetails {
			at := fmt.Sprintf("evidence/threatIntelligenceDetails.%d_/", i)
			put(at+"threatListName", d.ThreatListName)
			for k, name := range d.ThreatNames {
				put(fmt.Sprintf("%sthreatNames.%d_", at, k), &name)
			}
		}
	}
	if s.Action == nil {
		return fields
	}
	put("action/actionType", s.Action.ActionType)
	if d := s.Action.DnsRequestAction; d != nil {
		put("action/dnsRequestAction/domain", d.Domain)
		put("action/dnsRequestAction/domainWithSuffix", d.DomainWithSuffix)
		put("action/dnsRequestAction/protocol", d.Protocol)
		put("action/dnsRequestAction/vpcOwnerAccountId", d.VpcOwnerAccountId)
		if d.Blocked != nil {
			put("action/dnsRequestAction/blocked", new(strconv.FormatBool(*d.Blocked)))
		}
	}
	return fields
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// cut shortens s to n characters, ASFF's limit.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n])
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
