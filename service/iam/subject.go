package iam

import (
	"context"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/store"
)

// A subject is what a report is of: a user, group, role or policy.
type subject struct {
	kind, name string
	policies   []*policy.Attached  // that grant
	entities   []iamapi.EntityInfo // users and roles to whom they grant
}

// subject returns the user, group, role or managed policy with this ARN, of the
// call's account or AWS's own.
func (s *Service) subject(ctx context.Context, text string) (*subject, error) {
	call := aws.CallOf(ctx)
	arn, err := aws.ParseARN(text)
	if err != nil || arn.Service != "iam" {
		return nil, invalid("Invalid Entity Arn: %s", text)
	}
	kind, rest, _ := strings.Cut(arn.Resource, "/")
	name := rest[strings.LastIndexByte(rest, '/')+1:]
	outside := store.Outside(ctx)
	switch {
	case kind == "user" || kind == "role":
		src, err := s.source(ctx, text)
		if err != nil {
			return nil, err
		}
		path := strings.TrimSuffix(arn.Resource[len(kind):], name)
		of := iamapi.PolicyOwnerEntityTypeUser
		if kind == "role" {
			of = iamapi.PolicyOwnerEntityTypeRole
		}
		return &subject{kind, src.user, src.policies.Identity, []iamapi.EntityInfo{{Arn: text, Name: name, Type: of, Id: src.id, Path: &path}}}, nil
	case kind == "group" && arn.Account == call.Account:
		of, err := s.source(ctx, text)
		if err != nil {
			return nil, err
		}
		src := &subject{kind: kind, name: name, policies: of.policies.Identity}
		return src, s.addUsers(outside, src, "group", of.id)
	case kind == "policy":
		if _, err := s.ManagedPolicy(outside, call.Account, text); err != nil {
			return nil, iamapi.NoSuchEntityException.New("Policy %s does not exist.", text)
		}
		src := &subject{kind: kind, name: name}
		if src.policies, err = s.compiledGrants(outside, name, &grants{Attached: []string{text}}); err != nil {
			return nil, err
		}
		if err := s.addUsers(outside, src, "uses", useAttached+text); err != nil {
			return nil, err
		}
		return src, s.addRoles(outside, src, useAttached+text)
	}
	return nil, invalid("Invalid Entity Arn: %s", text)
}

// compiledGrants returns the policies of one holder.
func (s *Service) compiledGrants(ctx context.Context, holder string, g *grants) ([]*policy.Attached, error) {
	c := &compiler{s: s, account: aws.CallOf(ctx).Account, holder: &knownHolder{policies: &policy.Policies{}}}
	err := c.grants(ctx, holder, g)
	return c.holder.policies.Identity, err
}

func (s *Service) addUsers(ctx context.Context, src *subject, index, value string) error {
	call, r := aws.CallOf(ctx), store.Range{Limit: store.MaxPage}
	users, err := s.users.PageBy(ctx, index, value, r)
	for _, e := range users {
		u := e.Value
		src.entities = append(src.entities, iamapi.EntityInfo{Arn: userARN(call.Partition, call.Account, u).String(), Name: u.Name, Type: iamapi.PolicyOwnerEntityTypeUser, Id: u.ID, Path: &u.Path})
	}
	return err
}

func (s *Service) addRoles(ctx context.Context, src *subject, value string) error {
	call, r := aws.CallOf(ctx), store.Range{Limit: store.MaxPage}
	roles, err := s.roles.PageBy(ctx, "uses", value, r)
	for _, e := range roles {
		x := e.Value
		src.entities = append(src.entities, iamapi.EntityInfo{Arn: roleARN(call.Partition, call.Account, x).String(), Name: x.Name, Type: iamapi.PolicyOwnerEntityTypeRole, Id: x.ID, Path: &x.Path})
	}
	return err
}
