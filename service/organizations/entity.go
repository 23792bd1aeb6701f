package organizations

import (
	"context"
	"slices"
	"strings"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/service"
	"sumun.dev/store"
)

// NoEntity says why there is nothing to report on, in a sentence for the client.
type NoEntity string

func (n NoEntity) Error() string { return string(n) }

const (
	notManagement = NoEntity("The account is not the management account of an organization.")
	scpsDisabled  = NoEntity("Service control policies are not enabled for the organization root.")
	noEntity      = NoEntity("The EntityPath leads to no root, organizational unit or account of the organization.")
	noSCP         = NoEntity("The OrganizationsPolicyId is of no service control policy of the organization.")
)

// Entity returns what path leads to in the organisation that account manages:
// "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111". With the id of a service control policy
// it is what only that policy says, to the accounts that it binds. The error may be a
// NoEntity.
func (s *Service) Entity(ctx context.Context, account aws.Account, path, scp string) (*service.OrganizationEntity, error) {
	o, err := s.at(ctx, account)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, notManagement
	}
	if !o.enabled(organizationsapi.PolicyTypeServiceControlPolicy) {
		return nil, scpsDisabled
	}
	line, err := s.lineAt(ctx, o, path)
	if err != nil {
		return nil, err
	}
	levels, err := s.said(ctx, o, line, scp)
	if err != nil {
		return nil, err
	}
	e := &service.OrganizationEntity{SCPs: levels, Accounts: map[aws.Account]string{}}
	if line[len(line)-1].ID == string(o.Management) {
		e.SCPs = nil
	}
	bound := scp == "" || slices.ContainsFunc(line[:len(line)-1], func(n *node) bool { return n.has(scp) })
	return e, s.below(ctx, o, line[len(line)-1], strings.TrimSuffix(path, "/"), scp, bound, e.Accounts)
}

// lineAt returns the nodes from the root down to what the path leads to.
func (s *Service) lineAt(ctx context.Context, o *organization, path string) ([]*node, error) {
	steps := strings.Split(strings.TrimSuffix(path, "/"), "/")
	if len(steps) < 2 || steps[0] != o.ID {
		return nil, noEntity
	}
	n, err := s.node(ctx, o, steps[len(steps)-1])
	if err != nil {
		return nil, err
	}
	if n == nil {
		return nil, noEntity
	}
	line, err := s.line(ctx, o, n)
	if err == nil && !slices.EqualFunc(line, steps[1:], func(n *node, step string) bool { return n.ID == step }) {
		err = noEntity
	}
	return line, err
}

// said returns the levels of service control policies along a line, or the one
// level of the policy that is asked about.
func (s *Service) said(ctx context.Context, o *organization, line []*node, scp string) ([][]*policy.Attached, error) {
	const t = organizationsapi.PolicyTypeServiceControlPolicy
	if scp == "" {
		return s.levels(ctx, o, line, t, policy.SCP)
	}
	p, err := s.policy(ctx, o, scp)
	if err != nil {
		return nil, err
	}
	if p == nil || p.Type != t {
		return nil, noSCP
	}
	doc, err := s.compiled(p, policy.SCP)
	return [][]*policy.Attached{{{Document: doc, Source: o.policyARN(t, scp).String()}}}, err
}

// below adds the accounts at and below a node that the policy binds. bound says
// that it already binds what is above.
func (s *Service) below(ctx context.Context, o *organization, n *node, path, scp string, bound bool, to map[aws.Account]string) error {
	bound = bound || n.has(scp)
	if n.Kind == isAccount {
		if bound || n.ID == string(o.Management) {
			to[aws.Account(n.ID)] = path
		}
		return nil
	}
	for _, kind := range []string{isAccount, isUnit} {
		for after := ""; ; {
			page, err := s.nodes.In(o.place()).PageBy(ctx, byParent, kind+"/"+n.ID, store.Range{After: after})
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				after = e.ID
				if e.ID == string(o.Management) {
					continue // no policy binds it
				}
				if err := s.below(ctx, o, e.Value, path+"/"+e.ID, scp, bound, to); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
