package main

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/policy/inventory"
)

// make plans what the dump has.
func (p *importPlan) make(dump *inventory.Inventory) {
	a := dump.Accounts()[0]
	for _, m := range a.Policies {
		p.policy(m)
	}
	for _, g := range a.Groups {
		p.group(g)
	}
	for _, u := range a.Users {
		p.user(u)
	}
	for _, r := range a.Roles {
		p.role(r)
	}
	for _, r := range a.Roles { // when all roles are there, they can trust each other
		p.trust(r)
	}
}

// policy makes a managed policy with its versions, the default one last; their
// numbers begin with v1 again.
func (p *importPlan) policy(m *inventory.ManagedPolicy) {
	arn := m.ARN.String()
	versions := ordered(m)
	begun := 0
	if there := p.have.ManagedPolicy(m.ARN); there != nil {
		made := ordered(there)
		for begun < len(made) && begun < len(versions) && same(made[begun].Text, versions[begun].Text) {
			begun++
		}
		switch {
		case begun == len(versions) && begun == len(made), same(there.Text(), m.Text()):
			p.same++
			return
		case begun < len(made):
			p.differs = append(p.differs, "policy "+m.Name+" is there and differs")
			if len(made) >= 5 {
				p.add("delete version "+made[0].ID+" of policy "+m.Name, &iamapi.DeletePolicyVersion, &iamapi.DeletePolicyVersionRequest{PolicyArn: arn, VersionId: made[0].ID})
			}
			begun = len(versions) - 1
		}
	}
	for i, v := range versions {
		switch {
		case i < begun:
		case i == 0 && p.have.ManagedPolicy(m.ARN) == nil:
			p.add("create policy "+m.Name, &iamapi.CreatePolicy, &iamapi.CreatePolicyRequest{PolicyName: m.Name, Path: path(m.Path), PolicyDocument: v.Text})
		default:
			p.add("version of policy "+m.Name, &iamapi.CreatePolicyVersion, &iamapi.CreatePolicyVersionRequest{PolicyArn: arn, PolicyDocument: v.Text, SetAsDefault: new(v.ID == m.Default)})
		}
	}
}

// ordered returns the versions of a policy by number, the default one last.
func ordered(m *inventory.ManagedPolicy) []inventory.Version {
	return slices.SortedFunc(slices.Values(m.Versions), func(a, b inventory.Version) int { return cmp.Compare(versionNumber(a, m), versionNumber(b, m)) })
}

func versionNumber(v inventory.Version, m *inventory.ManagedPolicy) int {
	n, err := strconv.Atoi(strings.TrimPrefix(v.ID, "v"))
	if v.ID == m.Default || err != nil {
		return 1 << 30
	}
	return n
}

func path(s string) *string {
	if s == "" || s == "/" {
		return nil
	}
	return &s
}

func boundary(e *inventory.Entity) *string {
	if e.Boundary == "" {
		return nil
	}
	return &e.Boundary
}

func tags(e *inventory.Entity) []iamapi.Tag {
	var all []iamapi.Tag
	for _, key := range slices.Sorted(maps.Keys(e.Tags)) {
		all = append(all, iamapi.Tag{Key: key, Value: e.Tags[key]})
	}
	return all
}

func (p *importPlan) group(g *inventory.Group) {
	has := &inventory.Entity{}
	if there := p.have.Group(p.account, g.Name); there != nil {
		var clear bool
		if has, clear = p.continues("group "+g.Name, &there.Entity, &g.Entity, true); clear {
			for _, d := range there.Inline {
				p.add("delete policy "+d.Name+" of group "+g.Name, &iamapi.DeleteGroupPolicy, &iamapi.DeleteGroupPolicyRequest{GroupName: g.Name, PolicyName: d.Name})
			}
			for _, arn := range there.Attached {
				p.add("detach "+arn+" from group "+g.Name, &iamapi.DetachGroupPolicy, &iamapi.DetachGroupPolicyRequest{GroupName: g.Name, PolicyArn: arn})
			}
		}
	} else {
		p.add("create group "+g.Name, &iamapi.CreateGroup, &iamapi.CreateGroupRequest{GroupName: g.Name, Path: path(g.Path)})
	}
	for _, d := range g.Inline {
		if !hasInline(has, d) {
			p.add("policy "+d.Name+" of group "+g.Name, &iamapi.PutGroupPolicy, &iamapi.PutGroupPolicyRequest{GroupName: g.Name, PolicyName: d.Name, PolicyDocument: d.Text})
		}
	}
	for _, arn := range g.Attached {
		if !slices.Contains(has.Attached, arn) {
			p.add("attach "+arn+" to group "+g.Name, &iamapi.AttachGroupPolicy, &iamapi.AttachGroupPolicyRequest{GroupName: g.Name, PolicyArn: arn})
		}
	}
}

func (p *importPlan) user(u *inventory.User) {
	has, in := &inventory.Entity{}, []string(nil)
	if there := p.have.User(p.account, u.Name); there != nil {
		alike := !slices.ContainsFunc(there.Groups, func(g string) bool { return !slices.Contains(u.Groups, g) })
		var clear bool
		if has, clear = p.continues("user "+u.Name, &there.Entity, &u.Entity, alike); clear {
			p.clearUser(there, u)
		} else {
			in = there.Groups
		}
	} else {
		p.add("create user "+u.Name, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: u.Name, Path: path(u.Path), PermissionsBoundary: boundary(&u.Entity), Tags: tags(&u.Entity)})
	}
	for _, d := range u.Inline {
		if !hasInline(has, d) {
			p.add("policy "+d.Name+" of user "+u.Name, &iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: u.Name, PolicyName: d.Name, PolicyDocument: d.Text})
		}
	}
	for _, arn := range u.Attached {
		if !slices.Contains(has.Attached, arn) {
			p.add("attach "+arn+" to user "+u.Name, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: u.Name, PolicyArn: arn})
		}
	}
	for _, g := range u.Groups {
		if !slices.Contains(in, g) {
			p.add("user "+u.Name+" into group "+g, &iamapi.AddUserToGroup, &iamapi.AddUserToGroupRequest{UserName: u.Name, GroupName: g})
		}
	}
}

func (p *importPlan) clearUser(there, want *inventory.User) {
	name := there.Name
	for _, d := range there.Inline {
		p.add("delete policy "+d.Name+" of user "+name, &iamapi.DeleteUserPolicy, &iamapi.DeleteUserPolicyRequest{UserName: name, PolicyName: d.Name})
	}
	for _, arn := range there.Attached {
		p.add("detach "+arn+" from user "+name, &iamapi.DetachUserPolicy, &iamapi.DetachUserPolicyRequest{UserName: name, PolicyArn: arn})
	}
	for _, g := range there.Groups {
		p.add("user "+name+" out of group "+g, &iamapi.RemoveUserFromGroup, &iamapi.RemoveUserFromGroupRequest{UserName: name, GroupName: g})
	}
	switch {
	case want.Boundary != "":
		p.add("boundary of user "+name, &iamapi.PutUserPermissionsBoundary, &iamapi.PutUserPermissionsBoundaryRequest{UserName: name, PermissionsBoundary: want.Boundary})
	case there.Boundary != "":
		p.add("no boundary of user "+name, &iamapi.DeleteUserPermissionsBoundary, &iamapi.DeleteUserPermissionsBoundaryRequest{UserName: name})
	}
	if len(there.Tags) > 0 {
		p.add("no tags of user "+name, &iamapi.UntagUser, &iamapi.UntagUserRequest{UserName: name, TagKeys: slices.Sorted(maps.Keys(there.Tags))})
	}
	if len(want.Tags) > 0 {
		p.add("tags of user "+name, &iamapi.TagUser, &iamapi.TagUserRequest{UserName: name, Tags: tags(&want.Entity)})
	}
}
