package finding

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/wire"
)

// Millis is how GuardDuty and Security Hub write times.
const Millis = "2006-01-02T15:04:05.000Z"

func stamp(t time.Time) string { return t.UTC().Format(Millis) }

// GuardDuty returns the finding as GetFindings shows it.
func (f *Finding) GuardDuty() *guarddutyapi.Finding {
	kind, _ := KindOf(f.Type)
	title, description := f.words(kind.Title), f.words(kind.Description)
	if f.Said != nil {
		title, description = f.Said.Title, cmp.Or(f.Said.Description, f.Said.Title)
	}
	if f.Sample {
		title = "[SAMPLE] " + title
	}
	return &guarddutyapi.Finding{
		SchemaVersion: "2.0", AccountId: string(f.Account), Region: string(f.Region), Partition: &f.Partition,
		Id: f.ID, Arn: f.ARN().String(), Type: f.Type, Severity: f.Level(),
		Title: &title, Description: &description,
		CreatedAt: stamp(f.Created), UpdatedAt: stamp(f.Updated),
		Resource: f.resource(cmp.Or(kind.Resource, onInstance)),
		Service: &guarddutyapi.ServiceShape{
			ServiceName: new("guardduty"), DetectorId: &f.Detector, Action: f.action(), Evidence: f.evidence(),
			ResourceRole: new(f.role()), AdditionalInfo: f.additionalInfo(), FeatureName: optional(f.feature()), Detection: f.detection(),
			EventFirstSeen: new(stamp(f.FirstSeen)), EventLastSeen: new(stamp(f.LastSeen)),
			Archived: &f.Archived, Count: &f.Count, UserFeedback: optional(f.Feedback),
		},
	}
}

// feature names the source that the finding rests on.
func (f *Finding) feature() string {
	switch {
	case f.Database != nil:
		return "RdsLoginEvents"
	case f.Function != nil:
		return "LambdaNetworkLogs"
	case f.KubeCall != nil:
		return "EksAuditLogs"
	case f.DNS != nil:
		return "DnsQueryLogs"
	case f.API != nil:
		return "CloudTrail"
	case f.Connection != nil || f.Probe != nil:
		return "FlowLogs"
	}
	return ""
}

// role says whether the resource did it or it was done to it.
func (f *Finding) role() string {
	if f.Actor && f.DNS == nil {
		return "ACTOR"
	}
	return "TARGET" // as GuardDuty has it for instances that ask for domains
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (f *Finding) words(pattern string) string {
	var domain, principal, api, bucket, cluster, remote, port string
	if f.DNS != nil {
		domain = f.DNS.Domain
	}
	if f.Caller != nil {
		principal = cmp.Or(f.Caller.Name, f.Caller.ID, f.Caller.Type)
	}
	if f.API != nil {
		api = f.API.Operation
		if f.API.Remote.Address.IsValid() {
			remote = f.API.Remote.Address.String()
		}
	}
	if len(f.Buckets) > 0 {
		bucket = f.Buckets[0].Name
	}
	if f.Kubernetes != nil {
		cluster = f.Kubernetes.Cluster
	}
	c := f.Connection
	if c == nil && f.Probe != nil && len(f.Probe.Ports) > 0 {
		c = &f.Probe.Ports[0]
	}
	if c != nil {
		if c.Remote.Address.IsValid() {
			remote = c.Remote.Address.String()
		}
		n := c.Remote.Port
		if c.Inbound {
			n = c.LocalPort
		}
		port = strconv.Itoa(int(n))
	}
	instance := f.Instance.ID
	if instance == "" && f.Instance.Address.IsValid() {
		instance = f.Instance.Address.String()
	}
	return strings.NewReplacer("{instance}", cmp.Or(instance, "of an unknown id"), "{domain}", domain, "{list}", f.Threat.List, "{principal}", cmp.Or(principal, "An unknown caller"),
		"{api}", api, "{bucket}", bucket, "{cluster}", cluster, "{remote}", cmp.Or(remote, "an unknown host"), "{port}", port).Replace(pattern)
}

func (f *Finding) action() *guarddutyapi.Action {
	if c := f.API; c != nil {
		return &guarddutyapi.Action{ActionType: new("AWS_API_CALL"), AwsApiCallAction: c.action()}
	}
	if c := f.Connection; c != nil && f.DNS == nil {
		return &guarddutyapi.Action{ActionType: new("NETWORK_CONNECTION"), NetworkConnectionAction: c.action()}
	}
	if p := f.Probe; p != nil {
		return &guarddutyapi.Action{ActionType: new("PORT_PROBE"), PortProbeAction: p.action()}
	}
	if k := f.KubeCall; k != nil {
		return &guarddutyapi.Action{ActionType: new("KUBERNETES_API_CALL"), KubernetesApiCallAction: k.action()}
	}
	if d := f.Database; d != nil {
		return &guarddutyapi.Action{ActionType: new("RDS_LOGIN_ATTEMPT"), RdsLoginAttemptAction: d.action()}
	}
	if f.DNS == nil {
		return nil
	}
	return &guarddutyapi.Action{ActionType: new("DNS_REQUEST"), DnsRequestAction: &guarddutyapi.DnsRequestAction{
		Domain: &f.DNS.Domain, Protocol: &f.DNS.Protocol, Blocked: &f.DNS.Blocked,
		DomainWithSuffix: new(registered(f.DNS.Domain)), VpcOwnerAccountId: new(string(f.Account)),
	}}
}

func (k *KubernetesCall) action() *guarddutyapi.KubernetesApiCallAction {
	a := &guarddutyapi.KubernetesApiCallAction{
		RequestUri: &k.URI, Verb: &k.Verb, Resource: optional(k.Resource), Subresource: optional(k.Subresource), Namespace: optional(k.Namespace),
		ResourceName: optional(k.Name), UserAgent: optional(k.Agent), StatusCode: new(int32(k.Status)),
	}
	for i := range k.Sources {
		a.SourceIps = append(a.SourceIps, k.Sources[i].Address.String())
	}
	if len(k.Sources) > 0 {
		a.RemoteIpDetails = k.Sources[0].details()
	}
	return a
}

func (c *APICall) action() *guarddutyapi.AwsApiCallAction {
	a := &guarddutyapi.AwsApiCallAction{
		Api: &c.Operation, ServiceName: &c.Service, ErrorCode: optional(c.Error), UserAgent: optional(c.Agent),
		CallerType: new("Remote IP"), AffectedResources: c.Affected,
	}
	if c.Domain != "" {
		a.CallerType, a.DomainDetails = new("Domain"), &guarddutyapi.DomainDetails{Domain: &c.Domain}
	} else if c.Remote.Address.IsValid() {
		a.RemoteIpDetails = c.Remote.details()
	}
	if c.OtherAccount != "" {
		a.RemoteAccountDetails = &guarddutyapi.RemoteAccountDetails{AccountId: &c.OtherAccount, Affiliated: &c.Affiliated}
	}
	return a
}

func (r *Remote) details() *guarddutyapi.RemoteIpDetails {
	d := &guarddutyapi.RemoteIpDetails{}
	if r.Address.Is4() {
		d.IpAddressV4 = new(r.Address.String())
	} else {
		d.IpAddressV6 = new(r.Address.String())
	}
	if r.Country != "" || r.City != "" {
		d.Country, d.City = &guarddutyapi.Country{CountryCode: optional(r.Country), CountryName: optional(country(r.Country))}, &guarddutyapi.City{CityName: optional(r.City)}
		d.GeoLocation = &guarddutyapi.GeoLocation{Lat: &r.Latitude, Lon: &r.Longitude}
	}
	if r.ASN != 0 {
		d.Organization = &guarddutyapi.Organization{Asn: new(strconv.FormatUint(uint64(r.ASN), 10)), AsnOrg: &r.ASOrg}
	}
	return d
}

// country returns the English name of a country, empty for a code that none has.
func country(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil || !region.IsCountry() {
		return ""
	}
	return display.English.Regions().Name(region)
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
	info := map[string]any{}
	for k, v := range f.Notes {
		info[k] = v
	}
	f.unusual(info)
	if f.Threat.List != "" {
		info["threatListName"] = f.Threat.List
	}
	if len(f.Threat.Names) > 0 {
		info["threatName"] = strings.Join(f.Threat.Names, ", ")
	}
	if f.Sample {
		info["sample"] = true
	}
	if len(f.Evidence) > 0 {
		var places []string
		for i := range f.Evidence {
			places = append(places, f.Evidence[i].place())
		}
		info["evidence"] = places
	}
	value, err := json.Marshal(info)
	if err != nil {
		value = []byte("{}") // not possible: no value is endless or goes round
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
