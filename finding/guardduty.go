package finding

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/wire"
)

// Millis is how GuardDuty and Security Hub write times.
const Millis = "2006-01-02T15:04:05.000Z"

func stamp(t time.Time) string { return t.UTC().Format(Millis) }

// GuardDuty returns the finding as GetFindings shows it.
func (f *Finding) GuardDuty() *guarddutyapi.Finding {
	kind, _ := KindOf(f.Type)
	title := f.words(kind.Title)
	if f.Sample {
		title = "[SAMPLE] " + title
	}
	return &guarddutyapi.Finding{
		SchemaVersion: "2.0", AccountId: string(f.Account), Region: string(f.Region), Partition: &f.Partition,
		Id: f.ID, Arn: f.ARN().String(), Type: f.Type, Severity: kind.Severity,
		Title: &title, Description: new(f.words(kind.Description)),
		CreatedAt: stamp(f.Created), UpdatedAt: stamp(f.Updated),
		Resource: &guarddutyapi.Resource{ResourceType: new("Instance"), InstanceDetails: f.Instance.details()},
		Service: &guarddutyapi.ServiceShape{
			ServiceName: new("guardduty"), DetectorId: &f.Detector, Action: f.action(), Evidence: f.evidence(),
			ResourceRole: new("TARGET"), AdditionalInfo: f.additionalInfo(), FeatureName: new("DnsQueryLogs"),
			EventFirstSeen: new(stamp(f.FirstSeen)), EventLastSeen: new(stamp(f.LastSeen)),
			Archived: &f.Archived, Count: &f.Count, UserFeedback: optional(f.Feedback),
		},
	}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (f *Finding) words(pattern string) string {
	domain := ""
	if f.DNS != nil {
		domain = f.DNS.Domain
	}
	return strings.NewReplacer("{instance}", f.Instance.ID, "{domain}", domain, "{list}", f.Threat.List).Replace(pattern)
}

// details shows what is known of an instance: more than its id, its network
// and its address comes with EC2.
func (i Instance) details() *guarddutyapi.InstanceDetails {
	d := &guarddutyapi.InstanceDetails{InstanceId: &i.ID}
	n := guarddutyapi.NetworkInterface{VpcId: optional(i.VPC), Ipv6Addresses: []string{}}
	switch {
	case i.Address.Is4():
		n.PrivateIpAddress = new(i.Address.String())
		n.PrivateIpAddresses = []guarddutyapi.PrivateIpAddressDetails{{PrivateIpAddress: new(i.Address.String())}}
	case i.Address.IsValid():
		n.Ipv6Addresses = []string{i.Address.String()}
	}
	d.NetworkInterfaces = []guarddutyapi.NetworkInterface{n}
	return d
}

func (f *Finding) action() *guarddutyapi.Action {
	if f.DNS == nil {
		return nil
	}
	return &guarddutyapi.Action{ActionType: new("DNS_REQUEST"), DnsRequestAction: &guarddutyapi.DnsRequestAction{
		Domain: &f.DNS.Domain, Protocol: &f.DNS.Protocol, Blocked: &f.DNS.Blocked,
		DomainWithSuffix: new(registered(f.DNS.Domain)), VpcOwnerAccountId: new(string(f.Account)),
	}}
}

// registered returns the part of a domain that somebody has registered: one
// label and the public suffix.
func registered(domain string) string {
	r, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return domain // it is a public suffix itself, or no host name
	}
	return r
}

func (f *Finding) evidence() *guarddutyapi.Evidence {
	if f.Threat.List == "" {
		return nil
	}
	names := f.Threat.Names
	if names == nil {
		names = []string{}
	}
	return &guarddutyapi.Evidence{ThreatIntelligenceDetails: []guarddutyapi.ThreatIntelligenceDetail{{ThreatListName: &f.Threat.List, ThreatNames: names}}}
}

// additionalInfo carries JSON within JSON, as GuardDuty has it.
func (f *Finding) additionalInfo() *guarddutyapi.ServiceAdditionalInfo {
	info := struct {
		List   string `json:"threatListName,omitempty"`
		Names  string `json:"threatName,omitempty"`
		Sample bool   `json:"sample,omitempty"`
	}{f.Threat.List, strings.Join(f.Threat.Names, ", "), f.Sample}
	value, err := json.Marshal(info)
	if err != nil {
		value = []byte("{}") // not possible: strings and a bool
	}
	return &guarddutyapi.ServiceAdditionalInfo{Value: new(string(value)), Type: new("default")}
}

// Encode writes a GuardDuty finding as the API and EventBridge have it.
func Encode(f *guarddutyapi.Finding) ([]byte, error) {
	m := wire.Match{Operation: &guarddutyapi.GetFindings, Service: &guarddutyapi.Service, Protocol: wire.RestJSON}
	r, err := m.Encode(&guarddutyapi.GetFindingsResponse{Findings: []guarddutyapi.Finding{*f}}, "")
	if err != nil {
		return nil, fmt.Errorf("encode finding %s: %w", f.Id, err)
	}
	var out struct {
		Findings []json.RawMessage `json:"findings"`
	}
	if err := json.Unmarshal(r.Body, &out); err != nil {
		return nil, fmt.Errorf("encode finding %s: %w", f.Id, err)
	}
	if len(out.Findings) != 1 {
		return nil, fmt.Errorf("encode finding %s: got %d", f.Id, len(out.Findings))
	}
	return out.Findings[0], nil
}

// Decode reads what Encode wrote.
func Decode(b []byte) (*guarddutyapi.Finding, error) {
	if !json.Valid(b) {
		return nil, fmt.Errorf("decode finding: not JSON")
	}
	body := append(append([]byte(`{"findings":[`), b...), "]}"...)
	out, err := wire.DecodeResponse(&guarddutyapi.GetFindings, &wire.Response{Status: http.StatusOK, Body: body})
	if err != nil {
		return nil, fmt.Errorf("decode finding: %w", err)
	}
	all := out.(*guarddutyapi.GetFindingsResponse).Findings
	if len(all) != 1 {
		return nil, fmt.Errorf("decode finding: got %d", len(all))
	}
	return &all[0], nil
}
