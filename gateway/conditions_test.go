package gateway

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/wire"
)

// Callers of each kind, with all that a call can carry.
func callsForKeys() map[string]*aws.Call {
	at := time.Date(2026, 11, 29, 1, 0, 0, 0, time.UTC)
	iam := func(resource string) aws.ARN {
		return aws.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: resource}
	}
	from := func(p *aws.Principal) *aws.Call {
		return &aws.Call{
			Principal: p, Partition: "aws", Account: "111122223333", Region: "eu-central-1", Time: at, SourceIP: netip.MustParseAddr("192.0.2.7"),
			UserAgent: "cli/2", Referer: "https://console.example/", TLS: &aws.TLS{Version: "TLSv1.3"},
		}
	}
	user := &aws.Principal{Kind: aws.User, Account: "111122223333", ARN: iam("user/alice"), ID: "AIDA1", Name: "alice", Tags: map[string]string{"team": "red"}}
	role := &aws.Principal{
		Kind: aws.AssumedRole, Account: "111122223333", ARN: aws.ARN{Partition: "aws", Service: "sts", Account: "111122223333", Resource: "assumed-role/app/s"}, ID: "AROA1:s",
		Session: &aws.Session{Issuer: iam("role/app"), IssuerID: "AROA1", IssuerName: "app", Name: "s", Created: at.Add(-time.Minute), MFA: true, SourceID: "ann", Provider: "arn:aws:iam::111122223333:oidc-provider/ci",
			Facts: map[string][]string{"ci:aud": {"sumun"}}},
	}
	service := from(&aws.Principal{Kind: aws.Service, Account: "111122223333", Name: "events.amazonaws.com"})
	service.SourceIP, service.TLS, service.Referer = netip.Addr{}, nil, ""
	service.Source = aws.ARN{Partition: "aws", Service: "events", Region: "eu-central-1", Account: "111122223333", Resource: "rule/r"}
	via := from(role)
	via.Via, via.TLS, via.Referer = []string{"ssm.amazonaws.com", "kms.amazonaws.com"}, nil, ""
	plain := from(user)
	plain.TLS = nil
	nobody := from(&aws.Principal{})
	nobody.Account = ""
	root := from(&aws.Principal{Kind: aws.Root, Account: "111122223333", ARN: iam("root"), ID: "111122223333", Session: &aws.Session{TaskPolicy: "arn:aws:iam::aws:policy/root-task/x", Created: at}})
	return map[string]*aws.Call{"user": from(user), "plain": plain, "role": from(role), "service": service, "via": via, "nobody": nobody, "root": root}
}

// The list is "Global condition keys" of iam-evaluation: what each answers for each caller;
// a caller that is not named has no such key. "AWS global condition context keys", IAM User Guide.
var globalKeys = []struct {
	key  string
	want map[string]string
}{
	{"aws:PrincipalArn", map[string]string{"user": "arn:aws:iam::111122223333:user/alice", "plain": "arn:aws:iam::111122223333:user/alice", "role": "arn:aws:iam::111122223333:role/app", "via": "arn:aws:iam::111122223333:role/app", "root": "arn:aws:iam::111122223333:root"}},
	{"aws:PrincipalOrgID", members("o-1")},
	{"aws:PrincipalOrgPaths", members("o-1/r-1/")},
	{"aws:PrincipalTag/TEAM", map[string]string{"user": "red", "plain": "red"}},
	{"aws:PrincipalIsAWSService", map[string]string{"user": "false", "plain": "false", "role": "false", "via": "false", "root": "false", "service": "true"}},
	{"aws:PrincipalServiceName", map[string]string{"service": "events.amazonaws.com"}},
	{"aws:PrincipalType", map[string]string{"user": "User", "plain": "User", "role": "AssumedRole", "via": "AssumedRole", "root": "Account", "nobody": "Anonymous"}},
	{"aws:userid", map[string]string{"user": "AIDA1", "plain": "AIDA1", "role": "AROA1:s", "via": "AROA1:s", "root": "111122223333", "nobody": "anonymous"}},
	{"aws:username", map[string]string{"user": "alice", "plain": "alice"}},
	{"aws:AssumedRoot", map[string]string{"root": "true"}},
	{"aws:TokenIssueTime", map[string]string{"role": "2026-11-29T00:59:00Z", "via": "2026-11-29T00:59:00Z", "root": "2026-11-29T01:00:00Z"}},
	{"aws:MultiFactorAuthPresent", map[string]string{"role": "true", "via": "true", "root": "false"}},
	{"aws:MultiFactorAuthAge", map[string]string{"role": "60", "via": "60"}},
	{"aws:SourceIdentity", map[string]string{"role": "ann", "via": "ann"}},
	{"aws:FederatedProvider", map[string]string{"role": "arn:aws:iam::111122223333:oidc-provider/ci", "via": "arn:aws:iam::111122223333:oidc-provider/ci"}},
	{"ci:aud", map[string]string{"role": "sumun", "via": "sumun"}},
	{"aws:SourceIp", map[string]string{"user": "192.0.2.7", "plain": "192.0.2.7", "role": "192.0.2.7", "root": "192.0.2.7", "nobody": "192.0.2.7"}},
	{"aws:ResourceAccount", everyone("444455556666")},
	{"aws:ResourceOrgID", everyone("o-2")},
	{"aws:ResourceOrgPaths", everyone("o-2/r-2/ou-2/")},
	{"aws:ResourceTag/Cost", everyone("1")},
	{"aws:RequestTag/cost", everyone("2")},
	{"aws:TagKeys", everyone("Cost,x")},
	{"aws:CalledVia", map[string]string{"via": "ssm.amazonaws.com,kms.amazonaws.com"}},
	{"aws:CalledViaFirst", map[string]string{"via": "ssm.amazonaws.com"}},
	{"aws:CalledViaLast", map[string]string{"via": "kms.amazonaws.com"}},
	{"aws:ViaAWSService", map[string]string{"user": "false", "plain": "false", "role": "false", "service": "false", "via": "true", "root": "false", "nobody": "false"}},
	{"aws:CurrentTime", everyone("2026-11-29T01:00:00Z")},
	{"aws:EpochTime", everyone("2026-11-29T01:00:00Z")}, // a date and a number: see below
	{"aws:SecureTransport", map[string]string{"user": "true", "plain": "false", "role": "true", "service": "true", "via": "true", "root": "true", "nobody": "true"}},
	{"aws:UserAgent", everyone("cli/2")},
	{"aws:referer", map[string]string{"user": "https://console.example/", "plain": "https://console.example/", "role": "https://console.example/", "root": "https://console.example/", "nobody": "https://console.example/"}},
	{"aws:RequestedRegion", everyone("eu-central-1")},
	{"aws:SourceArn", map[string]string{"service": "arn:aws:events:eu-central-1:111122223333:rule/r"}},
	{"aws:SourceAccount", map[string]string{"service": "111122223333"}},
	{"aws:SourceOrgID", map[string]string{"service": "o-1"}},
	{"aws:SourceOrgPaths", map[string]string{"service": "o-1/r-1/"}},
	{"kms:ViaService", map[string]string{"via": "kms.eu-central-1.amazonaws.com"}},
	// There are no VPC endpoints, instances, MCP servers or chat channels that
	// calls could come through: no call has these.
	{"aws:SourceVpc", nil}, {"aws:SourceVpcArn", nil}, {"aws:SourceVpce", nil}, {"aws:VpceAccount", nil}, {"aws:VpceOrgID", nil}, {"aws:VpceOrgPaths", nil}, {"aws:VpcSourceIp", nil},
	{"aws:Ec2InstanceSourceVpc", nil}, {"aws:Ec2InstanceSourcePrivateIPv4", nil}, {"ec2:SourceInstanceArn", nil}, {"aws:ChatbotSourceArn", nil}, {"aws:SignInSessionArn", nil},
	{"aws:CalledViaAWSMCP", nil}, {"aws:ViaAWSMCPService", nil}, {"aws:IsMcpServiceAction", nil}, {"aws:ViaCustomerDomain", nil},
}

func everyone(value string) map[string]string {
	m := map[string]string{}
	for name := range callsForKeys() {
		m[name] = value
	}
	return m
}

// members are those who belong to an organisation: no services, and not nobody.
func members(value string) map[string]string {
	m := everyone(value)
	delete(m, "service")
	delete(m, "nobody")
	return m
}

func requestFor(call *aws.Call) *policy.Request {
	touch := &wire.Touch{
		Action: "kms:Decrypt", Resource: aws.ARN{Partition: "aws", Service: "kms", Region: "eu-central-1", Account: "444455556666", Resource: "key/k"},
		Tags: map[string]string{"cost": "1"}, Conditions: map[string][]string{"aws:RequestTag/Cost": {"2"}, "aws:TagKeys": {"Cost", "x"}},
	}
	mine := &policy.Membership{Organization: "o-1", Path: "o-1/r-1/"}
	if call.Principal.Account == "" {
		mine = nil
	}
	return &policy.Request{Principal: call.Principal, Action: touch.Action, Resource: touch.Resource.String(), ResourceAccount: touch.Resource.Account,
		Context: &conditions{call: call, touch: touch, mine: mine, theirs: &policy.Membership{Organization: "o-2", Path: "o-2/r-2/ou-2/"}}}
}

func TestGlobalConditionKeys(t *testing.T) {
	for name, call := range callsForKeys() {
		r := requestFor(call)
		for _, k := range globalKeys {
			if got := strings.Join(r.Values(k.key), ","); got != k.want[name] {
				t.Errorf("%s of %s is %q, want %q", k.key, name, got, k.want[name])
			}
		}
	}
}

// What a key means shows in what it meets: typed values meet conditions of their type.
func TestConditionsOnGlobalKeys(t *testing.T) {
	for _, c := range []struct {
		who, condition string
		want           bool
	}{
		{"user", `{"NumericGreaterThan":{"aws:EpochTime":"1700000000"}}`, true},
		{"user", `{"NumericLessThan":{"aws:EpochTime":"1700000000"}}`, false},
		{"user", `{"DateGreaterThan":{"aws:EpochTime":"1700000000"}}`, true},
		{"user", `{"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}`, true},
		{"user", `{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`, true},
		{"via", `{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`, false},
		{"service", `{"Null":{"aws:SourceIp":"true"}}`, true},
		{"role", `{"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}`, true},
		{"user", `{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}`, true},
		{"service", `{"ArnLike":{"aws:SourceArn":"arn:aws:events:*:111122223333:rule/*"}}`, true},
		{"role", `{"Null":{"aws:SourceArn":"true"}}`, true},
		{"via", `{"ForAnyValue:StringEquals":{"aws:CalledVia":"ssm.amazonaws.com"}}`, true},
		{"service", `{"ForAnyValue:StringEquals":{"aws:PrincipalServiceNamesList":"events.amazonaws.com"}}`, true},
		{"plain", `{"Bool":{"aws:SecureTransport":"true"}}`, false},
		{"user", `{"ForAllValues:StringEquals":{"aws:TagKeys":["Cost","x"]}}`, true},
		{"user", `{"StringEquals":{"aws:RequestTag/cost":"2","kms:ResourceTag/cost":"1"}}`, true},
	} {
		d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":`+c.condition+`}]}`), policy.Resource)
		if err != nil {
			t.Fatal(err)
		}
		r := requestFor(callsForKeys()[c.who])
		r.ResourceAccount = r.Principal.Account // the resource's policy alone decides
		got := policy.Authorize(r, &policy.Policies{Resource: &policy.Attached{Document: d}}).Allowed()
		if got != c.want {
			t.Errorf("%s of %s: %t, want %t", c.condition, c.who, got, c.want)
		}
	}
}

// What AWS owns is everybody's: rights on it are the caller's account's to give.
func TestWhatAWSOwnsIsNoOtherAccounts(t *testing.T) {
	call := callsForKeys()["user"]
	admin, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetPolicy","Resource":"arn:aws:iam::aws:policy/*","Condition":{"StringEquals":{"aws:ResourceAccount":"111122223333"}}}]}`), policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	d := &deed{call: call, own: &policy.Policies{Identity: []*policy.Attached{{Document: admin}}}, touches: []wire.Touch{
		{Action: "iam:GetPolicy", Resource: aws.ARN{Partition: "aws", Service: "iam", Account: "aws", Resource: "policy/ReadOnlyAccess"}},
	}}
	if err := (&Gateway{}).pose(d, 0); err != nil {
		t.Fatal(err)
	}
	if got := policy.Authorize(&d.question.Request, &d.question.Policies); !got.Allowed() {
		t.Errorf("decided %+v", got)
	}
}

// A tag that a request names twice can have two values: no Allow rests on it.
func TestATagNamedTwiceIsAmbiguous(t *testing.T) {
	r := requestFor(callsForKeys()["user"])
	c := r.Context.(*conditions)
	c.touch.Conditions["aws:RequestTag/Cost"] = []string{"2", "3"}
	if v := c.Lookup("aws:requesttag/cost"); !v.Present() || r.Values("aws:RequestTag/cost") != nil {
		t.Errorf("got %+v", v)
	}
	if got := r.Values("aws:TagKeys"); !slices.Equal(got, []string{"Cost", "x"}) {
		t.Errorf("the keys are %q", got)
	}
}
