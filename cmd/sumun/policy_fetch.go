package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"sumun.dev/api/iamapi"
	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/plane/client"
	"sumun.dev/policy/inventory"
)

// maxPages bounds how often the plane is asked for a further page.
const maxPages = 10_000

// fetch reads the caller's account and its organisation from a plane, in the form
// that dumps have.
func fetch(ctx context.Context, c *client.Client, into *inventory.Inventory) error {
	if err := fetchDetails(ctx, c, into); err != nil {
		return err
	}
	return fetchOrganization(ctx, c, into)
}

func fetchDetails(ctx context.Context, c *client.Client, into *inventory.Inventory) error {
	in := &iamapi.GetAccountAuthorizationDetailsRequest{}
	for range maxPages {
		page, err := iamapi.GetAccountAuthorizationDetails.Call(ctx, c, in)
		if err != nil {
			return fmt.Errorf("the plane's users and roles: %w", err)
		}
		if err := add(into, page); err != nil {
			return err
		}
		if page.Marker == nil || *page.Marker == "" {
			return nil
		}
		in.Marker = page.Marker
	}
	return errors.New("the plane's users and roles do not end")
}

func add(into *inventory.Inventory, page any) error {
	text, err := json.Marshal(page)
	if err != nil {
		return err
	}
	return into.Add(bytes.NewReader(text))
}

// An organization is what docs/policy-check.md describes.
type organization struct {
	Organization                         any
	Roots, OrganizationalUnits, Accounts []any
	Policies                             []*attachedPolicy
}

type attachedPolicy struct {
	PolicySummary any
	Content       string
	Targets       []organizationsapi.PolicyTargetSummary
}

type child struct {
	Id, Name, ParentId string
}

func fetchOrganization(ctx context.Context, c *client.Client, into *inventory.Inventory) error {
	about, err := organizationsapi.DescribeOrganization.Call(ctx, c, &organizationsapi.DescribeOrganizationRequest{})
	if nobody(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the plane's organisation: %w", err)
	}
	o := &organization{Organization: about.Organization}
	roots, err := organizationsapi.ListRoots.Call(ctx, c, &organizationsapi.ListRootsRequest{})
	if err != nil {
		return fmt.Errorf("the plane's organisation: %w", err)
	}
	for i := range roots.Roots {
		o.Roots = append(o.Roots, &roots.Roots[i])
		if err := o.below(ctx, c, *roots.Roots[i].Id, 0); err != nil {
			return fmt.Errorf("the plane's organisation: %w", err)
		}
	}
	for _, kind := range []organizationsapi.PolicyType{organizationsapi.PolicyTypeServiceControlPolicy, organizationsapi.PolicyTypeResourceControlPolicy} {
		if err := o.policies(ctx, c, kind); err != nil {
			return fmt.Errorf("the plane's organisation: %w", err)
		}
	}
	return add(into, o)
}

// nobody reports whether an account is in no organisation, or the plane serves none.
func nobody(err error) bool {
	var e *aws.Error
	return errors.As(err, &e) && (e.Code == "AWSOrganizationsNotInUseException" || e.Code == aws.UnsupportedOperation.Code)
}

const maxDepth = 8

// below reads the units and accounts in a root or unit.
func (o *organization) below(ctx context.Context, c *client.Client, parent string, depth int) error {
	if depth > maxDepth {
		return errors.New("its units do not end")
	}
	accounts := &organizationsapi.ListAccountsForParentRequest{ParentId: parent}
	for range maxPages {
		page, err := organizationsapi.ListAccountsForParent.Call(ctx, c, accounts)
		if err != nil {
			return err
		}
		for i := range page.Accounts {
			o.Accounts = append(o.Accounts, child{*page.Accounts[i].Id, *page.Accounts[i].Name, parent})
		}
		if accounts.NextToken = page.NextToken; page.NextToken == nil {
			break
		}
	}
	units := &organizationsapi.ListOrganizationalUnitsForParentRequest{ParentId: parent}
	for range maxPages {
		page, err := organizationsapi.ListOrganizationalUnitsForParent.Call(ctx, c, units)
		if err != nil {
			return err
		}
		for i := range page.OrganizationalUnits {
			u := &page.OrganizationalUnits[i]
			o.OrganizationalUnits = append(o.OrganizationalUnits, child{*u.Id, *u.Name, parent})
			if err := o.below(ctx, c, *u.Id, depth+1); err != nil {
				return err
			}
		}
		if units.NextToken = page.NextToken; page.NextToken == nil {
			break
		}
	}
	return nil
}

func (o *organization) policies(ctx context.Context, c *client.Client, kind organizationsapi.PolicyType) error {
	in := &organizationsapi.ListPoliciesRequest{Filter: kind}
	for range maxPages {
		page, err := organizationsapi.ListPolicies.Call(ctx, c, in)
		if err != nil {
			return err
		}
		for i := range page.Policies {
			id := *page.Policies[i].Id
			text, err := organizationsapi.DescribePolicy.Call(ctx, c, &organizationsapi.DescribePolicyRequest{PolicyId: id})
			if err != nil {
				return err
			}
			p := &attachedPolicy{PolicySummary: text.Policy.PolicySummary, Content: *text.Policy.Content}
			targets := &organizationsapi.ListTargetsForPolicyRequest{PolicyId: id}
			for range maxPages {
				page, err := organizationsapi.ListTargetsForPolicy.Call(ctx, c, targets)
				if err != nil {
					return err
				}
				p.Targets = append(p.Targets, page.Targets...)
				if targets.NextToken = page.NextToken; page.NextToken == nil {
					break
				}
			}
			o.Policies = append(o.Policies, p)
		}
		if in.NextToken = page.NextToken; page.NextToken == nil {
			return nil
		}
	}
	return errors.New("its policies do not end")
}
