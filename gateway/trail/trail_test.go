package trail

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

var when = time.Date(2026, 11, 23, 7, 30, 0, 5000, time.UTC)

func byAlice() *aws.Call {
	return &aws.Call{
		Principal: &aws.Principal{
			Kind: aws.User, Account: "111122223333", ID: "AIDACKCEVSQ6C2EXAMPLE", Name: "alice", AccessKeyID: "AKIAIOSFODNN7EXAMPLE",
			ARN: aws.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "user/alice"},
		},
		Partition: "aws", Account: "111122223333", Region: "eu-central-1", RequestID: "c4fff253-825a-4828-adac-7f789f6975f3",
		Service: "sts", Operation: "GetCallerIdentity", Time: when, SourceIP: netip.MustParseAddr("192.0.2.7"), UserAgent: "aws-cli/2.31.0",
	}
}

func roleSession() *aws.Principal {
	return &aws.Principal{
		Kind: aws.AssumedRole, Account: "111122223333", ID: "AROA2N7TQQRGKJYPCLOG0:cli", Name: "cli", AccessKeyID: "ASIA6FTSFH98XNF7DFZB",
		ARN: aws.ARN{Partition: "aws", Service: "sts", Account: "111122223333", Resource: "assumed-role/app/cli"},
		Session: &aws.Session{
			Issuer:   aws.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "role/app"},
			IssuerID: "AROA2N7TQQRGKJYPCLOG0", IssuerName: "app", Name: "cli", Created: when.Add(-time.Minute), MFA: true, SourceID: "bob",
		},
	}
}

// written returns the record without the parts that are made anew each time.
func written(t *testing.T, e aws.Event) string {
	t.Helper()
	if !json.Valid(e.Data) {
		t.Fatalf("not JSON: %s", e.Data)
	}
	return strings.Replace(string(e.Data), e.ID, "ID", 1)
}

func TestReadByUser(t *testing.T) {
	e := Record(byAlice(), stsapi.GetCallerIdentity.About(), &stsapi.GetCallerIdentityRequest{}, &stsapi.GetCallerIdentityResponse{Account: new("111122223333")}, nil)
	const want = `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDACKCEVSQ6C2EXAMPLE","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"alice"},` +
		`"eventTime":"2026-11-23T07:30:00Z","eventSource":"sts.amazonaws.com","eventName":"GetCallerIdentity","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.7","userAgent":"aws-cli/2.31.0",` +
		`"requestParameters":null,"responseElements":null,"additionalEventData":{"RequestDetails":{"awsServingRegion":"eu-central-1","endpointType":"regional"}},"requestID":"c4fff253-825a-4828-adac-7f789f6975f3","eventID":"ID","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}`
	if got := written(t, e); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if e.Stream != aws.TrailStream || e.Account != "111122223333" || e.Region != "eu-central-1" || e.Type != "AwsApiCall" || !e.Time.Equal(when) {
		t.Errorf("event %+v", e)
	}
	a := e.Attrs
	if a["eventName"] != "GetCallerIdentity" || a["eventSource"] != "sts.amazonaws.com" || a["user"] != "alice" || a["accessKeyId"] != "AKIAIOSFODNN7EXAMPLE" || a["readOnly"] != "true" {
		t.Errorf("attributes %v", a)
	}
}

func TestEndpointsOfSTSAreTold(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*aws.Call)
		meta       *wire.Meta
	}{
		{"global", `"additionalEventData":{"RequestDetails":{"awsServingRegion":"eu-central-1","endpointType":"global"}},`, func(c *aws.Call) { c.Host = "sts.amazonaws.com:443" }, stsapi.GetCallerIdentity.About()},
		{"regional", `"endpointType":"regional"`, func(c *aws.Call) { c.Host = "sts.eu-central-1.amazonaws.com" }, stsapi.GetCallerIdentity.About()},
		{"another_service", "", func(*aws.Call) {}, iamapi.ListUsers.About()},
		{"for_a_client", "", func(c *aws.Call) { c.Via = []string{"ssm.amazonaws.com"} }, stsapi.GetCallerIdentity.About()},
		{"by_a_service", "", func(c *aws.Call) { c.SourceIP = netip.Addr{} }, stsapi.GetCallerIdentity.About()},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := byAlice()
			c.change(call)
			got := written(t, Record(call, c.meta, nil, nil, nil))
			if !strings.Contains(got, c.want) || c.want == "" && strings.Contains(got, "additionalEventData") {
				t.Error(got)
			}
		})
	}
}

func TestChangeIsShownInFull(t *testing.T) {
	call := byAlice()
	call.TLS = &aws.TLS{Version: "TLSv1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", ClientProvidedHostHeader: "iam.amazonaws.com"}
	user := aws.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "user/team/bob"}
	e := Record(call, iamapi.CreateUser.About(), &iamapi.CreateUserRequest{UserName: "bob"},
		&iamapi.CreateUserResponse{User: &iamapi.User{UserName: "bob", Path: "/team/", Arn: user.String(), UserId: "AIDAEXAMPLE", CreateDate: when}}, nil,
		user, user, aws.ARN{}, aws.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "*"})
	got := written(t, e)
	for _, part := range []string{
		`"awsRegion":"us-east-1"`,
		`"requestParameters":{"userName":"bob"}`,
		`"createDate":"Nov 23, 2026, 7:30:00 AM"`,
		`"readOnly":false,"resources":[{"accountId":"111122223333","type":"AWS::IAM::User","ARN":"arn:aws:iam::111122223333:user/team/bob"}],`,
		`"eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"iam.amazonaws.com"}}`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%s\nis not in\n%s", part, got)
		}
	}
	if e.Region != "us-east-1" || e.Attrs["resources"] != "bob" || e.Attrs["resourceTypes"] != "AWS::IAM::User" || e.Attrs["readOnly"] != "false" {
		t.Errorf("region %s, attributes %v", e.Region, e.Attrs)
	}
}

func TestRefusalIsRecorded(t *testing.T) {
	refused := &aws.Error{Code: "AccessDenied", Message: "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: iam:CreateUser " + strings.Repeat("x", 2000)}
	e := Record(byAlice(), iamapi.CreateUser.About(), &iamapi.CreateUserRequest{UserName: "bob"}, nil, refused)
	got := written(t, e)
	if !strings.Contains(got, `"errorCode":"AccessDenied","errorMessage":"User: arn:aws:iam::111122223333:user/alice is not`) ||
		!strings.Contains(got, `"responseElements":null`) || len(got) > 2500 {
		t.Errorf("%s", got)
	}
	if e.Attrs["errorCode"] != "AccessDenied" {
		t.Errorf("attributes %v", e.Attrs)
	}
}

func TestErrorCodes(t *testing.T) {
	for _, c := range []struct {
		meta *wire.Meta
		err  aws.Error
		want string
	}{
		{iamapi.GetUser.About(), aws.Error{Code: "NoSuchEntity", Status: 404}, "NoSuchEntityException"},
		{iamapi.GetUser.About(), aws.Error{Code: "AccessDenied", Status: 403}, "AccessDenied"},
		{stsapi.GetCallerIdentity.About(), aws.Error{Code: "AccessDenied", Status: 403}, "AccessDenied"},
		{&wire.Meta{Service: &wire.Service{Prefix: "ec2"}}, aws.Error{Code: "UnauthorizedOperation", Status: 403}, "Client.UnauthorizedOperation"},
		{&wire.Meta{Service: &wire.Service{Prefix: "ec2"}}, aws.Error{Code: "InternalError", Status: 500}, "Server.InternalError"},
	} {
		if got := errorCode(c.meta, &c.err); got != c.want {
			t.Errorf("%s: got %s, want %s", c.err.Code, got, c.want)
		}
	}
}

func TestSecretsStayOut(t *testing.T) {
	out := &iamapi.CreateAccessKeyResponse{AccessKey: &iamapi.AccessKey{UserName: "alice", AccessKeyId: "AKIAI44QH8DHBEXAMPLE", SecretAccessKey: "je7MtGbClwBF", Status: "Active"}}
	got := written(t, Record(byAlice(), iamapi.CreateAccessKey.About(), &iamapi.CreateAccessKeyRequest{}, out, nil))
	if strings.Contains(got, "je7MtGbClwBF") || !strings.Contains(got, "AKIAI44QH8DHBEXAMPLE") {
		t.Errorf("%s", got)
	}
}

func TestIdentities(t *testing.T) {
	root := &aws.Principal{Kind: aws.Root, Account: "111122223333", ID: "111122223333", AccessKeyID: "AKIAROOT",
		ARN: aws.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "root"}}
	const issuer = `"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA2N7TQQRGKJYPCLOG0","arn":"arn:aws:iam::111122223333:role/app","accountId":"111122223333","userName":"app"},` +
		`"attributes":{"creationDate":"2026-11-23T07:29:00Z","mfaAuthenticated":"true"},"sourceIdentity":"bob"}`
	const session = `{"type":"AssumedRole","principalId":"AROA2N7TQQRGKJYPCLOG0:cli","arn":"arn:aws:sts::111122223333:assumed-role/app/cli","accountId":"111122223333","accessKeyId":"ASIA6FTSFH98XNF7DFZB",` + issuer
	web := roleSession()
	web.Session.Provider, web.Session.SourceID = "arn:aws:iam::111122223333:oidc-provider/idp.example.com", ""
	federated := &aws.Principal{
		Kind: aws.FederatedUser, Account: "111122223333", ID: "111122223333:bob", Name: "bob", AccessKeyID: "ASIABOB",
		ARN:     aws.ARN{Partition: "aws", Service: "sts", Account: "111122223333", Resource: "federated-user/bob"},
		Session: &aws.Session{Issuer: root.ARN, IssuerID: root.ID, Created: when.Add(-time.Minute)},
	}
	assumed := &aws.Principal{Kind: aws.Root, Account: root.Account, ID: root.ID, ARN: root.ARN, AccessKeyID: "ASIAROOT",
		Session: &aws.Session{Issuer: root.ARN, IssuerID: root.ID, Created: when.Add(-time.Minute), TaskPolicy: "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}}
	serviceSession := roleSession()
	serviceSession.Session.InvokedBy = "ssm.amazonaws.com"
	for _, c := range []struct {
		name      string
		principal *aws.Principal
		via       []string
		inside    bool
		want      string
		source    string
		user      string
	}{
		{name: "root", principal: root, user: "root", source: "192.0.2.7",
			want: `{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","accessKeyId":"AKIAROOT"}`},
		{name: "role", principal: roleSession(), user: "cli", source: "192.0.2.7", want: session + `}`},
		{name: "role_through_a_service", principal: roleSession(), via: []string{"securityhub.amazonaws.com", "events.amazonaws.com"}, user: "cli", source: "events.amazonaws.com",
			want: session + `,"invokedBy":"events.amazonaws.com"}`},
		{name: "role_of_a_service", principal: serviceSession, inside: true, user: "cli", source: "ssm.amazonaws.com",
			want: session + `,"invokedBy":"ssm.amazonaws.com"}`},
		{name: "service", principal: &aws.Principal{Kind: aws.Service, Name: "guardduty.amazonaws.com"}, inside: true, source: "guardduty.amazonaws.com",
			want: `{"type":"AWSService","invokedBy":"guardduty.amazonaws.com"}`},
		{name: "role_by_web_identity", principal: web, user: "cli", source: "192.0.2.7",
			want: strings.Replace(strings.Replace(session, `"attributes"`, `"webIdFederationData":{"federatedProvider":"arn:aws:iam::111122223333:oidc-provider/idp.example.com","attributes":{}},"attributes"`, 1), `,"sourceIdentity":"bob"`, "", 1) + `}`},
		{name: "with_a_token", principal: &aws.Principal{Kind: aws.WebIdentity, Account: "111122223333", ID: "idp.example.com:app:alice", Name: "arn:aws:iam::111122223333:oidc-provider/idp.example.com", Subject: "alice"},
			user: "alice", source: "192.0.2.7",
			want: `{"type":"WebIdentityUser","principalId":"idp.example.com:app:alice","userName":"alice","identityProvider":"arn:aws:iam::111122223333:oidc-provider/idp.example.com"}`},
		{name: "with_an_assertion", principal: &aws.Principal{Kind: aws.SAML, Account: "111122223333", ID: "qualifier=:alice", Name: "arn:aws:iam::111122223333:saml-provider/corp", Subject: "alice"},
			user: "alice", source: "192.0.2.7", want: `{"type":"SAMLUser","principalId":"qualifier=:alice","userName":"alice","identityProvider":"qualifier="}`},
		{name: "federated_by_root", principal: federated, user: "bob", source: "192.0.2.7",
			want: `{"type":"FederatedUser","principalId":"111122223333:bob","arn":"arn:aws:sts::111122223333:federated-user/bob","accountId":"111122223333","accessKeyId":"ASIABOB",` +
				`"sessionContext":{"sessionIssuer":{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"},"attributes":{"creationDate":"2026-11-23T07:29:00Z","mfaAuthenticated":"false"}}}`},
		{name: "assumed_root", principal: assumed, user: "root", source: "192.0.2.7",
			want: `{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","accessKeyId":"ASIAROOT",` +
				`"sessionContext":{"attributes":{"creationDate":"2026-11-23T07:29:00Z","mfaAuthenticated":"false"},"assumedRoot":"true"}}`},
		{name: "nobody", principal: &aws.Principal{}, source: "192.0.2.7", want: `{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := byAlice()
			call.Principal, call.Via = c.principal, c.via
			if c.inside {
				call.SourceIP = netip.Addr{}
			}
			e := Record(call, stsapi.GetCallerIdentity.About(), &stsapi.GetCallerIdentityRequest{}, nil, nil)
			got := written(t, e)
			if !strings.Contains(got, `"userIdentity":`+c.want+`,"eventTime"`) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if !strings.Contains(got, `"sourceIPAddress":"`+c.source+`","userAgent":"`) {
				t.Errorf("%s does not come from %s", got, c.source)
			}
			if e.Attrs["user"] != c.user {
				t.Errorf("user %q, want %q", e.Attrs["user"], c.user)
			}
		})
	}
}

func TestHostileTexts(t *testing.T) {
	call := byAlice()
	call.UserAgent = "\"},\x00\xff\u2028" + strings.Repeat("é", 2000)
	call.Principal.Name = `al"ice`
	call.Principal.ARN.Resource = `user/al"ice`
	e := Record(call, iamapi.CreateUser.About(), &iamapi.CreateUserRequest{UserName: strings.Repeat("u", 200<<10)}, nil, nil)
	got := written(t, e)
	if !strings.Contains(got, `"requestParameters":{"reason":"requestParameters too large","omitted":true,"originalSize":204815}`) || len(got) > 4<<10 {
		t.Errorf("%d bytes: %.3000s", len(got), got)
	}
}

func BenchmarkRecord(b *testing.B) {
	call, in, out := byAlice(), &stsapi.GetCallerIdentityRequest{}, &stsapi.GetCallerIdentityResponse{Account: new("111122223333")}
	b.ReportAllocs()
	for b.Loop() {
		Record(call, stsapi.GetCallerIdentity.About(), in, out, nil)
	}
}

func BenchmarkRecordOfChange(b *testing.B) {
	call, in := byAlice(), &iamapi.CreateUserRequest{UserName: "bob"}
	out := &iamapi.CreateUserResponse{User: &iamapi.User{UserName: "bob", Path: "/team/", Arn: "arn:aws:iam::111122223333:user/bob", UserId: "AIDAEXAMPLE", CreateDate: when}}
	user := aws.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "user/bob"}
	b.ReportAllocs()
	for b.Loop() {
		Record(call, iamapi.CreateUser.About(), in, out, nil, user)
	}
}

// Codes of MFA devices stand in no record: that of a refused call is still good.
func TestCodesAreNotShown(t *testing.T) {
	code := new("493817")
	for _, r := range []aws.Event{
		Record(byAlice(), stsapi.GetSessionToken.About(), &stsapi.GetSessionTokenRequest{SerialNumber: new("arn:aws:iam::111122223333:mfa/alice"), TokenCode: code}, nil, nil),
		Record(byAlice(), stsapi.AssumeRole.About(), &stsapi.AssumeRoleRequest{RoleArn: "arn", TokenCode: code}, nil, nil),
		Record(byAlice(), iamapi.EnableMFADevice.About(), &iamapi.EnableMFADeviceRequest{UserName: "alice", AuthenticationCode1: *code, AuthenticationCode2: *code}, nil, nil),
		Record(byAlice(), iamapi.ResyncMFADevice.About(), &iamapi.ResyncMFADeviceRequest{UserName: "alice", AuthenticationCode1: *code, AuthenticationCode2: *code}, nil, nil),
	} {
		if got := written(t, r); strings.Contains(got, *code) {
			t.Error(got)
		}
	}
}

// What has no name yet is no resource: an ARN with wildcards is for policies.
func TestWildcardsAreNoResources(t *testing.T) {
	var r record
	for _, arn := range []string{
		"arn:aws:secretsmanager:us-east-1:111122223333:secret:db-??????", "arn:aws:kms:us-east-1:111122223333:key/*",
		"arn:aws:s3:::bucket/why-??????", "arn:aws:secretsmanager:us-east-1:111122223333:secret:db-a1B2c3",
	} {
		a, err := aws.ParseARN(arn)
		if err != nil {
			t.Fatal(err)
		}
		r.touched([]aws.ARN{a})
	}
	if len(r.resources) != 2 || r.resources[0].arn.Service != "s3" || !strings.HasSuffix(r.resources[1].arn.Resource, "-a1B2c3") {
		t.Errorf("resources are %v", r.resources)
	}
}
