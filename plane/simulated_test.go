package plane

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/plane/config"
	"sumun.dev/wire"
)

// A simulated is a call that touches one thing, and what the simulator must be told of it.
type simulated struct {
	call             func(ctx context.Context, through wire.Caller) error
	action, resource string
	told             map[string]string // what follows from the request
}

func doing[In, Out any](op *wire.Operation[In, Out], in In, action, resource string, told map[string]string) simulated {
	return simulated{func(ctx context.Context, through wire.Caller) error {
		_, err := op.Call(ctx, through, in)
		return err
	}, action, resource, told}
}

// The simulator's answer is the gate's: the same principal, policies and request
// get the same decision from a real call and from SimulatePrincipalPolicy.
func TestTheSimulatorDecidesAsTheGate(t *testing.T) {
	p := begun(t, config.Memory)
	defer end(t, p)
	root := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	account := p.Account()
	arn := func(resource string) string { return "arn:aws:iam::" + string(account) + ":" + resource }
	_, err := byRoot(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "bob", Path: new("/team/")})
	root("bob", err)
	const admin = "arn:aws:iam::aws:policy/AdministratorAccess"

	get := doing(&iamapi.GetUser, &iamapi.GetUserRequest{UserName: new("bob")}, "iam:GetUser", arn("user/team/bob"), nil)
	list := doing(&iamapi.ListUsers, &iamapi.ListUsersRequest{}, "iam:ListUsers", arn("user/"), nil)
	below := doing(&iamapi.ListUsers, &iamapi.ListUsersRequest{PathPrefix: new("/team/")}, "iam:ListUsers", arn("user/team/"), nil)
	tag := doing(&iamapi.TagUser, &iamapi.TagUserRequest{UserName: "bob", Tags: []iamapi.Tag{{Key: "team", Value: "blue"}}}, "iam:TagUser", arn("user/team/bob"),
		map[string]string{"aws:RequestTag/team": "blue", "aws:TagKeys": "team"})
	attach := doing(&iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "bob", PolicyArn: admin}, "iam:AttachUserPolicy", arn("user/team/bob"), map[string]string{"iam:PolicyARN": admin})
	bind := doing(&iamapi.PutUserPermissionsBoundary, &iamapi.PutUserPermissionsBoundaryRequest{UserName: "bob", PermissionsBoundary: admin}, "iam:PutUserPermissionsBoundary", arn("user/team/bob"), map[string]string{"iam:PermissionsBoundary": admin})
	group := doing(&iamapi.GetGroup, &iamapi.GetGroupRequest{GroupName: "none"}, "iam:GetGroup", arn("group/none"), nil)
	look := doing(&cloudtrailapi.LookupEvents, &cloudtrailapi.LookupEventsRequest{}, "cloudtrail:LookupEvents", "*", map[string]string{"aws:RequestedRegion": "us-east-1"})
	books := doing(&ssmapi.ListDocuments, &ssmapi.ListDocumentsRequest{}, "ssm:ListDocuments", "*", map[string]string{"aws:RequestedRegion": "us-east-1"})

	const (
		all   = `{"Effect":"Allow","Action":"*","Resource":"*"}`
		iam   = `{"Effect":"Allow","Action":"iam:*","Resource":"*"}`
		reads = `{"Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"}`
		no    = `{"Effect":"Deny","Action":"iam:*","Resource":"*"}`
	)
	when := func(effect, action, condition string) string {
		return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"*","Condition":` + condition + `}`
	}
	on := func(effect, action, resource string) string {
		return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `"}`
	}
	for i, c := range []struct {
		do                    simulated
		user, group, boundary string // statements
		tags                  []iamapi.Tag
		want                  string
	}{
		{do: get, want: "implicitDeny"},
		{do: get, user: all, want: "allowed"},
		{do: get, user: iam, want: "allowed"},
		{do: get, user: reads, want: "allowed"},
		{do: tag, user: reads, want: "implicitDeny"},
		{do: get, user: all + "," + no, want: "explicitDeny"},
		{do: get, group: iam, want: "allowed"},
		{do: get, user: iam, group: no, want: "explicitDeny"},
		{do: look, user: iam, group: no, want: "implicitDeny"},
		{do: get, user: iam, boundary: reads, want: "allowed"},
		{do: tag, user: iam, boundary: reads, want: "implicitDeny"},
		{do: tag, user: iam, boundary: all + "," + no, want: "explicitDeny"},
		{do: get, boundary: all, want: "implicitDeny"},
		{do: get, user: on("Allow", "iam:GetUser", arn("user/team/*")), want: "allowed"},
		{do: get, user: on("Allow", "iam:GetUser", arn("user/bob")), want: "implicitDeny"},
		{do: get, user: on("Allow", "IAM:getuser", "arn:aws:iam::*:user/*/bob"), want: "allowed"},
		{do: get, user: `{"Effect":"Allow","NotAction":"iam:GetUser","Resource":"*"}`, want: "implicitDeny"},
		{do: get, user: iam + `,{"Effect":"Deny","Action":"*","NotResource":"` + arn("user/team/*") + `"}`, want: "allowed"},
		{do: list, user: on("Allow", "iam:ListUsers", arn("user/*")), want: "allowed"},
		{do: below, user: on("Allow", "iam:ListUsers", arn("user/team/*")), want: "allowed"},
		{do: list, user: on("Allow", "iam:ListUsers", arn("user/team/*")), want: "implicitDeny"},
		{do: tag, user: when("Allow", "iam:TagUser", `{"StringEquals":{"aws:RequestTag/team":"blue"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}`), want: "allowed"},
		{do: tag, user: when("Allow", "iam:TagUser", `{"StringEquals":{"aws:RequestTag/team":"red"}}`), want: "implicitDeny"},
		{do: tag, user: when("Allow", "iam:TagUser", `{"StringEquals":{"aws:RequestTag/team":"${aws:PrincipalTag/team}"}}`), tags: []iamapi.Tag{{Key: "team", Value: "blue"}}, want: "allowed"},
		{do: tag, user: when("Allow", "iam:TagUser", `{"StringEquals":{"aws:RequestTag/team":"${aws:PrincipalTag/team}"}}`), want: "implicitDeny"},
		{do: tag, user: iam + "," + when("Deny", "iam:TagUser", `{"Null":{"aws:PrincipalTag/team":"true"}}`), want: "explicitDeny"},
		{do: attach, user: when("Allow", "iam:AttachUserPolicy", `{"ArnLike":{"iam:PolicyARN":"arn:aws:iam::aws:policy/*"}}`), want: "allowed"},
		{do: attach, user: iam + "," + when("Deny", "iam:AttachUserPolicy", `{"ArnEquals":{"iam:PolicyARN":"`+admin+`"}}`), want: "explicitDeny"},
		{do: attach, user: when("Allow", "iam:AttachUserPolicy", `{"StringEquals":{"iam:PermissionsBoundary":"`+admin+`"}}`), want: "implicitDeny"},
		{do: bind, user: when("Allow", "iam:Put*", `{"StringEquals":{"iam:PermissionsBoundary":"`+admin+`"}}`), want: "allowed"},
		{do: bind, user: iam + "," + when("Deny", "iam:Put*", `{"StringNotEquals":{"iam:PermissionsBoundary":"arn:aws:iam::aws:policy/ReadOnlyAccess"}}`), want: "explicitDeny"},
		{do: group, user: when("Allow", "iam:GetGroup", `{"StringLike":{"aws:username":"simulated-*"},"ArnLike":{"aws:PrincipalArn":"`+arn("user/*")+`"},"StringEquals":{"aws:PrincipalAccount":"`+string(account)+`","aws:PrincipalType":"User"}}`), want: "allowed"},
		{do: group, user: when("Allow", "iam:GetGroup", `{"StringLike":{"aws:userid":"AROA*"}}`), want: "implicitDeny"},
		{do: look, user: when("Allow", "cloudtrail:*", `{"StringEquals":{"aws:RequestedRegion":["us-east-1","eu-west-1"]}}`), want: "allowed"},
		{do: look, user: all + "," + when("Deny", "*", `{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}`), want: "explicitDeny"},
		{do: books, user: on("Allow", "ssm:ListDocuments", "*"), want: "allowed"},
		{do: books, user: on("Allow", "ssm:ListDocuments", "arn:aws:ssm:*"), want: "implicitDeny"},
	} {
		t.Run(fmt.Sprintf("%02d_%s_%s", i, strings.Replace(c.do.action, ":", "_", 1), c.want), func(t *testing.T) {
			name := fmt.Sprintf("simulated-%02d", i)
			document := func(statements string) string { return `{"Version":"2012-10-17","Statement":[` + statements + `]}` }
			made, err := byRoot(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: name, Tags: c.tags})
			root("user", err)
			if c.user != "" {
				_, err := byRoot(t, p, &iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: name, PolicyName: "p", PolicyDocument: document(c.user)})
				root("user's policy", err)
			}
			if c.group != "" {
				_, err := byRoot(t, p, &iamapi.CreateGroup, &iamapi.CreateGroupRequest{GroupName: name})
				root("group", err)
				_, err = byRoot(t, p, &iamapi.PutGroupPolicy, &iamapi.PutGroupPolicyRequest{GroupName: name, PolicyName: "p", PolicyDocument: document(c.group)})
				root("group's policy", err)
				_, err = byRoot(t, p, &iamapi.AddUserToGroup, &iamapi.AddUserToGroupRequest{GroupName: name, UserName: name})
				root("member", err)
			}
			if c.boundary != "" {
				b, err := byRoot(t, p, &iamapi.CreatePolicy, &iamapi.CreatePolicyRequest{PolicyName: name, PolicyDocument: document(c.boundary)})
				root("policy", err)
				_, err = byRoot(t, p, &iamapi.PutUserPermissionsBoundary, &iamapi.PutUserPermissionsBoundaryRequest{UserName: name, PermissionsBoundary: *b.Policy.Arn})
				root("boundary", err)
			}
			who, err := aws.ParseARN(made.User.Arn)
			root("arn", err)
			tags := map[string]string{}
			for _, tag := range c.tags {
				tags[tag.Key] = tag.Value
			}
			ctx := aws.WithCall(t.Context(), &aws.Call{
				Principal: &aws.Principal{Kind: aws.User, Account: account, ARN: who, ID: made.User.UserId, Name: name, Tags: tags},
				Partition: "aws", Account: account, Region: "us-east-1", Time: time.Now(),
			})
			real := outcome(c.do.call(ctx, p.current.Load().gate.InsideAny("test")))

			in := &iamapi.SimulatePrincipalPolicyRequest{PolicySourceArn: made.User.Arn, ActionNames: []string{c.do.action}, ResourceArns: []string{c.do.resource}}
			for key, value := range c.do.told {
				of := iamapi.ContextKeyTypeEnum("string")
				if key == "aws:TagKeys" {
					of = "stringList"
				}
				in.ContextEntries = append(in.ContextEntries, iamapi.ContextEntry{ContextKeyName: &key, ContextKeyType: &of, ContextKeyValues: []string{value}})
			}
			out, err := byRoot(t, p, &iamapi.SimulatePrincipalPolicy, in)
			root("simulation", err)
			if got := string(out.EvaluationResults[0].EvalDecision); got != c.want || real != c.want {
				t.Errorf("simulated %s, called %s, want %s", got, real, c.want)
			}
		})
	}
}

// outcome is what the gate decided. What it let through may be refused for another
// reason, such as a group that is not there.
func outcome(err error) string {
	var e *aws.Error
	switch {
	case !errors.As(err, &e) || !strings.HasPrefix(e.Code, "AccessDenied"):
		return "allowed"
	case strings.Contains(e.Message, "explicit deny"):
		return "explicitDeny"
	}
	return "implicitDeny"
}
