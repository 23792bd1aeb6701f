package gateway_test

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"sumun.dev/api/ec2api"
	"sumun.dev/api/organizationsapi"
	"sumun.dev/api/snsapi"
	"sumun.dev/api/sqsapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// Each service refuses under its own code. IAM User Guide, "Troubleshoot access
// denied error messages", and the services' models.
func TestEachServiceRefusesInItsWay(t *testing.T) {
	h := newHouse(t, nil)
	mount(h, &ec2api.TerminateInstances, "ec2:TerminateInstances", "instance/i-1")
	mount(h, &ec2api.DescribeInstances, "ec2:DescribeInstances", "")
	mount(h, &snsapi.ListTopics, "sns:ListTopics", "*")
	mount(h, &sqsapi.ListQueues, "sqs:ListQueues", "*")
	mount(h, &organizationsapi.ListRoots, "organizations:ListRoots", "")
	bob := h.user("bob", allow(`"iam:*"`))
	form := func(service, action, version string) ask {
		return ask{contentType: "application/x-www-form-urlencoded", body: url.Values{"Action": {action}, "Version": {version}}.Encode(), service: service}
	}
	terminate := form("ec2", "TerminateInstances", "2016-11-15")
	terminate.body += "&InstanceId.1=i-1"
	const user = "User: arn:aws:iam::111122223333:user/bob is not authorized to perform: "
	for _, c := range []struct {
		name   string
		ask    ask
		status int
		code   string
		says   string
	}{
		{"ec2_on_a_resource", terminate, 403, "UnauthorizedOperation", "You are not authorized to perform this operation. " + user + "ec2:TerminateInstances on resource: arn:aws:ec2:eu-central-1:111122223333:instance/i-1 because no identity-based policy allows the ec2:TerminateInstances action Encoded authorization failure message: "},
		{"ec2_on_all", form("ec2", "DescribeInstances", "2016-11-15"), 403, "UnauthorizedOperation", "You are not authorized to perform this operation. " + user + "ec2:DescribeInstances because no identity-based policy allows the ec2:DescribeInstances action<"},
		{"sns", form("sns", "ListTopics", "2010-03-31"), 403, "AuthorizationError", user + "sns:ListTopics on resource: "},
		{"json", ask{target: "AWSOrganizationsV20161128.ListRoots", contentType: "application/x-amz-json-1.1", body: "{}", service: "organizations", region: "us-east-1"}, 400, "AccessDeniedException", user + "organizations:ListRoots on resource: * because"},
		{"query_compatible_json", ask{target: "AmazonSQS.ListQueues", contentType: "application/x-amz-json-1.0", body: "{}", service: "sqs"}, 400, "AccessDeniedException", user + "sqs:ListQueues on resource: "},
	} {
		w := h.send(bob, c.ask)
		body := w.Body.String()
		if w.Code != c.status || !strings.Contains(body, c.says) || !strings.Contains(body+w.Header().Get("X-Amzn-Errortype"), c.code) {
			t.Errorf("%s: %d %s\nwant %d %s %s", c.name, w.Code, body, c.status, c.code, c.says)
		}
	}
}

// mount serves an operation that succeeds once it is allowed.
func mount[In, Out any](h *house, op *wire.Operation[*In, *Out], action, resource string) {
	service, _, _ := strings.Cut(action, ":")
	h.gate.Mount(op.To(func(context.Context, *In) (*Out, error) { return new(Out), nil }, func(ctx context.Context, _ *In) ([]wire.Touch, error) {
		t := wire.Touch{Action: action, Tags: map[string]string{"team": "red"}}
		if resource != "" {
			t.Resource = aws.CallOf(ctx).ARN(service, resource)
		}
		return []wire.Touch{t}, nil
	}))
}

// EC2's message can be decoded by who may, and by nothing else.
func TestEncodedAuthorizationMessages(t *testing.T) {
	h := newHouse(t, nil)
	mount(h, &ec2api.TerminateInstances, "ec2:TerminateInstances", "instance/i-1")
	bob := h.user("bob", allow(`"*"`), `{"Sid":"Keep","Effect":"Deny","Action":["ec2:Terminate*","ec2:Stop*"],"Resource":"*","Condition":{"StringEquals":{"ec2:ResourceTag/team":"red"}}}`)
	w := h.send(bob, ask{contentType: "application/x-www-form-urlencoded", body: "Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-1", service: "ec2"})
	found := regexp.MustCompile(`Encoded authorization failure message: ([A-Za-z0-9_-]+)<`).FindStringSubmatch(w.Body.String())
	if w.Code != 403 || found == nil || !strings.Contains(w.Body.String(), "with an explicit deny in an identity-based policy Encoded") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	text, err := h.store.OpenToken([]string{"sts.authorization"}, found[1])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.OpenToken([]string{"iam:ListUsers"}, found[1]); err == nil {
		t.Error("the message opens as a page token")
	}
	var m struct {
		Allowed, ExplicitDeny bool
		MatchedStatements     struct {
			Items []struct {
				StatementID, Effect string
				Actions             struct{ Items []struct{ Value string } }
			}
		}
		Context struct {
			Principal        struct{ ID, Name, ARN string }
			Action, Resource string
			Conditions       struct {
				Items []struct {
					Key    string
					Values struct{ Items []struct{ Value string } }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	c := m.Context
	if m.Allowed || !m.ExplicitDeny || len(m.MatchedStatements.Items) != 1 || m.MatchedStatements.Items[0].StatementID != "Keep" || m.MatchedStatements.Items[0].Effect != "DENY" ||
		m.MatchedStatements.Items[0].Actions.Items[1].Value != "ec2:Stop*" ||
		c.Principal.Name != "bob" || c.Principal.ID != "AIDAbob" || c.Action != "ec2:TerminateInstances" || c.Resource != "arn:aws:ec2:eu-central-1:111122223333:instance/i-1" {
		t.Errorf("decoded %s", text)
	}
	for _, want := range []string{`"key":"aws:ResourceTag/team","values":{"items":[{"value":"red"}]}`, `"key":"aws:RequestedRegion","values":{"items":[{"value":"eu-central-1"}]}`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
}

// A resource named by an ARN of another partition is nobody's: a service may find the
// same one by it, and a Deny that names it would not mean that ARN.
func TestOtherPartitionsAreOutOfReach(t *testing.T) {
	h := newHouse(t, nil)
	partition := "aws"
	h.gate.Mount(snsapi.ListTopics.To(func(context.Context, *snsapi.ListTopicsInput) (*snsapi.ListTopicsResponse, error) {
		return new(snsapi.ListTopicsResponse), nil
	}, func(ctx context.Context, _ *snsapi.ListTopicsInput) ([]wire.Touch, error) {
		arn := aws.CallOf(ctx).ARN("sns", "topic")
		arn.Partition = partition
		return []wire.Touch{{Action: "sns:ListTopics", Resource: arn, Policy: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`}}, nil
	}))
	bob := h.user("bob", allow(`"*"`))
	list := ask{contentType: "application/x-www-form-urlencoded", body: "Action=ListTopics&Version=2010-03-31", service: "sns"}
	if w := h.send(bob, list); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	partition = "aws-cn"
	if w := h.send(bob, list); w.Code != 403 || !strings.Contains(w.Body.String(), "sns:ListTopics on resource: arn:aws-cn:sns:eu-central-1:111122223333:topic because no resource-based policy allows") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
