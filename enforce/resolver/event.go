package resolver

import (
	"encoding/json"
	"strconv"
)

type eventJSON struct {
	Account      string     `json:"account-id"`
	LastObserved string     `json:"last-observed-at"`
	Name         string     `json:"query-name"`
	Type         string     `json:"query-type"`
	Class        string     `json:"query-class"`
	Transport    string     `json:"transport"`
	Action       string     `json:"firewall-rule-action"`
	RuleGroupID  string     `json:"firewall-rule-group-id"`
	DomainListID string     `json:"firewall-domain-list-id,omitempty"`
	Protection   string     `json:"firewall-protection,omitempty"`
	SourceAddr   string     `json:"src-addr"`
	SourcePort   string     `json:"src-port"`
	VPC          string     `json:"vpc-id"`
	Resources    []resource `json:"resources"`
}

type resource struct {
	Type     string  `json:"resource-type"`
	Instance idValue `json:"instance-details"`
}

type idValue struct {
	ID string `json:"id"`
}

// FirewallEvent returns the detail-type and detail of the event that a rule's
// match sends to EventBridge, from the source aws.route53resolver. It reports
// false when no rule blocked or alerted.
// Route 53 Developer Guide, "Resolver DNS Firewall events detail reference".
func (r QueryRecord) FirewallEvent() (detailType string, detail json.RawMessage, ok bool) {
	switch r.Action {
	case Block:
		detailType = "DNS Firewall Block"
	case Alert:
		detailType = "DNS Firewall Alert"
	default:
		return "", nil, false
	}
	e := eventJSON{
		Account: string(r.Account), LastObserved: r.Time.UTC().Format(timestamp),
		Name: r.Name, Type: r.Type, Class: r.Class, Transport: r.Transport,
		Action: r.Action, RuleGroupID: r.RuleGroupID, DomainListID: r.DomainListID, Protection: r.Protection,
		SourceAddr: r.Source.Addr().String(), SourcePort: strconv.Itoa(int(r.Source.Port())), VPC: r.VPC,
		Resources: []resource{},
	}
	if r.Instance != "" {
		e.Resources = append(e.Resources, resource{"instance", idValue{r.Instance}})
	}
	detail, err := json.Marshal(e)
	return detailType, detail, err == nil
}
