package inventory

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/policy/batch"
)

// An Organization is a dump of AWS Organizations: what describe-organization,
// list-roots, list-organizational-units-for-parent, list-accounts-for-parent,
// list-policies, describe-policy and list-targets-for-policy print, in one
// object. docs/policy-check.md has a script that writes it.
type Organization struct {
	Organization struct {
		ID      string      `json:"Id"` // "o-exampleorgid"
		Account aws.Account `json:"MasterAccountId"`
	}
	Roots []struct {
		ID    string `json:"Id"`
		Types []struct {
			Type, Status string
		} `json:"PolicyTypes"`
	}
	Units    []Node   `json:"OrganizationalUnits"`
	Accounts []Node   `json:"Accounts"`
	Policies []Policy `json:"Policies"`

	parents map[string]string // of units and accounts, by id
}

// A Node is an organizational unit or an account, with the root or unit that it
// is in.
type Node struct {
	ID     string `json:"Id"`
	Name   string
	Parent string `json:"ParentId"`
}

// A Policy is a policy of the organisation with what it is attached to.
type Policy struct {
	Summary struct {
		ID   string `json:"Id"`
		ARN  string `json:"Arn"`
		Name string
		Type string // SERVICE_CONTROL_POLICY, RESOURCE_CONTROL_POLICY
	} `json:"PolicySummary"`
	Content text
	Targets []struct {
		ID string `json:"TargetId"`
	}
}

// maxDepth bounds the way from an account to the root. AWS allows five levels of
// units.
const maxDepth = 8

func (inv *Inventory) addOrganization(v jsontext.Value) error {
	if inv.organization != nil {
		return errors.New("there is an organisation already; an account is in one only")
	}
	o := &Organization{parents: map[string]string{}}
	if err := json.Unmarshal(v, o); err != nil {
		return fmt.Errorf("it is not an organisation as docs/policy-check.md describes it: %w", err)
	}
	if o.Organization.ID == "" || o.Organization.Account == "" || len(o.Roots) != 1 {
		return errors.New("an organisation has an Organization with Id and MasterAccountId, and one of Roots")
	}
	for _, n := range slices.Concat(o.Units, o.Accounts) {
		if n.ID == "" || n.Parent == "" {
			return fmt.Errorf("%q %s: units and accounts have Id and ParentId", n.ID, n.Name)
		}
		if _, twice := o.parents[n.ID]; twice {
			return fmt.Errorf("%s is there twice", n.ID)
		}
		o.parents[n.ID] = n.Parent
	}
	for _, n := range slices.Concat(o.Units, o.Accounts) {
		if _, err := o.path(n.ID); err != nil {
			return err
		}
	}
	inv.organization = o
	for _, n := range o.Accounts {
		if _, err := inv.Membership(aws.Account(n.ID)); err != nil {
			inv.organization = nil
			return err
		}
	}
	return nil
}

// path returns the ids from the root to id, both included.
func (o *Organization) path(id string) ([]string, error) {
	path := []string{id}
	for at := id; at != o.Roots[0].ID; path = append(path, at) {
		parent, known := o.parents[at]
		if !known || len(path) > maxDepth {
			return nil, fmt.Errorf("%s: no way leads from %s to the root %s", id, at, o.Roots[0].ID)
		}
		at = parent
	}
	slices.Reverse(path)
	return path, nil
}

// Membership returns where an account stands in the organisation; nil when it is
// in none that is known.
func (inv *Inventory) Membership(account aws.Account) (*policy.Membership, error) {
	o := inv.organization
	if o == nil || o.parents[string(account)] == "" {
		return nil, nil
	}
	path, err := o.path(string(account))
	if err != nil {
		return nil, err
	}
	m := &policy.Membership{Organization: o.Organization.ID, Path: o.Organization.ID + "/", Management: account == o.Organization.Account}
	for _, id := range path[:len(path)-1] {
		m.Path += id + "/"
	}
	if m.Management {
		return m, nil
	}
	if m.SCPs, err = inv.levels(path, "SERVICE_CONTROL_POLICY", policy.SCP); err != nil {
		return nil, err
	}
	m.RCPs, err = inv.levels(path, "RESOURCE_CONTROL_POLICY", policy.RCP)
	return m, err
}

// levels returns the policies of one type that are attached along the path; nil
// when the type is not enabled.
func (inv *Inventory) levels(path []string, name string, kind policy.Kind) ([][]*policy.Attached, error) {
	o := inv.organization
	enabled := false
	for _, t := range o.Roots[0].Types {
		enabled = enabled || t.Type == name && t.Status == "ENABLED"
	}
	if !enabled {
		return nil, nil
	}
	levels := make([][]*policy.Attached, len(path))
	if kind == policy.RCP {
		full, err := FullRCP()
		if err != nil {
			return nil, err
		}
		for i := range levels {
			levels[i] = []*policy.Attached{full}
		}
	}
	for i := range o.Policies {
		p := &o.Policies[i]
		if p.Summary.Type != name {
			continue
		}
		for _, target := range p.Targets {
			at := slices.Index(path, target.ID)
			if at < 0 {
				continue
			}
			if kind == policy.RCP && batch.FullAccess([]byte(p.Content)) {
				continue
			}
			a, err := inv.compile(p.source(), string(p.Content), kind)
			if err != nil {
				return nil, err
			}
			levels[at] = append(levels[at], a)
		}
	}
	return levels, nil
}

func (p *Policy) source() string {
	if p.Summary.ARN != "" {
		return p.Summary.ARN
	}
	return p.Summary.ID
}

// FullRCP returns RCPFullAWSAccess. AWS attaches it to the root, to every unit
// and to every account, and it cannot be detached.
func FullRCP() (*policy.Attached, error) {
	d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`), policy.Resource)
	return &policy.Attached{Document: d, Source: "arn:aws:organizations::aws:policy/resource_control_policy/p-RCPFullAWSAccess"}, err
}

// FullSCP returns FullAWSAccess, the SCP that AWS attaches first and that can be detached.
func FullSCP() (*policy.Attached, error) {
	d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`), policy.SCP)
	return &policy.Attached{Document: d, Source: "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"}, err
}
