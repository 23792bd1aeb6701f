package inventory

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/aws"
)

// An Entity is what users, groups and roles have in common.
type Entity struct {
	ARN      aws.ARN
	ID       string // AIDA…, AGPA…, AROA…
	Name     string
	Path     string
	Inline   []Document
	Attached []string // ARNs of managed policies
	Boundary string   // ARN; empty: none
	Tags     map[string]string

	groups  []string
	account *Account
}

// A Document is an inline policy.
type Document struct{ Name, Text string }

// A User is a user with the names of its groups.
type User struct {
	Entity
	Groups []string
}

// A Group is a group of users.
type Group struct{ Entity }

// A Role is a role with its trust policy.
type Role struct {
	Entity
	Trust            string
	InstanceProfiles []InstanceProfile
}

// An InstanceProfile hands a role to instances.
type InstanceProfile struct{ Name, Path string }

// A ManagedPolicy is a managed policy, of the customer or of AWS.
type ManagedPolicy struct {
	ARN        aws.ARN
	ID         string
	Name, Path string
	Default    string // the default version: "v3"
	Versions   []Version
}

// A Version is one version of a managed policy.
type Version struct{ ID, Text string }

// Text returns the document of the default version.
func (p *ManagedPolicy) Text() string {
	for _, v := range p.Versions {
		if v.ID == p.Default {
			return v.Text
		}
	}
	return ""
}

// The shapes of GetAccountAuthorizationDetails, as far as they matter here.
// IAM API Reference, GetAccountAuthorizationDetails.
type details struct {
	UserDetailList []struct {
		common
		UserName, UserId string
		UserPolicyList   []inline
		GroupList        []string
	}
	GroupDetailList []struct {
		common
		GroupName, GroupId string
		GroupPolicyList    []inline
	}
	RoleDetailList []struct {
		common
		RoleName, RoleId         string
		AssumeRolePolicyDocument text
		RolePolicyList           []inline
		InstanceProfileList      []struct{ InstanceProfileName, Path string }
	}
	Policies []struct {
		PolicyName, PolicyId, Arn, Path, DefaultVersionId string
		PolicyVersionList                                 []struct {
			Document         text
			VersionId        string
			IsDefaultVersion bool
		}
	}
	IsTruncated bool
	Marker      string
}

type common struct {
	Path, Arn               string
	AttachedManagedPolicies []struct{ PolicyName, PolicyArn string }
	PermissionsBoundary     struct{ PermissionsBoundaryType, PermissionsBoundaryArn string }
	Tags                    []struct{ Key, Value string }
}

type inline struct {
	PolicyName     string
	PolicyDocument text
}

// A text is a policy document: an object, as the CLI shows it, or a string, as
// the API has it: percent-encoded JSON.
type text string

// UnmarshalJSONFrom reads both forms.
func (t *text) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	v, err := in.ReadValue()
	if err != nil {
		return err
	}
	switch v.Kind() {
	case '{':
		*t = text(v)
		return nil
	case '"':
		var s string
		if err := json.Unmarshal(v, &s); err != nil {
			return err
		}
		if strings.HasPrefix(strings.TrimSpace(s), "{") {
			*t = text(s)
			return nil
		}
		s, err := url.PathUnescape(s)
		*t = text(s)
		return err
	}
	return errors.New("a policy document is an object, or a string that holds one")
}

func (inv *Inventory) addDetails(v jsontext.Value) error {
	if inv.entities == nil {
		inv.entities, inv.managed = map[aws.ARN]*Entity{}, map[aws.ARN]*ManagedPolicy{}
	}
	var d details
	if err := json.Unmarshal(v, &d); err != nil {
		return fmt.Errorf("it is not what get-account-authorization-details prints: %w", err)
	}
	for _, u := range d.UserDetailList {
		e, err := inv.entity("user", u.UserName, u.UserId, &u.common, u.UserPolicyList)
		if err != nil {
			return err
		}
		e.groups = u.GroupList
		user := &User{Entity: *e, Groups: u.GroupList}
		e.account.Users = append(e.account.Users, user)
		inv.entities[e.ARN] = &user.Entity
	}
	for _, g := range d.GroupDetailList {
		e, err := inv.entity("group", g.GroupName, g.GroupId, &g.common, g.GroupPolicyList)
		if err != nil {
			return err
		}
		group := &Group{Entity: *e}
		e.account.Groups = append(e.account.Groups, group)
		inv.entities[e.ARN] = &group.Entity
	}
	for _, r := range d.RoleDetailList {
		e, err := inv.entity("role", r.RoleName, r.RoleId, &r.common, r.RolePolicyList)
		if err != nil {
			return err
		}
		role := &Role{Entity: *e, Trust: string(r.AssumeRolePolicyDocument)}
		for _, p := range r.InstanceProfileList {
			role.InstanceProfiles = append(role.InstanceProfiles, InstanceProfile{p.InstanceProfileName, p.Path})
		}
		e.account.Roles = append(e.account.Roles, role)
		inv.entities[e.ARN] = &role.Entity
	}
	for _, p := range d.Policies {
		arn, err := aws.ParseARN(p.Arn)
		if err != nil || arn.Service != "iam" {
			return fmt.Errorf("policy %q: its ARN is %q", p.PolicyName, p.Arn)
		}
		m := &ManagedPolicy{ARN: arn, ID: p.PolicyId, Name: p.PolicyName, Path: p.Path, Default: p.DefaultVersionId}
		for _, v := range p.PolicyVersionList {
			m.Versions = append(m.Versions, Version{v.VersionId, string(v.Document)})
			if v.IsDefaultVersion {
				m.Default = v.VersionId
			}
		}
		if m.Text() == "" {
			return fmt.Errorf("policy %s: the dump does not hold its default version %q", p.Arn, m.Default)
		}
		switch {
		case arn.Account == "aws": // the dumps of several accounts hold the same ones
		case inv.managed[arn] != nil:
			return fmt.Errorf("policy %s is there twice", p.Arn)
		default:
			a := inv.account(arn.Account)
			a.Policies = append(a.Policies, m)
		}
		inv.managed[arn] = m
	}
	return nil
}

// account returns the account with this number.
func (inv *Inventory) account(id aws.Account) *Account {
	if inv.accounts == nil {
		inv.accounts = map[aws.Account]*Account{}
	}
	if inv.accounts[id] == nil {
		inv.accounts[id] = &Account{ID: id}
	}
	return inv.accounts[id]
}

func (inv *Inventory) entity(kind, name, id string, c *common, policies []inline) (*Entity, error) {
	arn, err := aws.ParseARN(c.Arn)
	if err != nil || arn.Service != "iam" || !strings.HasPrefix(arn.Resource, kind+"/") || !strings.HasSuffix(arn.Resource, "/"+name) {
		return nil, fmt.Errorf("%s %q: its ARN is %q", kind, name, c.Arn)
	}
	if _, err := aws.ParseAccount(string(arn.Account)); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Arn, err)
	}
	e := &Entity{ARN: arn, ID: id, Name: name, Path: c.Path, Boundary: c.PermissionsBoundary.PermissionsBoundaryArn, account: inv.account(arn.Account)}
	if inv.entities[arn] != nil {
		return nil, fmt.Errorf("%s is there twice", c.Arn)
	}
	for _, p := range policies {
		e.Inline = append(e.Inline, Document{p.PolicyName, string(p.PolicyDocument)})
	}
	for _, p := range c.AttachedManagedPolicies {
		e.Attached = append(e.Attached, p.PolicyArn)
	}
	for _, t := range c.Tags {
		if e.Tags == nil {
			e.Tags = map[string]string{}
		}
		e.Tags[t.Key] = t.Value
	}
	return e, nil
}
