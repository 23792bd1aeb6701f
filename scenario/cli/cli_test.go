package cli

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/ec2api"
	"sumun.dev/api/eventsapi"
	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/api/kmsapi"
	"sumun.dev/api/lambdaapi"
	"sumun.dev/api/logsapi"
	"sumun.dev/api/route53resolverapi"
	"sumun.dev/api/securityhubapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// names are pairs as botocore's xform_name makes them; SUMUN_CLI_NAMES may name a
// file with all pairs of the models.
var names = map[string]string{
	"CreateUser": "create-user", "ListMFADevices": "list-mfa-devices", "GetSAMLProvider": "get-saml-provider", "ListWebACLs": "list-web-acls",
	"DescribeVpcs": "describe-vpcs", "CreateOIDCProvider": "create-oidc-provider", "DescribeIpv6Pools": "describe-ipv6-pools", "ARNs": "-arns",
	"AssociateVPCWithHostedZone": "associate-vpc-with-hosted-zone", "SSEKMSKeyId": "ssekms-key-id", "Ec2SecurityGroupIds": "ec2-security-group-ids",
	"AuthenticationCode1": "authentication-code1", "ResolverEndpointIpAddresses": "resolver-endpoint-ip-addresses",
}

func TestNamesAreTheCLIs(t *testing.T) {
	for name, want := range names {
		if got := kebab(name); got != want {
			t.Errorf("kebab(%s) = %s, want %s", name, got, want)
		}
	}
	f, err := os.Open(os.Getenv("SUMUN_CLI_NAMES"))
	if err != nil {
		return
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, want, _ := strings.Cut(lines.Text(), " ")
		if got := kebab(name); got != want {
			t.Errorf("kebab(%s) = %s, want %s", name, got, want)
		}
	}
}

type folder map[string]string

func (f folder) ReadFile(name string) ([]byte, error) {
	text, ok := f[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

func (f folder) WriteFile(name string, data []byte) error {
	f[name] = string(data)
	return nil
}

var files = folder{"policy.json": `{"a": 1}`, "raw": "hi", "targets.json": `[{"Id": "1", "Arn": "arn:aws:sqs:::q"}]`}

func all() *CLI {
	ops := iamapi.Operations()
	for _, more := range [][]wire.AnyOperation{
		ec2api.Operations(), eventsapi.Operations(), guarddutyapi.Operations(), kmsapi.Operations(), lambdaapi.Operations(),
		logsapi.Operations(), route53resolverapi.Operations(), securityhubapi.Operations(),
	} {
		ops = append(ops, more...)
	}
	return New(ops)
}

func TestCommandsBecomeRequests(t *testing.T) {
	c := all()
	for _, test := range []struct {
		line []string
		want any
	}{
		{words("iam create-user --user-name alice --tags Key=a,Value=b Key=c,Value='d,e'"), &iamapi.CreateUserRequest{
			UserName: "alice", Tags: []iamapi.Tag{{Key: "a", Value: "b"}, {Key: "c", Value: "d,e"}},
		}},
		{words("iam put-user-policy --user-name=alice --policy-name p --policy-document file://policy.json"), &iamapi.PutUserPolicyRequest{
			UserName: "alice", PolicyName: "p", PolicyDocument: `{"a": 1}`,
		}},
		{words("guardduty create-detector --enable --features Name=S3_DATA_EVENTS,Status=ENABLED"), &guarddutyapi.CreateDetectorRequest{
			Enable: true, Features: []guarddutyapi.DetectorFeatureConfiguration{{Name: new(guarddutyapi.DetectorFeatureS3DataEvents), Status: new(guarddutyapi.FeatureStatusEnabled)}},
		}},
		{words("guardduty create-detector --no-enable"), &guarddutyapi.CreateDetectorRequest{}},
		{words("guardduty list-findings --detector-id d --finding-criteria Criterion={severity={Gte=4}} --max-results 5"), &guarddutyapi.ListFindingsRequest{
			DetectorId: "d", MaxResults: new(int32(5)), FindingCriteria: &guarddutyapi.FindingCriteria{
				Criterion: map[string]guarddutyapi.Condition{"severity": {Gte: new(int32(4))}},
			},
		}},
		{words("route53resolver update-firewall-domains --firewall-domain-list-id l --operation ADD --domains a.com b.com"), &route53resolverapi.UpdateFirewallDomainsRequest{
			FirewallDomainListId: "l", Operation: "ADD", Domains: []string{"a.com", "b.com"},
		}},
		{words(`route53resolver update-firewall-domains --firewall-domain-list-id l --operation ADD --domains ["a.com"]`), &route53resolverapi.UpdateFirewallDomainsRequest{
			FirewallDomainListId: "l", Operation: "ADD", Domains: []string{"a.com"},
		}},
		{words("kms encrypt --key-id k --plaintext aGk= --encryption-context a=b,c=d"), &kmsapi.EncryptRequest{
			KeyId: "k", Plaintext: []byte("hi"), EncryptionContext: map[string]string{"a": "b", "c": "d"},
		}},
		{words("kms encrypt --key-id k --plaintext fileb://raw"), &kmsapi.EncryptRequest{KeyId: "k", Plaintext: []byte("hi")}},
		{words("events put-targets --rule r --targets file://targets.json"), &eventsapi.PutTargetsRequest{
			Rule: "r", Targets: []eventsapi.Target{{Id: "1", Arn: "arn:aws:sqs:::q"}},
		}},
		{words(`ec2 describe-vpcs --filters Name=state,Values=available,pending --vpc-ids v-1 v-2 --no-dry-run`), &ec2api.DescribeVpcsRequest{
			Filters: []ec2api.Filter{{Name: new("state"), Values: []string{"available", "pending"}}}, VpcIds: []string{"v-1", "v-2"}, DryRun: new(false),
		}},
		{[]string{"logs", "put-log-events", "--cli-input-json", `{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"}]}`, "--log-stream-name", "t"}, &logsapi.PutLogEventsRequest{
			LogGroupName: "g", LogStreamName: "t", LogEvents: []logsapi.InputLogEvent{{Timestamp: 1, Message: "m"}},
		}},
		{words("securityhub get-findings --filters Type=[{Value=x,Comparison=PREFIX}]"), &securityhubapi.GetFindingsRequest{
			Filters: &securityhubapi.AwsSecurityFindingFilters{Type: []securityhubapi.StringFilter{{Value: new("x"), Comparison: new(securityhubapi.StringFilterComparison("PREFIX"))}}},
		}},
	} {
		cmd, err := c.Parse(test.line, files)
		if err != nil {
			t.Errorf("%v: %v", test.line, err)
			continue
		}
		if !reflect.DeepEqual(cmd.In, test.want) {
			t.Errorf("%v:\n got %+v\nwant %+v", test.line, cmd.In, test.want)
		}
	}
}

// words divides a line at spaces; quotes stay for the shorthand.
func words(line string) []string { return strings.Fields(line) }

func TestWrongCommandsAreRefused(t *testing.T) {
	c := all()
	for line, want := range map[string]string{
		"iam":                                              "required: command, operation",
		"nothing get-x":                                    "Invalid choice: 'nothing'",
		"iam create-usr":                                   "maybe you meant: create-",
		"iam create-user":                                  "required: --user-name",
		"iam create-user --user-name":                      "expected one argument",
		"iam create-user --user-nam x":                     "Unknown options: --user-nam",
		"iam create-user stray":                            "Unknown options: stray",
		"iam list-users --output table":                    "Invalid choice: 'table'",
		"iam list-users --query [":                         "Bad value for --query",
		"iam list-users --profile x":                       "not offered here",
		"kms encrypt --key-id k --plaintext ?":             "Invalid base64",
		"iam create-user --user-name a --tags Key=a,Key=b": "Second instance of key",
		"iam create-user --user-name a --tags Kay=a":       "Unknown parameter",
		"iam create-user --user-name a --tags [{":          "Invalid JSON",
		"iam put-user-policy --user-name a --policy-name b --policy-document file://none":  "Unable to load paramfile",
		"iam get-context-keys-for-custom-policy --policy-input-list file://policy.json":    "the file of a list holds a JSON list",
		"guardduty list-findings --detector-id d --finding-criteria Criterion={severity={": "Expected: a key",
		"iam list-users --max-items zero":                                                  "invalid literal",
	} {
		_, err := c.Parse(words(line), files)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

// users answers ListUsers in pages of two.
type users struct{ asked []string }

func (u *users) Send(_ context.Context, _ string, _ bool, op wire.AnyOperation, in any) (any, error) {
	names := []string{"ann", "bob", "cid", "dan", "eve"}
	r, ok := in.(*iamapi.ListUsersRequest)
	if !ok {
		return nil, &aws.Error{Code: "AccessDenied", Message: "no"}
	}
	at := 0
	if r.Marker != nil {
		at = int((*r.Marker)[0] - '0')
		u.asked = append(u.asked, *r.Marker)
	}
	out := &iamapi.ListUsersResponse{IsTruncated: new(at+2 < len(names))}
	for _, n := range names[at:min(at+2, len(names))] {
		out.Users = append(out.Users, iamapi.User{Path: "/", UserName: n, CreateDate: time.Date(2026, 1, 1, 0, 0, 0, 5000, time.UTC)})
	}
	if *out.IsTruncated {
		out.Marker = new(string(rune('0' + at + 2)))
	}
	return out, nil
}

func TestOutput(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"iam list-users --query Users[].UserName --output text", "ann\tbob\ncid\tdan\neve\n"},
		{"iam list-users --query Users[].UserName", "[\n    \"ann\",\n    \"bob\",\n    \"cid\",\n    \"dan\",\n    \"eve\"\n]\n"},
		{"iam list-users --query length(Users)", "5\n"},
		{"iam list-users --query Users[0].Tags", "null\n"},
		{"iam list-users --max-items 3 --query Users[-1].UserName", "\"cid\"\n"},
		{"iam list-users --no-paginate --query Users[].UserName --output text", "ann\tbob\n"},
		{"iam list-users --no-paginate --query Users[0]", "{\n    \"Path\": \"/\",\n    \"UserName\": \"ann\",\n    \"UserId\": \"\",\n    \"Arn\": \"\",\n    \"CreateDate\": \"2026-01-01T00:00:00.000005+00:00\"\n}\n"},
		{"iam list-users --no-paginate --output text --query {a:IsTruncated,b:Users[].{n:UserName}}", "True\nB\tann\nB\tbob\n"},
	} {
		cmd, err := all().Parse(words(test.line), files)
		if err != nil {
			t.Fatal(err)
		}
		var out, errs strings.Builder
		if status := cmd.Run(t.Context(), &users{}, &out, &errs); status != Success || out.String() != test.want {
			t.Errorf("%s: status %d\n got %q\nwant %q\n%s", test.line, status, out.String(), test.want, errs.String())
		}
	}
}

func TestPagesGoOnFromAToken(t *testing.T) {
	line := words("iam list-users --max-items 3")
	cmd, err := all().Parse(line, files)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	cmd.Run(t.Context(), &users{}, &out, &errs)
	_, rest, ok := strings.Cut(out.String(), `"NextToken": "`)
	if !ok {
		t.Fatalf("no token in %s", out.String())
	}
	token, _, _ := strings.Cut(rest, `"`)
	cmd, err = all().Parse(append(words("iam list-users --query Users[].UserName --output text --starting-token"), token), files)
	if err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if cmd.Run(t.Context(), &users{}, &out, &errs); out.String() != "dan\neve\n" {
		t.Errorf("got %q", out.String())
	}
}

func TestRefusalsAreInTheCLIsWords(t *testing.T) {
	cmd, err := all().Parse(words("iam get-user --user-name x"), files)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	const want = "\nAn error occurred (AccessDenied) when calling the GetUser operation: no\n"
	if status := cmd.Run(t.Context(), &users{}, &out, &errs); status != ServerError || errs.String() != want {
		t.Errorf("status %d, %q", status, errs.String())
	}
}

func TestStreamsGoToTheOutfile(t *testing.T) {
	for _, line := range []string{"lambda invoke --function-name f out.json", "lambda invoke out.json --function-name f"} {
		cmd, err := all().Parse(words(line), files)
		if err != nil || cmd.outfile != "out.json" {
			t.Errorf("%s: %v", line, err)
		}
	}
	_, err := all().Parse(words("lambda invoke --function-name f"), files)
	var wrong *Usage
	if !errors.As(err, &wrong) || !strings.Contains(wrong.Sentence, "outfile") {
		t.Errorf("got %v", err)
	}
}

// devices answers CreateVirtualMFADevice.
type devices struct{}

func (devices) Send(context.Context, string, bool, wire.AnyOperation, any) (any, error) {
	return &iamapi.CreateVirtualMFADeviceResponse{VirtualMFADevice: &iamapi.VirtualMFADevice{SerialNumber: "s", Base32StringSeed: []byte("ABC"), QRCodePNG: []byte("png")}}, nil
}

func TestSeedsGoToTheOutfile(t *testing.T) {
	const line = "iam create-virtual-mfa-device --virtual-mfa-device-name a --outfile seed"
	for method, want := range map[string]string{"Base32StringSeed": "ABC", "QRCodePNG": "png"} {
		saved := folder{}
		cmd, err := all().Parse(words(line+" --bootstrap-method "+method), saved)
		if err != nil {
			t.Fatal(err)
		}
		var out, errs strings.Builder
		if status := cmd.Run(t.Context(), devices{}, &out, &errs); status != Success || saved["seed"] != want || strings.Contains(out.String(), method) {
			t.Errorf("%s: status %d, saved %q, printed %s%s", method, status, saved["seed"], out.String(), errs.String())
		}
	}
	for wrong, want := range map[string]string{
		line: "required: --bootstrap-method", line + " --bootstrap-method Smoke": "Invalid choice: 'Smoke'", line + " --bootstrap-method": "expected one argument",
		"iam create-user --user-name a --outfile x": "Unknown options: --outfile",
	} {
		if _, err := all().Parse(words(wrong), files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", wrong, err, want)
		}
	}
}

func FuzzShorthand(f *testing.F) {
	for _, seed := range []string{"a=b", "a=b,c", "a={b=c,d=[e,f]}", "a='b,c',d=\"e\"", "a=\\,", "a=[", "a={b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = shorthand(text)
	})
}

// policies answers with a document as IAM does: percent-encoded.
type policies struct{}

func (policies) Send(context.Context, string, bool, wire.AnyOperation, any) (any, error) {
	return &iamapi.GetUserPolicyResponse{UserName: "u", PolicyName: "p", PolicyDocument: "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D"}, nil
}

func TestPoliciesAreShownDecoded(t *testing.T) {
	cmd, err := all().Parse(words("iam get-user-policy --user-name u --policy-name p --query PolicyDocument"), files)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	const want = "{\n    \"Version\": \"2012-10-17\",\n    \"Statement\": []\n}\n"
	if cmd.Run(t.Context(), policies{}, &out, &errs); out.String() != want {
		t.Errorf("got %s%s", out.String(), errs.String())
	}
}
