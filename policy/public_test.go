package policy

import "testing"

// S3 User Guide, "The meaning of 'public'".
func TestPublic(t *testing.T) {
	everyone := func(condition string) string {
		return v12 + `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{` + condition + `}}}`
	}
	for _, c := range []struct {
		doc    string
		public bool
	}{
		{v12 + `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}`, true},
		{v12 + `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}`, true},
		{v12 + `{"Effect":"Allow","Principal":{"AWS":["111122223333","*"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}`, true},
		{v12 + `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}`, false},
		{v12 + `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}}`, false},
		{v12 + `{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}`, false},
		{v12 + `[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"*"},{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}`, true},
		{everyone(`"StringEquals":{"aws:PrincipalOrgID":"o-1"}`), false},
		{everyone(`"StringEqualsIgnoreCase":{"aws:PrincipalOrgID":"o-1"}`), false},
		{everyone(`"StringEquals":{"aws:PrincipalOrgID":["o-1","${aws:PrincipalTag/org}"]}`), true},
		{everyone(`"StringEquals":{"aws:PrincipalOrgID":[]}`), true},
		{everyone(`"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}`), true},
		{everyone(`"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}`), true},
		{everyone(`"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-1/r-1/"}`), true},
		{everyone(`"ForAnyValue:StringEquals":{"aws:PrincipalOrgPaths":"o-1/r-1/"}`), false},
		{everyone(`"StringEquals":{"aws:PrincipalTag/team":"x"}`), true},
		{everyone(`"StringLike":{"aws:SourceVpc":"vpc-*"}`), true},
		{everyone(`"StringLike":{"aws:SourceVpc":"vpc-91237329"}`), false},
		{everyone(`"StringLike":{"aws:userid":"AROAEXAMPLEEXAMPLE:*"}`), true},
		{everyone(`"StringEquals":{"aws:SourceVpce":"vpce-1"}`), false},
		{everyone(`"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/x"}`), false},
		{everyone(`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/x"}`), true},
		{everyone(`"ArnLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:444455556666:${aws:username}"}`), true},
		{everyone(`"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:111122223333:accesspoint/*"}`), false},
		{everyone(`"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:*:accesspoint/x"}`), true},
		{everyone(`"ArnLike":{"s3:DataAccessPointArn":"*"}`), true},
		{everyone(`"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`), false},
		{everyone(`"IpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/0"]}`), true},
		{everyone(`"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`), false},
		{everyone(`"IpAddress":{"aws:SourceIp":"8.0.0.0/7"}`), true},
		{everyone(`"IpAddress":{"aws:SourceIp":"2001:db8::/32"}`), false},
		{everyone(`"IpAddress":{"aws:SourceIp":"2001::/16"}`), true},
		{everyone(`"IpAddress":{"aws:SourceIp":"fd00::/8"}`), false},
		{everyone(`"IpAddress":{"aws:SourceIp":"::/0"}`), true},
		{everyone(`"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}`), true},
		{everyone(`"IpAddress":{"aws:VpcSourceIp":"203.0.113.0/24"}`), true},
		{everyone(`"Bool":{"aws:SecureTransport":"true"}`), true},
		{everyone(`"Null":{"aws:SourceVpc":"false"}`), true},
	} {
		d, err := Parse([]byte(c.doc), Bucket)
		if err != nil {
			t.Fatalf("%s: %v", c.doc, err)
		}
		if d.Public() != c.public {
			t.Errorf("%s: got public %t", c.doc, d.Public())
		}
	}
}

// RestrictPublicBuckets leaves a public policy to the account and to services.
func TestRestrictPublicBuckets(t *testing.T) {
	public := must(t, Bucket, "bucket", v12+`[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"},
		{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:PutObject","Resource":"*"}]}`)
	private := must(t, Bucket, "bucket", v12+`{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"*"}}`)
	admin := []*Attached{must(t, Identity, "admin", administrator)}
	for _, c := range []struct {
		who, action string
		policy      *Attached
		allowed     bool
	}{
		{"anonymous", "s3:GetObject", public, false},
		{"other", "s3:GetObject", public, false},
		{"other", "s3:PutObject", public, false},
		{"other", "s3:GetObject", private, true},
		{"alice", "s3:GetObject", public, true},
		{"ssm", "s3:GetObject", public, true},
		{"saml", "s3:GetObject", public, false},
	} {
		principal, _ := PrincipalOf(callers[c.who], "")
		req := &Request{Principal: principal, Action: c.action, Resource: "arn:aws:s3:::b/k", ResourceAccount: "111122223333"}
		p := &Policies{Identity: admin, Resource: c.policy, RestrictPublicBuckets: true}
		d, why := Explain(req, p)
		if d.Allowed() != c.allowed {
			t.Errorf("%s %s: got %s %+v", c.who, c.action, show(d), why)
		}
		if got := why.Of(ByResource); (got.Reason == "RestrictPublicBuckets") != (!c.allowed) {
			t.Errorf("%s %s: got %+v", c.who, c.action, got)
		}
		p.RestrictPublicBuckets = false
		if d := Authorize(req, p); !d.Allowed() {
			t.Errorf("%s %s without the setting: got %s", c.who, c.action, show(d))
		}
	}
}
