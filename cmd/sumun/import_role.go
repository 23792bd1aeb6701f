package main

import (
	"maps"
	"slices"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/policy/inventory"
)

const linkedPath = "/aws-service-role/"

// nobodyYet is the trust policy of a role until those whom it trusts are there.
func (p *importPlan) nobodyYet() string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"` + string(p.account) + `"},"Action":"sts:AssumeRole"}]}`
}

func (p *importPlan) role(r *inventory.Role) {
	there := p.have.Role(p.account, r.Name)
	if service, linked := strings.CutPrefix(r.Path, linkedPath); linked {
		p.linked(r, there, strings.TrimSuffix(service, "/"))
		return
	}
	has := &inventory.Entity{}
	if there != nil {
		alike := same(there.Trust, r.Trust) || same(there.Trust, p.nobodyYet())
		var clear bool
		if has, clear = p.continues("role "+r.Name, &there.Entity, &r.Entity, alike); clear {
			p.clearRole(there, r)
		}
	} else {
		p.add("create role "+r.Name, &iamapi.CreateRole, &iamapi.CreateRoleRequest{
			RoleName: r.Name, Path: path(r.Path), AssumeRolePolicyDocument: p.nobodyYet(), PermissionsBoundary: boundary(&r.Entity), Tags: tags(&r.Entity),
		})
	}
	for _, d := range r.Inline {
		if !hasInline(has, d) {
			p.add("policy "+d.Name+" of role "+r.Name, &iamapi.PutRolePolicy, &iamapi.PutRolePolicyRequest{RoleName: r.Name, PolicyName: d.Name, PolicyDocument: d.Text})
		}
	}
	for _, arn := range r.Attached {
		if !slices.Contains(has.Attached, arn) {
			p.add("attach "+arn+" to role "+r.Name, &iamapi.AttachRolePolicy, &iamapi.AttachRolePolicyRequest{RoleName: r.Name, PolicyArn: arn})
		}
	}
	for _, i := range r.InstanceProfiles {
		if there != nil && slices.Contains(there.InstanceProfiles, i) {
			continue
		}
		p.add("create instance profile "+i.Name, &iamapi.CreateInstanceProfile, &iamapi.CreateInstanceProfileRequest{InstanceProfileName: i.Name, Path: path(i.Path)})
		p.steps[len(p.steps)-1].once = true
		p.add("role "+r.Name+" into instance profile "+i.Name, &iamapi.AddRoleToInstanceProfile, &iamapi.AddRoleToInstanceProfileRequest{InstanceProfileName: i.Name, RoleName: r.Name})
	}
}

// linked makes a service-linked role, which only its service's name can make. The
// plane does not know those of all services.
func (p *importPlan) linked(r, there *inventory.Role, service string) {
	if there != nil {
		p.same++
		return
	}
	in := &iamapi.CreateServiceLinkedRoleRequest{AWSServiceName: service}
	if _, suffix, found := strings.Cut(r.Name, "_"); found {
		in.CustomSuffix = &suffix
	}
	p.steps = append(p.steps, importStep{what: "service-linked role " + r.Name, op: &iamapi.CreateServiceLinkedRole, in: in, may: true})
}

// trust gives a role its trust policy. One that names somebody who is not there,
// in another account for one, cannot be kept, as in AWS: nobody can assume the
// role then.
func (p *importPlan) trust(r *inventory.Role) {
	there := p.have.Role(p.account, r.Name)
	if strings.HasPrefix(r.Path, linkedPath) || there != nil && same(there.Trust, r.Trust) {
		return
	}
	p.steps = append(p.steps, importStep{
		what: "trust policy of role " + r.Name, op: &iamapi.UpdateAssumeRolePolicy, may: true,
		in: &iamapi.UpdateAssumeRolePolicyRequest{RoleName: r.Name, PolicyDocument: r.Trust},
	})
}

func (p *importPlan) clearRole(there, want *inventory.Role) {
	name := there.Name
	for _, d := range there.Inline {
		p.add("delete policy "+d.Name+" of role "+name, &iamapi.DeleteRolePolicy, &iamapi.DeleteRolePolicyRequest{RoleName: name, PolicyName: d.Name})
	}
	for _, arn := range there.Attached {
		p.add("detach "+arn+" from role "+name, &iamapi.DetachRolePolicy, &iamapi.DetachRolePolicyRequest{RoleName: name, PolicyArn: arn})
	}
	switch {
	case want.Boundary != "":
		p.add("boundary of role "+name, &iamapi.PutRolePermissionsBoundary, &iamapi.PutRolePermissionsBoundaryRequest{RoleName: name, PermissionsBoundary: want.Boundary})
	case there.Boundary != "":
		p.add("no boundary of role "+name, &iamapi.DeleteRolePermissionsBoundary, &iamapi.DeleteRolePermissionsBoundaryRequest{RoleName: name})
	}
	if len(there.Tags) > 0 {
		p.add("no tags of role "+name, &iamapi.UntagRole, &iamapi.UntagRoleRequest{RoleName: name, TagKeys: slices.Sorted(maps.Keys(there.Tags))})
	}
	if len(want.Tags) > 0 {
		p.add("tags of role "+name, &iamapi.TagRole, &iamapi.TagRoleRequest{RoleName: name, Tags: tags(&want.Entity)})
	}
}
