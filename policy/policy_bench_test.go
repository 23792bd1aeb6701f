package policy

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

const administrator = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// typicalStatements are ten statements with wildcards and a few conditions.
const typicalStatements = `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["arn:aws:s3:::app-*","arn:aws:s3:::app-*/*"]},
{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"arn:aws:kms:*:111122223333:key/*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}},
{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:111122223333:app-*"},
{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","dynamodb:Query"],"Resource":"arn:aws:dynamodb:*:*:table/${aws:username}-*"},
{"Effect":"Allow","Action":"logs:*","Resource":"*"},
{"Effect":"Allow","Action":["ssm:GetParameter*"],"Resource":"arn:aws:ssm:*:*:parameter/app/*"},
{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}},
{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","2001:db8::/32"]},"Bool":{"aws:ViaAWSService":"false"}}},
{"Effect":"Allow","Action":["ec2:Describe*","route53resolver:Get*","route53resolver:List*"],"Resource":"*"},
{"Effect":"Allow","Action":["route53resolver:UpdateFirewall*"],"Resource":"arn:aws:route53resolver:*:111122223333:firewall-domain-list/*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"},"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}}]}`

type benchContext struct {
	now  time.Time
	ip   netip.Addr
	tags map[string]string
}

func (c *benchContext) Lookup(key string) Value {
	switch key {
	case "aws:currenttime":
		return Date(c.now)
	case "aws:sourceip":
		return IP(c.ip)
	case "aws:securetransport":
		return Bool(true)
	case "aws:viaawsservice":
		return Bool(false)
	case "aws:resourcetag/team":
		return Tag(c.tags, "team")
	}
	return Value{}
}

func must(t testing.TB, kind Kind, source, doc string) *Attached {
	t.Helper()
	d, err := Parse([]byte(doc), kind)
	if err != nil {
		t.Fatalf("%s: %v\n%s", source, err, doc)
	}
	written.Store(d, doc)
	return &Attached{Document: d, Source: source}
}

func benchRequest(t testing.TB) *Request {
	t.Helper()
	p, err := PrincipalOf("arn:aws:iam::111122223333:user/alice", "")
	if err != nil {
		t.Fatal(err)
	}
	p.Tags = map[string]string{"team": "dns"}
	return &Request{
		Principal: p, Action: "route53resolver:UpdateFirewallDomains",
		Resource: "arn:aws:route53resolver:us-east-1:111122223333:firewall-domain-list/rslvr-fdl-1234",
		Context: &benchContext{
			now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
			ip:  netip.MustParseAddr("10.1.2.3"), tags: map[string]string{"team": "dns"},
		},
	}
}

func benchCases(t testing.TB) map[string]*Policies {
	full := must(t, SCP, "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess", administrator)
	region := must(t, SCP, "region", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":["iam:*","sts:*","organizations:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["us-east-1","eu-central-1"]},"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}}}]}`)
	chain := &Policies{
		SCPs:     [][]*Attached{{full}, {full, region}, {full}},
		Boundary: must(t, Identity, "boundary", administrator),
		Session:  []*Attached{must(t, Identity, "session", administrator)},
		Resource: must(t, Resource, "resource", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}]}`),
	}
	for i := range 10 {
		chain.Identity = append(chain.Identity, must(t, Identity, fmt.Sprint("inline:", i), typicalStatements))
	}
	var audit []string // as large as ReadOnlyAccess
	for i := range 300 {
		for _, verb := range []string{"Get*", "List*", "Describe*", "BatchGetItem", "Search*", "View*", "Check*"} {
			audit = append(audit, fmt.Sprintf("service%d:%s", i, verb))
		}
	}
	reads, _ := json.Marshal(append(audit, "route53resolver:Get*", "route53resolver:UpdateFirewallDomains"))
	return map[string]*Policies{
		"audit":         {Identity: []*Attached{must(t, Identity, "audit", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":`+string(reads)+`,"Resource":"*"}}`)}},
		"administrator": {Identity: []*Attached{must(t, Identity, "administrator", administrator)}},
		"typical":       {Identity: []*Attached{must(t, Identity, "inline:alice/typical", typicalStatements)}},
		"chain":         chain,
	}
}

func BenchmarkAuthorize(b *testing.B) {
	req := benchRequest(b)
	for _, name := range []string{"administrator", "audit", "typical", "chain"} {
		p := benchCases(b)[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !Authorize(req, p).Allowed() {
					b.Fatal("denied")
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		must(b, Identity, "x", typicalStatements)
	}
}

// The gate asks for every call; a decision that allocates would be paid by all.
func TestAuthorizeDoesNotAllocate(t *testing.T) {
	req := benchRequest(t)
	for name, p := range benchCases(t) {
		if n := testing.AllocsPerRun(100, func() { Authorize(req, p) }); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}
