package main

import (
	"context"
	"errors"
	"fmt"

	"sumun.dev/api/eventsapi"
	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/iamapi"
	r53 "sumun.dev/api/route53resolverapi"
	"sumun.dev/api/securityhubapi"
	"sumun.dev/bench/program"
	"sumun.dev/wire"
)

// arm sets the loop up: everything but the query.
func arm(ctx context.Context, p *program.Program) error {
	s := &setup{ctx: ctx, p: p}
	list := call(s, &r53.CreateFirewallDomainList, &r53.CreateFirewallDomainListRequest{Name: "blocked", CreatorRequestId: "1"})
	group := call(s, &r53.CreateFirewallRuleGroup, &r53.CreateFirewallRuleGroupRequest{Name: "defence", CreatorRequestId: "1"})
	if s.err != nil {
		return s.err
	}
	listID, groupID := *list.FirewallDomainList.Id, *group.FirewallRuleGroup.Id
	call(s, &r53.CreateFirewallRule, &r53.CreateFirewallRuleRequest{
		Name: "block", CreatorRequestId: "1", FirewallRuleGroupId: groupID, FirewallDomainListId: &listID, Priority: 10,
		Action: r53.ActionBlock, BlockResponse: new(r53.BlockResponseNxdomain),
	})
	call(s, &r53.AssociateFirewallRuleGroup, &r53.AssociateFirewallRuleGroupRequest{
		Name: "web", CreatorRequestId: "1", FirewallRuleGroupId: groupID, VpcId: "vpc-0a1b2c3d", Priority: 101,
	})
	role(s, "bus", "events", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"ssm:StartAutomationExecution","Resource":"*"},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::`+program.Account+`:role/runbook"}]}`)
	role(s, "runbook", "ssm", fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"route53resolver:UpdateFirewallDomains","Resource":%q},
		{"Effect":"Allow","Action":"securityhub:BatchUpdateFindings","Resource":"*"}]}`, *list.FirewallDomainList.Arn))
	call(s, &securityhubapi.EnableSecurityHub, &securityhubapi.EnableSecurityHubRequest{EnableDefaultStandards: new(false)})
	call(s, &guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Enable: true})
	call(s, &eventsapi.PutRule, &eventsapi.PutRuleRequest{Name: "block-domain", EventPattern: new(`{
		"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Imported"],
		"detail":{"findings":{"ProductName":["GuardDuty"],"Workflow":{"Status":["NEW"]}}}}`)})
	out := call(s, &eventsapi.PutTargets, &eventsapi.PutTargetsRequest{Rule: "block-domain", Targets: []eventsapi.Target{{
		Id: "runbook", RoleArn: new("arn:aws:iam::" + program.Account + ":role/bus"),
		Arn: "arn:aws:ssm:us-east-1:" + program.Account + ":automation-definition/Sumun-BlockDomain:$DEFAULT",
		InputTransformer: &eventsapi.InputTransformer{
			InputPathsMap: map[string]string{"domain": "$.detail.findings[0].Action.DnsRequestAction.Domain", "id": "$.detail.findings[0].Id", "product": "$.detail.findings[0].ProductArn"},
			InputTemplate: `{"AutomationAssumeRole":["arn:aws:iam::` + program.Account + `:role/runbook"],"FirewallDomainListId":["` + listID +
				`"],"Domain":[<domain>],"FindingId":[<id>],"FindingProductArn":[<product>]}`,
		},
	}}})
	if s.err == nil && *out.FailedEntryCount > 0 {
		return errors.New("PutTargets: " + *out.FailedEntries[0].ErrorMessage)
	}
	return s.err
}

// role makes a role that a service may assume.
func role(s *setup, name, service, may string) {
	call(s, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: name, AssumeRolePolicyDocument: `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"Service":"` + service + `.amazonaws.com"},"Action":"sts:AssumeRole"}]}`})
	call(s, &iamapi.PutRolePolicy, &iamapi.PutRolePolicyRequest{RoleName: name, PolicyName: "p", PolicyDocument: may})
}

// A setup is a row of calls that ends at the first error.
type setup struct {
	ctx context.Context
	p   *program.Program
	err error
}

func call[In, Out any](s *setup, op *wire.Operation[In, Out], in In) Out {
	var out Out
	if s.err != nil {
		return out
	}
	if out, s.err = program.Call(s.ctx, s.p, op, in); s.err != nil {
		s.err = fmt.Errorf("%s: %w", op, s.err)
	}
	return out
}
