package resolver

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/aws"
)

// A QueryRecord is one entry of the query log. Its JSON form is AWS's: Route 53
// Developer Guide, "Values that appear in VPC Resolver query logs".
type QueryRecord struct {
	Account   aws.Account
	Region    aws.Region
	VPC       string
	Time      time.Time
	Name      string // with the final dot, in lower case
	Type      string
	Class     string
	Rcode     string // NOERROR, NXDOMAIN …
	Answers   []Answer
	Source    netip.AddrPort
	Transport string // UDP or TCP
	Instance  string // srcids.instance

	Action       string // ALERT or BLOCK; empty when no rule matched, or one that allows
	RuleGroupID  string
	DomainListID string // of a rule over a list
	Protection   string // of an Advanced rule: DGA, DICTIONARY_DGA or DNS_TUNNELING

	// Logs are the query logging configurations that ask for the record. It is
	// made without any too: detectors do not depend on them.
	Logs []QueryLogConfig
}

// An Answer is a record of the answer section.
type Answer struct {
	Rdata string
	Type  string
	Class string
}

// recordVersion is AWS's format 1.1, as its records spell it.
const recordVersion = "1.100000"

// timestamp is the form of times in UTC, without fractions of a second.
const timestamp = "2006-01-02T15:04:05Z"

type recordJSON struct {
	Version      string   `json:"version"`
	Account      string   `json:"account_id"`
	Region       string   `json:"region"`
	VPC          string   `json:"vpc_id"`
	Time         string   `json:"query_timestamp"`
	Name         string   `json:"query_name"`
	Type         string   `json:"query_type"`
	Class        string   `json:"query_class"`
	Rcode        string   `json:"rcode"`
	Answers      []Answer `json:"answers"`
	SourceAddr   string   `json:"srcaddr"`
	SourcePort   string   `json:"srcport"`
	Transport    string   `json:"transport"`
	SourceIDs    idsJSON  `json:"srcids"`
	Action       string   `json:"firewall_rule_action,omitempty"`
	RuleGroupID  string   `json:"firewall_rule_group_id,omitempty"`
	DomainListID string   `json:"firewall_domain_list_id,omitempty"`
	Protection   string   `json:"firewall_protection,omitempty"`
}

type idsJSON struct {
	Instance string `json:"instance,omitempty"`
}

// MarshalJSON returns the record as AWS delivers it.
func (r QueryRecord) MarshalJSON() ([]byte, error) {
	answers := r.Answers
	if answers == nil {
		answers = []Answer{}
	}
	return json.Marshal(recordJSON{
		Version: recordVersion, Account: string(r.Account), Region: string(r.Region), VPC: r.VPC,
		Time: r.Time.UTC().Format(timestamp),
		Name: r.Name, Type: r.Type, Class: r.Class, Rcode: r.Rcode, Answers: answers,
		SourceAddr: r.Source.Addr().String(), SourcePort: strconv.Itoa(int(r.Source.Port())),
		Transport: r.Transport, SourceIDs: idsJSON{r.Instance},
		Action: r.Action, RuleGroupID: r.RuleGroupID, DomainListID: r.DomainListID, Protection: r.Protection,
	})
}

// UnmarshalJSON reads a record that AWS, or MarshalJSON, wrote. Members that
// QueryRecord does not have are ignored.
func (r *QueryRecord) UnmarshalJSON(b []byte) error {
	var in recordJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, in.Time)
	if err != nil {
		return fmt.Errorf("query_timestamp: %w", err)
	}
	addr, err := netip.ParseAddr(in.SourceAddr)
	if err != nil {
		return fmt.Errorf("srcaddr: %w", err)
	}
	port, err := strconv.ParseUint(in.SourcePort, 10, 16)
	if err != nil {
		return fmt.Errorf("srcport: %w", err)
	}
	*r = QueryRecord{
		Account: aws.Account(in.Account), Region: aws.Region(in.Region), VPC: in.VPC, Time: at,
		Name: in.Name, Type: in.Type, Class: in.Class, Rcode: in.Rcode, Answers: in.Answers,
		Source: netip.AddrPortFrom(addr, uint16(port)), Transport: in.Transport, Instance: in.SourceIDs.Instance,
		Action: in.Action, RuleGroupID: in.RuleGroupID, DomainListID: in.DomainListID, Protection: in.Protection,
	}
	return nil
}

// record makes the entry of what was answered.
func (p *pending) record() QueryRecord {
	v := p.host.vpc
	r := QueryRecord{
		Account: v.account, Region: v.region, VPC: v.id, Time: p.at,
		Name: p.name.String(), Type: mdns.Type(p.qtype).String(), Class: "IN", Rcode: mdns.RcodeToString[p.rcode],
		Source: netip.AddrPortFrom(p.from.Addr().Unmap(), p.from.Port()), Transport: "UDP", Instance: p.host.instance,
		Logs: v.logs,
	}
	if p.tcp {
		r.Transport = "TCP"
	}
	if p.rule != nil && p.rule.action != Allow {
		r.Action, r.RuleGroupID, r.DomainListID, r.Protection = p.rule.action, p.rule.group, p.rule.listID, p.rule.threat
	}
	if p.answer == nil {
		return r
	}
	for _, rr := range p.answer.Records(p.name) {
		h := rr.Header()
		r.Answers = append(r.Answers, Answer{
			Rdata: strings.TrimPrefix(rr.String(), h.String()),
			Type:  mdns.Type(h.Rrtype).String(),
			Class: mdns.Class(h.Class).String(),
		})
	}
	return r
}
